"""Rows of trials, kept as files, and the table of the documentation."""

import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from faults.matrix import COMPONENTS, PHASES, Cell, cells
from faults.trial import Row
from tripleo_update_plugin.names import naturally

_SHORT = {"by itself": "by itself", "after one command": "``{}``", "stopped, said why": "stopped: {}"}

_WIDTH, _MOST = 118, 400  # characters: of a line of the documentation, and of a reason in it


def save(row: Row, folder: Path) -> None:
    """One file a cell; a later trial of it takes its place."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{row.cell}.json").write_text(json.dumps(row.to_dict(), indent=2))


def load(folder: Path) -> dict[str, Row]:
    """{name of a cell: its row}, in the order of the matrix."""
    known = {path.stem: path for path in folder.glob("*.json")}
    return {str(c): Row.from_dict(json.loads(known[str(c)].read_text())) for c in cells() if str(c) in known}


def line(row: Row) -> str:
    """A row for a terminal."""
    words = " ".join(filter(None, ("survived" if row.survived else "NOT SURVIVED", row.how, "+".join(row.commands))))
    more = "; ".join(row.complaints) or row.reason
    return f"{row.cell:<32} {row.seconds:>4} s  {words}" + (f": {more}" if more else "")


def summary(rows: Sequence[Row]) -> str:
    """How many trials ended how.

    >>> summary([])
    '0 passed, 0 failed'
    """
    survived = sum(row.survived for row in rows)
    return f"{survived} passed, {len(rows) - survived} failed"


def rst(rows: dict[str, Row]) -> str:
    """The whole table, with what is done in each line, and everything that was not survived."""
    parts = [".. Written by 'python -m faults table --write'.", "", *_counts(list(rows.values())), ""]
    parts += [".. list-table::", "   :header-rows: 1", "   :widths: 12 30 12 12 12 12 12", ""]
    parts += _cells(["", "what is done", *(phase.replace("_", " ") for phase in PHASES)])
    for component, hows in COMPONENTS.items():
        for how, done in hows.items():
            results = [_result(rows.get(str(Cell(component, how, phase)))) for phase in PHASES]
            parts += _cells([f"{component} {how}", done, *results])
    return "\n".join([*parts, *_failures(rows.values())]) + "\n"


def _counts(rows: Sequence[Row]) -> Iterator[str]:
    ends = Counter(row.how if row.survived else "not survived" for row in rows)
    dates = sorted(row.date for row in rows) or ["never"]
    counted = ", ".join(f"{count} {how}" for how, count in ends.most_common())
    yield f"{len(rows)} trials, {dates[0]} to {dates[-1]} UTC: {counted}."


def _cells(texts: Sequence[str]) -> list[str]:
    return [f"   {'*' if i == 0 else ' '} - {text}".rstrip() for i, text in enumerate(texts)]


def _result(row: Row | None) -> str:
    if row is None:
        return "not tried"
    if not row.survived:
        return "**not survived**"
    return _SHORT[row.how].format(" ".join(row.commands) or row.state)


def _failures(rows: Iterable[Row]) -> Iterator[str]:
    by_cell = {row.cell: row for row in rows if not row.survived}
    if by_cell:
        yield from ("", "Not survived:", "")
    for name in naturally(by_cell):
        row = by_cell[name]
        yield _item(f"{name}: {'; '.join(row.complaints) or row.how}")


def _item(text: str) -> str:
    """A line of a list, in lines that are not too long, without paths of the machine that it comes from."""
    plain = re.sub(r"([*`|_\\])", r"\\\1", re.sub(r"(?<![\w.])/[\w./-]+", "…", text))
    return textwrap.fill(f"* {textwrap.shorten(plain, _MOST, placeholder=' …')}", _WIDTH, subsequent_indent="  ",
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip
