"""The folder of a lab: what it keeps (the image, results) and what is gone after ``down`` (everything in ``run``)."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.topology import Topology, topology

VARIABLE = "TRIPLEO_UPDATE_LAB"


def default_folder(environ: Mapping[str, str]) -> Path:
    """
    >>> str(default_folder({}))
    '/var/tmp/tripleo-update-lab'
    """
    return Path(environ.get(VARIABLE) or "/var/tmp/tripleo-update-lab")  # noqa: S108 - made private, and ours alone


@dataclass(frozen=True, slots=True)
class Site:
    folder: Path

    @property
    def image(self) -> Path:
        return self.folder / "image"

    @property
    def tools(self) -> Path:
        """debootstrap, unpacked: nothing is installed on the machine itself."""
        return self.folder / "tools"

    @property
    def run(self) -> Path:
        """A tmpfs while the lab is up."""
        return self.folder / "run"

    @property
    def results(self) -> Path:
        return self.folder / "results"

    @property
    def key(self) -> Path:
        return self.run / "key"

    @property
    def undercloud(self) -> Path:
        return self.run / "undercloud"

    def host(self, name: str) -> Path:
        return self.run / "hosts" / name

    def prepare(self) -> None:
        for folder in (self.folder, self.results):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Alone in this folder."""
        self.prepare()
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
            yield
        except BlockingIOError:
            raise LabError(f"another command is at work in {self.folder}", "Wait until it has ended.") from None
        finally:
            os.close(descriptor)

    def remember(self, name: str, value: Mapping[str, Any]) -> None:
        (self.run / f"{name}.json").write_text(json.dumps(dict(value)))

    def recall(self, name: str) -> dict[str, Any]:
        """What was remembered under *name*; empty if nothing was."""
        try:
            value = json.loads((self.run / f"{name}.json").read_text())
        except (OSError, ValueError):
            return {}
        return dict(value)

    def topology(self) -> Topology:
        """The overcloud that is up. LabError if none is."""
        architecture = self.recall("lab").get("architecture")
        if not architecture:
            raise LabError(f"no lab is up in {self.folder}", "Bring it up first: python -m lab up.")
        return topology(str(architecture))
