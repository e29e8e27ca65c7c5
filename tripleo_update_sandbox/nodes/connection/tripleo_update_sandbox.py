"""Ansible's way to a node of the sandbox: this machine, with the node's commands first, unless the node is off."""

# This file is loaded by Ansible from its folder, not imported from the package: it may use Ansible and nothing of ours.

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = """
    connection: tripleo_update_sandbox
    short_description: a node of the TripleO update sandbox
    description:
        - Runs commands on this machine with the node's stand-in commands first in PATH.
    author: tripleo-update-plugin developers
    version_added: "2.9"
    options:
        node:
            description: the folder of the node
            vars:
                - name: sandbox_node
"""


class Connection(LocalConnection):  # type: ignore[misc]
    transport = "tripleo_update_sandbox"

    def _node(self) -> Path:
        """The node's folder; AnsibleConnectionFailure, which Ansible shows as UNREACHABLE, if nobody is there."""
        given = self.get_option("node")
        node = Path(given) if given else None
        if node is None or not (node / "bin").is_dir():
            raise AnsibleConnectionFailure("there is no such node in the sandbox")
        if (node / "off").exists():
            raise AnsibleConnectionFailure(f"{node.name} is off")
        return node

    def _connect(self) -> Any:
        self._node()
        return super()._connect()

    def exec_command(self, *args: Any, **kwargs: Any) -> Any:
        with _on(self._node()):
            return super().exec_command(*args, **kwargs)

    def put_file(self, *args: Any, **kwargs: Any) -> Any:
        self._node()
        return super().put_file(*args, **kwargs)

    def fetch_file(self, *args: Any, **kwargs: Any) -> Any:
        self._node()
        return super().fetch_file(*args, **kwargs)


@contextmanager
def _on(node: Path) -> Iterator[None]:
    """The environment of a command on *node*: Ansible's own connection hands this process's environment on."""
    path = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([str(node / "bin"), path])
    os.environ["SANDBOX_NODE"] = str(node)
    try:
        yield
    finally:
        os.environ["PATH"] = path
        del os.environ["SANDBOX_NODE"]
