"""How are names, waivers and tables said in a plan?"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def waiver_in_words(waiver: Mapping[str, Any]) -> str:
    """A waiver as text, with the services that it lets go down where it does not name one.

    >>> waiver_in_words({"service": "*", "services": ["mysql", "redis"], "reason": "one controller"})
    '* (mysql, redis): one controller'
    """
    covered = f" ({', '.join(waiver['services'])})" if waiver.get("services") else ""
    return f"{waiver['service']}{covered}: {waiver['reason']}"


def some_names(names: Sequence[str], most: int = 4, what: str = "nodes") -> str:
    """Names as text, shortened where there are many.

    >>> some_names([f"compute-{i}" for i in range(25)])
    'compute-0, compute-1, … compute-24 (25 nodes)'
    """
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:2])}, … {names[-1]} ({len(names)} {what})"


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of a table for people, the *head* first. ValueError for a row that is not as long as the head.

    >>> table(("id", "wave"), [("batch-1", 1), ("b", 12)])
    ['id       wave', 'batch-1  1', 'b        12']
    """
    cells = [[str(cell) for cell in line] for line in (head, *rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    return ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in cells]
