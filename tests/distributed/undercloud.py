"""The sandbox's Heat and nodes, with a Mistral on more than one machine beside them."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from distributed import mariadb, mistral_servers, rabbitmq
from distributed.server import Server
from faults import processes as at_work
from faults.operator import Operator
from tripleo_update_sandbox import lifecycle
from tripleo_update_sandbox.state import NAME, State
from tripleo_update_sandbox.undercloud import clouds, servers
from tripleo_update_sandbox.wanted import Wish
from tripleo_update_undercloud import processes, server_processes


@dataclass(frozen=True, slots=True)
class Undercloud:
    """*servers* are RabbitMQ, MariaDB and the parts of Mistral, by name."""

    operator: Operator
    folder: Path
    servers: Mapping[str, Server]

    @property
    def work(self) -> dict[str, Path]:
        """{executor: its work folder}"""
        return {name: self.folder / name / "work" for name in self.servers if name.startswith("executor")}

    def lose(self, executor: str) -> None:
        """The machine of an executor dies: with it whatever was at work there, but not what that began on nodes."""
        self.servers[executor].kill()
        at_work.send(at_work.of_executor(self.work[executor]), signal.SIGKILL)

    def restart(self, name: str, seconds_away: float = 0.0) -> None:
        """Kill a server as a crash would, and start it again *seconds_away* later."""
        self.servers[name].kill()
        time.sleep(seconds_away)
        self.servers[name].start()
        self.servers[name].wait()


@contextmanager
def undercloud(folder: Path, charset: str, wish: Wish) -> Iterator[Undercloud]:
    """All of it up while the block runs, and nothing of it afterwards. *charset* is the database's default."""
    state = State(folder / "state")
    lifecycle.up(state, wish, print)
    try:
        own = folder / "servers"
        own.mkdir(mode=0o700)
        started: dict[str, Server] = {}
        try:
            yield _start(state, own, charset, started)
        finally:
            for each in started.values():  # by name: Mistral's write over the environment that has the sandbox's mark
                each.end()
    finally:
        lifecycle.down(state)  # with all that the servers have started


def _start(state: State, folder: Path, charset: str, started: dict[str, Server]) -> Undercloud:
    if embedded := state.process(servers.MISTRAL):
        processes.stop([embedded])
    env = server_processes.environment(state.folder, dict(os.environ))
    api, broker, database = server_processes.free_ports(3)
    started |= {"rabbitmq": rabbitmq.broker(folder, broker, env), "mariadb": mariadb.database(folder, database, env)}
    for each in started.values():
        each.start()
    for each in started.values():
        each.wait()
    mariadb.create(folder, charset)
    parts = mistral_servers.make(state, folder, api, rabbitmq.url(broker), mariadb.url(database), env)
    mistral_servers.create_tables(parts["api"])
    started |= parts
    for each in parts.values():
        each.start()
    parts["api"].wait()
    return Undercloud(_operator(state, folder, api), folder, started)


def _operator(state: State, folder: Path, port: int) -> Operator:
    """Commands that talk to this Mistral instead of the sandbox's own."""
    own = servers.Endpoints(servers.endpoints(state).heat_port, port)
    told = folder / "clouds.yaml"
    told.write_text(yaml.safe_dump(clouds.cloud(own)))
    operator = Operator.of(state, own.mistral)
    env = {**operator.env, "OS_CLIENT_CONFIG_FILE": str(told), "OS_CLOUD": NAME}
    return Operator(state, own.mistral, env)


