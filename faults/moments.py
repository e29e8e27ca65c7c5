"""When is a phase in its middle? Seen from outside: by its processes, and by what its node has noted."""

import time
from collections.abc import Callable

from faults import processes
from faults.errors import FaultsError
from faults.site import Site
from tripleo_update_sandbox.nodes.node import Node

_PATIENCE = 240.0  # seconds until a phase must have come
_EVERY = 0.05


def job_of(phase: str, batch: str) -> str:
    """How the folder of a phase's job ends.

    >>> job_of("gate_before", "batch-1")
    '/gate-before.batch-1'
    """
    return f"/{phase.replace('_', '-')}.{batch}"


def wait_for(site: Site, phase: str, batch: str, since: float) -> None:
    """Returns when *phase* of *batch* is in its middle. FaultsError if that does not come."""
    is_there = _SIGNS.get(phase) or _asks
    deadline = time.monotonic() + _PATIENCE
    while not is_there(site, job_of(phase, batch), since):
        if time.monotonic() > deadline:
            raise FaultsError(f"the phase {phase} of {batch} has not come within {_PATIENCE:.0f} s")
        time.sleep(_EVERY)


def _asks(site: Site, job: str, since: float) -> bool:
    """A gate has no trace on a node: its Ansible has begun."""
    if not processes.of_job(job, processes.ANSIBLE, site.state.folder):
        return False
    time.sleep(0.7)
    return True


def _has_noted(*events: str) -> Callable[[Site, str, float], bool]:
    def is_there(site: Site, _job: str, since: float) -> bool:
        return any(note["event"] in events and note["time"] >= since for note in site.node.journal)

    return is_there


def _updates(site: Site, _job: str, since: float) -> bool:
    """Its services are stopped, and the new version is being put there."""
    return is_updating(site.node)


def is_updating(node: Node) -> bool:
    return any("sandbox-update" in processes.command(pid) for pid in processes.on_node(node.folder))


_SIGNS = {"drain": _has_noted("drain"), "update": _updates, "restore": _has_noted("restore", "revive")}
