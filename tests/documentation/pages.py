"""Which texts of this project speak to people, and what do they name?"""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tripleo_update_plugin"

#: What tools make: folders (others that begin with a dot are theirs as well), and what pbr writes at a build.
_MADE = frozenset({"__pycache__", "build", "cover", "dist", "AUTHORS", "ChangeLog"})


def files(folder: Path = ROOT) -> Iterator[Path]:
    """Every file that somebody wrote."""
    for path in sorted(folder.iterdir()):
        if path.name in _MADE:
            continue
        if not path.is_dir():
            yield path
        elif path.suffix != ".egg-info" and (path.name[0] != "." or path.name == ".ci"):
            yield from files(path)


def pages() -> dict[str, str]:
    """{name: text} of all documentation: pages, what lies beside the code, release notes."""
    found = [*ROOT.glob("docs/source/*.rst"), *ROOT.glob("*.rst"), *ROOT.glob("releasenotes/notes/*.yaml")]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in sorted(found)}


def page(name: str) -> str:
    return (ROOT / "docs" / "source" / f"{name}.rst").read_text(encoding="utf-8")


def flowing(text: str) -> str:
    """*text* in one line, so that what is broken over two lines is whole."""
    return " ".join(text.split())


def literals(text: str) -> list[str]:
    """What stands in double backquotes."""
    return re.findall(r"``(.+?)``", flowing(text))


def tables(text: str) -> list[list[tuple[str, ...]]]:
    """The list tables in *text*: their rows, and in these their cells; without the row of headings."""
    return [[_cells(row) for row in _rows(part)] for part in _parts(text) if _is_table(part)]


def prose(text: str) -> str:
    """*text* without its list tables."""
    return "\n".join(part for part in _parts(text) if not _is_table(part))


def _parts(text: str) -> list[str]:
    return re.split(r"\n(?=\S)", text)


def _is_table(part: str) -> bool:
    return part.startswith(".. list-table::")


def _rows(table: str) -> list[str]:
    return re.split(r"\n   \* -(?=\s)", table)[2:]


def _cells(row: str) -> tuple[str, ...]:
    return tuple(flowing(cell) for cell in re.split(r"\n     -(?=\s|$)", row))
