"""Look on until nothing is at work any more: whatever state Mistral has for that, and whether or not it answers."""

import time
from collections.abc import Callable, Iterator

from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.adapters.update_state import UpdateState
from tripleo_update_plugin.errors import Unavailable
from tripleo_update_plugin.outcome.standing import Standing, Vigil
from tripleo_update_plugin.verbs.burying import SILENCE, bury, tend
from tripleo_update_plugin.verbs.looking import look

#: Seconds between two words about Mistral being away, and between two requests to look after dead jobs.
_MINUTE = 60.0


class Follower:
    """Looks at one update every *interval* seconds; *say* hears what is no progress. *clock* is steady, in seconds."""

    def __init__(
        self,
        id: str,
        mistral: Mistral,
        notes: UpdateState,
        say: Callable[[str], None],
        interval: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._id, self._mistral, self._notes = id, mistral, notes
        self._say, self._interval, self._sleep, self._clock = say, interval, sleep, clock
        self._vigil = Vigil()
        self._away_since: float | None = None
        self._said = self._tended = float("-inf")

    def looks(self) -> Iterator[Standing]:
        """One look after the other, until nothing is at work and the update has ended or waits for a person.

        The first look raises Unavailable where Mistral does not answer; later ones are tried again and again.
        """
        standing = look(self._id, self._mistral, self._notes)
        while True:
            yield standing
            if _is_over(standing):
                return
            standing = self._next()

    def _next(self) -> Standing:
        while True:
            self._sleep(self._interval)
            try:
                standing = look(self._id, self._mistral, self._notes)
                self._see_to(standing)
            except Unavailable as error:
                self._is_away(error)
                continue
            if self._away_since is not None:
                self._say(f"Mistral answers again after {self._clock() - self._away_since:.0f} s")
                self._away_since = None
            return standing

    def _is_away(self, error: Unavailable) -> None:
        now = self._clock()
        self._vigil.begin_anew()
        if self._away_since is None:
            self._away_since = now
        if now - self._said >= _MINUTE:
            self._said = now
            self._say(f"{error.message}; the update goes on, looking again")

    def _see_to(self, standing: Standing) -> None:
        """Have jobs that give no sign of life looked after; those of which nobody hears then are given up."""
        now = self._clock()
        silent = self._vigil.look(standing.beats, now)
        if any(seconds >= SILENCE / 2 for seconds in silent.values()) and now - self._tended >= _MINUTE:
            self._tended = now
            tend(self._mistral)
        dead = [batch for batch, seconds in silent.items() if seconds >= 1.5 * SILENCE]
        for batch in bury(standing, dead, self._mistral, self._notes):
            self._say(f"{batch}: no sign of life for {silent[batch]:.0f} s: its phase counts as failed")


def _is_over(standing: Standing) -> bool:
    """Whether nothing happens any more by itself."""
    stands = standing.execution.is_final or standing.execution.state == "PAUSED"
    return stands and not standing.at_work
