"""What does a node say of itself, and which nodes are there?"""

import json
import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tripleo_update_plugin.names import natural_key
from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.state import State
from tripleo_update_undercloud.processes import Process, is_alive
from tripleo_update_undercloud.server_processes import environment


@dataclass(frozen=True, slots=True)
class Service:
    """How a service of a node is now."""

    name: str
    state: str  # running, stopped or failed
    version: int


@dataclass(frozen=True, slots=True)
class Node:
    """A node that exists in the state folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def is_on(self) -> bool:
        return not (self.folder / "off").exists()

    @property
    def journal(self) -> list[dict[str, Any]]:
        """What happened to this node and its services, oldest first: see ``note`` in ``stand_ins/services.sh``."""
        path = self.folder / "journal.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def address(self) -> str:
        """The node's own loopback address, for endpoints that are asked over the network."""
        return (self.folder / "internal_address").read_text().strip()

    def has(self, service: str) -> bool:
        return (self.folder / "services" / service).is_dir()

    def serves(self, service: str) -> bool:
        """Whether *service* runs there now. Cheaper than ``services``: the endpoints ask this for every request."""
        folder = self.folder / "services" / service
        if not self.is_on or (folder / "broken").exists() or _first_line(folder / "state") != "running":
            return False
        return not (folder / "process").exists() or any(is_alive(p) for p in _noted(folder / "pid"))

    def services(self) -> tuple[Service, ...]:
        lines = [line.split() for line in self.run("sandbox-node", "services").stdout.splitlines()]
        return tuple(Service(name, state, int(version)) for name, state, version in lines)

    def processes(self) -> list[Process]:
        """Those that the node noted for its services, alive or not."""
        return [process for note in self.folder.glob("services/*/pid") for process in _noted(note)]

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What one of the node's commands says and returns."""
        return subprocess.run(
            [str(self.folder / "bin" / command), *arguments],
            env=environment(self.folder.parent.parent, os.environ) | {"SANDBOX_NODE": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )


def _first_line(path: Path) -> str:
    try:
        return path.read_text().split("\n")[0]
    except OSError:
        return ""


def _noted(note: Path) -> list[Process]:
    with suppress(OSError, ValueError):
        pid, started, boot = note.read_text().split()
        return [Process(int(pid), int(started), boot)]
    return []


def nodes_in(folder: Path) -> tuple[Node, ...]:
    """The nodes in *folder*, in the natural order of their names; not those that are still being made."""
    if not folder.is_dir():
        return ()
    found = (Node(each) for each in folder.iterdir() if (each / "bin").is_dir() and not each.name.startswith("."))
    return tuple(sorted(found, key=lambda node: natural_key(node.name)))


def all_nodes(state: State) -> tuple[Node, ...]:
    return nodes_in(state.nodes)


def find_node(state: State, name: str) -> Node:
    """The node of that name; SandboxError if there is none."""
    for each in all_nodes(state):
        if each.name == name:
            return each
    raise SandboxError(f"There is no node {name}.", "'tripleo-update-sandbox status' shows the nodes there are.")


def vip_of(address: str) -> str:
    """The virtual address of the nodes that *address* is one of.

    >>> vip_of("127.42.1.7")
    '127.42.0.5'
    """
    return f"127.{address.split('.')[1]}.0.5"
