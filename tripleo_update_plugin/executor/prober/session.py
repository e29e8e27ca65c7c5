"""One update being probed: asks, keeps what it knows where it survives, pauses the update when too much fails."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from tripleo_update_plugin.errors import ExecutionNotFound
from tripleo_update_plugin.executor.prober.access import Means
from tripleo_update_plugin.executor.prober.asking import asker_of
from tripleo_update_plugin.executor.prober.failures import CannotAsk
from tripleo_update_plugin.executor.prober.loop import Asking, Clocks
from tripleo_update_plugin.outcome.execution import is_final
from tripleo_update_plugin.outcome.track import Track
from tripleo_update_plugin.outcome.verdicts import Breach, Watch, Watched
from tripleo_update_plugin.rules.probes import Probe, Tolerance

GONE = "the prober was not running"

_TURN = 1.0  # seconds between two looks at the budget
_LOOK_EVERY = 2  # turns between two looks at the update
_TELL_EVERY = 10  # turns between two words to Mistral


class Superseded(Exception):
    """Another machine probes the update now."""


class Undercloud(Protocol):
    """What a session needs of Mistral; every call may take a while, and fail."""

    def state(self) -> str: ...
    def pause(self) -> bool: ...
    def tell(self, watch: dict[str, Any]) -> None: ...  # Superseded if it is on somebody else to tell


@dataclass(slots=True, kw_only=True)
class Session:
    """``keep`` stores a snapshot on this machine; ``patience`` is how long (seconds) Mistral may be away."""

    probes: tuple[Probe, ...]
    left_out: tuple[str, ...]
    tolerance: Tolerance
    means: Means
    undercloud: Undercloud
    keep: Callable[[dict[str, Any]], None]
    begun: Callable[[], None]  # called once everything was asked
    say: Callable[[str], None]
    before: Watch | None = None  # what an earlier prober of the same update knew
    patience: float = 3600.0
    tracks: dict[str, Track] = field(default_factory=dict)
    levels: dict[str, str] = field(default_factory=dict)
    breaches: list[Breach] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    refused: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.time)
    _blamed: set[tuple[str, float]] = field(default_factory=set)
    _unpaused: int = 0  # the last breaches, for which the update has still to be paused

    async def run(self) -> Watch:
        """Probe until the update has ended or ``stop`` is set; the last snapshot."""
        clocks = Clocks()
        self._recall()
        asking = list(self._asking(clocks))
        offsets = [min(each.probe.pace.period, _TURN) * i / len(asking) for i, each in enumerate(asking)]
        asyncio.get_running_loop().call_later(max(offsets, default=0.0) + 0.1, self.begun)
        # Where one of them breaks, all end: a probe that is silently not asked would look like one that is answered.
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(clocks.watch())
            runs = [group.create_task(e.run(offset, self.stop)) for e, offset in zip(asking, offsets, strict=True)]
            await self._control()
            self.stop.set()
            await asyncio.gather(*runs)
            looking.cancel()
        return self.snapshot(ended=True)

    def _recall(self) -> None:
        """Go on where an earlier prober was; of the time in between nothing is known."""
        known = {each.name: each.track for each in self.before.probes} if self.before else {}
        for probe in self.probes:
            track = known.get(probe.name) or Track(retry=probe.pace.retry, period=probe.pace.period)
            if self.before and track.last_sent is not None:
                track.be_blind(track.last_sent + track.period, time.time(), GONE)
            self.tracks[probe.name] = track
        self.breaches = list(self.before.breaches) if self.before else []
        self._blamed = {(name, outage.start) for name, track in self.tracks.items() for outage in track.outages}

    def _asking(self, clocks: Clocks) -> "list[Asking]":
        found = []
        for probe in self.probes:
            try:
                level, ask = asker_of(probe, self.means)
            except CannotAsk as error:
                self.refused[probe.name] = str(error)
                self.say(f"{probe.name}: cannot be asked: {error}")
                continue
            self.levels[probe.name] = level
            track = self.tracks[probe.name]
            found.append(Asking(probe=probe, ask=ask, track=track, clocks=clocks, say=self.say))
        return found

    def snapshot(self, ended: bool = False) -> Watch:
        now = time.time()
        for name, why in self.refused.items():
            self.tracks[name].be_blind(self.began, now, why)
        probes = tuple(
            Watched(name=p.name, kind=p.kind, level=self.levels.get(p.name, ""), track=self.tracks[p.name])
            for p in self.probes
        )
        return Watch(until=now, ended=ended, left_out=self.left_out, probes=probes, breaches=tuple(self.breaches))

    async def _control(self) -> None:
        """Look at the budget every second, and now and then at the update; ends when the update does."""
        turn, heard, away = 0, time.monotonic(), ""
        while not self.stop.is_set():
            breached = self._judge()
            try:
                if self._unpaused:
                    await self._pause()
                if turn % _LOOK_EVERY == 0 and is_final(await asyncio.to_thread(self.undercloud.state)):
                    return
                if breached or turn % _TELL_EVERY == 0:
                    await asyncio.to_thread(self.undercloud.tell, self.snapshot().to_dict())
                heard, away = time.monotonic(), ""
            except ExecutionNotFound as error:
                self.say(f"the update is gone: {error}")
                return
            except Superseded as error:
                self.say(str(error))
                return
            except Exception as error:
                if not away:
                    away = getattr(error, "message", type(error).__name__)
                    self.say(away)
                if time.monotonic() - heard > self.patience:
                    return
            await asyncio.to_thread(self.keep, self.snapshot().to_dict())
            await _sleep(_TURN, self.stop)
            turn += 1

    def _judge(self) -> bool:
        """Whether a probe has just gone beyond the budget, in an outage that was not blamed before."""
        if self.tolerance.failed is None:
            return False
        before = len(self._blamed)
        for probe in self.probes:
            track = self.tracks[probe.name]
            outage = track.outages[-1] if track.outages else None
            if outage is None or not outage.failed or track.failed <= self.tolerance.failed:
                continue
            key = (probe.name, outage.start)
            if key not in self._blamed:
                self._blamed.add(key)
                self._blame(probe, track)
        return len(self._blamed) > before

    def _blame(self, probe: Probe, track: Track) -> None:
        text = (
            f"{track.failed} request{'' if track.failed == 1 else 's'} failed in spite of {probe.pace.retry:g} s of "
            f"retries ({track.outages[-1].error}); allowed: {self.tolerance.failed}"
        )
        self.breaches.append(Breach(probe=probe.name, time=track.outages[-1].start, text=text, paused=False))
        self._unpaused += 1
        self.say(f"{probe.name}: {text}")

    async def _pause(self) -> None:
        """Pause the update; what is not running any more needs none."""
        paused = await asyncio.to_thread(self.undercloud.pause)
        new = self.breaches[-self._unpaused :]
        self.breaches[-self._unpaused :] = [replace(breach, paused=paused) for breach in new]
        self._unpaused = 0
        self.say("the update is paused" if paused else "there was nothing to pause: it is paused already, or has ended")
        await asyncio.to_thread(self.undercloud.tell, self.snapshot().to_dict())


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
