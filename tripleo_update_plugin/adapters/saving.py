"""How is a file written whole or not at all, and over nothing but a file?"""

import os
import stat
import tempfile
from pathlib import Path

from tripleo_update_plugin.errors import BadInput


def save(text: str, path: str) -> None:
    """Put *text* into a file that only its owner can read, in place of a file that was there.

    BadInput where something else is there (a device, a pipe, a link, a folder), a file that must not be written, or no
    room. Nothing is left behind then, nor after Ctrl-C.
    """
    if not path:
        raise BadInput("no file is named to save to", "Give the path of a file.")
    target = Path(path)
    try:
        _check(target, path)
        handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(draft).replace(target)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadInput(f"{path}: {reason}", "Give a path in a folder that exists, is writable and has room.") from error


def _check(target: Path, path: str) -> None:
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise BadInput(f"{path} is there, and no plain file", "Give the path of a file, or one where nothing is yet.")
    if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise BadInput(f"{path} is a file that must not be written", "Give another path, or make it writable.")
