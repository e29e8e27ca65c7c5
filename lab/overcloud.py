"""The hosts as an overcloud in TripleO's outputs, with update tasks that install real packages again."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from lab.topology import STACK, VIP, Host, Topology
from tripleo_update_sandbox.overcloud.playbooks import role_config

Task = dict[str, Any]
Outputs = dict[str, Any]

#: {service: the packages an update installs again}
_PACKAGES = {
    "haproxy": ("haproxy",),
    "keepalived": ("keepalived",),
    "keystone": ("keystone", "python3-keystone"),
    "memcached": ("memcached",),
    "mysql": ("galera-4", "mariadb-server", "mariadb-server-core"),
    "nova_compute": ("socat",),
    "oslo_messaging_rpc": ("rabbitmq-server",),
    "pacemaker": ("corosync", "pacemaker"),
    "redis": ("redis-server", "redis-tools"),
}
#: {service: its unit}, in the order in which they start.
_UNITS = {
    "mysql": "mariadb",
    "oslo_messaging_rpc": "rabbitmq-server",
    "memcached": "memcached",
    "haproxy": "haproxy",
    "keystone": "keystone",
    "keepalived": "keepalived",
    "nova_compute": "openstack-nova-compute",
}
#: {service: the Puppet class by which TripleO makes it a resource of Pacemaker}
_CLASSES = {
    "haproxy": "haproxy",
    "keystone": "keystone",
    "memcached": "memcached",
    "mysql": "database::mysql",
    "oslo_messaging_rpc": "rabbitmq",
    "redis": "database::redis",
}
_PATIENCE = {"register": "answer", "until": "answer.rc == 0", "retries": 300, "delay": 1, "changed_when": False}


def outputs(topology: Topology) -> Outputs:
    roles = {role.name: [host for host in topology.hosts if host.role == role.name] for role in topology.roles}
    ids = {name: [_identifier(host) for host in members] for name, members in roles.items()}
    bootstrap = ids[topology.roles[0].name][0]
    return {
        "BlacklistedHostnames": ["" for _ in topology.hosts],
        "EnabledServices": {role.name: sorted(role.services) for role in topology.roles},
        "EndpointMap": {f"Keystone{face}": {"uri": f"http://{VIP}:5000"} for face in ("Internal", "Public")},
        "HostsEntry": [f"{host.address} {host.name}.localdomain {host.name}" for host in topology.hosts],
        "KeystoneURL": f"http://{VIP}:5000",
        "RoleConfig": role_config(STACK, [role.name for role in topology.roles], bootstrap),
        "RoleData": {role.name: _role_data(topology, role.services) for role in topology.roles},
        "RoleGroupVars": {role.name: {"any_errors_fatal": True, "max_fail_percentage": 0} for role in topology.roles},
        "RoleNetHostnameMap": {
            name: {
                "canonical": [f"{host.name}.localdomain" for host in members],
                "ctlplane": [f"{host.name}.ctlplane.localdomain" for host in members],
                "internal_api": [host.fqdn for host in members],
            }
            for name, members in roles.items()
        },
        "RoleNetIpMap": {
            name: {network: [host.address for host in members] for network in ("ctlplane", "internal_api")}
            for name, members in roles.items()
        },
        "RoleTags": {name: [] for name in roles},
        "ServerIdData": {"bootstrap_server_id": bootstrap, "server_ids": ids},
        "VipMap": {"internal_api": VIP},
    }


def _identifier(host: Host) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, host.fqdn))


def _role_data(topology: Topology, services: Sequence[str]) -> dict[str, Any]:
    inside = [service for service in services if service in topology.clustered]
    classes = [f"include ::tripleo::profile::pacemaker::{_CLASSES[service]}" for service in inside]
    return {
        "service_names": sorted(services),
        "step_config": "\n".join(["include ::tripleo::packages", *classes]) + "\n",
        "config_settings": {},
        "update_tasks": update_tasks(topology, services),
        "post_update_tasks": post_update_tasks(topology, services),
        "external_update_tasks": [],
        "upgrade_tasks": [],
    }


def units(topology: Topology, services: Iterable[str]) -> list[str]:
    """The units of *services* that systemd runs, in the order in which they start."""
    mine = set(services) - topology.clustered
    return [unit for service, unit in _UNITS.items() if service in mine]


def _command(name: str, argv: Sequence[str], step: int, **more: Any) -> Task:
    return {"name": name, "command": {"argv": list(argv)}, "when": f"step|int == {step}", **more}


def update_tasks(topology: Topology, services: Sequence[str]) -> list[Task]:
    """Stop, install again, start: in the steps of TripleO's own tasks for packages."""
    own = units(topology, services)
    packages = sorted(package for service in services for package in _PACKAGES.get(service, ()))
    install = ["apt-get", "install", "--yes", "--quiet", "--reinstall", "--no-download", *packages]
    tasks = []
    if "pacemaker" in services:
        tasks.append(_command("The cluster runs before it", ["pcs", "cluster", "status"], 0, changed_when=False))
    tasks.append(_command("Stop the services", ["systemctl", "stop", *reversed(own)], 1))
    if "pacemaker" in services:
        tasks.append(_command("Stop the cluster", ["pcs", "cluster", "stop", "--force"], 1))
    tasks.append(
        _command("Update the packages", install, 3, environment={"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"})
    )
    if "pacemaker" in services:
        tasks.append(_command("Start the cluster", ["pcs", "cluster", "start", "--wait=600"], 4))
    tasks.append(_command("Start the services", ["systemctl", "start", *own], 5))
    return [task for task in tasks if len(task["command"]["argv"]) > 2]


def post_update_tasks(topology: Topology, services: Sequence[str]) -> list[Task]:
    """What TripleO waits for by itself, whatever the plugin does."""
    waits = []
    if "pacemaker" in services:
        waits.append(_command("Wait for the cluster to settle", ["crm_resource", "--wait"], 1, **_PATIENCE))
    if "mysql" in services:
        waits.append(_command("Wait for galera to be synced", ["clustercheck"], 2, **_PATIENCE))
    if own := units(topology, services):
        waits.append(_command("The services run", ["systemctl", "is-active", *own], 3, changed_when=False))
    return waits
