"""What is a name, and in which order do names stand?"""

import re
from collections.abc import Iterable

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)


def is_safe_name(text: object) -> bool:
    """Whether *text* can stand in a workflow definition, a file name and an inventory without being anything else.

    >>> is_safe_name("compute-0"), is_safe_name("<% $.x %>"), is_safe_name("../etc")
    (True, False, False)
    """
    return isinstance(text, str) and bool(_NAME.match(text))


def is_uuid(text: object) -> bool:
    """Whether *text* is a UUID with its dashes, as OpenStack writes ids.

    >>> is_uuid("6d3c0f1e-8a52-4c07-9f13-2b6ad45e7c90"), is_uuid("../6d3c0f1e")
    (True, False)
    """
    return isinstance(text, str) and bool(_UUID.match(text))


def is_digest(text: object) -> bool:
    """Whether *text* is a SHA-256 in hex."""
    return isinstance(text, str) and bool(_DIGEST.match(text))


def short_name(name: str) -> str:
    """The key of a node: the first label of its name, in lower case.

    >>> short_name("Overcloud-Compute-0.ctlplane.localdomain")
    'overcloud-compute-0'
    """
    return name.split(".")[0].strip().lower()


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts numbers in the order of their values.

    >>> sorted(["compute-10", "compute-2"], key=natural_key)
    ['compute-2', 'compute-10']
    """
    parts = re.split(r"(\d+)", name)
    return tuple((1, int(p), p) if p.isdigit() and p.isascii() else (0, 0, p) for p in parts if p)


def naturally(names: Iterable[str]) -> tuple[str, ...]:
    """*names* without repeats, in natural order."""
    own = set(names)
    return tuple(sorted(own, key=natural_key) if len(own) > 1 else own)
