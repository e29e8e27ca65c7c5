"""Stack outputs of any release, read into an Overcloud.

Shapes and their releases: EnabledServices {role: [service]} (Newton on), RoleData {role: {...}} (Ocata on), RoleConfig
and RoleNetHostnameMap {role: {network: [fqdn]}} (Pike on), RoleTags and Blacklisted* (Queens on). Lists of one role in
RoleNetHostnameMap, RoleNetIpMap and ServerIdData are aligned by position.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from tripleo_update_plugin import architecture
from tripleo_update_plugin.errors import BadOutputs
from tripleo_update_plugin.model import Node, Overcloud, is_safe_name, natural_key

Outputs = Mapping[str, Any]

#: Newest sign first: an output's name → the first release whose stacks have it (read in the upstream branches).
_RELEASES = (
    ("AdminPassword", "zed"),
    ("TripleoHeatTemplatesJinja2RenderingDataSources", "wallaby"),
    ("RoleNetworkConfigMap", "victoria"),
    ("AnsibleHostVarsMap", "train"),
    ("GlobalConfig", "stein"),
    ("RoleGroupVars", "rocky"),
    ("RoleTags", "queens"),
    ("RoleConfig", "pike"),
    ("RoleData", "ocata"),
    ("EnabledServices", "newton"),
)


def digest(outputs: Outputs) -> str:
    """SHA-256 (hex) of the outputs, whatever the order of their keys."""
    text = json.dumps(outputs, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def read_document(document: object) -> tuple[dict[str, Any], str]:
    """The outputs in a parsed file, and the stack's name where the file has it (else "").

    Takes what ``stack show -f json`` and ``stack output show --all -f json`` print, and a plain {key: value}.
    """
    if not isinstance(document, Mapping):
        raise BadOutputs(f"a mapping of outputs is expected, this is a {type(document).__name__}")
    if isinstance(document.get("outputs"), list):
        return _from_list(document["outputs"]), str(document.get("stack_name") or "")
    values = {key: _embedded(key, value) for key, value in document.items()}
    return values, ""


def _from_list(entries: Sequence[object]) -> dict[str, Any]:
    outputs = {}
    for entry in entries:
        if not isinstance(entry, Mapping) or "output_key" not in entry:
            raise BadOutputs("an entry of 'outputs' has no output_key")
        outputs[str(entry["output_key"])] = entry.get("output_value")
    return outputs


def _embedded(key: str, value: Any) -> Any:
    """The value inside ``stack output show --all``'s wrapping: JSON text of {output_key, output_value}."""
    if isinstance(value, str) and '"output_key"' in value:
        try:
            value = json.loads(value)
        except ValueError as error:
            raise BadOutputs(f"output {key} is not whole: {error}") from error
    if isinstance(value, Mapping) and value.get("output_key") == key:
        return value.get("output_value")
    return value


def parse(outputs: Outputs, stack: str, services: architecture.PerService | None = None) -> Overcloud:
    """The overcloud that *outputs* describe.

    *services* is the per-service data of the nested service chains, {role: {service: role_data}}, where it was read.
    Raises BadOutputs, which names the output at fault.
    """
    if not is_safe_name(stack):
        raise BadOutputs(f"{stack!r} is not a stack name", "Stack names have letters, digits, '-', '_' and '.' only.")
    enabled = _enabled_services(outputs)
    roles = _mapping(outputs, "RoleData")
    for role, data in roles.items():
        if not isinstance(data, Mapping | None):
            raise BadOutputs(f"RoleData of role {role} should be a mapping")
    release = release_of(outputs)
    packaging = architecture.packaging_of(_all_data(roles, services))
    runners = _runners(enabled, roles, services, packaging)
    clustered = {s for by_service in runners.values() for s, r in by_service.items() if r in ("pacemaker", "bundle")}
    has_pacemaker = any("pacemaker" in names for names in enabled.values()) or bool(clustered)
    nodes = tuple(_nodes(outputs, enabled))
    if not nodes:
        raise BadOutputs("no output names a node: RoleNetHostnameMap and HostsEntry are missing or empty")
    _check_names(nodes)
    return Overcloud(
        stack=stack,
        release=release,
        architecture=architecture.architecture_of(has_pacemaker, packaging, release, clustered),
        packaging=packaging,
        nodes=tuple(sorted(nodes, key=lambda node: natural_key(node.name))),
        digest=digest(outputs),
        runners=runners,
        vips=_vips(outputs),
        endpoints=_endpoints(outputs),
        has_update_tasks="update_steps_playbook" in _mapping(outputs, "RoleConfig"),
    )


