"""What becomes of stack outputs, captured from an overcloud or the sample's: which hosts, and which harmless update?"""

import ipaddress
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tripleo_update_plugin.overcloud.outputs import images as images_in
from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.nodes.host import Host
from tripleo_update_sandbox.overcloud.playbooks import role_config
from tripleo_update_sandbox.overcloud.services import service
from tripleo_update_sandbox.overcloud.tasks import post_update_tasks, update_tasks

Outputs = dict[str, Any]


def read_outputs(path: Path) -> Outputs:
    """Captured outputs: a JSON file {output key: value}."""
    remedy = "Give a JSON file {output key: value}."
    try:
        outputs = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SandboxError(f"Cannot read outputs from {path}: {error}", remedy) from error
    if not isinstance(outputs, dict) or not outputs:
        raise SandboxError(f"{path} holds no outputs.", remedy)
    return outputs


def hosts_of(outputs: Mapping[str, Any]) -> list[Host]:
    """The hosts and what their roles say of them; none for releases that name no hosts by role."""
    services = outputs.get("EnabledServices") or {}
    addresses = outputs.get("RoleNetIpMap") or {}
    images = images_in(outputs)
    return [
        Host(
            name=fqdn.partition(".")[0].lower(),
            services=tuple(service(name).installed() for name in services.get(role) or ()),
            addresses=tuple(ips[index] for ips in (addresses.get(role) or {}).values() if index < len(ips)),
            images=images.get(role, {}),
        )
        for role, networks in (outputs.get("RoleNetHostnameMap") or {}).items()
        for index, fqdn in enumerate((networks or {}).get("ctlplane") or ())
    ]


def vips_of(outputs: Mapping[str, Any]) -> dict[str, str]:
    """{virtual address: the service whose leader holds it}."""
    vips = outputs.get("VipMap") or {}
    owners = {str(address): name if service(name).vip else "haproxy" for name, address in vips.items()}
    return {address: owner for address, owner in owners.items() if _is_address(address)}


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def made_harmless(outputs: Outputs) -> Outputs:
    """Captured outputs with the sandbox's playbooks and update tasks for their own.

    Those of a real overcloud install packages and change files wherever Ansible runs them, and a sandbox node is this
    very machine.
    """
    data = {
        role: {**own, "update_tasks": update_tasks(names), "post_update_tasks": post_update_tasks(names)}
        for role, own in outputs["RoleData"].items()
        for names in [list(outputs["EnabledServices"].get(role) or ())]
    }
    bootstrap = str((outputs.get("ServerIdData") or {}).get("bootstrap_server_id") or "")
    return {**outputs, "RoleData": data, "RoleConfig": role_config("overcloud", data, bootstrap)}


def is_updatable(outputs: Mapping[str, Any]) -> bool:
    """Whether an update of it runs playbooks of its own (Pike and later), which can be made harmless."""
    return all(outputs.get(key) for key in ("RoleConfig", "RoleData", "EnabledServices", "RoleNetHostnameMap"))
