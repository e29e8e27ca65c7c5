"""An operator of a sandbox: the commands that are typed, and what Mistral says when it is asked without them."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from faults.errors import FaultsError
from faults.judge import Note
from tripleo_update_sandbox import demo
from tripleo_update_sandbox.nodes.node import all_nodes
from tripleo_update_sandbox.state import State

_PATIENCE = 600.0  # seconds that a command may take


@dataclass(frozen=True, slots=True)
class Operator:
    """Works in *state*, with the Mistral at *mistral* (a URL with /v2) and *env* for every command."""

    state: State
    mistral: str
    env: Mapping[str, str]

    @classmethod
    def of(cls, state: State, mistral: str) -> "Operator":
        return cls(state, mistral, demo.client_environment(state))

    def update(self, *arguments: object, seconds: float = _PATIENCE) -> subprocess.CompletedProcess[str]:
        """``openstack overcloud update`` with *arguments*; nobody is at its terminal."""
        command = [demo.openstack(), "overcloud", "update", *map(str, arguments)]
        return subprocess.run(
            command, env=dict(self.env), cwd=self.state.folder, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL, timeout=seconds,
        )  # fmt: skip

    def must(self, *arguments: object) -> str:
        """What the command prints. FaultsError if it fails."""
        done = self.update(*arguments)
        if done.returncode:
            raise FaultsError(f"'openstack overcloud update {arguments[0]}' failed: {last_words(done.stderr)}")
        return done.stdout

    def plan(self, name: str, *options: object) -> dict[str, Any]:
        """A plan for the sandbox's overcloud, saved as *name* in the sandbox's folder."""
        path = self.state.folder / name
        self.must("plan", "--stack", "overcloud", "--save", path, *options)
        return dict(json.loads(path.read_text()))

    def start(self, name: str) -> str:
        """Start the plan saved as *name*; the id of the update."""
        return str(json.loads(self.must("start", "--yes", "-f", "json", self.state.folder / name))["id"])

    def state_of(self, update: str) -> str:
        """Mistral's state of *update*; empty while Mistral does not answer."""
        found = self._get(f"/executions/{update}?fields=id,state")
        return str(found.get("state", ""))

    def wait_until_idle(self, update: str, seconds: float) -> None:
        """Returns when no task under *update* is at work, or after *seconds*."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._is_at_work(update):
            time.sleep(1.0)

    def _is_at_work(self, update: str) -> bool:
        batches = self._get(f"/executions?root_execution_id={update}").get("executions", ())
        running = (self._get(f"/tasks?workflow_execution_id={each['id']}&state=RUNNING") for each in batches)
        return any(found.get("tasks") for found in running)

    def wait_while(self, update: str, states: tuple[str, ...], seconds: float) -> str:
        """The state of *update* once it has none of *states*, or after *seconds*. Mistral may be away meanwhile."""
        deadline = time.monotonic() + seconds
        state = ""
        while time.monotonic() < deadline:
            state = self.state_of(update) or state
            if state and state not in states:
                break
            time.sleep(1.0)
        return state

    def notes(self) -> list[Note]:
        """The journals of all nodes."""
        return [note for node in all_nodes(self.state) for note in node.journal]

    def _get(self, path: str) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"{self.mistral}{path}", timeout=10) as answer:  # noqa: S310
                return dict(json.load(answer))
        except (OSError, ValueError, urllib.error.URLError):
            return {}


def last_words(text: str) -> str:
    """The last lines that are the command's own, not those of other plugins of the OpenStack client."""
    lines = [line for line in text.splitlines() if line.strip() and not demo.is_noise(line)]
    return " / ".join(line.strip() for line in lines[-4:])
