"""What of a job whose process died: killed, out of memory, gone with a reboot? Whoever is alive here sees to it.

Phases at work, the prober, Mistral's executors with every action, and our own Mistral server look after all jobs of
their machine. A look costs one listing of the folder of open jobs.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tripleo_update_plugin.executor.jobs.job import OPEN, Job, Launcher, launch_prober, launch_runner

PERIOD = 15.0  # seconds between two looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Tended:
    """What was done about ``job`` (its name): it ``began anew``, or another process ``tells`` its result."""

    job: str
    done: str


def tend(
    work_dir: str,
    launch: Launcher = launch_runner,
    probe: Launcher = launch_prober,
    clock: Callable[[], float] = time.time,
) -> list[Tended]:
    """See to all jobs below *work_dir* that died; what was done. Never raises: the tender has work of its own."""
    tended = []
    for job in _open(Path(work_dir)):
        try:
            done = job.keep_alive(probe, clock()) if _is_prober(job) else job.revive(launch, clock())
        except (OSError, ValueError, KeyError):
            continue  # its folder is being removed, or cannot be written: another look may do better
        if done:
            tended.append(Tended(job=f"{job.folder.parent.name}/{job.folder.name}", done=done))
    return tended


def _open(root: Path) -> Iterator[Job]:
    try:
        links = sorted((root / OPEN).iterdir())
    except OSError:
        return
    for link in links:
        if link.is_symlink() and (folder := link.readlink()).is_dir():
            yield Job(folder)


def _is_prober(job: Job) -> bool:
    return "parameters" not in json.loads((job.folder / "request.json").read_text(encoding="utf-8"))
