"""The sample overcloud: stack outputs in TripleO's shape (Zed), made from a name and three numbers.

Nothing in it is secret and nothing is at its addresses; the same arguments always give the same outputs.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from tripleo_update_sandbox.overcloud.sample_services import (
    BUNDLES,
    CEPH,
    COMPUTE,
    CONTAINERS,
    CONTROLLER,
    HOST_WORDS,
    ROLES,
    SERVICES,
)
from tripleo_update_sandbox.overcloud.sample_tasks import (
    bundle_update_tasks,
    image,
    post_update_tasks,
    role_config,
    update_tasks,
)

_DOMAIN = "localdomain"

#: {network: (start of its addresses, name in DNS)}
_NETWORKS = {
    "ctlplane": ("192.168.24", "ctlplane"),
    "internal_api": ("172.16.2", "internalapi"),
    "storage": ("172.16.1", "storage"),
    "storage_mgmt": ("172.16.3", "storagemgmt"),
    "tenant": ("172.16.0", "tenant"),
    "external": ("10.0.0", "external"),
}
_ROLE_NETWORKS = {
    CONTROLLER: ("ctlplane", "external", "internal_api", "storage", "storage_mgmt", "tenant"),
    COMPUTE: ("ctlplane", "internal_api", "storage", "tenant"),
    CEPH: ("ctlplane", "storage", "storage_mgmt"),
}
_FIRST_HOST = {CONTROLLER: 10, COMPUTE: 30, CEPH: 200}  # last number of the first node's addresses
_VIP = 5
_PORTS = {
    "Cinder": 8776,
    "Glance": 9292,
    "Heat": 8004,
    "Horizon": 80,
    "Keystone": 5000,
    "Neutron": 9696,
    "Nova": 8774,
    "Placement": 8778,
}

Outputs = dict[str, Any]


def sample_outputs(stack: str = "overcloud", controllers: int = 3, computes: int = 3, ceph: int = 3) -> Outputs:
    """Outputs of an overcloud with Pacemaker bundles and containers; a role without nodes is there, but empty."""
    nodes = {
        role: [f"{stack}-{HOST_WORDS[role]}-{i}" for i in range(count)]
        for role, count in zip(ROLES, (controllers, computes, ceph), strict=True)
    }
    ids = {role: [_identifier(name) for name in names] for role, names in nodes.items()}
    bootstrap = next((i for role in ROLES for i in ids[role]), "")
    return {
        "AdminPassword": secret(stack),
        "AnsibleHostVarsMap": {role: _host_vars(role, names) for role, names in nodes.items()},
        "BlacklistedHostnames": ["" for names in nodes.values() for _ in names],
        "BlacklistedIpAddresses": ["" for names in nodes.values() for _ in names],
        "EnabledServices": {role: list(SERVICES[role]) for role in ROLES},
        "EndpointMap": _endpoint_map(),
        "GlobalConfig": {"memcached_port": 11211, "oslo_messaging_rpc_port": 5672},
        "HostsEntry": _hosts_entry(stack, nodes),
        "KeystoneAdminVip": _address("internal_api", _VIP),
        "KeystoneRegion": "regionOne",
        "KeystoneURL": f"http://{_address('external', _VIP)}:5000",
        "RoleConfig": role_config(stack, ROLES, bootstrap),
        "RoleData": {role: _role_data(role, secret(stack)) for role in ROLES},
        "RoleGroupVars": {role: {"any_errors_fatal": True, "max_fail_percentage": 0} for role in ROLES},
        "RoleNetHostnameMap": {role: _hostname_map(role, names) for role, names in nodes.items()},
        "RoleNetIpMap": {role: _ip_map(role, names) for role, names in nodes.items()},
        "RoleTags": {CEPH: ["ceph", "storage"], COMPUTE: ["compute"], CONTROLLER: ["primary", "controller"]},
        "ServerIdData": {"bootstrap_server_id": bootstrap, "server_ids": ids},
        "VipMap": _vip_map(),
    }


def secret(stack: str) -> str:
    """The sample's AdminPassword: worth nothing, but easy to look for where no password belongs."""
    return f"sandbox-secret-{_identifier(f'password of {stack}')[:12]}"


