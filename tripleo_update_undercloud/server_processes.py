"""How is a server started as a process that outlives its starter, and how is it seen that it answers?"""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tripleo_update_undercloud.errors import UndercloudError
from tripleo_update_undercloud.processes import MEMBER, Process, identify, is_alive

MISTRAL = "tripleo_update_undercloud.mistral_server"
MISTRAL_PATH = "/v2/"

_PATIENCE = 90.0  # seconds until all must answer; 8 on an idle machine
_LOG_LINES = 15

#: Variables that would tell the servers, and what they start, about another cloud or configuration.
_FOREIGN = ("OS_", "ANSIBLE_", "MISTRAL_", "HEAT_")


def is_free(port: int) -> bool:
    """Whether a server could listen on *port* of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on; all are held until the last is found, so that they differ."""
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in held]
    finally:
        for each in held:
            each.close()


def environment(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What servers and all that they start see: this interpreter's commands first, no cloud of the user's, and the
    mark by which ``processes.members(folder)`` finds them."""
    kept = {k: v for k, v in environ.items() if not k.startswith(_FOREIGN)}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return kept | {"PATH": path, MEMBER: str(folder), "PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1"}


def spawn(module: str, arguments: Iterable[str], folder: Path, log: Path) -> Process:
    """Starts ``python -m module`` in *folder*, in a session of its own; what it says is appended to *log*.

    Raises UndercloudError if it ended at once.
    """
    command = [sys.executable, "-m", module, *arguments]
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=environment(folder, os.environ),
            start_new_session=True,
        )
    finally:
        os.close(output)
    child.returncode = 0  # it outlives this command; without this Python warns about a child not waited for
    process = identify(child.pid)
    if process is None:
        raise ended(module, log)
    return process


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """A server that is to answer an HTTP GET of *path* on *port* of loopback."""

    name: str
    process: Process | None  # None if it is known to be gone
    port: int
    path: str
    log: Path

    def is_running(self) -> bool:
        return self.process is not None and is_alive(self.process)

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", self.path)
            return connection.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def wait(servers: Iterable[Awaited], ready: Callable[[Awaited, float], None], patience: float = _PATIENCE) -> None:
    """Returns when all answer; *ready* hears of each, with the seconds it took.

    Raises UndercloudError if one ends, or does not answer within *patience* seconds.
    """
    began = time.monotonic()
    left = list(servers)
    while left:
        for server in tuple(left):
            if not server.is_running():
                raise ended(server.name, server.log)
            if server.answers():
                left.remove(server)
                ready(server, time.monotonic() - began)
        if left and time.monotonic() - began > patience:
            slow = left[0]
            raise UndercloudError(f"{slow.name} did not answer within {patience:.0f} s.\n{_tail(slow.log)}")
        if left:
            time.sleep(0.1)


def ended(name: str, log: Path) -> UndercloudError:
    """The error about a server that ended while it started, with the last lines of its log."""
    message = f"{name} ended while it started. The end of {log}:\n{_tail(log)}"
    return UndercloudError(message, f"The whole log is {log}")


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    except OSError:
        lines = []
    return "\n".join(f"  | {line}" for line in lines) or "  | (empty)"
