"""Which process is it, even when the kernel has given its number to another one, and how does it end?

Linux only: everything is read from ``/proc``.
"""

import os
import signal
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Every server carries its folder in this variable of its environment, and so do all that it starts.
MEMBER = "TRIPLEO_UPDATE_MEMBER"

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A process for all time: its number, when it started (clock ticks), and the boot that was in."""

    pid: int
    started: int
    boot: str

    def to_dict(self) -> dict[str, object]:
        return {"pid": self.pid, "started": self.started, "boot": self.boot}

    @classmethod
    def from_dict(cls, note: Mapping[str, Any]) -> "Process | None":
        """What ``to_dict`` noted; None if that was spoilt, as by a crash while it was written."""
        try:
            return cls(int(note["pid"]), int(note["started"]), str(note["boot"]))
        except (KeyError, TypeError, ValueError):
            return None


def boot_id() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` after the command's name, the state first; empty if there is none."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def identify(pid: int) -> Process | None:
    """The process that has the number *pid* now; None if it is gone or a zombie."""
    fields = _stat(pid)
    if not fields or fields[0] in "ZX":
        return None
    return Process(pid, int(fields[19]), boot_id())


def is_alive(process: Process) -> bool:
    return identify(process.pid) == process


def memory(process: Process) -> int:
    """Resident memory in bytes; 0 for a process that is gone."""
    if not is_alive(process):
        return 0
    with suppress(OSError):
        for line in (_PROC / str(process.pid) / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


def members(folder: Path) -> list[Process]:
    """Processes of this user that belong to *folder*: the servers there, and what they started."""
    mark = f"{MEMBER}={folder}".encode()
    found = []
    for entry in _PROC.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0") and (process := identify(int(entry.name))):
                found.append(process)
    return found


def stop(processes: Iterable[Process], grace: float = 5.0) -> None:
    """Ends *processes*: asked at first, killed after *grace* seconds."""
    left = list(processes)
    for signum, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        for process in left:
            _send(process, signum)
        left = _wait(left, patience)
        if not left:
            return


def _send(process: Process, signum: signal.Signals) -> None:
    if is_alive(process):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, signum)


def _wait(processes: list[Process], patience: float) -> list[Process]:
    """Those of *processes* still alive after *patience* seconds."""
    deadline = time.monotonic() + patience
    left = [p for p in processes if is_alive(p)]
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [p for p in left if is_alive(p)]
    return left
