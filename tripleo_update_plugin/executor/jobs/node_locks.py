"""One phase at a time may change a node, whichever update it belongs to."""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from tripleo_update_plugin.errors import PhaseFailed
from tripleo_update_plugin.executor.jobs import folders, leftovers
from tripleo_update_plugin.executor.jobs.job import Job, try_flock
from tripleo_update_plugin.names import naturally


@contextlib.contextmanager
def held(work_dir: str, stack: str, nodes: Iterable[str], job: Job) -> Iterator[None]:
    """Hold the locks of *nodes* for *job*; raises PhaseFailed, naming the holder, if one is held already."""
    folder = folders.private(Path(work_dir), "nodes")
    with contextlib.ExitStack() as stack_of_locks:
        for node in naturally(nodes):
            path = folder / f"{stack}.{node}.lock"
            descriptor = try_flock(path)
            if descriptor is None:
                raise PhaseFailed(f"node {node} is being worked on by {_holder(path)}", "Let that end first.")
            stack_of_locks.callback(os.close, descriptor)
            _end_what_is_left(path, job)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"job": str(job.folder), "pid": os.getpid()}).encode(), 0)
            # Undone in reverse: a lock is let go of by a holder who left in good order, and has no name any more.
            stack_of_locks.callback(os.ftruncate, descriptor, 0)
        yield


def _read(path: Path) -> dict[str, object]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError:
        return {}


def _holder(path: Path) -> str:
    holder = _read(path)
    return f"job {holder['job']} (process {holder.get('pid')})" if "job" in holder else "another job"


def _end_what_is_left(path: Path, job: Job) -> None:
    """A runner that was killed has let go of the lock, but its Ansible may still be at work on the node."""
    earlier = Path(str(_read(path).get("job", "")))
    if not earlier.is_absolute() or earlier == job.folder or not earlier.is_dir():
        return
    lock = Job(earlier).try_lock()
    if lock is None:
        raise PhaseFailed(f"another attempt of {_holder(path)} is about to begin", "Let that end first.")
    try:
        leftovers.end(earlier)
    finally:
        os.close(lock)
