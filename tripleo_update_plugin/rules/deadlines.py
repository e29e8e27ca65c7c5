"""How long may a phase of a batch take, or be silent, before it counts as hung?

What the policy says is for one node. A batch gets it once for as many nodes as Ansible talks to at a time, and again
for the next ones.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

#: The phases of a batch, in order; each is a task of the workflow update_batch.
PHASES = ("gate_before", "drain", "update", "restore", "gate_after")

#: Seconds for a phase where nothing is said, as the workflow update_batch has it, too.
SECONDS = 7200

#: How many nodes Ansible talks to at a time, where the policy says nothing: the default of the option forks.
AT_A_TIME = 25

#: Seconds without a result after which a phase counts as hung, where the policy says nothing: longer than the half hour
#: for which tasks of our own may wait, and than a large update of packages takes.
SILENCE = 3600

#: For every phase, or {phase: seconds}.
Seconds = int | Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds for a phase on one node. What is said of a service goes before its role, and that before the phase.

    >>> deadlines = Deadlines(default=3600, phases={"drain": 600}, roles={"Compute": {"drain": 7200}})
    >>> [deadlines.of(*asked) for asked in (("drain", "Compute"), ("drain", "Controller"), ("update", "Compute"))]
    [7200, 600, 3600]
    """

    default: int = SECONDS
    phases: Mapping[str, int] = field(default_factory=dict)
    roles: Mapping[str, Seconds] = field(default_factory=dict)
    services: Mapping[str, Seconds] = field(default_factory=dict)  # where nothing but services is updated
    at_a_time: int = AT_A_TIME

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Deadlines":
        """From what the policy's JSON Schema accepts."""
        named = {key: _whole(data.get(key) or {}) for key in ("phases", "roles", "services")}
        return cls(
            default=int(data.get("default") or SECONDS), at_a_time=int(data.get("at_a_time") or AT_A_TIME), **named
        )

    def of(self, phase: str, role: str, only: Collection[str] = ()) -> int:
        """Seconds that *phase* may take on a node of *role*; *only* are the services that are updated, () for all."""
        of_services = [_of(self.services[service], phase) for service in only if service in self.services]
        of_role = _of(self.roles.get(role, 0), phase)
        return max(of_services, default=0) or of_role or self.phases.get(phase, 0) or self.default

    def of_batch(self, counts: Mapping[str, int], only: Collection[str] = ()) -> dict[str, int]:
        """{phase: seconds} for a batch with as many nodes of each role as *counts* says, but for those with SECONDS.

        So many nodes at a time, role after role: tasks of one role wait for those of another.

        >>> Deadlines(roles={"Compute": 7200, "Controller": {"drain": 60}}).of_batch({"Compute": 51, "Controller": 3})
        {'gate_before': 28800, 'drain': 21660, 'update': 28800, 'restore': 28800, 'gate_after': 28800}
        """
        return dict(self._of_batch(counts, only))

    def _of_batch(self, counts: Mapping[str, int], only: Collection[str]) -> Iterator[tuple[str, int]]:
        for phase in PHASES:
            needed = sum(self.of(phase, role, only) * -(-n // self.at_a_time) for role, n in counts.items())
            if needed != SECONDS:
                yield phase, needed

    def to_dict(self) -> dict[str, Any]:
        """As a plan records it; nothing where nothing is said."""
        said = {"default": (self.default, SECONDS), "at_a_time": (self.at_a_time, AT_A_TIME)}
        named = {key: _whole(getattr(self, key)) for key in ("phases", "roles", "services")}
        return {key: value for key, (value, usual) in said.items() if value != usual} | {
            key: dict(sorted(value.items())) for key, value in named.items() if value
        }


def _of(seconds: Seconds, phase: str) -> int:
    return seconds.get(phase, 0) if isinstance(seconds, Mapping) else seconds


def _whole(named: Mapping[str, Any]) -> dict[str, Any]:
    """As plain data; JSON has 60.0 for a whole number, too."""
    return {name: _whole(value) if isinstance(value, Mapping) else int(value) for name, value in named.items()}
