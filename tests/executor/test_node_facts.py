"""From what the nodes say to facts."""

from dataclasses import replace

import pytest
import yaml

from tripleo_update_plugin.adapters import ansible
from tripleo_update_plugin.adapters.ansible import NodeRun, Outcome
from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.executor.runner import node_facts
from tripleo_update_plugin.overcloud.facts import Fencing, Held
from tripleo_update_plugin.testing import an_overcloud

CATALOGUE = load_catalogue()
CLUSTERED = ["mysql", "redis", "haproxy", "cinder_volume", "ovn_dbs"]
SERVICES = ["pacemaker", *CLUSTERED, "keystone", "horizon", "nova_scheduler"]
OVERCLOUD = replace(
    an_overcloud(Controller=(3, SERVICES), Compute=(1, ["nova_compute", "openvswitch", "ntp"])),
    vips={"internal_api": "10.0.0.5", "external": "10.1.0.5", "storage": "10.2.0.5", "redis": "10.0.0.6"},
)
NODES = [node.name for node in OVERCLOUD.nodes]


def copy(names, node, promoted=False):
    return {"names": names, "node": node, "promoted": promoted}


def view(resources=(), **states):
    states = {f"controller-{i}": "online" for i in range(3)} | {k.replace("_", "-"): v for k, v in states.items()}
    nodes = [{"name": name, "remote": False, "state": state} for name, state in states.items()]
    return {"quorum": True, "nodes": nodes, "resources": list(resources)}


def bundle(name, inside, *nodes, promoted=()):
    copies = [copy([name, inside], node, node in promoted) for node in nodes]
    return {"name": name, "kind": "bundle", "instances": copies}


THREE = ("controller-0", "controller-1", "controller-2")
RESOURCES = (
    bundle("galera-bundle", "galera", *THREE, promoted=THREE),
    bundle("redis-bundle", "redis", *THREE, promoted=["controller-2"]),
    bundle("ovn-dbs-bundle", "ovndbs_servers", *THREE, promoted=["controller-1"]),
    bundle("openstack-cinder-volume", "openstack-cinder-volume", "controller-1"),
    bundle("haproxy-bundle", "haproxy-bundle", *THREE),
)


def told(said, unanswered=None, down=(), overcloud=OVERCLOUD, images=None):
    """Facts of *said*, {node: answers}; nodes in *down* could not be reached."""
    results = {
        name: {node_facts.TASK: {"answers": answers, "unanswered": (unanswered or {}).get(name, {})}}
        for name, answers in said.items()
    }
    nodes = {node.name: NodeRun(unreachable=node.name in down, reached=True) for node in overcloud.nodes}
    return node_facts.answers(overcloud, CATALOGUE, Outcome(status="successful", nodes=nodes), results, images or {})


def test_one_task_asks_all_nodes(tmp_path):
    [play] = node_facts.questions(OVERCLOUD, NODES, CATALOGUE).plays
    assert play["hosts"] == ["compute-0", *THREE] and len(play["tasks"]) == 1
    asked = play["vars"]["tripleo_update_units"]
    assert {"tripleo_keystone", "httpd", "mariadb"} <= set(asked["Controller"])
    assert "tripleo_nova_compute" in asked["Compute"] and "ntpd" not in asked["Compute"]
    assert play["vars"]["tripleo_update_roles"]["controller-1"] == "Controller"
    assert yaml.safe_load(yaml.safe_dump(play)) == play
    ansible.write_playbook([play], tmp_path / "plays.yaml")
    [module] = play["tasks"][0].keys() - {"name"}
    assert (tmp_path / "library" / f"{module}.py").read_text().startswith("#!/usr/bin/python")


@pytest.mark.parametrize(("packaging", "asked"), [("packages", True), ("containers", False)])
def test_repositories_are_asked_only_where_packages_are_updated(packaging, asked):
    overcloud = an_overcloud(packaging=packaging, Controller=(1, ["keystone"]))
    [play] = node_facts.questions(overcloud, ["controller-0"], CATALOGUE).plays
    assert play["tasks"][0]["tripleo_update_facts"]["packages"] is asked


