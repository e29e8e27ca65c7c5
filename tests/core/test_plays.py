import pytest

from tripleo_update_plugin.catalogue import KINDS, Catalogue, Profile
from tripleo_update_plugin.errors import BadProfile
from tripleo_update_plugin.model import Node, Overcloud
from tripleo_update_plugin.plays import (
    RESOURCES_TASK,
    UNITS_TASK,
    Patience,
    explain,
    gate_after,
    gate_before,
    in_order,
    steps,
)

PATIENCE = Patience(retries=3, delay=1)


def profile(service, kind="stateless", **more):
    budget, limit = KINDS[kind]
    return Profile(service=service, kind=kind, budget=budget, limit=limit, **more)


def task(name):
    return {"name": name, "command": {"argv": [name]}}


CATALOGUE = Catalogue({
    each.service: each
    for each in (
        profile("mysql", "quorum", units={"bundle": ("galera-bundle",)}, gate={"bundle": (task("synced"),)}),
        profile("cinder_volume", "active-passive", units={"bundle": ("openstack-cinder-volume",)}),
        profile(
            "keystone", after=("mysql",), units={"container": ("tripleo_keystone",), "systemd": ("httpd",)},
            drain={"any": (task("drain keystone"), task("wait"))}, restore={"any": (task("restore keystone"),)},
        ),
        profile(
            "nova_api", after=("keystone",), units={"container": ("tripleo_nova_api",)},
            drain={"container": (task("drain nova"), task("wait"))}, restore={"any": (task("restore nova"),)},
        ),
        profile("nova_compute", "agent", units={"container": ("tripleo_nova_compute",)}),
        profile("timezone", "host"),
    )
})  # fmt: skip

CONTROLLER = frozenset({"mysql", "cinder_volume", "keystone", "nova_api", "timezone"})
COMPUTE = frozenset({"nova_compute", "timezone", "novelty"})


def an_overcloud(**excluded):
    nodes = [Node(name=f"ctl-{i}", role="Controller", services=CONTROLLER) for i in range(3)]
    nodes += [Node(name=f"cmp-{i}", role="Compute", services=COMPUTE) for i in (0, 1, 10)]
    nodes.append(Node(name="api-0", role="Api", services=frozenset({"keystone"}), excluded="by the operator"))
    bundles = {"mysql": "bundle", "cinder_volume": "bundle"}
    return Overcloud(
        stack="overcloud", release="zed", architecture="pacemaker-bundles", packaging="containers",
        nodes=tuple(nodes), digest="d",
        runners={
            "Controller": {**dict.fromkeys(CONTROLLER, "container"), **bundles},
            "Compute": dict.fromkeys(COMPUTE, "container"), "Api": {"keystone": "systemd"},
        },
    )  # fmt: skip


def names(play):
    return [each["name"] for each in play["tasks"]]


def by_hosts(phase):
    return {tuple(play["hosts"]): play for play in phase.plays}


def test_a_drain_takes_dependants_first_and_a_restore_last():
    [drain] = steps("drain", an_overcloud(), CATALOGUE, ["ctl-0"]).plays
    [restore] = steps("restore", an_overcloud(), CATALOGUE, ["ctl-0"]).plays
    assert names(drain) == ["drain nova", "wait", "drain keystone"]
    assert names(restore) == ["restore keystone", "restore nova"]


def test_steps_that_services_share_are_done_once():
    [play] = steps("drain", an_overcloud(), CATALOGUE, ["ctl-0"]).plays
    assert names(play).count("wait") == 1


def test_nodes_with_the_same_services_share_a_play():
    [play] = steps("drain", an_overcloud(), CATALOGUE, ["ctl-2", "ctl-0"]).plays
    assert play["hosts"] == ["ctl-0", "ctl-2"]


def test_only_the_services_asked_for_are_drained():
    [play] = steps("drain", an_overcloud(), CATALOGUE, ["ctl-0"], only=["keystone"]).plays
    assert names(play) == ["drain keystone", "wait"]


