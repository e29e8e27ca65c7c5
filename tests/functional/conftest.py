"""One sandbox for all functional tests: a real Heat and a real Mistral, in a folder and a HOME of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tripleo_update_sandbox.demo import client_environment
from tripleo_update_sandbox.nodes.node import Node, nodes_in
from tripleo_update_sandbox.state import State
from tripleo_update_undercloud import processes

_BIN = Path(sys.executable).parent
_CLI = [sys.executable, "-c", "import sys; from tripleo_update_sandbox.cli import main; sys.exit(main())"]


@dataclass(frozen=True)
class Sandbox:
    """A sandbox that tests drive as an operator would, through commands."""

    state: Path
    home: Path

    @property
    def env(self) -> dict[str, str]:
        """The environment of ``openstack`` commands."""
        return client_environment(State(self.state)) | self._own

    @property
    def _own(self) -> dict[str, str]:
        return {"HOME": str(self.home), "XDG_CONFIG_HOME": "", "TRIPLEO_UPDATE_SANDBOX": str(self.state)}

    @property
    def nodes(self) -> dict[str, Node]:
        return {each.name: each for each in nodes_in(self.state / "nodes")}

    @property
    def status(self) -> dict:
        return json.loads(self.cli("status", "-f", "json").stdout)

    def cli(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """``tripleo-update-sandbox`` with *arguments*."""
        return self._run([*_CLI, *map(str, arguments)], os.environ | self._own)

    def openstack(self, *arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
        """``openstack`` with *arguments*; check ``returncode`` yourself."""
        return self._run([str(_BIN / "openstack"), *map(str, arguments)], self.env | env)

    def playbook(self, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        """``ansible-playbook`` as the executors run it: with the sandbox's configuration and inventory."""
        env = self.env | {"ANSIBLE_CONFIG": str(self.state / "ansible.cfg")}
        command = [str(_BIN / "ansible-playbook"), "-i", str(self.state / "inventory.yaml"), *map(str, arguments)]
        return self._run(command, env, cwd)

    def _run(
        self, command: list[str], env: dict[str, str], cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=env, cwd=cwd or self.home, capture_output=True, text=True, check=False, timeout=600
        )

    def assert_gone(self) -> None:
        """Nothing is left: no folder, no process, nothing in HOME that the sandbox put there."""
        assert not self.state.exists()
        assert processes.members(self.state) == []
        assert not (self.home / ".config").exists()


def a_sandbox(folder: Path, *options: object) -> Sandbox:
    """A sandbox in *folder* that ``up`` brought up with *options*."""
    (folder / "home").mkdir(parents=True)
    made = Sandbox(state=folder / "state", home=folder / "home")
    done = made.cli("up", *options)
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The usual overcloud, up for the whole run. Put back what you break; take one of your own to take down."""
    made = a_sandbox(tmp_path_factory.mktemp("sandbox"), "--pace", "0.2")
    try:
        yield made
    finally:
        done = made.cli("down")
    assert done.returncode == 0, done.stderr
    made.assert_gone()
