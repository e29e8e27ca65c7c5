"""Heat and Mistral as processes: started side by side, waited for, looked at."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tripleo_update_plugin.errors import SandboxError
from tripleo_update_sandbox.state import State
from tripleo_update_sandbox.undercloud import configuration
from tripleo_update_undercloud.processes import MEMBER, Process, identify, is_alive

HEAT, MISTRAL, ENDPOINTS = "heat", "mistral", "endpoints"
SERVERS = (MISTRAL, HEAT, ENDPOINTS)
_MODULES = {
    HEAT: "tripleo_update_sandbox.undercloud.heat_server",
    MISTRAL: "tripleo_update_undercloud.mistral_server",
    ENDPOINTS: "tripleo_update_sandbox.nodes.endpoint_server",
}
_PATIENCE = 90.0  # seconds until both must answer; 8 on an idle machine
_LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class Endpoints:
    heat_port: int
    mistral_port: int

    @property
    def heat(self) -> str:
        return configuration.heat_url(self.heat_port)

    @property
    def mistral(self) -> str:
        return configuration.mistral_url(self.mistral_port)

    def port(self, server: str) -> int:
        return self.heat_port if server == HEAT else self.mistral_port


def endpoints(state: State) -> Endpoints | None:
    """Where the servers listen, or listened before they died."""
    ports = state.recall("ports")
    try:
        return Endpoints(int(ports[HEAT]), int(ports[MISTRAL]))
    except (KeyError, TypeError, ValueError):
        return None


def is_free(port: int) -> bool:
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


def running(state: State, server: str) -> Process | None:
    process = state.process(server)
    return process if process and is_alive(process) else None


def choose(state: State, heat_port: int | None, mistral_port: int | None) -> Endpoints:
    """The ports that were asked for, else those of last time where they can still be had, else free ones."""
    before = endpoints(state)
    fresh = free_ports(2)

    def pick(server: str, asked: int | None, spare: int) -> int:
        if running(state, server) and before:
            return before.port(server)
        if asked is not None:
            return asked
        return before.port(server) if before and is_free(before.port(server)) else spare

    return Endpoints(pick(HEAT, heat_port, fresh[0]), pick(MISTRAL, mistral_port, fresh[1]))


def environment(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What the servers and everything they start see: this interpreter's commands first, no cloud of the user's."""
    kept = {k: v for k, v in environ.items() if not k.startswith(("OS_", "ANSIBLE_", "MISTRAL_", "HEAT_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return kept | {"PATH": path, MEMBER: str(folder), "PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1"}


def start(state: State, where: Endpoints, started: list[Process]) -> None:
    """Starts the servers that do not run, and adds each to *started*; they do not answer yet."""
    absent = [server for server in (HEAT, MISTRAL) if not running(state, server)]
    if absent:
        state.remember("ports", {HEAT: where.heat_port, MISTRAL: where.mistral_port})
        configuration.write_all(state, where.heat_port, where.mistral_port)
    for server in absent:
        port = where.port(server)
        if not is_free(port):
            raise SandboxError(f"Port {port} for {server} is taken.", "Leave the port out to get a free one.")
        arguments = ["--config", str(state.folder / f"{server}.conf")]
        started.append(_spawn(state, server, arguments + (["--port", str(port)] if server == HEAT else [])))


def start_endpoints(state: State, started: list[Process]) -> None:
    """Starts the HTTP endpoints of the nodes unless they are there."""
    if not running(state, ENDPOINTS):
        started.append(_spawn(state, ENDPOINTS, ["--nodes", str(state.nodes)]))


def _spawn(state: State, server: str, arguments: list[str]) -> Process:
    command = [sys.executable, "-m", _MODULES[server], *arguments]
    log = os.open(state.log(server), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=state.folder,
            env=environment(state.folder, os.environ),
            start_new_session=True,
        )
    finally:
        os.close(log)
    child.returncode = 0  # it outlives this command; without this Python warns about a child not waited for
    process = identify(child.pid)
    if process is None:
        raise died(state, server)
    state.remember(server, process.to_dict())
    return process


def wait(state: State, where: Endpoints, ready: Callable[[str, float], None]) -> None:
    """Returns when both servers answer; *ready* hears of each, with the seconds it took."""
    began = time.monotonic()
    left = [HEAT, MISTRAL]
    while left:
        for server in tuple(left):
            if not running(state, server):
                raise died(state, server)
            if answers(where.port(server), "/" if server == HEAT else "/v2/"):
                left.remove(server)
                ready(server, time.monotonic() - began)
        if left and time.monotonic() - began > _PATIENCE:
            raise SandboxError(f"{left[0]} did not answer within {_PATIENCE:.0f} s.\n{tail(state.log(left[0]))}")
        time.sleep(0.1)


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def died(state: State, server: str) -> SandboxError:
    log = state.log(server)
    return SandboxError(f"{server} ended while it started. The end of {log}:\n{tail(log)}", f"The whole log is {log}")


def tail(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    except OSError:
        lines = []
    return "\n".join(f"  | {line}" for line in lines) or "  | (empty)"
