"""How are times said? A length of time, a moment for people, a moment for machines: one way each."""

from datetime import UTC, datetime


def in_words(seconds: int) -> str:
    """A length of time, in whole *seconds*, for people.

    >>> in_words(90), in_words(5400), in_words(45)
    ('1 min 30 s', '1 h 30 min', '45 s')
    """
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    parts = [f"{n} {unit}" for n, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if n]
    return " ".join(parts) or "0 s"


def clock(time: float) -> str:
    """The local time of day at *time*, in Unix seconds, as a line of progress begins with it: ``14:05:09``."""
    return datetime.fromtimestamp(time).astimezone().strftime("%H:%M:%S")


def iso(time: float | None) -> str:
    """*time*, in Unix seconds, for machines and for people far apart: in UTC, to the second; "" for none.

    >>> iso(0), iso(None)
    ('1970-01-01T00:00:00Z', '')
    """
    return "" if time is None else datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
