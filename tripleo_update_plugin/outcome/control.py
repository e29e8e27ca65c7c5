"""What do people and the phases at work say about one update, beside what Mistral knows of it?

Three kinds of notes, each kept in Mistral as an environment of its own (see ``adapters.update_state``): what operators
want (Control), which nodes the update leaves out from now on (Quarantine), and that a phase is alive (Beat).
They come back from a store that others can write to, so ``from_dict`` takes nothing but what it knows.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from tripleo_update_plugin.names import is_safe_name

#: Control.pause: no batch begins any more; those that have begun go on to their end.
AFTER_BATCH = "after-batch"

#: Quarantine.kind: a person left the node out, or it failed within the failure budget.
SKIPPED, FAILED = "skipped", "failed"


class _Note:
    """Data for Mistral and back; keys that are not known, as a later version may write, are passed over."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        data = asdict(self)  # type: ignore[call-overload]
        return {key: list(value) if isinstance(value, tuple) else value for key, value in data.items()}

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """The note that to_dict() gave; ValueError for anything that is not one."""
        if not isinstance(data, Mapping):
            raise ValueError(f"a mapping is expected, not {type(data).__name__}")
        known = fields(cls)  # type: ignore[arg-type]
        try:
            return cls(**{each.name: _taken(each.type, data[each.name]) for each in known if each.name in data})
        except (TypeError, ValueError) as error:
            raise ValueError(f"not what is expected of {cls.__name__}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Control(_Note):
    """What operators want of an update: ``pause`` is "" or AFTER_BATCH; ``by`` whom, ``since`` when (Unix seconds)."""

    pause: str = ""
    abort: bool = False
    by: str = ""
    since: float = 0.0

    def __post_init__(self) -> None:
        _insist(self.pause in ("", AFTER_BATCH), "pause", self.pause)

    @property
    def holds(self) -> bool:
        """Whether no batch may begin."""
        return self.abort or bool(self.pause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine(_Note):
    """A node that an update leaves out from now on: ``kind`` is SKIPPED or FAILED, ``time`` Unix seconds.

    ``batch`` and ``phase`` are where it failed, ``role`` is its own; "" of a node that was skipped.
    """

    node: str
    kind: str
    reason: str
    time: float
    batch: str = ""
    phase: str = ""
    role: str = ""

    def __post_init__(self) -> None:
        _insist(is_safe_name(self.node), "node", self.node)
        _insist(self.kind in (SKIPPED, FAILED), "kind", self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat(_Note):
    """The sign of life of the phase that is at work for ``batch``; ``since`` and ``beat`` (the last) are Unix seconds.

    ``machine`` and ``pid`` say where its process runs, ``action_execution`` who waits for it in Mistral. ``doing`` is
    the name of the task that Ansible is at, ``nodes`` those it is done on, as shown (at most ten, then how many more).
    ``waits_for`` says in words what it waits for; "" while it works.
    """

    batch: str
    phase: str
    machine: str
    pid: int
    attempt: int
    action_execution: str
    since: float
    beat: float
    doing: str = ""
    nodes: tuple[str, ...] = ()
    waits_for: str = ""

    def __post_init__(self) -> None:
        _insist(is_safe_name(self.batch), "batch", self.batch)

    @property
    def at_door(self) -> bool:
        """Whether it waits before anything of its batch was touched."""
        return self.phase == "gate_before" and bool(self.waits_for)


def _taken(kind: Any, value: Any) -> Any:
    """*value* as the field of that *kind* has it; ValueError if it is something else."""
    if kind is float:
        ok = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    elif kind is int:
        ok = isinstance(value, int) and not isinstance(value, bool)
    elif kind in (str, bool):
        ok = isinstance(value, kind)
    else:  # texts
        ok = isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
        value = tuple(value) if ok else value
    _insist(ok, "a value", value)
    return float(value) if kind is float else value


def _insist(is_so: bool, what: str, found: object) -> None:
    if not is_so:
        raise ValueError(f"{what} is {str(found)[:80]!r}")
