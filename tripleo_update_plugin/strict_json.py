"""What does a text of JSON hold, if it says everything once and every number is one?

The json module takes the last of two keys of the same name, and NaN and Infinity, which JSON does not have.
"""

import json
import math
import re
from typing import Any

#: More digits has no number that means anything here.
MOST_DIGITS = 18

#: A text, or what opens and closes mappings and lists.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]\n]')

_COLON = re.compile(r"\s*:")


class Unreadable(ValueError):
    """Text that is well formed, and yet not taken: the message has the line where there is one."""


def load(text: str) -> Any:
    """What *text* holds. Unreadable as above, ValueError if it is no JSON, RecursionError if it is too deep."""
    try:
        return json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_decimal, parse_int=_whole
        )  # fmt: skip
    except _Twice as error:
        raise Unreadable(_both_places(text) or f"the key {error} is there twice") from None


class _Twice(Exception):
    """A key that is there twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(f"{name!r:.100}" for name in names if names.count(name) > 1))
    return found


def _no_number(text: str) -> float:
    raise Unreadable(f"{text} is no number")


def _decimal(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise Unreadable(f"{text:.50} is out of the range of numbers")
    return value


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > MOST_DIGITS:
        raise Unreadable(f"{text:.50} is out of the range of numbers")
    return int(text)


def _both_places(text: str) -> str:
    """Where the first key stands that is there twice; "" if there is none."""
    line = 1
    inside: list[dict[str, int]] = []
    for token in _TOKEN.finditer(text):
        word = token.group()
        if word == "\n":
            line += 1
        elif word in "{[":
            inside.append({})
        elif word in "}]":
            inside.pop()
        elif inside and _COLON.match(text, token.end()):
            name = json.loads(word)
            if name in inside[-1]:
                return twice(name, line, inside[-1][name])
            inside[-1][name] = line
    return ""


def twice(name: str, line: int, first: int) -> str:
    """What is said of a key that is there twice.

    >>> twice("budgets", 4, 1)
    "line 4: the key 'budgets' is there already, in line 1"
    """
    return f"line {line}: the key {name!r:.100} is there already, in line {first}"
