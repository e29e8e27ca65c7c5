"""Where is everything that a sandbox has: servers, databases, nodes, logs?"""

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_undercloud.files import write_private
from tripleo_update_undercloud.processes import Process

VARIABLE = "TRIPLEO_UPDATE_SANDBOX"
NAME = "tripleo-update-sandbox"

_MARKER = {"kind": NAME, "format": 1}


def default_folder(environ: Mapping[str, str]) -> Path:
    """Where the sandbox lives unless told otherwise.

    >>> str(default_folder({"XDG_STATE_HOME": "/s"}))
    '/s/tripleo-update-sandbox'
    """
    if given := environ.get(VARIABLE):
        return Path(given)
    return Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / NAME


def _read_json(path: Path) -> Any:
    """What the JSON file holds; None if it is missing or was cut short by a crash."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class State:
    """A sandbox's folder. It need not exist yet; ``prepare`` makes it."""

    folder: Path

    @property
    def marker(self) -> Path:
        return self.folder / "sandbox.json"

    @property
    def nodes(self) -> Path:
        return self.folder / "nodes"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def clouds(self) -> Path:
        return self.folder / "clouds.yaml"

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory.yaml"

    @property
    def detours(self) -> Path:
        return self.folder / "detours.json"

    @property
    def ansible_config(self) -> Path:
        return self.folder / "ansible.cfg"

    @property
    def exists(self) -> bool:
        marker = _read_json(self.marker)
        return isinstance(marker, dict) and marker.get("kind") == NAME

    def database(self, server: str) -> Path:
        return self.folder / f"{server}.sqlite"

    def log(self, server: str) -> Path:
        return self.logs / f"{server}.log"

    def prepare(self) -> None:
        """Makes the folder; SandboxError if something else is there already."""
        if self.folder.exists() and not self.exists and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise SandboxError(f"{self.folder} exists and is not a sandbox.", "Choose another folder with --state DIR.")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            for part in (self.nodes, self.logs, self.work, self.folder / "run", self.folder / "tmp"):
                part.mkdir(mode=0o700, exist_ok=True)
            write_private(self.marker, json.dumps(_MARKER))
        except OSError as error:
            raise SandboxError(
                f"Cannot make {self.folder}: {error.strerror}.", "Choose another folder with --state DIR."
            ) from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps a second command from changing the same sandbox at the same time."""
        with (self.folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SandboxError(
                    f"Another {NAME} command is at work in {self.folder}.", "Wait until it has ended."
                ) from None
            yield

    def remember(self, name: str, value: Mapping[str, object]) -> None:
        write_private(self.folder / "run" / f"{name}.json", json.dumps(dict(value)))

    def recall(self, name: str) -> dict[str, Any]:
        """What was remembered under *name*; empty if nothing was, or a crash spoilt it."""
        value = _read_json(self.folder / "run" / f"{name}.json")
        return value if isinstance(value, dict) else {}

    def forget(self, name: str) -> None:
        (self.folder / "run" / f"{name}.json").unlink(missing_ok=True)

    def process(self, name: str) -> Process | None:
        """The process remembered as *name*, alive or not."""
        return Process.from_dict(self.recall(name))

    def remove(self, keep_logs: bool = False) -> None:
        """Removes the folder, or all of it but the logs and the marker that lets ``down`` remove those."""
        if not self.exists:
            raise SandboxError(
                f"{self.folder} is not a sandbox's folder; it was left as it is.",
                "Give the sandbox's own folder with --state DIR.",
            )
        if not (keep_logs and any(self.logs.glob("*"))):
            shutil.rmtree(self.folder)
            return
        for entry in self.folder.iterdir():
            if entry.is_dir() and entry != self.logs:
                shutil.rmtree(entry)
            elif not entry.is_dir() and entry != self.marker:
                entry.unlink()
