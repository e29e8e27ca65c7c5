"""For tests, this package's and others': small overclouds, a small catalogue, and an undercloud that is only memory.

>>> overcloud = an_overcloud(Controller=(3, ["pacemaker", "mysql"]), Compute=(2, ["nova_compute"]))
>>> [node.name for node in overcloud.nodes]
['compute-0', 'compute-1', 'controller-0', 'controller-1', 'controller-2']
"""

import dataclasses
import uuid
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from typing import Any

from tripleo_update_plugin.names import natural_key
from tripleo_update_plugin.overcloud import outputs
from tripleo_update_plugin.overcloud.model import Node, Overcloud
from tripleo_update_plugin.rules.catalogue import Catalogue, parse_profile

#: A role: how many nodes it has, and their services.
Role = tuple[int, Iterable[str]]

#: Release → the outputs that it was the first to have.
_NEW_OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "pike": ("RoleConfig",),
    "queens": ("RoleTags", "BlacklistedHostnames"),
    "rocky": ("RoleGroupVars",),
    "stein": ("GlobalConfig",),
    "train": ("AnsibleHostVarsMap",),
    "victoria": ("RoleNetworkConfigMap",),
    "wallaby": ("TripleoHeatTemplatesJinja2RenderingDataSources",),
}
RELEASES = tuple(_NEW_OUTPUTS)

#: What Pacemaker runs in the newer architectures.
_CLUSTERED = frozenset(
    ("mysql", "rabbitmq", "oslo_messaging_rpc", "redis", "haproxy", "ovn_dbs", "cinder_volume", "cinder_backup")
)
_PUPPET_PATHS = {"mysql": "database::mysql", "redis": "database::redis", "oslo_messaging_rpc": "rabbitmq"}

_VIP = "192.168.24.2"
_FIRST_ADDRESS = IPv4Address("192.168.24.10")


def an_overcloud(
    *,
    stack: str = "overcloud",
    release: str = "wallaby",
    packaging: str = "containers",
    architecture: str = "",
    excluded: Iterable[str] = (),
    **roles: Role,
) -> Overcloud:
    """An overcloud of nodes ``<role>-<number>``, e.g. ``an_overcloud(Controller=(3, ["mysql", "keystone"]))``.

    *release* is one of RELEASES. The architecture is ``none`` unless some role has the service ``pacemaker``. The
    digest is that of stack_outputs(), so a plan for it is not stale where those outputs are found.
    """
    services = {role: frozenset(names) for role, (_, names) in roles.items()}
    if not architecture:
        newer = "pacemaker-bundles" if packaging == "containers" else "pacemaker-core"
        architecture = newer if any("pacemaker" in names for names in services.values()) else "none"
    nodes = [
        _node(f"{role.lower()}-{i}", role, services[role], frozenset(excluded))
        for role, (count, _) in roles.items()
        for i in range(count)
    ]
    nodes.sort(key=lambda node: natural_key(node.name))
    overcloud = Overcloud(
        stack=stack,
        release=release,
        architecture=architecture,
        packaging=packaging,
        nodes=tuple(dataclasses.replace(n, address=str(_FIRST_ADDRESS + i)) for i, n in enumerate(nodes)),
        digest="",
        runners={role: _runners(names, architecture, packaging) for role, names in services.items()},
        vips={"ctlplane": _VIP},
        endpoints={"KeystonePublic": f"http://{_VIP}:5000"},
        has_update_tasks=release != "pike",
    )
    return dataclasses.replace(overcloud, digest=outputs.digest(stack_outputs(overcloud)))


def _node(name: str, role: str, services: frozenset[str], excluded: frozenset[str]) -> Node:
    return Node(
        name=name,
        role=role,
        services=services,
        server_id=str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        excluded="excluded in the stack (BlacklistedHostnames)" if name in excluded else "",
    )


def _runners(services: Iterable[str], architecture: str, packaging: str) -> dict[str, str]:
    inside, outside = ("bundle", "container") if packaging == "containers" else ("pacemaker", "systemd")
    clustered: Iterable[str] = () if architecture == "none" else _CLUSTERED
    if architecture == "pacemaker":
        clustered = set(services) - {"pacemaker"}
    return {service: inside if service in clustered else outside for service in services}


