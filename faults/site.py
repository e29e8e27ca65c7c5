"""A sandbox for one trial: three controllers, a plan that updates two of them one after the other, and a small disk."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.errors import FaultsError
from faults.operator import Operator
from tripleo_update_sandbox import lifecycle
from tripleo_update_sandbox.nodes.node import Node, find_node
from tripleo_update_sandbox.state import State
from tripleo_update_sandbox.undercloud import servers
from tripleo_update_sandbox.wanted import Wish

#: The first holds the virtual addresses and leads redis and OVN, so its drain has most to put back.
NODES = ("overcloud-controller-0", "overcloud-controller-1")

PLAN = "plan.json"
_PACE = 4.0  # seconds that updating a node takes, in whose middle something can happen
_DISK = "24m"  # of a work folder of its own


def _quiet(_text: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Site:
    operator: Operator

    @property
    def state(self) -> State:
        return self.operator.state

    @property
    def node(self) -> Node:
        """The node whose batch the fault is in."""
        return find_node(self.state, NODES[0])

    def plan(self, limits: tuple[str, ...] = NODES) -> dict[str, Any]:
        """A saved plan of the nodes in *limits*. Nobody is asked who leads: then the leader would go last."""
        options = [f"--limit=node:{name}" for name in limits]
        return self.operator.plan(PLAN, "--no-facts", *self._policy(), *options)

    def _policy(self) -> list[str]:
        """Deadlines of this small overcloud: nothing in it takes longer than a minute or is silent for half of one."""
        path = self.state.folder / "policy.json"
        path.write_text(json.dumps({"deadlines": {"default": 240}, "silence": 120}))
        return [f"--policy={path}"]

    def bring_back(self) -> None:
        """Start what does not run any more of the sandbox's servers."""
        lifecycle.up(self.state, Wish(), _quiet)


@contextmanager
def site(folder: Path, *, disk: bool = False, wish: Wish | None = None) -> Iterator[Site]:
    """Up while the block runs. With *disk* the work folder is a file system of its own, which takes root."""
    state = State(folder / "state")
    state.prepare()
    if disk:
        _mount(state.work)
    try:
        lifecycle.up(state, wish or Wish(controllers=3, computes=0, ceph=0, pace=_PACE), _quiet)
        where = servers.endpoints(state)
        assert where is not None
        yield Site(Operator.of(state, where.mistral))
    finally:
        if disk:
            _unmount(state.work)
        _down(state)


def _mount(folder: Path) -> None:
    if os.geteuid():
        raise FaultsError("only root can give the work folder a disk of its own", "Leave the component disk out.")
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK},mode=0700", "tmpfs", str(folder)]
    subprocess.run(command, check=True, capture_output=True)


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)  # noqa: S607


def _down(state: State) -> None:
    """What is stopped (SIGSTOP) ends as well: the sandbox kills what does not go by itself."""
    for attempt in range(3):
        try:
            lifecycle.down(state)
            return
        except OSError:  # something wrote into the folder while it was removed
            if attempt == 2:
                raise
            time.sleep(1.0)
