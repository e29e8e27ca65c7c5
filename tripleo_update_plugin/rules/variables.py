"""Which variables may an operator hand to Ansible? Data, by names that are nobody else's.

The policy, the workbook and the actions all go by this one rule, so that what a plan was made with can be run.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from keyword import iskeyword
from typing import Any

from tripleo_update_plugin.errors import BadPolicy

#: The flows' own variables that are the operator's to set, all of them commands; docs/source/operations.rst describes
#: them. Others have to be the same in every phase, and a policy's variables are those of the update alone.
SETTABLE = ("tripleo_update_package_command", "tripleo_update_check_command")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

#: Ansible's own variables and ours: some of them are commands, or say where Ansible goes and as whom.
_RESERVED = re.compile(r"ansible_|tripleo_update_|inventory_(dir|file|hostname)", re.IGNORECASE)

#: More of Ansible's own ("Special Variables" in its documentation).
_SPECIAL = frozenset(
    ("environment", "group_names", "groups", "hostvars", "omit", "play_hosts", "playbook_dir", "role_name",
     "role_names", "role_path", "vars")
)  # fmt: skip

#: YAQL and Jinja. They are refused rather than quoted: Ansible evaluates every text of a variable whenever it is used.
_EXPRESSION = re.compile(r"<%|\{\{|\{%|\{#")

#: How deep values may be nested, and how many one variable may hold; an alias in YAML can stand for itself.
_DEEPEST, _MOST = 20, 10_000


def checked(data: Any) -> dict[str, Any]:
    """*data*, once it is known to be {name: plain data}. BadPolicy, which names the variable, for anything else.

    >>> checked({"command": ["dnf", "-y", "update"]})
    {'command': ['dnf', '-y', 'update']}
    """
    if not isinstance(data, Mapping):
        raise BadPolicy("extra_vars: a mapping of variables to plain data is expected")
    for name, value in data.items():
        if problem := _problem_of_name(name, value) or _problem_of_value(value):
            raise BadPolicy(f"extra_vars: {name!r:.100}: {problem}")
    return dict(data)


def _problem_of_name(name: Any, value: Any) -> str:
    if not isinstance(name, str) or not _NAME.match(name) or iskeyword(name):
        return "not a name that a variable of Ansible can have"
    if name in SETTABLE:
        return "" if _is_command(value) else "a list of words is expected"
    if _RESERVED.match(name) or name in _SPECIAL:
        return f"not a variable that a policy may set; of these there are {' and '.join(SETTABLE)}"
    return ""


def _is_command(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(word, str) for word in value)


def _problem_of_value(value: Any) -> str:
    for number, (part, depth) in enumerate(_parts(value)):
        if number >= _MOST or depth > _DEEPEST:
            return f"more than {_MOST} values" if number >= _MOST else f"nested more than {_DEEPEST} deep"
        if problem := _problem_of_part(part):
            return problem
    return ""


def _parts(value: Any, depth: int = 0) -> Iterator[tuple[Any, int]]:
    """A value and all that is inside of it, keys of mappings too, each with how deep it is."""
    yield value, depth
    inside: Iterable[Any] = ()
    if isinstance(value, Mapping):
        inside = chain.from_iterable(value.items())
    elif isinstance(value, list | tuple):
        inside = value
    for each in inside:
        yield from _parts(each, depth + 1)


def _problem_of_part(part: Any) -> str:
    if isinstance(part, str):
        return f"{part!r:.100} looks like an expression; write the value itself" if _EXPRESSION.search(part) else ""
    if isinstance(part, float):
        return "" if math.isfinite(part) else "not a finite number"
    if isinstance(part, Mapping):
        # Ansible reads {"__ansible_…": …} as something else than a mapping.
        bad = [key for key in part if not isinstance(key, str) or key.startswith("__ansible")]
        return f"{bad[0]!r:.100} cannot be a key" if bad else ""
    return "" if isinstance(part, bool | int | list | tuple | None) else f"a {type(part).__name__} is no plain data"
