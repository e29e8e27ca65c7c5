"""Keeps secrets of the overcloud out of what is told."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote

from tripleo_update_plugin.terminal import printable

LIMIT = 300

#: Words in a key that make a secret of its value, whatever that looks like.
_PASSWORDS = ("passw", "passphrase", "secret", "pwd")
_PASSWORD_WORDS = frozenset(("pass", "pw"))
#: Words that make one of its value if that does not look like something else. "key" has to be a word of its own:
#: everything of Keystone would be a secret otherwise.
_SECRETS = ("token", "cookie", "credential", "hashsuffix", "hashpathsuffix", "hashpathprefix")
_SECRET_WORDS = frozenset(
    ("key", "keys", "kek", "keks", "login", "community", "communities", "authkey", "privatekey", "apikey", "sshkey",
     "secretkey", "fernetkey", "encryptionkey", "authkeys", "privatekeys", "apikeys", "sshkeys", "hmackey")
)  # fmt: skip

#: The words of a key: fooBar, foo_bar, foo::bar, FOO-BAR.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

#: Shorter values are no secrets but would make holes in every text; so would words, paths, URLs and templates that
#: only stand near a secret, as the project's name does in a section "authtoken".
_SHORTEST = 6
_PATH = r"/(?:boot|dev|etc|home|lib|mnt|opt|proc|root|run|s?bin|srv|sys|tmp|usr|var|v[0-9.]+)(?:[/:].*)?"
_HARMLESS = re.compile(rf"[A-Za-z]{{1,11}}|{_PATH}|(?:https?:|\{{\{{|label=|[a-z]+=\d).*", re.DOTALL)

#: Of secrets in several lines each long line of a single word is a secret, too: that is what keys are made of.
_SHORTEST_LINE = 16

_LOGIN = re.compile(r"://([^\s:/@]*):([^\s/@]+)@")
_ASSIGNMENT = re.compile(
    r"""((?:passw(?:or)?d|passphrase|pwd|(?<![a-z])pass|secret|token|credentials?|community|(?<![a-z])login|[_a-z]key"""
    r"""|(?<![a-z])kek|hash_suffix)s?\\?['"]?\s*[:=]\s*)(\\?"(?:[^"\\]|\\.)*\\?"|'(?:[^'\\]|\\.)*'|[^\s,;}]+)""",
    re.IGNORECASE,
)


def _kind(key: str) -> tuple[bool, bool]:
    """(whether the value of *key* is a secret, whether it is one whatever it looks like)."""
    words = [word.lower() for word in _WORD.findall(key)]
    joined = "".join(words)
    password = any(each in joined for each in _PASSWORDS) or not _PASSWORD_WORDS.isdisjoint(words)
    return password or any(each in joined for each in _SECRETS) or not _SECRET_WORDS.isdisjoint(words), password


def secrets_in(value: Any, secret: bool = False, password: bool = False) -> Iterator[str]:
    """Every text or number that stands under a key which sounds like a secret, and every password in a URL.

    >>> sorted(secrets_in({"AdminPassword": "monday", "x": [{"api_key": {"a": "abc123", "b": "service"}}]}))
    ['abc123', 'monday']
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            named, surely = _kind(str(key))
            yield from secrets_in(inner, secret or named, surely)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from secrets_in(inner, secret, password)
    elif isinstance(value, str) or (type(value) in (int, float) and secret):
        text = str(value).strip()
        if secret and len(text) >= _SHORTEST and (password or not _HARMLESS.fullmatch(text)):
            yield text
        for login in _LOGIN.finditer(text) if "://" in text else ():
            if len(login.group(2)) >= _SHORTEST:
                yield login.group(2)


def _forms(secret: str) -> Iterator[str]:
    """All that a secret may look like in a text: in JSON, repr or a URL, or a line of it."""
    lines = [words[0] for line in secret.splitlines() if len(words := line.split()) == 1]
    for text in {secret, *(line for line in lines if len(line) >= _SHORTEST_LINE)}:
        yield from (text, json.dumps(text)[1:-1], repr(text)[1:-1], quote(text, safe=""), quote(text), unquote(text))


class Redactor:
    """Makes a text fit to be told: no secret that is known, and nothing like ``password=…``.

    >>> redactor({"AdminPassword": "hunter22"})("login hunter22 failed; db_password: x-y")
    'login *** failed; db_password: ***'
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret) if form.split()}
        # By its first word a form is looked for in every text; only what may be there is matched, blanks folded.
        self._forms = [(form.split()[0], r"\s+".join(map(re.escape, form.split()))) for form in forms]

    def __call__(self, text: str) -> str:
        """*text*, not too long."""
        text = self.all_of(text)
        return text if len(text) <= LIMIT else text[: LIMIT - 1] + "…"

    def all_of(self, text: str) -> str:
        """*text* from its beginning to its end."""
        found = [pattern for word, pattern in self._forms if word in text]
        if found:
            text = re.sub("|".join(sorted(found, key=len, reverse=True)), "***", text)
        text = _LOGIN.sub(r"://\1:***@", text)
        return printable(_ASSIGNMENT.sub(r"\1***", text))


def redactor(outputs: Mapping[str, Any]) -> Redactor:
    """One that knows the secrets of *outputs*."""
    return Redactor(set(secrets_in(outputs)))
