"""What people want of an update that runs, and which nodes it goes on without: values that Mistral keeps beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tripleo_update_plugin.names import is_safe_name

#: Why an update goes on without a node: a person said so, or it failed within the budget.
SKIPPED, FAILED = "skipped", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What an operator has asked for: no new batch for now (``pause``), or none at all (``abort``).

    ``by`` and ``since`` (Unix seconds) say who asked, and when.
    """

    pause: bool = False
    abort: bool = False
    by: str = ""
    since: float = 0.0

    @property
    def holds(self) -> str:
        """Why no batch may begin, in words; "" if one may."""
        word = "aborted" if self.abort else "paused" if self.pause else ""
        return f"the update was {word}{f' by {self.by}' if self.by else ''}" if word else ""

    def to_dict(self) -> dict[str, Any]:
        return {"pause": self.pause, "abort": self.abort, "by": self.by, "since": self.since}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Control":
        """What to_dict() gave. ValueError for anything else: a control that cannot be read lets nothing begin."""
        pause, abort = data.get("pause", False), data.get("abort", False)
        if not isinstance(pause, bool) or not isinstance(abort, bool):
            raise ValueError("pause and abort are true or false")
        return cls(pause=pause, abort=abort, by=str(data.get("by", "")), since=float(data.get("since", 0.0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """A node that an update goes on without, and why; it counts as down. ``time`` is in Unix seconds."""

    node: str
    kind: str
    reason: str
    batch: str = ""
    phase: str = ""
    time: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return {field: getattr(self, field) for field in ("node", "kind", "reason", "batch", "phase", "time")}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Quarantine":
        """What to_dict() gave. ValueError for anything else."""
        if not is_safe_name(data.get("node")) or data.get("kind") not in (SKIPPED, FAILED):
            raise ValueError("a node in quarantine has a name, and is skipped or failed")
        texts = {field: str(data.get(field, "")) for field in ("node", "kind", "reason", "batch", "phase")}
        return cls(**texts, time=float(data.get("time", 0.0)))