def _identifier(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.tripleo-update-sandbox"))


def _address(network: str, last: int) -> str:
    start = _NETWORKS[network][0]
    head, _, third = start.rpartition(".")
    return f"{head}.{int(third) + last // 250}.{last % 250}"


def _vip_map() -> dict[str, str]:
    networks = {net: _address(net, _VIP) for net in _ROLE_NETWORKS[CONTROLLER] if net != "tenant"}
    return {**networks, "redis": _address("internal_api", _VIP + 1), "ovn_dbs": _address("internal_api", _VIP + 2)}


def _ip_map(role: str, names: list[str]) -> dict[str, list[str]]:
    return {net: [_address(net, _FIRST_HOST[role] + i) for i in range(len(names))] for net in _ROLE_NETWORKS[role]}


def _fqdn(name: str, network: str) -> str:
    return f"{name}.{_NETWORKS[network][1]}.{_DOMAIN}"


def _hostname_map(role: str, names: list[str]) -> dict[str, list[str]]:
    networks = {net: [_fqdn(name, net) for name in names] for net in _ROLE_NETWORKS[role]}
    return {"canonical": [f"{name}.{_DOMAIN}" for name in names], **networks}


def _host_vars(role: str, names: list[str]) -> dict[str, dict[str, str]]:
    return {
        name: {
            "fqdn_canonical": f"{name}.{_DOMAIN}",
            "hostname_resolve_network": "storage" if role == CEPH else "internal_api",
            **{f"fqdn_{net}": _fqdn(name, net) for net in _ROLE_NETWORKS[role]},
        }
        for name in names
    }


def _hosts_entry(stack: str, nodes: Mapping[str, list[str]]) -> list[str]:
    vips = [f"{_address(net, _VIP)}  {stack}.{_NETWORKS[net][1]}.{_DOMAIN}" for net in _ROLE_NETWORKS[CONTROLLER]]
    hosts = [
        f"{_address(net, _FIRST_HOST[role] + i)} {_fqdn(name, net)} {name}.{_NETWORKS[net][1]}"
        for role, names in nodes.items()
        for i, name in enumerate(names)
        for net in _ROLE_NETWORKS[role]
    ]
    return vips + hosts


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


def _endpoint_map() -> dict[str, dict[str, str]]:
    faces = {"Admin": "internal_api", "Internal": "internal_api", "Public": "external"}
    return {
        f"{service}{face}": _endpoint(_address(network, _VIP), port)
        for service, port in _PORTS.items()
        for face, network in faces.items()
    }


def _container(name: str) -> dict[str, Any]:
    return {"image": image(name), "net": "host", "privileged": False, "restart": "always", "user": "root"}


def _docker_config(services: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Containers that systemd keeps running are of step 4; those that wait for a bundle, of step 2."""
    plain = {c: _container(c) for s in services for c in CONTAINERS.get(s, ())}
    waits = {f"{s}_wait_bundle": _container(s) for s in ("mysql", "oslo_messaging_rpc") if s in services}
    steps = {"step_2": waits, "step_4": plain}
    return {step: containers for step, containers in steps.items() if containers}


def _bundle_task(service: str) -> dict[str, Any]:
    bundle = BUNDLES[service]
    return {
        "name": f"{service} HA Wrappers Step",
        "when": "step|int == 2",
        "block": [
            {
                "name": f"{service} puppet bundle",
                "import_role": {"name": "tripleo_ha_wrapper"},
                "vars": {
                    "tripleo_ha_wrapper_service_name": service,
                    "tripleo_ha_wrapper_resource_name": bundle.resource,
                    "tripleo_ha_wrapper_bundle_name": bundle.bundle,
                    "tripleo_ha_wrapper_resource_state": "Started",
                    "tripleo_ha_wrapper_puppet_execute": "include ::tripleo::profile::base::pacemaker; "
                    f"include ::tripleo::profile::pacemaker::{bundle.profile}",
                },
            }
        ],
    }


def _role_data(role: str, password: str) -> dict[str, Any]:
    services = SERVICES[role]
    kept = sorted(c for s in services for c in CONTAINERS.get(s, (s,) if s in BUNDLES else ()))
    step_config = ["include tripleo::profile::base::database::mysql::client", "include tripleo::packages"]
    if "pacemaker" in services:
        step_config.insert(1, "include tripleo::profile::base::pacemaker")
    return {
        "service_names": list(services),
        "config_settings": {"tripleo_enabled_services": list(services), "keystone::admin_password": password},
        "deploy_steps_tasks": [_bundle_task(s) for s in services if s in BUNDLES],
        "docker_config": _docker_config(services),
        "external_deploy_tasks": [],
        "external_update_tasks": [],
        "host_prep_tasks": [],
        "kolla_config": {f"/var/lib/kolla/config_files/{c}.json": {"command": f"/usr/bin/{c}"} for c in kept},
        "monitoring_subscriptions": [],
        "post_update_tasks": post_update_tasks(services),
        "puppet_config": [
            {"config_image": image(c), "config_volume": c, "step_config": f"include tripleo::profile::base::{c}"}
            for c in kept
        ],
        "step_config": "\n".join(step_config) + "\n",
        "update_tasks": update_tasks(services),
        "upgrade_tasks": [],
    }


def services_data() -> dict[str, dict[str, dict[str, Any]]]:
    """The data of each service by itself, {role: {service: role_data}}, as far as an update of it alone needs them."""
    return {role: {service: _service_data(service) for service in SERVICES[role]} for role in ROLES}


def _service_data(service: str) -> dict[str, Any]:
    bundle = service in BUNDLES
    return {
        "service_name": service,
        "docker_config": _docker_config((service,)),
        "deploy_steps_tasks": [_bundle_task(service)] if bundle else [],
        "update_tasks": bundle_update_tasks(service) if bundle else [],
        "post_update_tasks": [],
    }