def test_who_is_down():
    assert told({}, down=["compute-0"]).down == {"compute-0"}


def test_leaders_in_pacemaker_are_promoted_or_alone():
    found = told({"controller-0": {"cluster": view(RESOURCES)}}).leaders
    assert found == {"redis": "controller-2", "ovn_dbs": "controller-1", "cinder_volume": "controller-1"}


@pytest.mark.parametrize("spelled", ["2001:DB8:0:1::5", "2001:db8:0:1:0:0:0:5", "2001:0db8:0000:0001::0005"])
def test_the_holder_of_a_vip_is_found_however_the_outputs_spell_it(spelled):
    overcloud = replace(OVERCLOUD, vips={"internal_api": spelled})
    said = {"controller-1": {"addresses": ["fd00::1", "2001:db8:0:1::5"]}, "controller-0": {"addresses": ["fd00::2"]}}
    assert told(said, overcloud=overcloud).leaders == {"haproxy": "controller-1"}


def test_every_leader_has_the_service_it_leads():
    stranger = (bundle("openstack-cinder-volume", "openstack-cinder-volume", "compute-0"),)
    assert told({"controller-0": {"cluster": view(stranger)}}).leaders == {}


def test_virtual_addresses_show_the_balancer_that_most_traffic_goes_to():
    addresses = {"controller-0": ["10.2.0.5"], "controller-1": ["10.0.0.5", "10.1.0.5"], "controller-2": ["10.0.0.6"]}
    found = told({name: {"addresses": held} for name, held in addresses.items()}).leaders
    assert found == {"haproxy": "controller-1", "redis": "controller-2"}


def test_an_address_that_only_begins_alike_is_another():
    assert told({"controller-0": {"addresses": ["10.0.0.55", "110.0.0.5"]}}).leaders == {}


def test_the_writer_is_where_haproxy_s_sessions_go():
    server = "Controller-{}.internalapi.localdomain".format
    said = {
        "controller-0": {"sessions": {server(0): 0, server(1): 40, server(2): 2}},
        "controller-2": {"sessions": {server(0): 0, server(1): 0, server(2): 0}},
    }
    assert told(said).leaders == {"mysql": "controller-1"}
    assert told({"controller-2": said["controller-2"]}).leaders == {}


def test_one_view_of_a_cluster_that_is_whole_and_two_of_one_that_is_not():
    whole = {name: {"cluster": view(RESOURCES)} for name in THREE}
    [cluster] = told(whole).clusters
    assert (cluster.seen_from, cluster.quorum, set(cluster.members.values())) == ("controller-0", True, {"online"})
    assert cluster.resources["galera-bundle"] == "bundle"
    apart = {**whole, "controller-2": {"cluster": view(RESOURCES, controller_0="offline")}}
    assert [each.seen_from for each in told(apart).clusters] == ["controller-0", "controller-2"]


def test_a_stopped_cluster_counts_where_there_should_be_one():
    said = {name: {"cluster": None} for name in ("controller-1", "compute-0")}
    assert told(said).unclustered == {"controller-1"}
    assert told({"controller-1": {}}, {"controller-1": {"cluster": "exit code 1"}}).unclustered == frozenset()


NAMED = {"Controller": dict.fromkeys(["keystone", "horizon", "nova_scheduler"], "r/x:1")}


def as_asked(resources=RESOURCES, replicas=3, online=THREE, **more):
    """The answer of one controller, each resource with so many replicas, more in its view."""
    resources = [{**each, "replicas": 1 if "cinder" in each["name"] else replicas} for each in resources]
    states = {name.replace("-", "_"): "online" if name in online else "standby" for name in THREE}
    return {"controller-0": {"cluster": {**view(resources, **states), **more}}}


