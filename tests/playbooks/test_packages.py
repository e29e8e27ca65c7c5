"""What the package flow may touch, on every role of overclouds that real templates made."""

from pathlib import Path

import pytest
import yaml

from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.overcloud.model import Node, Overcloud
from tripleo_update_plugin.playbooks.packages import touched, update, without_package

CATALOGUE = load_catalogue()
OVERCLOUDS = yaml.safe_load(Path(__file__).with_name("packages_overclouds.yaml").read_text())
RUNNERS = ("systemd", "pacemaker")


def overcloud(name):
    found = OVERCLOUDS[name]
    runners = {
        role: {service: runner for runner in RUNNERS for service in data.get(runner, ())}
        for role, data in found["roles"].items()
    }
    nodes = [
        Node(name=f"{role.lower()}-{i}", role=role, services=frozenset(runners[role]))
        for role, data in found["roles"].items() for i in range(data["nodes"])
    ]  # fmt: skip
    return Overcloud(
        stack="overcloud", release=found["release"], architecture=found["architecture"], packaging="packages",
        nodes=tuple(nodes), digest="d", runners=runners, has_update_tasks=False,
    )  # fmt: skip


def deployed(found, role, runner):
    services = [s for s, r in found.runners[role].items() if r == runner]
    return {unit for s in services for unit in CATALOGUE.profile(s).units.get(runner, ())}


def flows(phase):
    return {host: flow for play in phase.plays for host, flow in play["vars"]["tripleo_update_flows"].items()}


def every_task(play):
    for task in play["tasks"]:
        yield task
        yield from task.get("block", ())


ROLES = [(name, role) for name, data in OVERCLOUDS.items() for role in data["roles"]]


@pytest.mark.parametrize(("name", "role"), ROLES)
def test_nothing_that_is_not_deployed_on_the_role_is_touched(name, role):
    found = overcloud(name)
    [(host, seen)] = touched(update(found, CATALOGUE, [f"{role.lower()}-0"], "m")).items()
    assert host == f"{role.lower()}-0"
    assert set(seen.units) == deployed(found, role, "systemd") - {"corosync", "pacemaker"}
    member = "pacemaker" in found.node(host).services and found.architecture != "none"
    assert seen.resources == (("pacemaker",) if member else ())
    assert seen.packages_of == ()
    flow = flows(update(found, CATALOGUE, [host], "m"))[host]
    assert set(flow["stop"]) <= set(seen.units) and set(flow["code"]) <= set(seen.units)


@pytest.mark.parametrize(("name", "role"), ROLES)
def test_one_service_touches_nothing_of_any_other(name, role):
    found = overcloud(name)
    host = f"{role.lower()}-0"
    for service in sorted(found.node(host).services - {"pacemaker"}):
        [seen] = touched(update(found, CATALOGUE, [host], "m", [service])).values()
        own, runner = CATALOGUE.profile(service).units, found.runners[role][service]
        assert set(seen.units) == (set(own.get("systemd", ())) if runner == "systemd" else set())
        assert set(seen.resources) == (set(own.get("pacemaker", ())) if runner == "pacemaker" else set())
        assert seen.packages_of == (service,)


def test_tasks_have_no_names_of_their_own():
    """So what touched() reads in the variables is all there is."""
    found = overcloud("newton-oldha")
    known = {u for role in found.runners for runner in RUNNERS for u in deployed(found, role, runner)}
    phase = update(found, CATALOGUE, [node.name for node in found.nodes], "m")
    for play in phase.plays:
        for task in every_task(play):
            words = str({key: value for key, value in task.items() if key not in ("name", "block")})
            assert not known & set(words.replace("'", " ").replace("[", " ").replace(",", " ").split()) - {"pacemaker"}
            assert not {"shell", "raw", "script", "service", "systemd", "yum", "package"} & set(task)


def test_only_the_old_architecture_stops_what_systemd_runs_and_never_what_keeps_the_node_reachable():
    stops = {name: flows(update(overcloud(name), CATALOGUE, ["controller-0"], "m"))["controller-0"]["stop"]
             for name in OVERCLOUDS}  # fmt: skip
    assert [name for name, stop in stops.items() if stop] == ["newton-oldha"]
    assert {"neutron-server", "mongod"} <= set(stops["newton-oldha"]) and "sshd" not in stops["newton-oldha"]
    computes = flows(update(overcloud("newton-oldha"), CATALOGUE, ["compute-0"], "m"))["compute-0"]
    assert not computes["stop"] and not computes["leaves"]


