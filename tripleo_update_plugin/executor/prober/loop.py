"""The open loop: every probe is asked at set times, whatever the answers, and notices when it could not."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tripleo_update_plugin.executor.prober.asking import Asker
from tripleo_update_plugin.executor.prober.failures import in_words
from tripleo_update_plugin.outcome.track import Attempt, Track
from tripleo_update_plugin.rules.probes import Probe

STARVED = "the prober was starved or stopped"

_LOOK = 0.2  # seconds between two looks at the clocks
_TOO_LATE = 0.5  # seconds by which a look may be late


@dataclass(slots=True)
class Clocks:
    """The stalls of this process: times in which it did not run, or the clock was set; Unix seconds."""

    stalls: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=20))

    async def watch(self) -> None:
        wall, steady = time.time(), time.monotonic()
        while True:
            await asyncio.sleep(_LOOK)
            passed, ticked = time.time() - wall, time.monotonic() - steady
            if ticked > _LOOK + _TOO_LATE or abs(passed - ticked) > _TOO_LATE:
                self.stalls.append((wall, max(time.time(), wall + ticked)))
            wall, steady = time.time(), time.monotonic()

    def stalled(self, start: float, end: float) -> bool:
        """Whether this process did not run for some time between the two."""
        return any(began <= end and ended >= start for began, ended in self.stalls)


@dataclass(slots=True, kw_only=True)
class Asking:
    """One probe under way."""

    probe: Probe
    ask: Asker
    track: Track
    clocks: Clocks
    say: Callable[[str], None]

    async def run(self, offset: float, stop: asyncio.Event) -> None:
        """Ask until *stop*, first after *offset* seconds; returns when the last attempt has ended."""
        sent: asyncio.Queue[asyncio.Task[Attempt] | None] = asyncio.Queue()
        noting = asyncio.create_task(self._note_all(sent))
        period, due = self.probe.pace.period, time.monotonic() + offset
        while not stop.is_set():
            await _until(due, stop)
            late = time.monotonic() - due
            if late > max(period / 2, _TOO_LATE):
                # What was missed is not made up for: a burst would be no open loop, and no kindness.
                missed = int(late / period)
                await sent.put(asyncio.create_task(_missed(time.time() - late, late)))
                due += missed * period
            if not stop.is_set():
                await sent.put(asyncio.create_task(self._attempt()))
            due += period
        await sent.put(None)
        await noting

    async def _attempt(self) -> Attempt:
        began, steady = time.time(), time.monotonic()
        try:
            async with asyncio.timeout(self.probe.pace.timeout):
                await self.ask()
        except Exception as error:
            ended = time.time()
            await asyncio.sleep(_LOOK + 0.1)  # until the clocks have been looked at
            spoiled = STARVED if self.clocks.stalled(began, ended) else ""
            return Attempt(sent=began, succeeded=False, error=in_words(error, self.probe.pace.timeout), spoiled=spoiled)
        return Attempt(sent=began, succeeded=True, seconds=time.monotonic() - steady)

    async def _note_all(self, sent: asyncio.Queue[asyncio.Task[Attempt] | None]) -> None:
        """Note attempts in the order they were sent, whatever the order they end in."""
        while (task := await sent.get()) is not None:
            attempt, was_down = await task, self.track.is_down
            if attempt.spoiled and attempt.seconds:
                self.track.be_blind(attempt.sent, attempt.sent + attempt.seconds, attempt.spoiled)
                continue
            self.track.note(attempt)
            if self.track.is_down != was_down:
                self.say(f"{self.probe.name}: {'fails: ' + attempt.error if not was_down else 'answers again'}")


async def _missed(since: float, seconds: float) -> Attempt:
    """The time in which nothing was sent, in its place among the attempts."""
    return Attempt(sent=since, succeeded=False, seconds=seconds, spoiled=STARVED)


async def _until(due: float, stop: asyncio.Event) -> None:
    wait = due - time.monotonic()
    if wait > 0:
        try:
            await asyncio.wait_for(stop.wait(), wait)
        except TimeoutError:
            return
