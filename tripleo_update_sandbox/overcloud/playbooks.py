"""Which playbooks does an overcloud have, as config-download writes them to files?"""

from collections.abc import Iterable, Mapping
from functools import cache
from string import Template
from typing import Any

from tripleo_update_plugin.names import is_safe_name
from tripleo_update_sandbox import tables
from tripleo_update_sandbox.errors import SandboxError


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = tables.load("tripleo_update_sandbox.overcloud", "playbooks")
    return table


def role_config(stack: str, roles: Iterable[str], bootstrap: str) -> dict[str, Any]:
    """The output RoleConfig: playbooks as text; *bootstrap* is the server's ID that runs what a role runs once.

    Raises SandboxError if one of these names could become more than a name in a playbook, which runs on this machine.
    """
    names = [stack, *roles]
    for name in (*names, *([bootstrap] if bootstrap else ())):
        if not is_safe_name(name):
            raise SandboxError(f"{name!r} cannot be a name in a playbook.", "Give outputs of a real overcloud.")
    plays = [_role_play(role, bootstrap) for role in names[1:]]
    return {
        "common_deploy_steps_playbooks": _table()["common_deploy_steps_playbooks"],
        "common_deploy_steps_tasks": _table()["common_deploy_steps_tasks"],
        "update_steps_playbook": _text("update_head", stack=stack) + "".join(plays),
        "external_update_steps_playbook": _table()["external_update_steps_playbook"],
        "external_update_steps_tasks": [],
        "global_vars": {"deploy_stack": stack},
    }


def _role_play(role: str, bootstrap: str) -> str:
    serial = next((many for start, many in _table()["serial"].items() if role.startswith(start)), 1)
    imports = [
        _text("update_import", role=role, list=tasks, step=step)
        for tasks, steps in _table()["steps"].items()
        for step in range(steps)
    ]
    return _text("update_play", role=role, bootstrap=bootstrap, serial=serial) + "".join(imports)


def _text(part: str, **names: object) -> str:
    return Template(_table()[part]).substitute(names)