def release_of(outputs: Outputs) -> str:
    """The first release whose stacks have outputs like these; ``mitaka`` if they have none of the signs."""
    return next((release for sign, release in _RELEASES if sign in outputs), "mitaka")


def _mapping(outputs: Outputs, key: str) -> Mapping[str, Any]:
    value = outputs.get(key) or {}
    if not isinstance(value, Mapping):
        raise BadOutputs(f"output {key} should be a mapping, it is a {type(value).__name__}")
    return value


def _enabled_services(outputs: Outputs) -> dict[str, frozenset[str]]:
    listed = _mapping(outputs, "EnabledServices") or {
        role: data.get("service_names") for role, data in _mapping(outputs, "RoleData").items()
    }
    if not listed:
        raise BadOutputs("neither EnabledServices nor RoleData names any service")
    enabled = {}
    for role, names in listed.items():
        names = names or ()
        if not is_safe_name(role) or not isinstance(names, list | tuple):
            raise BadOutputs(f"EnabledServices of role {role!r} is not a list of services of a proper role name")
        bad = [name for name in names if not is_safe_name(name)]
        if bad:
            raise BadOutputs(f"EnabledServices of role {role} has {bad[0]!r}, which is not a service name")
        enabled[role] = frozenset(names)
    return enabled


def _all_data(roles: Mapping[str, Any], services: architecture.PerService | None) -> Iterator[Mapping[str, Any]]:
    yield from (data for data in roles.values() if isinstance(data, Mapping))
    for by_service in (services or {}).values():
        yield from by_service.values()


def _runners(
    enabled: Mapping[str, frozenset[str]],
    roles: Mapping[str, Any],
    services: architecture.PerService | None,
    packaging: str,
) -> dict[str, dict[str, str]]:
    runners = {}
    for role, names in enabled.items():
        runners[role] = architecture.runners_of(names, roles.get(role) or {}, packaging)
        exact = architecture.runners_per_service((services or {}).get(role) or {})
        runners[role].update({service: runner for service, runner in exact.items() if service in names})
    return runners


def _nodes(outputs: Outputs, enabled: Mapping[str, frozenset[str]]) -> Iterator[Node]:
    hostnames = _mapping(outputs, "RoleNetHostnameMap")
    if not hostnames:
        yield from _nodes_of_hosts_entry(outputs, enabled)
        return
    blacklist = outputs.get("BlacklistedHostnames") or []
    if not isinstance(blacklist, list) or not all(isinstance(name, str) for name in blacklist):
        raise BadOutputs("output BlacklistedHostnames should be a list of host names")
    excluded = {short_name(name) for name in blacklist if name}
    ids = _mapping(_mapping(outputs, "ServerIdData"), "server_ids")
    for role, networks in hostnames.items():
        names = _names_of_role(role, networks)
        if names and role not in enabled:
            raise BadOutputs(f"role {role} has nodes, but EnabledServices does not know it")
        addresses = _aligned(outputs, "RoleNetIpMap", role, len(names))
        servers = ids.get(role) or [""] * len(names)
        if not isinstance(servers, list) or len(servers) != len(names):
            raise BadOutputs(f"ServerIdData does not have the {len(names)} servers of role {role}")
        for name, address, server in zip(names, addresses, servers, strict=True):
            yield Node(
                name=name,
                role=role,
                services=enabled[role],
                address=address,
                server_id=str(server or ""),
                excluded="excluded in the stack (BlacklistedHostnames)" if name in excluded else "",
            )


def _names_of_role(role: str, networks: object) -> list[str]:
    if not networks:
        return []
    if not isinstance(networks, Mapping):
        raise BadOutputs(f"RoleNetHostnameMap of role {role} should be a mapping of networks")
    names = networks.get("ctlplane") or networks.get("canonical") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadOutputs(f"RoleNetHostnameMap of role {role} should have a list of names for the ctlplane network")
    return [short_name(name) for name in names]


