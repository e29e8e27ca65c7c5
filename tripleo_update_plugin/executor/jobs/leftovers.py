"""Processes that a runner left behind when it was killed: its Ansible, found by what it inherited."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from tripleo_update_plugin.executor.jobs.job import JOB_VARIABLE

_PATIENCE = 5.0  # seconds between asking a process to end and killing it


def of(folder: Path) -> Iterator[int]:
    """Ids of the processes started for the job in *folder*, this one and its children excluded."""
    mark = f"{JOB_VARIABLE}={folder}".encode()
    session = os.getsid(0)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0") and os.getsid(int(entry.name)) != session:
                yield int(entry.name)


def end(folder: Path) -> None:
    """End them all, and wait until they are gone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        _signal(folder, number)
        deadline = time.monotonic() + _PATIENCE
        while any(of(folder)) and time.monotonic() < deadline:
            time.sleep(0.1)


def _signal(folder: Path, number: signal.Signals) -> None:
    for process in of(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)
