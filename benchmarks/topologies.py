"""Overclouds to plan for: TripleO's roles with their services, small to ten thousand nodes."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.rules.catalogue import Catalogue
from tripleo_update_plugin.testing import an_overcloud

_HOST = "ca_certs chrony kernel podman snmp sshd timezone tripleo_firewall tripleo_packages tuned"
_API = (
    "cinder_api cinder_scheduler cinder_volume glance_api haproxy heat_api heat_api_cfn heat_engine horizon keystone "
    "memcached neutron_api neutron_plugin_ml2_ovn nova_api nova_conductor nova_metadata nova_scheduler nova_vnc_proxy "
    "placement redis ovn_dbs ovn_controller"
)
_DATABASE, _MESSAGING = "clustercheck mysql", "oslo_messaging_rpc oslo_messaging_notify"
_CEPH = "ceph_mgr ceph_mon"
_COMPUTE = "iscsid nova_compute nova_libvirt nova_migration_target ovn_controller ovn_metadata"

#: Role → its services.
SERVICES: Mapping[str, str] = {
    "Controller": f"pacemaker {_API} {_DATABASE} {_MESSAGING} {_CEPH}",
    "ControllerOpenstack": f"pacemaker {_API} {_CEPH}",
    "Database": f"pacemaker {_DATABASE}",
    "Messaging": f"pacemaker {_MESSAGING}",
    "Networker": "ovn_controller ovn_metadata",
    "NetworkerOvs": "neutron_ovs_agent neutron_l3 neutron_dhcp neutron_metadata",
    "Compute": _COMPUTE,
    "ComputeHCI": f"{_COMPUTE} ceph_osd",
    "CephStorage": "ceph_osd",
    "ObjectStorage": "swift_storage swift_ringbuilder",
    "Telemetry": "aodh_api aodh_evaluator aodh_listener aodh_notifier gnocchi_api gnocchi_metricd gnocchi_statsd redis",
}


@dataclass(frozen=True)
class Topology:
    """An overcloud and what its operator allows."""

    name: str
    overcloud: Overcloud
    policy: Mapping[str, Any] = field(default_factory=dict)


def roles(**counts: int) -> Overcloud:
    """An overcloud of so many nodes of each role; a role may have a suffix after "_" (ComputeHCI_west)."""
    services = {role: f"{SERVICES[role.partition('_')[0]]} {_HOST}".split() for role in counts}
    return an_overcloud(**{role: (count, services[role]) for role, count in counts.items()})


def composable(nodes: int) -> Overcloud:
    """Every function on three nodes of its own, a node of storage for every ten computes."""
    rest = nodes - 12
    ceph = rest // 11
    return roles(
        ControllerOpenstack=3, Database=3, Messaging=3, Networker=3, Compute=rest - ceph, CephStorage=ceph
    )  # fmt: skip


def many_roles(catalogue: Catalogue, nodes_each: int) -> Overcloud:
    """Forty roles of sixty services each, drawn at random (always the same) from the whole catalogue."""
    names = sorted(name for name in catalogue.profiles if name != "pacemaker")
    draw = random.Random(2016)  # noqa: S311 - not for secrets
    chosen = {f"Role{i:02}": draw.sample(names, 60) for i in range(40)}
    return an_overcloud(**{role: (nodes_each, services) for role, services in chosen.items()})


def _racks(count: int, computes: int) -> dict[str, list[str]]:
    return {f"rack-{k}": [f"compute-{i}" for i in range(k, computes, count)] for k in range(count)}


def topologies(catalogue: Catalogue) -> list[Callable[[], Topology]]:
    """All of them, made when asked for: the large ones are large."""
    sites = {f"ComputeHCI_{site}": 3 for site in ("east", "north", "south", "west")}
    return [
        lambda: Topology("3 controllers, 2 computes", roles(Controller=3, Compute=2)),
        lambda: Topology("3 controllers, 3 computes, 3 Ceph", roles(Controller=3, Compute=3, CephStorage=3)),
        lambda: Topology(
            "3 + 3 + 3 + 3 + 100 computes + 10 Ceph",
            roles(ControllerOpenstack=3, Database=3, Messaging=3, Networker=3, Compute=100, CephStorage=10),
        ),
        lambda: Topology(
            "the same, controllers 30 min, databases 20",
            roles(ControllerOpenstack=3, Database=3, Messaging=3, Networker=3, Compute=100, CephStorage=10),
            {"durations": {"default": 600, "roles": {"ControllerOpenstack": 1800, "Database": 1200}}},
        ),
        lambda: Topology("hyperconverged: 3 + 30", roles(Controller=3, ComputeHCI=30)),
        lambda: Topology("edge: 3 controllers, 4 sites of 3", roles(Controller=3, **sites)),
        lambda: Topology("3 controllers, 300 computes", roles(Controller=3, Compute=300)),
        lambda: Topology("3 + 6 L3 networkers + 200 computes", roles(Controller=3, NetworkerOvs=6, Compute=200)),
        lambda: Topology("3 + 20 Swift + 50 computes", roles(Controller=3, ObjectStorage=20, Compute=50)),
        lambda: Topology("3 + 3 telemetry + 100 computes", roles(Controller=3, Telemetry=3, Compute=100)),
        lambda: Topology(
            "3 controllers, 120 computes in 6 racks", roles(Controller=3, Compute=120), {"domains": _racks(6, 120)}
        ),
        lambda: Topology(
            "canary, 5 controllers, 100 computes", roles(Controller=5, Compute=100), {"canary": True}
        ),
        lambda: Topology(
            "5 + 5 + 5 + 5 + 1,000 computes + 50 Ceph",
            roles(ControllerOpenstack=5, Database=5, Messaging=5, Networker=5, Compute=1000, CephStorage=50),
        ),
        lambda: Topology("composable, 10,000 nodes", composable(10_000)),
        lambda: Topology("40 roles of 60 services, 1,000 nodes", many_roles(catalogue, 25)),
        lambda: Topology("40 roles of 60 services, 10,000 nodes", many_roles(catalogue, 250)),
    ]
