"""Which variables may an operator hand to Ansible? Data, by names that are nobody else's.

The policy, the workbook and the actions all go by this one rule, so that what a plan was made with can be run.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tripleo_update_plugin.errors import BadPolicy

#: The flows' own variables that are the operator's to set, and what each is; docs/source/operations.rst describes them.
SETTABLE: Mapping[str, type] = {
    "tripleo_update_package_command": list,
    "tripleo_update_check_command": list,
    "tripleo_update_marks": str,
}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

#: Ansible's own variables and ours: some of them are commands, or say where Ansible goes and as whom.
_RESERVED = re.compile(r"ansible_|tripleo_update_", re.IGNORECASE)

#: YAQL and Jinja. They are refused rather than quoted: Ansible evaluates every text of a variable whenever it is used.
_EXPRESSION = re.compile(r"<%|\{\{|\{%|\{#")

#: How deep values may be nested.
_DEEPEST = 20


def checked(data: Any) -> dict[str, Any]:
    """*data*, once it is known to be {name: plain data}. BadPolicy, which names the variable, for anything else.

    >>> checked({"command": ["dnf", "-y", "update"]})
    {'command': ['dnf', '-y', 'update']}
    """
    if not isinstance(data, Mapping):
        raise BadPolicy("extra_vars: a mapping of variables to plain data is expected")
    for name, value in data.items():
        if problem := _problem_of_name(name, value) or next(_problems(value), ""):
            raise BadPolicy(f"extra_vars: {name!r:.100}: {problem}")
    return dict(data)


def _problem_of_name(name: Any, value: Any) -> str:
    if not isinstance(name, str) or not _NAME.match(name):
        return "not a name that a variable of Ansible can have"
    if name in SETTABLE:
        return "" if isinstance(value, SETTABLE[name]) else f"a {SETTABLE[name].__name__} is expected"
    if _RESERVED.match(name):
        return f"not a variable that a policy may set; of its kind there are {', '.join(SETTABLE)}"
    return ""


def _problems(value: Any, depth: int = 0) -> Iterator[str]:
    """What is wrong with a value, keys of mappings too."""
    if depth > _DEEPEST:
        yield f"nested more than {_DEEPEST} deep"
    elif isinstance(value, str):
        if _EXPRESSION.search(value):
            yield f"{value!r:.100} looks like an expression; write the value itself"
    elif isinstance(value, float) and not math.isfinite(value):
        yield "not a finite number"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            # Ansible reads {"__ansible_…": …} as something else than a mapping.
            if not isinstance(key, str) or key.startswith("__ansible"):
                yield f"{key!r:.100} cannot be a key"
            else:
                yield from _problems(key, depth + 1)
                yield from _problems(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _problems(inner, depth + 1)
    elif not isinstance(value, bool | int | float | None):
        yield f"a {type(value).__name__} is no plain data"
