"""Which faults there are: what breaks, during which phase of a batch, and how.

Pure. A trial is named ``<component>.<how>.<phase>``, such as ``heat.away.update``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

PHASES = ("gate_before", "drain", "update", "restore", "gate_after")

HOWS = {
    "killed": "ended at once; what somebody looks after (servers, nodes) comes back within seconds",
    "hung": "there, but silent; a server is killed and started again after 90 seconds, nobody helps anything else",
    "away": "away for a minute, then there again as it was",
    "gone": "gone until a person has mended it",
}

#: {component: {how: what is done}}. What is not here cannot happen, or is the same as something else.
COMPONENTS: dict[str, dict[str, str]] = {
    "mistral": {
        "killed": "engine, executor and API killed, started again after 5 s",
        "hung": "stopped (SIGSTOP), killed and started again after 90 s",
        "away": "killed, started again after 60 s",
        "gone": "killed, started again when the update has not gone on for long",
    },
    "undercloud": {
        "killed": "everything on the undercloud killed at once, servers started again after 5 s, as a reboot does",
        "away": "the same, started again after 60 s",
    },
    "runner": {
        "killed": "the process that carries the phase out killed; its Ansible lives on",
        "hung": "stopped (SIGSTOP)",
        "away": "stopped for 60 s",
        "gone": "killed, and so is each that is started within the next 20 s",
    },
    "ansible": {
        "killed": "all processes of the phase's Ansible killed",
        "hung": "stopped (SIGSTOP)",
        "away": "stopped for 60 s",
        "gone": "killed, and its program cannot be found any more",
    },
    "prober": {
        "killed": "killed",
        "hung": "stopped (SIGSTOP)",
        "away": "stopped for 60 s",
        "gone": "killed, and so is each that is started later",
    },
    "heat": {
        "killed": "killed, started again after 5 s",
        "hung": "stopped (SIGSTOP), killed and started again after 90 s",
        "away": "killed, started again after 60 s",
        "gone": "killed, started again by a person",
    },
    "node": {
        "killed": "the node loses its power and boots again",
        "hung": "its commands stop (SIGSTOP) and no new one answers",
        "away": "off for 60 s",
        "gone": "off",
    },
    "ssh": {
        "killed": "the connection is cut for a second; commands go on on the node",
        "hung": "no answer comes; commands go on on the node",
        "away": "cut for 60 s",
        "gone": "cut",
    },
    "workfolder": {
        "away": "the executor's work folder is away for 60 s, as if unmounted",
        "gone": "removed, with all that is in it",
    },
    "disk": {
        "away": "the file system of the work folder is full for 60 s",
        "gone": "full",
    },
}  # fmt: skip

#: What the gate has time for: one of each component, in the phases that have most to lose.
SHORT = (
    "mistral.killed.update", "undercloud.killed.drain", "runner.killed.update", "ansible.killed.restore",
    "heat.killed.update", "node.killed.gate_before", "ssh.killed.update", "workfolder.gone.drain",
)  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One trial; see the module for its name."""

    component: str
    how: str
    phase: str

    def __str__(self) -> str:
        return f"{self.component}.{self.how}.{self.phase}"


def cells() -> Iterator[Cell]:
    """All of them, in the order of the table."""
    for component, hows in COMPONENTS.items():
        for how in hows:
            for phase in PHASES:
                yield Cell(component, how, phase)


def chosen(patterns: tuple[str, ...]) -> list[Cell]:
    """Cells whose name has each part of one of *patterns*; a part may be ``*``.

    >>> [str(each) for each in chosen(("heat.gone.*",))][:2]
    ['heat.gone.gate_before', 'heat.gone.drain']
    """
    return [cell for cell in cells() if any(_fits(str(cell), pattern) for pattern in patterns)]


def _fits(name: str, pattern: str) -> bool:
    parts = pattern.split(".") + ["*"] * 3
    return all(part in ("*", own) for part, own in zip(parts, name.split("."), strict=False))
