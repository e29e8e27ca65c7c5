"""Ansible's way to a node of the sandbox: this machine, with the node's commands first, unless the node is off.

As over ssh, a command lives in a session of its own: it goes on when Ansible or its connection ends, and it knows
nothing of Ansible's environment. Files in the node's folder are faults: ``off``, ``cut`` (no connection, also for what
is under way, which goes on) and ``hung`` (no answer comes, for as long as the file is there).
"""

# This file is loaded by Ansible from its folder, not imported from the package: it may use Ansible and nothing of ours.

import os
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
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


#: What a command has from here; the rest is the node's own.
_KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "TRIPLEO_UPDATE_MEMBER", "TZ", "USER")

_EVERY = 0.2  # seconds between two looks at a node that a command runs on


class Connection(LocalConnection):  # type: ignore[misc]
    transport = "tripleo_update_sandbox"

    def _node(self) -> Path:
        """The node's folder; AnsibleConnectionFailure, which Ansible shows as UNREACHABLE, if nobody is there."""
        given = self.get_option("node")
        node = Path(given) if given else None
        if node is None or not (node / "bin").is_dir():
            raise AnsibleConnectionFailure("there is no such node in the sandbox")
        _wait_while_hung(node)
        if why := _fault(node):
            raise AnsibleConnectionFailure(why)
        return node

    def _connect(self) -> Any:
        self._node()
        return super()._connect()

    def exec_command(self, cmd: Any, in_data: Any = None, sudoable: bool = True) -> Any:
        node = self._node()
        # A file, because communicate() forgets what it has not written when it is left after a timeout.
        with tempfile.TemporaryFile() as given:
            given.write(in_data or b"")
            given.seek(0)
            with subprocess.Popen(
                ["/bin/sh", "-c", cmd], env=_environment(node), start_new_session=True,
                stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            ) as process:  # fmt: skip
                out, err = _follow(node, process)
        return process.returncode, out, err

    def put_file(self, *args: Any, **kwargs: Any) -> Any:
        self._node()
        return super().put_file(*args, **kwargs)

    def fetch_file(self, *args: Any, **kwargs: Any) -> Any:
        self._node()
        return super().fetch_file(*args, **kwargs)


def _environment(node: Path) -> dict[str, str]:
    own = {name: os.environ[name] for name in _KEPT if name in os.environ}
    own["PATH"] = os.pathsep.join([str(node / "bin"), own.get("PATH", os.defpath)])
    # The job is there for those who look on from outside: ssh would not bring it, and the plugin does not read it.
    return {**own, "SANDBOX_NODE": str(node), "SANDBOX_JOB": os.environ.get("TRIPLEO_UPDATE_JOB", "")}


def _follow(node: Path, process: "subprocess.Popen[bytes]") -> tuple[bytes, bytes]:
    """What the command says, unless the node or the connection is gone before."""
    while True:
        try:
            said = process.communicate(timeout=_EVERY)
        except subprocess.TimeoutExpired:
            if why := _fault(node):
                _part(node, process)
                raise AnsibleConnectionFailure(why) from None
        else:
            _wait_while_hung(node)
            return said


def _fault(node: Path) -> str:
    if (node / "off").exists():
        return f"{node.name} is off"
    return f"the connection to {node.name} is cut" if (node / "cut").exists() else ""


def _wait_while_hung(node: Path) -> None:
    while (node / "hung").exists():
        time.sleep(_EVERY)


def _part(node: Path, process: "subprocess.Popen[bytes]") -> None:
    """A node that is off takes its commands with it; one that cannot be reached works on."""
    if (node / "off").exists():
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()
    process.returncode = 0  # nobody waits for it any more
