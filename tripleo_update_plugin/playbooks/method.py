"""By which means are the nodes of an overcloud updated? By what its release brings, or by plays of our own."""

from collections.abc import Iterable, Mapping
from typing import Any

from tripleo_update_plugin.overcloud.model import Overcloud

#: The playbook update_steps_playbook of the stack (Queens on).
PLAYBOOK = "playbook"
#: Pike: tasks for each role. Its playbook, where it has one, asks for a group and a variable that are no longer made.
TASKS = "tasks"
#: Ocata and older: our own flow.
PACKAGES = "packages"


def means_of(outputs: Mapping[str, Any], overcloud: Overcloud) -> str:
    """PLAYBOOK, TASKS or PACKAGES; "" where there are none: containers without update tasks."""
    config = outputs.get("RoleConfig") or {}
    if overcloud.has_update_tasks and overcloud.release != "pike":
        return PLAYBOOK
    roles = {node.role for node in overcloud.nodes}
    data = outputs.get("RoleData") or {}
    if "deploy_steps_tasks" in config and all("update_tasks" in (data.get(role) or {}) for role in roles):
        return TASKS
    return PACKAGES if overcloud.packaging == "packages" and not config else ""


def roles_to_read(outputs: Mapping[str, Any], roles: Iterable[str]) -> list[str]:
    """Those of *roles* whose services' own data is needed to update some of their services only."""
    return sorted(set(roles)) if outputs.get("RoleConfig") else []
