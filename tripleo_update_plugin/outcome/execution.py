"""How far is an update? Mistral's answer, as a snapshot in our words."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tripleo_update_plugin.rules.deadlines import PHASES

#: Mistral's states → (whether it is the end, what it means for an operator).
STATES: Mapping[str, tuple[bool, str]] = {
    "IDLE": (False, "is about to begin"),
    "WAITING": (False, "waits for the batches it comes after"),
    "DELAYED": (False, "waits a moment"),
    "RUNNING": (False, "is under way"),
    "PAUSED": (False, "is paused, or waits for an approval; no new phase begins"),
    "SUCCESS": (True, "went well"),
    "ERROR": (True, "failed"),
    "CANCELLED": (True, "was cancelled"),
    "SKIPPED": (True, "was skipped"),
}

#: What is to be seen of a batch: its phases, and what takes back a drain that failed.
SHOWN = (*PHASES[:2], "undo_drain", *PHASES[2:])


def is_final(state: str) -> bool:
    """Whether nothing more happens by itself from this state on."""
    return STATES.get(state, (False, ""))[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeResult:
    """What one phase did on one node; times are Unix seconds."""

    ok: bool
    started: float | None = None
    finished: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRun:
    """One phase of a batch: its state, and what it reports per node. Times are Unix seconds.

    ``task`` and ``action`` are Mistral's ids of it and of its last action execution, "" if there is none.
    """

    name: str
    state: str
    error: str = ""
    started: float | None = None
    finished: float | None = None
    nodes: Mapping[str, NodeResult] = field(default_factory=dict)
    task: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRun:
    """One batch: its state, and the phases begun so far. Times are Unix seconds; ``task`` is Mistral's id of it."""

    id: str
    state: str
    started: float | None = None
    finished: float | None = None
    phases: tuple[PhaseRun, ...] = ()
    task: str = ""

    @property
    def phase(self) -> str:
        """The phase it is in, or the last one it was in."""
        return self.phases[-1].name if self.phases else ""

    @property
    def error(self) -> str:
        """Why it failed, in the words of the phase that did."""
        return next((p.error for p in self.phases if p.state == "ERROR" and p.error), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A snapshot of an update, never changed. Times are Unix seconds; a ``state`` is one of STATES.

    ``batches`` are those that Mistral has reached. ``error`` is Mistral's own word, "" while all goes well.
    """

    id: str
    stack: str
    workflow: str
    state: str
    started: float | None = None
    finished: float | None = None
    error: str = ""
    batches: tuple[BatchRun, ...] = ()
    approval: str = ""  # the one it waits for

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return is_final(self.state)

    def run_of(self, batch: str) -> BatchRun | None:
        """How far the batch of that id is; None if it has not been reached."""
        return next((run for run in self.batches if run.id == batch), None)
