"""Which folders of an executor are its own alone?

In them are logs, results and, for a time, passwords, and what a runner finds there it goes by.
"""

import os
import stat
from pathlib import Path

from tripleo_update_plugin.errors import PhaseFailed

_OURS_ALONE = 0o700


def private(root: Path, *names: str) -> Path:
    """The folder *names* below *root*, made where it is missing; nobody else can enter any of them, whatever the umask.

    A folder that is ours and open to others is closed. PhaseFailed for one that belongs to somebody else.
    """
    for parent in reversed(root.parents):
        if not parent.exists():
            parent.mkdir(0o755, exist_ok=True)
    folder = root
    _close(folder)
    for name in names:
        folder = folder / name
        _close(folder)
    return folder


def _close(folder: Path) -> None:
    folder.mkdir(_OURS_ALONE, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise PhaseFailed(
            f"the folder {folder} belongs to another user (id {found.st_uid}) than the executor's (id {os.geteuid()})",
            "Give it to the user that Mistral's executors run as, or name another work_dir in [tripleo_update].",
        )
    if stat.S_IMODE(found.st_mode) != _OURS_ALONE:
        folder.chmod(_OURS_ALONE)
