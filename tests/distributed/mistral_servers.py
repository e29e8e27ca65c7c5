"""Mistral in parts: an API, engines, executors with a folder each, and a notifier, over one broker and one database."""

import subprocess
import sys
from pathlib import Path

from distributed.server import Server
from tripleo_update_sandbox.state import State
from tripleo_update_sandbox.undercloud import servers
from tripleo_update_sandbox.undercloud.configuration import executor_options
from tripleo_update_undercloud.configuration import OPTIONS, Sections, mistral_sections, to_ini
from tripleo_update_undercloud.server_processes import MISTRAL_PATH, Awaited

#: {server: its kind}; two executors share nothing.
KINDS = {
    "api": "api", "engine-1": "engine", "engine-2": "engine", "executor-1": "executor", "executor-2": "executor",
    "notifier": "notifier",
}  # fmt: skip

#: Each believes to be on a machine of its own, by the name that the machine has; more of a machine is not needed.
_NAMED = ["unshare", "--uts", "--map-root-user", "sh", "-c", 'hostname "$1"; shift; exec "$@"', "sh"]


def sections(state: State, own: Path, name: str, port: int, broker: str, database: str) -> Sections:
    """What the server *name* is told; *own* is its folder."""
    options = executor_options(state, servers.endpoints(state).heat_port, port)
    embedded = mistral_sections(port, state.database("mistral"), options)
    kind = KINDS[name]
    remote = {
        "DEFAULT": {"transport_url": broker},
        "api": {"api_workers": "1"},
        "database": {"connection": database, "max_retries": "-1"},
        "engine": {"host": name if kind == "engine" else "engine"},
        "executor": {"type": "remote", "host": name if kind == "executor" else "executor"},
        "notifier": {"type": "remote"},
        "oslo_concurrency": {"lock_path": str(own / "locks")},
        OPTIONS: {"work_dir": str(own / "work")},
    }
    return {section: {**embedded.get(section, {}), **remote.get(section, {})} for section in {**embedded, **remote}}


def make(state: State, folder: Path, port: int, broker: str, database: str, env: dict[str, str]) -> dict[str, Server]:
    """{name: server}, none of them started; each has a folder and a configuration of its own."""
    made = {}
    for name, kind in KINDS.items():
        own = folder / name
        own.mkdir(mode=0o700)
        told = own / "mistral.conf"
        told.write_text(to_ini(sections(state, own, name, port, broker, database)))
        told.chmod(0o600)
        command = [*_NAMED, name, _program("mistral-server"), "--server", kind, "--config-file", str(told)]
        made[name] = Server(name=name, folder=own, command=command, env=env)
    api = made["api"]
    awaited = Awaited(name="api", process=None, port=port, path=MISTRAL_PATH, log=api.log)
    api.answers = awaited.answers
    return made


def create_tables(api: Server) -> None:
    command = [_program("mistral-db-manage"), *api.command[-2:], "upgrade", "head"]
    subprocess.run(command, check=True, env=dict(api.env), capture_output=True, cwd=api.folder)


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
