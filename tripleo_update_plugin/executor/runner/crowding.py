"""Is there a place for a job among those at work on this machine? A batch waits for one before it begins."""

import platform
from types import TracebackType

from tripleo_update_plugin.executor.jobs.places import Places
from tripleo_update_plugin.executor.runner.work import Output, Work


class Place:
    """The place of the job of *work*, given back at the end of the block.

    With ``goes_on`` it is kept for a moment for the next phase of the batch.
    """

    def __init__(self, work: Work) -> None:
        self._places = Places.of(work.options.work_dir)
        self._batch = f"{work.update}.{work.given('batch')}"
        self._most: int = work.options.max_jobs
        self._held: int | None = None
        self.goes_on = False

    def __enter__(self) -> "Place":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held is not None:
            self._places.leave(self._held, self._batch, self.goes_on)

    def busy(self) -> str:
        """Why the batch cannot begin now; "" as soon as it has a place."""
        self._held = self._places.take(self._batch, self._most)
        full = f"{self._most} job{'s are' if self._most > 1 else ' is'} at work on {platform.node()}, no more may be"
        return full if self._held is None else ""

    def take(self) -> None:
        """Have a place whatever others do, unless there is one already: what has begun goes on."""
        if self._held is None:
            self._held = self._places.take(self._batch)


def is_followed(work: Work, output: Output) -> bool:
    """Whether another phase of the batch comes next; after a drain that failed it is undone."""
    ends = work.given("moment") == "after" or work.given("last")
    return bool(work.given("update")) and not ends and bool(output["ok"] or work.phase == "drain")
