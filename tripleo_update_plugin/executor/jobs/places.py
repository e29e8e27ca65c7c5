"""How many jobs are at work on this machine, and may one more begin?

Every job at work has a place: a file in ``<work_dir>/places`` that it holds by flock, so that a job that dies gives its
place back. A batch keeps its place for a moment between two phases, or whoever waits would take it in the meantime.
"""

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from tripleo_update_plugin.executor.jobs.job import alone, try_flock

_BETWEEN = 60.0  # seconds for which a batch keeps its place until its next phase begins


@dataclass(frozen=True, slots=True)
class Places:
    """The places of one machine."""

    folder: Path

    @classmethod
    def of(cls, work_dir: str) -> "Places":
        return cls(Path(work_dir) / "places")

    def take(self, batch: str, most: int = 0) -> int | None:
        """The descriptor of a place for *batch*, held until it is closed; None if *most* (0: any number) are taken.

        The one that the batch has kept is its own, however many are taken.
        """
        with self._guard():
            free, kept, taken = self._look(batch)
            if kept is None and most and taken >= most:
                _close(free)
                return None
            chosen = free[0] if kept is None else kept
            _close([each for each in free if each != chosen])
            os.ftruncate(chosen, 0)
            return chosen

    def leave(self, place: int, batch: str, goes_on: bool) -> None:
        """Give *place* back; where the batch *goes_on*, it is kept for its next phase."""
        # A full disk costs the batch its place, not a phase that is done.
        with contextlib.suppress(OSError):
            if goes_on:
                os.pwrite(place, f"{time.time() + _BETWEEN} {batch}".encode(), 0)
        os.close(place)

    def taken(self) -> int:
        """How many jobs are at work, those included whose next phase is about to begin."""
        with self._guard():
            free, _, taken = self._look("")
            _close(free)
            return taken

    def _look(self, batch: str) -> tuple[list[int], int | None, int]:
        """(Places that *batch* may have, one at the least; the one among them that it has kept; how many are taken)."""
        free: list[int] = []
        kept, taken, number = None, 0, 0
        while not free or (self.folder / str(number)).exists():
            place = try_flock(self.folder / str(number))
            number += 1
            if place is None:
                taken += 1
                continue
            until, _, owner = os.pread(place, 1000, 0).decode().partition(" ")
            if until and float(until) > time.time():
                if owner != batch:
                    taken += 1
                    os.close(place)
                    continue
                kept = place
            free.append(place)
        return free, kept, taken

    def _guard(self) -> contextlib.AbstractContextManager[None]:
        """Alone among all who look; the folder may have been removed while somebody waited."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return alone(self.folder / "guard")



def _close(places: list[int]) -> None:
    for place in places:
        os.close(place)


def share(forks: int, max_forks: int, max_jobs: int, at_work: int) -> int:
    """How many *forks* one job has of *max_forks* (0: no limit): those are shared by all that may be at work.

    >>> share(25, 200, 8, at_work=1), share(25, 100, 8, at_work=1), share(25, 100, 0, at_work=2), share(25, 8, 0, 9)
    (25, 12, 25, 1)
    """
    return min(forks, max(1, max_forks // max(1, max_jobs, at_work))) if max_forks else forks