def test_units_are_in_the_order_of_their_services():
    units = flows(update(overcloud("newton-ha"), CATALOGUE, ["controller-0"], "m"))["controller-0"]["units"]
    assert units.index("openstack-nova-conductor") < units.index("openstack-nova-api") < units.index("neutron-server")


def names(play):
    return [task["name"] for task in every_task(play)]


def test_members_leave_and_join_the_cluster_one_at_a_time_and_others_know_nothing_of_it():
    found = overcloud("newton-ha")
    members, others = update(found, CATALOGUE, ["compute-0", "controller-1", "controller-0"], "m").plays
    assert (members["hosts"], others["hosts"]) == (["controller-0", "controller-1"], ["compute-0"])
    leave, packages, join, online, synced, settled = (
        names(members).index(name)
        for name in ("Leave the cluster", "Update the packages", "Join the cluster", "The node is online again",
                     "The database of the node is in sync", "The cluster has nothing left to do")
    )  # fmt: skip
    assert leave < packages < join < online < synced < settled
    assert next(task for task in every_task(members) if task["name"] == "Leave the cluster")["throttle"] == 1
    assert "Leave the cluster" not in names(others)


@pytest.mark.parametrize("only", [None, ["keystone", "mysql"]], ids=["whole nodes", "some services"])
def test_what_stops_a_service_that_others_share_is_done_on_one_node_at_a_time(only):
    """Units that stop with the cluster have left it by then, one node after the other."""
    alone = {
        "Leave the cluster", "Restart the units whose code changed, in order", "Restart the resources on this node",
    }  # fmt: skip
    play, *_ = update(overcloud("newton-ha"), CATALOGUE, ["controller-0", "controller-1"], "m", only).plays
    throttled = {task["name"] for task in every_task(play) if task.get("throttle") == 1}
    assert throttled == alone & set(names(play))


def test_a_lone_member_is_stopped_by_force_and_others_are_not():
    single = Overcloud(
        stack="o", release="newton", architecture="pacemaker-core", packaging="packages", digest="d",
        nodes=(Node(name="ctl-0", role="Controller", services=frozenset({"pacemaker", "mysql"})),),
        runners={"Controller": {"pacemaker": "systemd", "mysql": "pacemaker"}},
    )  # fmt: skip
    assert flows(update(single, CATALOGUE, ["ctl-0"], "m"))["ctl-0"]["alone_in_cluster"]
    assert not flows(update(overcloud("newton-ha"), CATALOGUE, ["controller-0"], "m"))["controller-0"][
        "alone_in_cluster"
    ]


def test_the_mark_is_written_after_everything_else():
    for play in update(overcloud("newton-ha"), CATALOGUE, ["controller-0", "compute-0"], "wf.b-1").plays:
        assert names(play)[-2:] == ["Mark the node as updated by this batch", "What others had left is finished, too"]
        assert play["vars"]["tripleo_update_mark"] == "wf.b-1"


def test_services_in_a_shared_server_are_known_by_their_project():
    flow = flows(update(overcloud("newton-ha"), CATALOGUE, ["controller-0"], "m", ["keystone"]))["controller-0"]
    assert (flow["units"], flow["package_units"], flow["package_words"]) == (["httpd"], [], ["keystone"])
    flow = flows(update(overcloud("newton-ha"), CATALOGUE, ["controller-0"], "m", ["mysql"]))["controller-0"]
    assert (flow["resources"], flow["package_units"], flow["synced"]) == (["galera"], ["mariadb"], True)


def test_the_database_is_waited_for_wherever_it_was_stopped():
    for only, waits in ((None, True), (["pacemaker"], True), (["mysql"], True), (["ntp"], False)):
        phase = update(overcloud("newton-ha"), CATALOGUE, ["controller-0"], "m", only)
        assert flows(phase)["controller-0"]["synced"] is waits
    assert not flows(update(overcloud("newton-ha"), CATALOGUE, ["compute-0"], "m"))["compute-0"]["synced"]


def test_without_a_unit_no_package_is_known():
    assert without_package(CATALOGUE, ["timezone", "keystone", "pacemaker", "mysql"]) == ("timezone",)