def test_replicas_that_pacemaker_does_not_run_where_the_outputs_have_them():
    assert told(as_asked()).absent == {}
    two = (bundle("galera-bundle", "galera", *THREE[:2]), *RESOURCES[1:])
    assert told(as_asked(two)).absent == {"controller-2": {"mysql": "galera-bundle"}}
    assert told(as_asked(two, online=THREE[:2])).absent == {}, "what is out of the cluster is told as that"
    assert told(as_asked(two, replicas=2)).absent == {}, "with fewer replicas than nodes any of them may be without"
    assert told(as_asked(two, quorum=False)).absent == {}
    assert told(as_asked(two[:1])).absent == {"controller-2": {"mysql": "galera-bundle"}}, "no resource, no word of it"


def test_a_single_resource_is_absent_only_where_it_runs_nowhere():
    stopped = tuple({**each, "instances": []} if "cinder" in each["name"] else each for each in RESOURCES)
    assert told(as_asked(stopped)).absent == {name: {"cinder_volume": "openstack-cinder-volume"} for name in THREE}


def test_a_clone_that_runs_nowhere_is_known_by_its_name():
    clone = {"name": "galera-master", "kind": "clone", "instances": []}
    assert told(as_asked([clone])).absent == {name: {"mysql": "galera-master"} for name in THREE}


def test_the_whole_state_of_the_cluster():
    said = {
        "maintenance": True, "all_stopped": True, "fencing": True,
        "troubles": [{"resource": "galera-bundle", "node": "Controller-1.x.example", "what": "failed"},
                     {"resource": "{{ x }}", "node": "controller-1", "what": "failed"}],
        "failures": [{"resource": "galera", "node": each} for each in ("galera-bundle-10", "galera-bundle-2", "<% $")],
        "fenced": [{"node": "controller-2", "action": "{{ x }}", "status": "success", "completed": "<x>"},
                   {"node": "controller-1", "action": "off", "status": "failed", "completed": "2026-01-02 10:00:00Z"},
                   {"node": "controller-0", "action": "off", "status": "odd", "completed": ""}],
    }  # fmt: skip
    [cluster] = told(as_asked(**said)).clusters
    assert (cluster.maintenance, cluster.all_stopped, cluster.fencing) == (True, True, True)
    assert cluster.troubles == {"galera-bundle": {"controller-1": "failed"}}
    assert cluster.failures == {"galera": ("galera-bundle-2", "galera-bundle-10")}
    assert cluster.fenced == {
        "controller-1": Fencing(action="off", status="failed", completed="2026-01-02 10:00:00Z"),
        "controller-2": Fencing(action="unknown", status="success"),
    }


def runs(overcloud=OVERCLOUD, images=NAMED, **answers):
    return told({"controller-0": answers}, overcloud=overcloud, images=images).managed_by.get("controller-0", {})


def test_who_runs_a_service_is_told_where_the_outputs_say_otherwise():
    active = {"tripleo_keystone": "active", "tripleo_nova_scheduler": "active"}
    assert runs(units=active, cluster=view(RESOURCES)) == {}
    moved = {"tripleo_keystone": "active", "openstack-nova-scheduler": "active"}
    assert runs(units=moved, cluster=view(RESOURCES)) == {"nova_scheduler": "systemd"}
    assert runs(units=moved, containers={"nova_scheduler": "x"}, cluster=view(RESOURCES)) == {}


def test_a_container_that_the_outputs_do_not_name_is_but_a_guess():
    moved = {"openstack-nova-scheduler": "active"}
    assert runs(units=moved) == {"nova_scheduler": "systemd"}
    assert runs(units=moved, images={"Controller": {"keystone": "r/x:1"}}) == {}
    assert runs(units=moved, images={}) == {}


def test_a_unit_of_several_services_does_not_tell_which():
    assert runs(units={"httpd": "active"}) == {}


def test_a_service_that_is_stopped_is_run_by_nobody():
    assert runs(units={"openstack-nova-scheduler": "failed"}, cluster=None) == {}


def test_pacemaker_s_word_comes_first():
    plain = {"name": "galera-master", "kind": "clone", "instances": [copy(["galera", "galera-master"], "controller-0")]}
    assert runs(units={"mariadb": "active"}, cluster=view([plain])) == {"mysql": "pacemaker"}


