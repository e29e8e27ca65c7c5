"""The sample overclouds of packages: stack outputs in Newton's shape, for both of its architectures.

Newton's outputs do not say who runs a service; each service's own data does, in the nested stacks of its role.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tripleo_update_sandbox.nodes.nodes import Host
from tripleo_update_sandbox.overcloud.sample_services import COMPUTE, CONTROLLER, HOST_WORDS

PACKAGES, OLD_PACKAGES = "packages", "old-packages"

#: Of these there are no new versions.
UNCHANGED = frozenset(("memcached", "openssh-server", "ntp", "httpd", "libvirt-daemon"))


@dataclass(frozen=True, slots=True)
class Packaged:
    """A service: its unit, the package of the unit, the package of the service, and its resource in Pacemaker."""

    unit: str
    package: str
    resource: str = ""
    code: str = ""


_SERVICES = {
    "cinder_api": Packaged("openstack-cinder-api", "openstack-cinder"),
    "cinder_scheduler": Packaged("openstack-cinder-scheduler", "openstack-cinder"),
    "cinder_volume": Packaged("openstack-cinder-volume", "openstack-cinder", "openstack-cinder-volume"),
    "glance_api": Packaged("openstack-glance-api", "openstack-glance"),
    "haproxy": Packaged("haproxy", "haproxy", "haproxy"),
    "keystone": Packaged("httpd", "httpd", code="openstack-keystone"),
    "memcached": Packaged("memcached", "memcached"),
    "mysql": Packaged("mariadb", "mariadb-server-galera", "galera"),
    "neutron_api": Packaged("neutron-server", "openstack-neutron"),
    "neutron_dhcp": Packaged("neutron-dhcp-agent", "openstack-neutron"),
    "neutron_ovs_agent": Packaged("neutron-openvswitch-agent", "openstack-neutron-openvswitch"),
    "nova_api": Packaged("openstack-nova-api", "openstack-nova-api"),
    "nova_compute": Packaged("openstack-nova-compute", "openstack-nova-compute"),
    "nova_conductor": Packaged("openstack-nova-conductor", "openstack-nova-conductor"),
    "nova_libvirt": Packaged("libvirtd", "libvirt-daemon"),
    "nova_scheduler": Packaged("openstack-nova-scheduler", "openstack-nova-scheduler"),
    "ntp": Packaged("ntpd", "ntp"),
    "pacemaker": Packaged("pacemaker", "pacemaker"),
    "rabbitmq": Packaged("rabbitmq-server", "rabbitmq-server", "rabbitmq"),
    "redis": Packaged("redis", "redis", "redis"),
    "sshd": Packaged("sshd", "openssh-server"),
}

_OF_ROLE = {
    CONTROLLER: (
        "cinder_api cinder_scheduler cinder_volume glance_api haproxy keystone memcached mysql neutron_api "
        "neutron_dhcp nova_api nova_conductor nova_scheduler ntp pacemaker rabbitmq redis sshd"
    ),
    COMPUTE: "neutron_ovs_agent nova_compute nova_libvirt ntp sshd",
}

#: What Pacemaker runs in the architecture that gives it everything; the rest has no profile there.
_OLD = frozenset((
    *("cinder_api", "cinder_scheduler", "glance_api", "keystone", "memcached", "neutron_dhcp"),
    *("nova_api", "nova_conductor", "nova_scheduler"),
))  # fmt: skip

_PUPPET = {"mysql": "database::mysql", "redis": "database::redis", "cinder_volume": "cinder::volume"}


def packages_outputs(stack: str, controllers: int, computes: int) -> dict[str, Any]:
    """Outputs as Newton's: services and host names, nothing about who runs what."""
    counts = {CONTROLLER: controllers, COMPUTE: computes}
    hosts = [
        f"192.168.24.{first + i} {stack}-{HOST_WORDS[role]}-{i}.localdomain {stack}-{HOST_WORDS[role]}-{i}"
        for (role, count), first in zip(counts.items(), (10, 60), strict=True)
        for i in range(count)
    ]
    return {
        "EnabledServices": {role: services.split() for role, services in _OF_ROLE.items()},
        "HostsEntry": "\n".join(hosts),
        "KeystoneURL": "http://10.0.0.5:5000/v2.0",
    }


def services_data(old: bool) -> dict[str, dict[str, dict[str, Any]]]:
    """The data of each service that Pacemaker runs, {role: {service: role_data}}; the others need none."""
    clustered = [s for s in _OF_ROLE[CONTROLLER].split() if _resource(s, old)]
    return {CONTROLLER: {service: _role_data(service) for service in clustered}}


def packages_hosts(outputs: Mapping[str, Any], old: bool) -> list[Host]:
    """What the nodes are made from."""
    hosts = []
    for line in outputs["HostsEntry"].splitlines():
        name = line.split()[-1]
        role = next(role for role, word in HOST_WORDS.items() if f"-{word}-" in name)
        services = _OF_ROLE[role].split()
        hosts.append(
            Host(
                name=name,
                services=tuple(services),
                addresses=(line.split()[0],),
                units=tuple(unit for s in services for unit in _units(s, old)),
                packages={s: _SERVICES[s].code or _SERVICES[s].package for s in services},
                resources={s: _resource(s, old) for s in services if _resource(s, old)},
            )
        )
    return hosts


def repository() -> dict[str, int]:
    """{package: the version that can be had}; nodes begin with version 1."""
    named = {name for each in _SERVICES.values() for name in (each.package, each.code) if name}
    return {name: 1 if name in UNCHANGED else 2 for name in sorted(named)}


def _units(service: str, old: bool) -> list[tuple[str, str, str]]:
    """(unit or resource, service, package)."""
    own = _SERVICES[service]
    names = dict.fromkeys([own.unit, _resource(service, old) or own.unit])
    if service == "pacemaker":
        names["corosync"] = None
    return [(name, service, own.package) for name in names]


def _resource(service: str, old: bool) -> str:
    own = _SERVICES[service]
    return own.resource or (own.unit if old and service in _OLD else "")


def _role_data(service: str) -> dict[str, Any]:
    profile = _PUPPET.get(service) or service.replace("_", "::", 1)
    return {"service_name": service, "step_config": f"include ::tripleo::profile::pacemaker::{profile}\n"}
