"""Who is at work on which node, seen from outside: by the processes on this machine, every few tenths of a second."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

from tripleo_update_plugin.playbooks.records import MARK

_EVERY = 0.3  # seconds between two looks
_NODE = b"SANDBOX_NODE="
_JOB = b"SANDBOX_JOB="
_MARK = MARK.encode() + b"="

#: Jobs that change something; gates and discoveries may look at any node at any time.
CHANGING = ("drain", "update", "restore")


def commands_at_work(nodes: Path) -> Iterator[tuple[str, str]]:
    """(node, job) of each process that a changing phase has on one of *nodes* just now.

    A job is ``<phase>.<batch> <run>``: what goes on after the end of an attempt is another run than the next attempt.
    What only writes down how the node is left carries no mark, and is no work.
    """
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError, ValueError, IndexError):
            variables = (entry / "environ").read_bytes().split(b"\0")
            node, job = Path(_value(variables, _NODE)), Path(_value(variables, _JOB))
            if node.parent == nodes and job.name.startswith(CHANGING) and _value(variables, _MARK):
                session = (entry / "stat").read_text().rpartition(")")[2].split()[3]
                yield node.name, f"{job.name} {session}"


def _value(variables: list[bytes], name: bytes) -> str:
    return next((each[len(name) :].decode() for each in variables if each.startswith(name)), "")


class Witness:
    """Looks on while the block runs. Afterwards *spans* has (node, job, first seen, last seen)."""

    def __init__(self, nodes: Path) -> None:
        self._nodes = nodes
        self._seen: dict[tuple[str, str], list[float]] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    @property
    def spans(self) -> list[tuple[str, str, float, float]]:
        return [(node, job, *seen) for (node, job), seen in self._seen.items()]  # type: ignore[misc]

    def _look_on(self) -> None:
        while not self._done.wait(_EVERY):
            now = time.time()
            for key in commands_at_work(self._nodes):
                self._seen.setdefault(key, [now, now])[1] = now