def test_newton_s_core_is_in_pacemaker_though_the_outputs_do_not_say_so():
    made = an_overcloud(packaging="packages", Controller=(3, SERVICES))
    silent = replace(made, release="newton", runners={"Controller": dict.fromkeys(SERVICES, "systemd")})
    clone = {"name": "galera-master", "kind": "clone", "instances": [copy(["galera", "galera-master"], "controller-0")]}
    units = {"openstack-nova-scheduler": "active", "httpd": "active", "mariadb": "active"}
    assert runs(silent, units=units, cluster=view([clone])) == {"mysql": "pacemaker"}


def test_health_checks_of_containers_are_asked_for_and_told():
    [play] = node_facts.questions(OVERCLOUD, ["controller-0"], CATALOGUE).plays
    asked = set(play["vars"]["tripleo_update_units"]["Controller"])
    assert "tripleo_keystone_healthcheck" in asked and "httpd_healthcheck" not in asked
    states = {"tripleo_keystone": "active", "tripleo_keystone_healthcheck": "failed"}
    found = told({"controller-0": {"units": states}})
    assert found.failed == {"controller-0": ("tripleo_keystone_healthcheck",)} and not found.managed_by


def test_units_that_failed_of_services_that_systemd_runs():
    states = {"tripleo_keystone": "failed", "httpd": "failed", "tripleo_haproxy": "failed"}
    assert told({"controller-0": {"units": states}}).failed == {"controller-0": ("tripleo_keystone",)}


def test_package_updates_and_nodes_that_did_not_tell():
    overcloud = an_overcloud(packaging="packages", Controller=(3, SERVICES))
    said = {
        "controller-0": {"updates": 0, "cutting": []}, "controller-2": {},
        "controller-1": {"updates": 7, "cutting": ["openvswitch", "{{ x }}"], "containers": {}},
    }  # fmt: skip
    found = told(said, overcloud=overcloud)
    assert found.updates == {"controller-0": 0, "controller-1": 7}
    assert found.cutting == {"controller-1": ("openvswitch",)}


def test_image_updates_are_containers_that_run_another_image_than_heat_names():
    running = {"keystone": "r/keystone:1", "horizon": "r/horizon:2", "galera-bundle-podman-0": "r/mariadb:pcmklatest"}
    wanted = {"Controller": {"keystone": "r/keystone:2", "horizon": "r/horizon:2", "not_running": "r/x:2"}}
    said = {"controller-0": {"containers": running}, "compute-0": {"containers": {}}, "controller-1": {}}
    assert told(said, images=wanted).updates == {"controller-0": 1, "compute-0": 0}


def test_reboots_and_questions_without_an_answer():
    said = {"controller-0": {"reboot": True}, "controller-1": {"reboot": False}, "compute-0": {}}
    found = told(said, {"compute-0": {"reboot": "no answer in time"}})
    assert found.pending_reboot == {"controller-0"}
    assert found.unanswered == {"compute-0": {"reboot": "no answer in time"}}


def test_whom_an_update_has_not_let_go_of():
    record = {"state": "out of use", "update": "u-1", "batch": "batch-2", "since": 5.0, "changes": 1, "services": None}
    said = {"controller-0": {"held": record}, "controller-1": {"held": {"state": "", "for_others": ["compute-0"]}},
            "compute-0": {"held": {}}}  # fmt: skip
    assert told(said).held == {
        "controller-0": Held(state="out of use", update="u-1", batch="batch-2", since=5.0, changes=1)
    }  # fmt: skip
    [play] = node_facts.questions(OVERCLOUD, NODES, CATALOGUE).plays
    assert play["tasks"][0]["tripleo_update_facts"]["node"] == "{{ inventory_hostname }}"


def test_nodes_that_nobody_works_on_speak_for_the_cluster():
    members = [{"name": name, "remote": False, "state": "online"} for name in NODES]
    view = {"quorum": True, "nodes": members, "resources": []}
    held = {"state": "at work", "update": "u-1"}
    found = told({"controller-0": {"cluster": view, "held": held}, "controller-1": {"cluster": view}})
    assert [cluster.seen_from for cluster in found.clusters] == ["controller-1"]
