"""Keeps secrets of the overcloud out of what is told."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

LIMIT = 300

#: "key" has to be a word of its own in the name: everything of Keystone would be a secret otherwise.
_PASSWORD_KEY = re.compile(r"passw|secret", re.IGNORECASE)
_SECRET_KEY = re.compile(r"(?i:passw|secret|token|cookie)|(?<![a-z])[kK]eys?(?![a-z])|(?<=[a-z])Keys?(?![a-z])")
#: Shorter values are no secrets but would make holes in every text; so would words, paths, URLs and templates that
#: only stand near a secret, as the project's name does in a section "authtoken".
_SHORTEST = 6
_HARMLESS = re.compile(r"[A-Za-z]{1,11}|(/|https?:|\{\{|label=|[a-z]+=\d).*", re.DOTALL)
_ASSIGNMENT = re.compile(
    r"""((?:password|passwd|secret|token|_key)['"]?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;}]+)""", re.IGNORECASE
)


def secrets_in(value: Any, secret: bool = False, password: bool = False) -> Iterator[str]:
    """Every string that stands under a key which sounds like a secret.

    >>> sorted(secrets_in({"AdminPassword": "monday", "x": [{"api_key": {"a": "abc123", "b": "service"}}]}))
    ['abc123', 'monday']
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            named = bool(_SECRET_KEY.search(str(key)))
            yield from secrets_in(inner, secret or named, bool(_PASSWORD_KEY.search(str(key))))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from secrets_in(inner, secret, password)
    elif secret and isinstance(value, str) and len(value) >= _SHORTEST and (password or not _HARMLESS.fullmatch(value)):
        yield value


def redactor(outputs: Mapping[str, Any]) -> Callable[[str], str]:
    """A function that makes a text fit to be told: no secret of *outputs*, nothing like ``password=…``, not too long.

    >>> redactor({"AdminPassword": "hunter22"})("login hunter22 failed; db_password: x-y")
    'login *** failed; db_password: ***'
    """
    known = sorted(set(secrets_in(outputs)), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, known))) if known else None

    def redact(text: str) -> str:
        text = pattern.sub("***", text) if pattern else text
        text = _ASSIGNMENT.sub(r"\1***", text)
        return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"

    return redact
