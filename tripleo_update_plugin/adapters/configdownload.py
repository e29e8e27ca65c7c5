"""tripleo-common: the overcloud's own playbooks and inventory, written from the stack.

Imported by the runner only: tripleo-common sets up logging for the whole process when it is imported.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tripleo_update_plugin.errors import PhaseFailed

UPDATE_PLAYBOOK = "update_steps_playbook.yaml"


def plays_of_tasks(roles: Iterable[str]) -> list[dict[str, Any]]:
    """A play for each of *roles*, with the files that download() writes for Pike: update tasks, then deploy tasks.

    Pike's own playbook does the same, but for a group and a variable that inventories do not have any more.
    """
    return [
        {
            "name": f"Run update of {role}",
            "hosts": role,
            "serial": "{{ update_serial }}",
            "any_errors_fatal": True,
            "vars": {"role_name": role},
            "tasks": [
                _by_step(f"{role}/update_tasks.yaml", "start=0 end=5"),
                _by_step("deploy_steps_tasks.yaml", "start=1 end=5"),
            ],
        }
        for role in sorted(roles)
    ]


def _by_step(file: str, steps: str) -> dict[str, Any]:
    return {"include_tasks": file, "with_sequence": steps, "loop_control": {"loop_var": "step"}}


def download(heat_client: Any, stack: str, folder: Path, ssh_user: str) -> tuple[Path, Path]:
    """Write config and inventory of *stack* to *folder*: (update playbook, inventory).

    What is written holds the overcloud's passwords: *folder* must be private and is the caller's to remove.
    """
    from tripleo_common.inventory import TripleoInventory
    from tripleo_common.utils.config import Config

    config, inventory = folder / "config", folder / "tripleo-ansible-inventory.yaml"
    try:
        maker = Config(heat_client)
        maker.fetch_config(stack)
        # Stacks before Rocky do not have it; tripleo-common reads it without asking.
        roles = maker.stack_outputs.get("RoleData") or {}
        maker.stack_outputs.setdefault("RoleGroupVars", {role: {} for role in roles})
        # A dot anywhere in the folder's path would keep tripleo-common from giving its files their extension.
        with contextlib.chdir(folder):
            maker.create_config_dir(config.name)
            maker.write_config(stack, stack, config.name)
        heat = _WithoutEmptyRoles(heat_client)
        nodes = TripleoInventory(hclient=heat, plan_name=stack, ansible_ssh_user=ssh_user)
        nodes.write_static_inventory(str(inventory))
    except Exception as error:
        # tripleo-common raises whatever its data makes it stumble over; the log has the traceback.
        raise PhaseFailed(
            f"the configuration of stack {stack} could not be written: {type(error).__name__}",
            "The log of the job has the details; 'openstack overcloud config download' shows the same error.",
        ) from error
    return config / UPDATE_PLAYBOOK, inventory


class _WithoutEmptyRoles:
    """A Heat client whose stacks do not name roles without nodes: TripleoInventory wants an address of each."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.stacks = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def environment(self, stack: str) -> Any:
        return self._client.stacks.environment(stack)

    def get(self, stack: str, **options: Any) -> Any:
        found = self._client.stacks.get(stack, **options)
        for output in found.outputs:
            if output["output_key"] == "RoleNetHostnameMap":
                roles = output["output_value"] or {}
                output["output_value"] = {r: names for r, names in roles.items() if names and any(names.values())}
        return found