def test_nodes_without_steps_make_no_play():
    assert steps("drain", an_overcloud(), CATALOGUE, ["cmp-0"]).plays == ()


def test_a_gate_checks_all_units_in_one_task_and_all_resources_in_one():
    [play] = gate_after(an_overcloud(), CATALOGUE, ["ctl-0"], PATIENCE).plays
    units, resources, verdict, synced = play["tasks"]
    assert [units["name"], verdict["name"], synced["name"]] == [UNITS_TASK, RESOURCES_TASK, "synced"]
    assert play["vars"]["tripleo_update_looks"] == {
        "ctl-0": {
            "units": [["tripleo_keystone"], ["tripleo_nova_api"]],
            "here": ["galera-bundle"],
            "somewhere": ["openstack-cinder-volume"],
        }
    }
    for each in (units, resources):
        assert (each["retries"], each["delay"]) == (3, 1)


def test_a_gate_before_looks_at_the_peers_for_what_they_share():
    plays = by_hosts(gate_before(an_overcloud(), CATALOGUE, ["ctl-0"], PATIENCE))
    assert set(plays) == {("ctl-0", "ctl-1", "ctl-2"), ("api-0",)}
    assert plays["api-0",]["vars"]["tripleo_update_looks"]["api-0"]["units"] == [["httpd"]]


def test_a_gate_before_skips_the_nodes_that_are_down():
    phase = gate_before(an_overcloud(), CATALOGUE, ["ctl-0"], PATIENCE, skip=["ctl-1"])
    assert phase.hosts == {"ctl-0", "ctl-2", "api-0"}


def test_a_batch_s_own_node_is_looked_at_even_if_it_is_said_to_be_down():
    assert "ctl-0" in gate_before(an_overcloud(), CATALOGUE, ["ctl-0"], PATIENCE, skip=["ctl-0"]).hosts


def test_agents_of_other_nodes_do_not_matter():
    assert gate_before(an_overcloud(), CATALOGUE, ["cmp-0"], PATIENCE).hosts == {"cmp-0"}


def test_what_nobody_can_check_is_counted():
    assert gate_after(an_overcloud(), CATALOGUE, ["cmp-0", "cmp-1"], PATIENCE).unchecked == ("novelty",)


def test_services_in_a_circle_are_refused():
    circle = Catalogue({"a": profile("a", after=("b",)), "b": profile("b", after=("a",))})
    with pytest.raises(BadProfile, match="in a circle: "):
        in_order(["a", "b"], circle)


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"censored": "the output has been hidden", "msg": "s3cret"}, "its output is hidden (no_log)"),
        ({"_ansible_no_log": True, "msg": "s3cret"}, "its output is hidden (no_log)"),
        ({"msg": "non-zero return code", "rc": 2, "stderr": "s3cret"}, "non-zero return code (2)"),
        ({"msg": "no such host"}, "no such host"),
        ({}, "no message"),
        (
            {"results": [{"failed": True, "msg": "no such host"}, {"failed": False, "msg": "fine"}]},
            "no such host",
        ),
        (
            {"cmd": ["systemctl", "is-active", "a", "b", "c"], "stdout_lines": ["inactive", "active", "failed"]},
            "not active: c (failed)",
        ),
    ],
)  # fmt: skip
def test_failures_are_told_in_a_few_words(result, text):
    assert explain(result) == text


def test_no_name_gets_into_shell_text():
    overcloud = an_overcloud()
    before = gate_before(overcloud, CATALOGUE, ["ctl-0"], PATIENCE)
    after = gate_after(overcloud, CATALOGUE, ["cmp-0"], PATIENCE)
    for play in (*before.plays, *after.plays):
        assert not [each for each in play["tasks"] if {"shell", "raw", "script"} & set(each)]
        assert not [each for each in play["tasks"] if "command" in each and "argv" not in each["command"]]
