"""How is a snapshot written so that it may be shown to others, and how is it read back?

Nothing is in it but what planning reads, and of that only what cannot be a secret by its form: names of roles, services
and nodes, IP addresses, UUIDs, addresses of APIs, yes and no. No other text is kept, so none has to be searched for
passwords.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from tripleo_update_plugin.names import is_safe_name, is_uuid, short_name
from tripleo_update_plugin.overcloud import architecture, external, fixed_roles, outputs
from tripleo_update_plugin.overcloud.addresses import is_address
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.overcloud.nodes import RESOURCE_GROUP_MEMBERS, hosts_entries
from tripleo_update_plugin.overcloud.outputs import RELEASE_SIGNS, SERVICE_CHAINS
from tripleo_update_plugin.overcloud.snapshot import Snapshot

FORMAT = "tripleo-update-export/1"


def to_document(snapshot: Snapshot) -> dict[str, Any]:
    """What planning needs of *snapshot*, as data for JSON. Raises BadOutputs where nothing could be planned."""
    overcloud = snapshot.overcloud()
    return {
        "format": FORMAT,
        "stack": snapshot.stack,
        "digest": snapshot.digest,
        "digests": dict(snapshot.digests),
        "outputs": extract(snapshot.outputs, overcloud),
        "services": None if snapshot.services is None else _services(snapshot.services, overcloud),
        "facts": None if snapshot.facts is None else snapshot.facts.to_dict(),
    }


def from_document(document: Mapping[str, Any]) -> Snapshot:
    """The snapshot in a document that fits the schema ``export.json``. Raises BadOutputs where its services do not."""
    facts, services = document.get("facts"), document.get("services")
    return Snapshot(
        stack=document["stack"],
        outputs=document["outputs"],
        services=None if services is None else outputs.checked_services(services, "services"),
        facts=None if facts is None else Facts.from_dict(facts),
        digest=document["digest"],
        digests=document["digests"],
    )


def is_export(document: object) -> bool:
    """Whether a parsed file is an export, of this format or another, and not plain outputs."""
    return isinstance(document, Mapping) and "format" in document


def extract(found: Mapping[str, Any], overcloud: Overcloud) -> dict[str, Any]:
    """As little of the outputs as outputs.parse() needs to make the same *overcloud* of them."""
    signs = {*(sign for sign, _ in RELEASE_SIGNS), "KeystoneURL", "ManagedEndpoints"}
    kept: dict[str, Any] = {key: None for key in found if key in signs}  # that they are there tells the release
    for key, keep in _KEPT.items():
        if found.get(key) is not None:
            kept[key] = keep(found[key], overcloud)
    if found.get("HostsEntry") and not found.get("RoleNetHostnameMap"):
        entries = {name: address for address, name in hosts_entries(found)}
        known = [node.name for node in overcloud.nodes if node.name in entries]
        kept["HostsEntry"] = [f"{entries[name]} {name}.localdomain {name}" for name in known]
    return kept


def _role_data(value: Mapping[str, Any], overcloud: Overcloud) -> dict[str, Any]:
    return {
        role: {"service_names": sorted(services), **architecture.role_signs(services, value.get(role) or {})}
        for role, services in overcloud.runners.items()
    }


def _services(value: architecture.PerService, overcloud: Overcloud) -> dict[str, Any]:
    """Signs of who runs each service, and how many update tasks it brings: their names are text."""
    signs = outputs.service_signs({role: frozenset(names) for role, names in overcloud.runners.items()}, value)
    for role, services in signs.items():
        for service, kept in services.items():
            tasks = value[role][service].get("update_tasks")
            if isinstance(tasks, list) and tasks:
                kept["update_tasks"] = [{}] * len(tasks)
    return signs


def _hostnames(value: Mapping[str, Any], overcloud: Overcloud) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for role, networks in value.items():
        if role in overcloud.runners:
            names = (networks or {}).get("ctlplane") or (networks or {}).get("canonical") or []
            kept[role] = {"ctlplane": [short_name(name) for name in names]}
    return kept


def _addresses(value: Mapping[str, Any], overcloud: Overcloud) -> dict[str, Any]:
    roles = {node.role for node in overcloud.nodes}
    return {role: {"ctlplane": (nets or {}).get("ctlplane")} for role, nets in value.items() if role in roles}


def _server_ids(value: Mapping[str, Any], overcloud: Overcloud) -> dict[str, Any]:
    ids, roles = value.get("server_ids") or {}, {node.role for node in overcloud.nodes}
    return {"server_ids": {role: [_uuid(id) for id in ids[role] or ()] for role in ids if role in roles}}


def _members(value: Mapping[str, Any], overcloud: Overcloud) -> dict[str, Any]:
    kept: dict[str, list[dict[str, str]]] = {role: [] for role in value if role in overcloud.runners}
    for node in overcloud.nodes:
        kept[node.role].append({"name": node.name, "address": node.address, "server_id": _uuid(node.server_id)})
    return kept


def _excluded(value: list[str], overcloud: Overcloud) -> list[str]:
    return [node.name for node in overcloud.nodes if node.excluded]


def _vips(value: Mapping[str, Any], overcloud: Overcloud) -> dict[str, str]:
    return {name: address for name, address in overcloud.vips.items() if is_safe_name(name) and is_address(address)}


def _endpoints(value: Mapping[str, Any], overcloud: Overcloud) -> dict[str, dict[str, str]]:
    cleaned = {name: _without_login(uri) for name, uri in overcloud.endpoints.items() if is_safe_name(name)}
    return {name: {"uri": uri} for name, uri in cleaned.items() if uri}


def _without_login(uri: str) -> str:
    """Scheme, host, port and path of a URI; "" for what is none."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if not parts.scheme or not host:
        return ""
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path}"


def _settings(value: Mapping[str, Any], overcloud: Overcloud) -> dict[str, Any]:
    clustered = str(value.get(fixed_roles.CONTROLLER_CONFIG) or "")
    given = [name for name in fixed_roles.PARAMETERS if name in value]
    kept: dict[str, Any] = {name: str(value[name]).lower() == "true" for name in given}
    if clustered:
        kept[fixed_roles.CONTROLLER_CONFIG] = "pacemaker" if "pacemaker" in clustered else "other"
    return kept


def _config(value: Mapping[str, Any], overcloud: Overcloud) -> dict[str, Any]:
    kept: dict[str, Any] = {"update_steps_playbook": None} if overcloud.has_update_tasks else {}
    tags = external.tags_only(value)
    return kept | ({external.TASKS: tags} if tags else {})


def _uuid(id: object) -> str:
    return str(id) if is_uuid(id) else ""


_KEPT: Mapping[str, Callable[[Any, Overcloud], Any]] = {
    "BlacklistedHostnames": _excluded,
    "EnabledServices": lambda value, overcloud: {role: sorted(names) for role, names in overcloud.runners.items()},
    "EndpointMap": _endpoints,
    "RoleConfig": _config,
    "RoleData": _role_data,
    "RoleNetHostnameMap": _hostnames,
    "RoleNetIpMap": _addresses,
    "ServerIdData": _server_ids,
    "VipMap": _vips,
    RESOURCE_GROUP_MEMBERS: _members,
    SERVICE_CHAINS: _services,
    fixed_roles.STACK_SETTINGS: _settings,
}
