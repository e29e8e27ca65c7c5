"""How is a file written that nobody else may read, whole or not at all?"""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Writes *text* for this user only, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
