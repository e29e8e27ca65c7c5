"""Where does an update stand: what is at work, what waits before it begins, what was left halfway, what failed?

Mistral's states do not say: a paused or cancelled update may have phases at work, and one that runs may only wait.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tripleo_update_plugin.outcome.control import Beat
from tripleo_update_plugin.outcome.execution import BatchRun, Execution

#: A batch in one of these states is neither before its beginning nor at its end.
_UNDER_WAY = ("RUNNING", "DELAYED", "PAUSED", "CANCELLED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An update, seen with its phases, and the signs of life of these."""

    execution: Execution
    beats: tuple[Beat, ...] = ()

    def beat_of(self, batch: str) -> Beat | None:
        """The sign of life of the phase that is at work for *batch*; None if there is none."""
        return next((beat for beat in self.beats if beat.batch == batch), None)

    def doing(self, run: BatchRun) -> str:
        """What a batch that has begun does, or waits for, in words."""
        beat = self.beat_of(run.id)
        if beat is None:
            return run.phase or "begins"
        if beat.waits_for:
            return f"{beat.phase}: waits: {beat.waits_for}"
        task = f": {beat.doing}" if beat.doing else ""
        return f"{beat.phase}{task}" + (f" on {', '.join(beat.nodes)}" if beat.doing and beat.nodes else "")

    @property
    def waiting(self) -> tuple[BatchRun, ...]:
        """Batches that wait before anything of them was touched."""
        doors = {beat.batch for beat in self.beats if beat.at_door}
        return tuple(run for run in self.execution.batches if run.id in doors and run.state in _UNDER_WAY)

    @property
    def at_work(self) -> tuple[BatchRun, ...]:
        """Batches of which a phase is at work, or about to be."""
        waiting = {run.id for run in self.waiting}
        return tuple(run for run in self.execution.batches if run.id not in waiting and self._works(run))

    def _works(self, run: BatchRun) -> bool:
        goes_on = self.execution.state == "RUNNING" and run.state in ("RUNNING", "DELAYED")
        return goes_on or any(phase.state == "RUNNING" for phase in run.phases)

    @property
    def halfway(self) -> tuple[BatchRun, ...]:
        """Batches whose nodes may have services out of use: drained, and not put back yet."""
        return tuple(run for run in self.execution.batches if is_halfway(run))

    @property
    def failed(self) -> tuple[BatchRun, ...]:
        """Batches with a phase that failed, also where Mistral, being paused, does not call the batch failed yet."""
        return tuple(
            run for run in self.execution.batches
            if run.state == "ERROR" or (run.state == "PAUSED" and any(p.state == "ERROR" for p in run.phases))
        )  # fmt: skip


def is_halfway(run: BatchRun) -> bool:
    """Whether a batch has drained its nodes, or begun to, and not put them back.

    >>> from tripleo_update_plugin.outcome.execution import PhaseRun
    >>> is_halfway(BatchRun(id="b", state="PAUSED", phases=(PhaseRun(name="drain", state="SUCCESS"),)))
    True
    """
    states = {phase.name: phase.state for phase in run.phases}
    put_back = "SUCCESS" in (states.get("restore"), states.get("undo_drain"))
    return "drain" in states and not put_back


class Vigil:
    """Looks at signs of life again and again: how long has each been the same?

    It goes by the looker's own clock, for that of another machine may be another. Where Mistral was away nothing could
    be told, so then it begins anew.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Beat, float]] = {}

    def look(self, beats: Iterable[Beat], now: float) -> dict[str, float]:
        """{batch: seconds for which its beat has not changed}, at *now* in seconds of any steady clock."""
        seen = {beat.batch: beat for beat in beats}
        self._seen = {
            batch: known if (known := self._seen.get(batch)) and known[0] == beat else (beat, now)
            for batch, beat in seen.items()
        }
        return {batch: now - since for batch, (_, since) in self._seen.items()}

    def begin_anew(self) -> None:
        """Mistral was away."""
        self._seen = {}