def stack_outputs(overcloud: Overcloud) -> dict[str, Any]:
    """What Heat would give for *overcloud*; outputs.parse() reads it back."""
    roles: dict[str, list[Node]] = {role: [] for role in overcloud.runners}
    for node in overcloud.nodes:
        roles.setdefault(node.role, []).append(node)
    names = {role: [node.name for node in nodes] for role, nodes in roles.items()}
    later = RELEASES[: RELEASES.index(overcloud.release) + 1]
    return {
        **{key: {} for release in later for key in _NEW_OUTPUTS[release]},
        "BlacklistedHostnames": [node.name if node.excluded else "" for node in overcloud.nodes],
        "EnabledServices": {role: sorted(overcloud.runners.get(role, ())) for role in roles},
        "EndpointMap": {name: {"uri": uri} for name, uri in overcloud.endpoints.items()},
        "HostsEntry": [f"{n.address} {n.name}.localdomain {n.name}" for n in overcloud.nodes],
        "RoleConfig": {"update_steps_playbook": "- hosts: overcloud\n"} if overcloud.has_update_tasks else {},
        "RoleData": {role: _role_data(overcloud.runners.get(role, {})) for role in roles},
        "RoleNetHostnameMap": {r: {"ctlplane": [f"{n}.ctlplane.localdomain" for n in ns]} for r, ns in names.items()},
        "RoleNetIpMap": {role: {"ctlplane": [n.address for n in nodes]} for role, nodes in roles.items()},
        "ServerIdData": {"server_ids": {role: [n.server_id for n in nodes] for role, nodes in roles.items()}},
        "VipMap": dict(overcloud.vips),
    }


def _role_data(runners: Mapping[str, str]) -> dict[str, Any]:
    data: dict[str, Any] = {"service_names": sorted(runners)}
    if set(runners.values()) & {"bundle", "container"}:
        data["docker_config"] = {"step_1": {s: {"image": f"registry/{s}"} for s in sorted(runners)}}
        wrapped = sorted(service for service, runner in runners.items() if runner == "bundle")
        data["deploy_steps_tasks"] = [{"vars": {"tripleo_ha_wrapper_service_name": service}} for service in wrapped]
    else:
        clustered = sorted(service for service, runner in runners.items() if runner == "pacemaker")
        data["step_config"] = "\n".join(f"include ::tripleo::profile::pacemaker::{_puppet_path(s)}" for s in clustered)
    return data


def _puppet_path(service: str) -> str:
    return _PUPPET_PATHS.get(service, service.replace("_", "::", 1))


def a_catalogue(**more: Mapping[str, Any]) -> Catalogue:
    """A few services of every kind, with the order of the built-in catalogue; *more* adds or replaces entries."""
    return Catalogue({name: parse_profile(name, data, "testing") for name, data in {**_SERVICES, **more}.items()})


_SERVICES: Mapping[str, Mapping[str, Any]] = {
    "pacemaker": {"kind": "quorum", "max_unavailable": "quorum", "why": "the cluster stops without quorum"},
    "mysql": {"kind": "quorum", "why": "a joining node needs a donor"},
    "rabbitmq": {"kind": "quorum"},
    "redis": {"kind": "active-passive"},
    "haproxy": {"kind": "stateless"},
    "memcached": {"kind": "cache"},
    "keystone": {"kind": "stateless", "after": ["mysql"]},
    "nova_api": {"kind": "stateless", "after": ["mysql", "rabbitmq", "keystone"]},
    "nova_conductor": {"kind": "worker", "after": ["mysql", "rabbitmq"]},
    "nova_compute": {"kind": "agent", "after": ["nova_conductor"]},
    "neutron_l3": {"kind": "agent", "max_unavailable": 1},
    "cinder_volume": {"kind": "active-passive", "after": ["mysql", "rabbitmq"]},
    "ceph_osd": {"kind": "storage"},
    "ntp": {"kind": "host"},
}


