"""tripleo-common: the overcloud's own playbooks and inventory, written from the stack.

Imported by the runner only: tripleo-common sets up logging for the whole process when it is imported.
"""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tripleo_update_plugin.errors import PhaseFailed

UPDATE_PLAYBOOK = "update_steps_playbook.yaml"


def download(
    heat_client: Any, stack: str, outputs: Mapping[str, Any], folder: Path, ssh_user: str
) -> tuple[Path, Path]:
    """Write config and inventory of *stack*, which has these *outputs*, to *folder*: (update playbook, inventory).

    tripleo-common would read the outputs twice more: megabytes, and not the ones that were checked. What is written
    holds the overcloud's passwords: *folder* must be private and is the caller's to remove.
    """
    from tripleo_common.inventory import TripleoInventory
    from tripleo_common.utils.config import Config

    config, inventory = folder / "config", folder / "tripleo-ansible-inventory.yaml"
    try:
        # Stacks before Rocky have no RoleGroupVars; tripleo-common reads them without asking.
        groups: dict[str, Any] = {role: {} for role in outputs.get("RoleData") or {}}
        maker = Config(_AsRead(heat_client, stack, {"RoleGroupVars": groups, **outputs}))
        maker.fetch_config(stack)
        # A dot anywhere in the folder's path would keep tripleo-common from giving its files their extension.
        with contextlib.chdir(folder):
            maker.create_config_dir(config.name)
            maker.write_config(stack, stack, config.name)
        heat = _AsRead(heat_client, stack, _without_empty_roles(outputs))
        nodes = TripleoInventory(hclient=heat, plan_name=stack, ansible_ssh_user=ssh_user)
        nodes.write_static_inventory(str(inventory))
    except Exception as error:
        # tripleo-common raises whatever its data makes it stumble over; the log has the traceback.
        raise PhaseFailed(
            f"the configuration of stack {stack} could not be written: {type(error).__name__}",
            "The log of the job has the details; 'openstack overcloud config download' shows the same error.",
        ) from error
    return config / UPDATE_PLAYBOOK, inventory


def _without_empty_roles(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """TripleoInventory wants an address of every role that is named, and a role without nodes has none."""
    roles = outputs.get("RoleNetHostnameMap") or {}
    named = {role: names for role, names in roles.items() if names and any(names.values())}
    return {**outputs, "RoleNetHostnameMap": named}


class _AsRead:
    """A Heat client that need not be asked for the outputs of one stack."""

    def __init__(self, client: Any, stack: str, outputs: Mapping[str, Any]) -> None:
        self._client = client
        self._stack = stack
        self._outputs = outputs
        self.stacks = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def environment(self, stack: str) -> Any:
        return self._client.stacks.environment(stack)

    def get(self, stack: str, **options: Any) -> Any:
        if stack != self._stack:
            return self._client.stacks.get(stack, **options)
        outputs = [{"output_key": name, "output_value": value} for name, value in self._outputs.items()]
        return SimpleNamespace(outputs=outputs)
