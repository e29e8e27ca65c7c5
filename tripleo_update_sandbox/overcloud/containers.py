"""What does the sample overcloud of containers look like: stack outputs in TripleO's shape, as the Zed release has it?

They are made from a name and three numbers; the same arguments always give the same outputs. Nothing in them is secret.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tripleo_update_sandbox import tables
from tripleo_update_sandbox.overcloud.playbooks import role_config
from tripleo_update_sandbox.overcloud.service_data import role_data, service_data

Outputs = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role; ``containers.yaml`` says what each field means."""

    name: str
    hosts: str
    first: int
    networks: tuple[str, ...]
    resolves_by: str
    tags: tuple[str, ...]
    services: tuple[str, ...]


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = tables.load("tripleo_update_sandbox.overcloud", "containers")
    return table


@cache
def roles() -> Mapping[str, Role]:
    """{name: role}. Raises SandboxError if one has a network that there is not."""
    found = {
        name: Role(
            name=name,
            hosts=entry["hosts"],
            first=entry["first"],
            networks=tuple(entry["networks"]),
            resolves_by=entry["resolves_by"],
            tags=tuple(entry["tags"]),
            services=tuple(sorted([*_table()["everywhere"], *entry["services"]])),
        )
        for name, entry in _table()["roles"].items()
    }
    for role in found.values():
        if unknown := {*role.networks, role.resolves_by} - set(_table()["networks"]):
            raise tables.wrong("containers.yaml", f"there is no network {min(unknown)}, which {role.name} has")
    return found


def sample_outputs(stack: str = "overcloud", controllers: int = 3, computes: int = 3, ceph: int = 3) -> Outputs:
    """Outputs of an overcloud with Pacemaker bundles and containers; a role without nodes is there, but empty."""
    counts = dict(zip(roles(), (controllers, computes, ceph), strict=True))
    nodes = {name: [f"{stack}-{role.hosts}-{i}" for i in range(counts[name])] for name, role in roles().items()}
    ids = {role: [_identifier(name) for name in names] for role, names in nodes.items()}
    bootstrap = next((i for role in ids.values() for i in role), "")
    faces = _table()["faces"]
    return {
        "AdminPassword": secret(stack),
        "AnsibleHostVarsMap": {role: _host_vars(roles()[role], names) for role, names in nodes.items()},
        "BlacklistedHostnames": ["" for names in nodes.values() for _ in names],
        "BlacklistedIpAddresses": ["" for names in nodes.values() for _ in names],
        "EnabledServices": {name: list(role.services) for name, role in roles().items()},
        "EndpointMap": _endpoint_map(),
        "GlobalConfig": dict(_table()["global_config"]),
        "HostsEntry": _hosts_entry(stack, nodes),
        "KeystoneAdminVip": _vip(faces["Admin"]),
        "KeystoneRegion": "regionOne",
        "KeystoneURL": f"http://{_vip(faces['Public'])}:{_table()['endpoints']['Keystone']}",
        "RoleConfig": role_config(stack, roles(), bootstrap),
        "RoleData": {name: role_data(role.services, container(), secret(stack)) for name, role in roles().items()},
        "RoleGroupVars": {name: {"any_errors_fatal": True, "max_fail_percentage": 0} for name in roles()},
        "RoleNetHostnameMap": {role: _hostname_map(roles()[role], names) for role, names in nodes.items()},
        "RoleNetIpMap": {role: _ip_map(roles()[role], names) for role, names in nodes.items()},
        "RoleTags": {name: list(roles()[name].tags) for name in sorted(roles())},
        "ServerIdData": {"bootstrap_server_id": bootstrap, "server_ids": ids},
        "VipMap": _vip_map(),
    }


def services_data() -> dict[str, dict[str, dict[str, Any]]]:
    """The data of each service by itself, {role: {service: role_data}}, as far as an update of it alone needs them."""
    return {name: {s: service_data(s, container()) for s in role.services} for name, role in roles().items()}


def container() -> Mapping[str, Any]:
    """What every container is started with, besides its image."""
    settings: Mapping[str, Any] = _table()["container"]
    return settings


def secret(stack: str) -> str:
    """The sample's AdminPassword: worth nothing, but easy to look for where no password belongs."""
    return f"sandbox-secret-{_identifier(f'password of {stack}')[:12]}"


def _identifier(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.tripleo-update-sandbox"))


def _address(network: str, last: int) -> str:
    """The address of that last number; beyond 249 it is one of the next network."""
    head, _, third = _table()["networks"][network]["start"].rpartition(".")
    return f"{head}.{int(third) + last // 250}.{last % 250}"


def _vip(network: str) -> str:
    return _address(network, _table()["vips"]["last"])


def _vip_map() -> dict[str, str]:
    vips = _table()["vips"]
    own = {service: _address(vips["network"], last) for service, last in vips["services"].items()}
    return {**{network: _vip(network) for network in vips["networks"]}, **own}


def _ip_map(role: Role, names: list[str]) -> dict[str, list[str]]:
    return {network: [_address(network, role.first + i) for i in range(len(names))] for network in role.networks}


def _in_dns(name: str, network: str) -> str:
    return f"{name}.{_table()['networks'][network]['dns']}"


def _fqdn(name: str, network: str) -> str:
    return f"{_in_dns(name, network)}.{_table()['domain']}"


def _canonical(name: str) -> str:
    return f"{name}.{_table()['domain']}"


def _hostname_map(role: Role, names: list[str]) -> dict[str, list[str]]:
    networks = {network: [_fqdn(name, network) for name in names] for network in role.networks}
    return {"canonical": [_canonical(name) for name in names], **networks}


def _host_vars(role: Role, names: list[str]) -> dict[str, dict[str, str]]:
    return {
        name: {
            "fqdn_canonical": _canonical(name),
            "hostname_resolve_network": role.resolves_by,
            **{f"fqdn_{network}": _fqdn(name, network) for network in role.networks},
        }
        for name in names
    }


def _hosts_entry(stack: str, nodes: Mapping[str, list[str]]) -> list[str]:
    """Lines for /etc/hosts: the stack's own names, on the networks of its first role, and those of all nodes."""
    first = next(iter(roles().values()))
    vips = [f"{_vip(network)}  {_fqdn(stack, network)}" for network in first.networks]
    hosts = [
        f"{_address(network, roles()[role].first + i)} {_fqdn(name, network)} {_in_dns(name, network)}"
        for role, names in nodes.items()
        for i, name in enumerate(names)
        for network in roles()[role].networks
    ]
    return vips + hosts


def _endpoint_map() -> dict[str, dict[str, str]]:
    return {
        f"{service}{face}": _endpoint(_vip(network), port)
        for service, port in _table()["endpoints"].items()
        for face, network in _table()["faces"].items()
    }


def _endpoint(host: str, port: int) -> dict[str, str]:
    uri = f"http://{host}:{port}"
    return {
        "host": host,
        "host_nobrackets": host,
        "port": str(port),
        "protocol": "http",
        "uri": uri,
        "uri_no_suffix": uri,
    }
