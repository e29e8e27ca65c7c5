"""Which servers has a sandbox, on which ports, and which of them run?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.state import State
from tripleo_update_sandbox.undercloud import configuration
from tripleo_update_undercloud import server_processes
from tripleo_update_undercloud.configuration import mistral_url, prepare_database
from tripleo_update_undercloud.processes import Process, is_alive
from tripleo_update_undercloud.server_processes import Awaited, free_ports, is_free

HEAT, MISTRAL = "heat", "mistral"
_MODULES = {HEAT: "tripleo_update_sandbox.undercloud.heat_server", MISTRAL: server_processes.MISTRAL}
_PATHS = {HEAT: "/", MISTRAL: server_processes.MISTRAL_PATH}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where Heat and Mistral listen on loopback."""

    heat_port: int
    mistral_port: int

    @property
    def heat(self) -> str:
        return configuration.heat_url(self.heat_port)

    @property
    def mistral(self) -> str:
        return mistral_url(self.mistral_port)

    def port(self, server: str) -> int:
        return self.heat_port if server == HEAT else self.mistral_port

    def url(self, server: str) -> str:
        return self.heat if server == HEAT else self.mistral


def endpoints(state: State) -> Endpoints | None:
    """Where the servers listen, or listened before they died."""
    ports = state.recall("ports")
    try:
        return Endpoints(int(ports[HEAT]), int(ports[MISTRAL]))
    except (KeyError, TypeError, ValueError):
        return None


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


def start(state: State, where: Endpoints, started: list[Process]) -> None:
    """Starts the servers that do not run, and adds each to *started*; they do not answer yet."""
    absent = [server for server in (HEAT, MISTRAL) if not running(state, server)]
    if absent:
        state.remember("ports", {HEAT: where.heat_port, MISTRAL: where.mistral_port})
        configuration.write_heat(state, where.heat_port)
        options = configuration.executor_options(state, where.heat_port, where.mistral_port)
        configuration.write_mistral(state, where.mistral_port, options)
    for server in absent:
        prepare_database(state.database(server))
        port = where.port(server)
        if not is_free(port):
            raise SandboxError(f"Port {port} for {server} is taken.", "Leave the port out to get a free one.")
        arguments = ["--config", str(state.folder / f"{server}.conf")]
        more = ["--port", str(port)] if server == HEAT else []
        started.append(launch(state, server, _MODULES[server], [*arguments, *more]))


def launch(state: State, server: str, module: str, arguments: Sequence[str]) -> Process:
    """Starts *module* as a process of the sandbox, which is remembered as *server*."""
    process = server_processes.spawn(module, arguments, state.folder, state.log(server))
    state.remember(server, process.to_dict())
    return process


def awaited(state: State, server: str, where: Endpoints) -> Awaited:
    """Heat or Mistral, as somebody who waits for its answer sees it."""
    return Awaited(
        name=server, process=state.process(server), port=where.port(server), path=_PATHS[server], log=state.log(server)
    )


def wait(state: State, where: Endpoints, ready: Callable[[str, float], None]) -> None:
    """Returns when both servers answer; *ready* hears of each, with the seconds it took."""
    both = [awaited(state, server, where) for server in (HEAT, MISTRAL)]
    server_processes.wait(both, lambda server, seconds: ready(server.name, seconds))
