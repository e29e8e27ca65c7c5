"""Variables that an operator hands to Ansible: data, and nothing that Ansible would evaluate."""

import re
from typing import Any

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_TEMPLATE = re.compile(r"\{\{|\{%|\{#")


def are_plain(extra_vars: Any) -> bool:
    """Whether *extra_vars* is {name: plain data}.

    Templates are refused rather than quoted: Ansible evaluates every text of a variable whenever it is used.

    >>> are_plain({"command": ["dnf", "-y", "update"]}), are_plain({"x": ["{{ lookup('file', '/etc/shadow') }}"]})
    (True, False)
    """
    if not isinstance(extra_vars, dict):
        return False
    named = all(isinstance(name, str) and _NAME.match(name) for name in extra_vars)
    return named and all(_is_plain(value) for value in extra_vars.values())


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        # Ansible reads {"__ansible_…": …} as something else than a mapping.
        return all(isinstance(key, str) and not key.startswith("__ansible") for key in value) and all(
            _is_plain(each) for each in (*value, *value.values())
        )
    if isinstance(value, list):
        return all(_is_plain(each) for each in value)
    return value is None or (isinstance(value, str | int | float) and not _TEMPLATE.search(str(value)))