def _aligned(outputs: Outputs, key: str, role: str, count: int) -> list[str]:
    networks = _mapping(outputs, key).get(role) or {}
    if not isinstance(networks, Mapping):
        raise BadOutputs(f"{key} of role {role} should be a mapping of networks")
    addresses = networks.get("ctlplane") or [""] * count
    if not isinstance(addresses, list) or len(addresses) != count:
        raise BadOutputs(f"{key} of role {role} does not have the {count} addresses of RoleNetHostnameMap's names")
    return [_address(role, address) for address in addresses]


def _address(role: str, address: object) -> str:
    """An IP address or nothing: it goes into inventories, where other text would be a template or an option."""
    try:
        return str(ip_address(str(address))) if address else ""
    except ValueError as error:
        raise BadOutputs(f"{address!r} (role {role}) is not an IP address; nothing with it is run") from error


def short_name(name: str) -> str:
    """The key of a node: the first label of its name, in lower case.

    >>> short_name("Overcloud-Compute-0.ctlplane.localdomain")
    'overcloud-compute-0'
    """
    return name.split(".")[0].strip().lower()


def hosts_entries(outputs: Outputs) -> Iterator[tuple[str, str]]:
    """(address, short name) of every line of HostsEntry that has a short name, VIPs and undercloud among them."""
    value = outputs.get("HostsEntry") or ()
    # Newton joins the nodes of a role with a backslash and an n.
    lines: Iterable[Any] = value.replace("\\n", "\n").splitlines() if isinstance(value, str) else value
    for line in lines:
        words = str(line).split()
        if len(words) > 2 and "." not in words[-1]:
            yield words[0], short_name(words[-1])


def _nodes_of_hosts_entry(outputs: Outputs, enabled: Mapping[str, frozenset[str]]) -> Iterator[Node]:
    """Newton and Ocata, without their resource groups: the names that upstream's default host name format gives."""
    addresses = {name: address for address, name in hosts_entries(outputs)}
    for name, address in addresses.items():
        role = _role_of(name, enabled)
        if role:
            yield Node(name=name, role=role, services=enabled[role], address=_address(role, address))


def _role_of(name: str, roles: Iterable[str]) -> str:
    match = re.search(r"-([a-z0-9_]+)-\d+\Z", name)
    label = match.group(1).removeprefix("nova") if match else ""
    return next((role for role in sorted(roles) if role.lower() == label), "")


def _check_names(nodes: Iterable[Node]) -> None:
    seen: dict[str, str] = {}
    for node in nodes:
        if not is_safe_name(node.name):
            raise BadOutputs(f"{node.name!r} (role {node.role}) is not a host name; nothing with it is run")
        if node.name in seen:
            raise BadOutputs(f"node {node.name} is in the roles {seen[node.name]} and {node.role}")
        seen[node.name] = node.role


def _vips(outputs: Outputs) -> dict[str, str]:
    vips = _mapping(outputs, "VipMap")
    addresses = {name: ip for name, ip in vips.items() if not name.endswith(("_uri", "_subnet"))}
    return {name: ip for name, ip in addresses.items() if isinstance(ip, str) and ip}


def _endpoints(outputs: Outputs) -> dict[str, str]:
    endpoints = _mapping(outputs, "EndpointMap")
    return {name: entry["uri"] for name, entry in endpoints.items() if isinstance(entry, Mapping) and entry.get("uri")}


def images(outputs: Outputs) -> dict[str, dict[str, str]]:
    """{role: {container: the image it is to run}}, as far as RoleData names containers (Pike on)."""
    found: dict[str, dict[str, str]] = {}
    for role, data in _mapping(outputs, "RoleData").items():
        steps = (data.get("docker_config") if isinstance(data, Mapping) else None) or {}
        containers = [pair for step in steps.values() if isinstance(step, Mapping) for pair in step.items()]
        found[role] = {
            name: container["image"] for name, container in containers
            if isinstance(container, Mapping) and isinstance(container.get("image"), str)
        }  # fmt: skip
    return found


def digests(outputs: Outputs) -> dict[str, str]:
    """{output: the first 16 hex digits of its digest}: enough to tell which of them changed."""
    return {key: digest({key: outputs[key]})[:16] for key in sorted(outputs)}


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Which outputs changed between two results of digests(), in words."""
    groups = {
        "changed": [key for key in before if key in now and before[key] != now[key]],
        "new": [key for key in now if key not in before],
        "gone": [key for key in before if key not in now],
    }
    return "; ".join(f"{word}: {', '.join(sorted(keys))}" for word, keys in groups.items() if keys)
