"""Liberty and Mitaka: fixed roles, and services out of a table."""

import pytest

from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.errors import BadOutputs
from tripleo_update_plugin.overcloud import fixed_roles, outputs

ROOT = {"KeystoneURL": "http://192.0.2.5:5000/v2.0", "PublicVip": "192.0.2.5"}


def members(**counts):
    return {
        role: [{"name": f"{role.lower()}-{i}", "address": f"192.0.{n}.{i + 10}", "server_id": ""} for i in range(count)]
        for n, (role, count) in enumerate(counts.items(), 2)
    }


def overcloud(release="mitaka", settings=None, **counts):
    found = {**ROOT, "ResourceGroupMembers": members(**counts), "StackSettings": settings or {}}
    if release == "mitaka":
        found["AodhInternalVip"] = "192.0.2.5"
    return outputs.parse(found, "overcloud")


def test_mitaka_is_of_the_old_architecture():
    read = overcloud(Controller=3, Compute=2, CephStorage=3)
    assert (read.release, read.architecture, read.packaging) == ("mitaka", "pacemaker", "packages")
    assert not read.has_update_tasks
    by_pacemaker = {service for service, runner in read.runners["Controller"].items() if runner == "pacemaker"}
    assert {"core", "keystone", "mysql", "neutron_l3", "haproxy", "aodh_api"} <= by_pacemaker
    assert not {"swift_proxy", "swift_storage", "ceph_mon", "ntp", "snmp", "pacemaker"} & by_pacemaker
    assert set(read.runners["Compute"].values()) == {"systemd"}
    assert read.hosts_of("ceph_osd") == {"cephstorage-0", "cephstorage-1", "cephstorage-2"}


def test_liberty_has_neither_the_core_resource_nor_what_mitaka_added():
    read = overcloud("liberty", Controller=3)
    assert (read.release, read.architecture) == ("liberty", "pacemaker")
    assert not {"core", "aodh_api", "gnocchi_api"} & set(read.runners["Controller"])


def test_the_controllers_template_goes_before_their_number():
    plain = {fixed_roles.CONTROLLER_CONFIG: "controller-config.yaml"}
    clustered = {fixed_roles.CONTROLLER_CONFIG: "controller-config-pacemaker.yaml"}
    assert overcloud(settings=plain, Controller=3).architecture == "none"
    assert overcloud(settings=clustered, Controller=1).architecture == "pacemaker"
    assert overcloud(Controller=1).architecture == "none"
    assert "keepalived" in overcloud(Controller=1).runners["Controller"]


@pytest.mark.parametrize(
    ("settings", "counts", "there", "missing"),
    [
        ({}, {}, {"swift_storage", "mysql"}, {"ceph_mon", "ceph_osd"}),
        ({}, {"CephStorage": 1}, {"ceph_mon"}, {"ceph_osd"}),
        ({"ControllerEnableCephStorage": "True"}, {}, {"ceph_mon", "ceph_osd"}, set()),
        ({"ControllerEnableSwiftStorage": "False"}, {}, set(), {"swift_storage"}),
        ({"ControllerEnableSwiftStorage": False, "EnableGalera": "false"}, {}, set(), {"swift_storage", "mysql"}),
    ],
)
def test_settings_and_nodes_decide_what_controllers_run(settings, counts, there, missing):
    services = set(overcloud(settings=settings, Controller=3, **counts).runners["Controller"])
    assert there <= services and not missing & services


def test_mitaka_s_nodes_come_from_hosts_too():
    hosts = "192.0.2.10 x-controller-0.localdomain x-controller-0\n192.0.2.30 x-controller-0-external\n"
    read = outputs.parse({**ROOT, "AodhInternalVip": "", "HostsEntry": hosts}, "overcloud")
    assert [(node.name, node.role, node.address) for node in read.nodes] == [
        ("x-controller-0", "Controller", "192.0.2.10")
    ]


def test_outputs_of_later_releases_are_not_taken_for_mitaka_s():
    for sign in ("ManagedEndpoints", "RoleConfig", "RoleTags"):
        with pytest.raises(BadOutputs, match="names any service"):
            outputs.parse({**ROOT, sign: {}, "ResourceGroupMembers": members(Controller=1)}, "overcloud")


def test_every_service_of_the_table_is_in_the_catalogue():
    pacemaker = {fixed_roles.CONTROLLER_CONFIG: "controller-config-pacemaker.yaml"}
    settings = {"ControllerEnableCephStorage": "true", **pacemaker}
    read = overcloud(settings=settings, **dict.fromkeys(fixed_roles.ROLES, 1))
    catalogue = load_catalogue()
    assert len(read.services) > 50
    assert [service for service in read.services if not catalogue.knows(service)] == []
