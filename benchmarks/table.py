"""Results as text for a terminal and as reStructuredText for the documentation."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from tripleo_update_plugin.plan.words import table

_WIDTH = 118


@dataclass(frozen=True)
class Result:
    """One table, and what it comes to: targets as (text, whether met)."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    targets: Sequence[tuple[str, bool]] = ()
    notes: Sequence[str] = ()

    @property
    def verdicts(self) -> list[str]:
        return [f"{text}: {'met' if met else 'NOT MET'}" for text, met in self.targets]


def text(result: Result) -> str:
    return "\n".join([f"== {result.title}", *table(result.columns, result.rows), *result.verdicts, *result.notes, ""])


def rst(result: Result) -> str:
    lines = [result.title, "-" * len(result.title), "", ".. list-table::", "   :header-rows: 1", ""]
    for row in (result.columns, *result.rows):
        lines += [f"   {'* -' if i == 0 else '  -'} {cell}" for i, cell in enumerate(row)]
    lines.append("")
    for verdict in result.verdicts:
        lines.append(textwrap.fill(f"* Target: {verdict}", _WIDTH, subsequent_indent="  ", break_on_hyphens=False))
    for note in result.notes:
        lines += ["", prose(note)]
    return "\n".join([*lines, ""])


def prose(note: str) -> str:
    """A paragraph in lines."""
    return textwrap.fill(note, _WIDTH, break_on_hyphens=False, break_long_words=False)


def hours(seconds: float) -> str:
    """Seconds as hours and minutes.

    >>> hours(5400), hours(600)
    ('1 h 30', '0 h 10')
    """
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02}"
