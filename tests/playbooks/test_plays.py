import dataclasses

import pytest

from tripleo_update_plugin.errors import BadProfile
from tripleo_update_plugin.overcloud.model import Node, Overcloud
from tripleo_update_plugin.playbooks import gates
from tripleo_update_plugin.playbooks.gates import HEALTH_TASK, Patience, gate_after, gate_before, unchecked
from tripleo_update_plugin.playbooks.plays import explain, in_order, steps
from tripleo_update_plugin.rules.acceptance import parse
from tripleo_update_plugin.rules.catalogue import KINDS, Catalogue, Profile

PATIENCE = Patience(retries=3, delay=1)


def profile(service, kind="stateless", **more):
    budget, limit = KINDS[kind]
    return Profile(service=service, kind=kind, budget=budget, limit=limit, **more)


def task(name):
    return {"name": name, "command": {"argv": [name]}}


CATALOGUE = Catalogue({
    each.service: each
    for each in (
        profile(
            "mysql", "quorum", units={"bundle": ("galera-bundle",)}, gate={"bundle": (task("synced"),)},
            health={"bundle": ({"command": {"argv": ["mysql"], "members": "(.)"}},), "any": ({"tcp": {"port": 3306}},)},
        ),
        profile("cinder_volume", "active-passive", units={"bundle": ("openstack-cinder-volume",)}),
        profile(
            "keystone", after=("mysql",), units={"container": ("tripleo_keystone",), "systemd": ("httpd",)},
            proxies={"keystone_public": "drain"}, health={"any": ({"http": {"port": 5000}},)},
            drain={"any": (task("drain keystone"), task("wait"))}, restore={"any": (task("restore keystone"),)},
        ),
        profile(
            "nova_api", after=("keystone",), units={"container": ("tripleo_nova_api",)},
            drain={"container": (task("drain nova"), task("wait"))}, restore={"any": (task("restore nova"),)},
        ),
        profile("nova_compute", "agent", units={"container": ("tripleo_nova_compute",)}),
        profile("timezone", "host"),
        profile("haproxy", drain={"any": ({"name": "move", "x": "{{ tripleo_update_hosts.haproxy }}"},)}),
        profile("compute_instanceha", "host", gate={"any": (task("started"),)}),
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


def with_balancers(**excluded):
    overcloud = an_overcloud()
    balancers = tuple(
        Node(name=f"lb-{i}", role="Balancer", services=frozenset({"haproxy"}), excluded=excluded.get(f"lb_{i}", ""))
        for i in range(3)
    )
    return dataclasses.replace(overcloud, nodes=overcloud.nodes + balancers, vips={"public": "192.0.2.5", "redis": "r"})


def names(play):
    return [each["name"] for each in play["tasks"]]


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


def checks(play, host):
    return {
        (tuple(check["services"]), kind): value
        for check in play["vars"]["tripleo_update_looks"][host]
        for kind, value in check.items() if kind != "services"
    }  # fmt: skip


def test_a_gate_looks_at_all_services_in_one_task():
    play, own = gate_after(an_overcloud(), CATALOGUE, ["ctl-0"], PATIENCE).plays
    assert (names(play), names(own)) == ([HEALTH_TASK], ["synced"])
    assert checks(play, "ctl-0") == {
        (("cinder_volume",), "somewhere"): ["openstack-cinder-volume"],
        (("mysql",), "here"): ["galera-bundle"],
        (("mysql",), "command"): {"argv": ["mysql"], "members": "(.)", "least": 3},
        (("keystone",), "containers"): ["tripleo_keystone"],
        (("keystone",), "http"): {"port": 5000},
        (("nova_api",), "containers"): ["tripleo_nova_api"],
    }


def test_members_that_are_down_are_not_counted():
    play, _ = gate_after(an_overcloud(), CATALOGUE, ["ctl-0"], PATIENCE, skip=["ctl-1", "ctl-0"]).plays
    assert checks(play, "ctl-0")[("mysql",), "command"]["least"] == 2


def test_what_services_share_is_looked_at_once():
    shared = Catalogue({name: profile(name, units={"systemd": ("httpd",)}) for name in ("a", "b")})
    node = Node(name="n", role="R", services=frozenset("ab"))
    runners = {"R": dict.fromkeys("ab", "systemd")}
    overcloud = dataclasses.replace(an_overcloud(), nodes=(node,), runners=runners)
    [play] = gate_after(overcloud, shared, ["n"], PATIENCE).plays
    assert checks(play, "n") == {(("a", "b"), "units"): ["httpd"]}


@pytest.mark.parametrize(
    ("patience", "seconds", "retries"),
    [(Patience(retries=3, delay=1), 3, 0), (Patience.of(60, 5), 60, 0), (Patience.of(1800, 5), 60, 29)],
)
def test_a_gate_looks_again_until_its_time_is_up(patience, seconds, retries):
    [play] = gate_after(an_overcloud(), CATALOGUE, ["cmp-0"], patience).plays
    [look] = play["tasks"]
    assert (look["tripleo_update_health"]["seconds"], look["retries"]) == (seconds, retries)
    assert "tripleo_update_marks" in look["tripleo_update_health"]["folder"], "what is noted is in the node's record"
    assert seconds * (retries + 1) == patience.seconds


def test_what_configures_a_host_is_gated_only_if_it_has_a_gate():
    node = Node(name="n", role="R", services=frozenset({"timezone", "compute_instanceha"}))
    overcloud = dataclasses.replace(an_overcloud(), nodes=(node,), runners={"R": {}})
    [play] = gate_after(overcloud, CATALOGUE, ["n"], PATIENCE).plays
    assert names(play) == ["started"]


def test_haproxy_lets_go_of_nodes_before_they_are_drained_and_takes_them_back_at_last():
    overcloud = with_balancers(lb_2="by the operator")
    out, drain = steps("drain", overcloud, CATALOGUE, ["ctl-0", "ctl-1"], skip=["lb-1"]).plays
    restore, back = steps("restore", overcloud, CATALOGUE, ["ctl-0", "ctl-1"]).plays
    assert (out["hosts"], back["hosts"]) == (["lb-0"], ["lb-0", "lb-1"])
    assert (drain["hosts"], restore["hosts"]) == (["ctl-0", "ctl-1"],) * 2
    moves = [play["tasks"][0]["tripleo_update_balancer"] for play in (out, back)]
    assert [move["state"] for move in moves] == ["out", "in"]
    assert all(move["nodes"] == ["ctl-0", "ctl-1"] for move in moves)
    assert all(move["proxies"] == {"keystone_public": "drain"} for move in moves)


def test_the_last_server_of_a_proxy_stays():
    phase = steps("drain", with_balancers(), CATALOGUE, ["ctl-0", "ctl-1"], skip=["ctl-2", "api-0"])
    assert [play["hosts"] for play in phase.plays] == [["ctl-0", "ctl-1"]]


def test_tasks_get_what_they_ask_for():
    [play] = steps("drain", with_balancers(), CATALOGUE, ["lb-0"], skip=["lb-1"]).plays
    assert play["vars"] == {
        "tripleo_update_batch": ["lb-0"],
        "tripleo_update_vips": ["192.0.2.5"],
        "tripleo_update_hosts": {"haproxy": ["lb-0", "lb-2"]},
    }


def test_a_gate_before_looks_at_the_peers_for_what_they_share():
    health, own = gate_before(an_overcloud(), CATALOGUE, ["ctl-0"], PATIENCE).plays
    assert health["hosts"] == ["api-0", "ctl-0", "ctl-1", "ctl-2"]
    assert own["hosts"] == ["ctl-0", "ctl-1", "ctl-2"]
    assert checks(health, "api-0") == {
        (("keystone",), "units"): ["httpd"],
        (("keystone",), "http"): {"port": 5000},
    }


def test_a_gate_before_skips_the_nodes_that_are_down():
    phase = gate_before(an_overcloud(), CATALOGUE, ["ctl-0"], PATIENCE, skip=["ctl-1"])
    assert phase.hosts == {"ctl-0", "ctl-2", "api-0"}


def test_a_batch_s_own_node_is_looked_at_even_if_it_is_said_to_be_down():
    assert "ctl-0" in gate_before(an_overcloud(), CATALOGUE, ["ctl-0"], PATIENCE, skip=["ctl-0"]).hosts


@pytest.mark.parametrize(
    ("nodes", "allowed", "wanted"),
    [
        (["ctl-0", "ctl-1"], {"keystone": 2}, {"going": ["ctl-0", "ctl-1"], "away": ["ctl-2", "lb-1"], "allowed": 2}),
        (["ctl-0"], {"mysql": 1}, None),
        (["ctl-0"], None, None),
        (["cmp-0"], {"keystone": 2}, None),
    ],
)
def test_a_gate_before_asks_every_haproxy_for_the_servers_of_the_batch(nodes, allowed, wanted):
    plain = an_overcloud()
    balancers = [Node(name=f"lb-{i}", role="LB", services=frozenset({"haproxy"})) for i in range(2)]
    overcloud = dataclasses.replace(plain, nodes=(*plain.nodes, *balancers))
    health = gate_before(overcloud, CATALOGUE, nodes, PATIENCE, skip=["ctl-2", "lb-1"], allowed=allowed).plays[0]
    told = health["vars"]["tripleo_update_looks"].get("lb-0", [])
    found = [check["servers"] for check in told if "servers" in check]
    assert found == ([{"keystone_public": wanted}] if wanted else [])
    assert "lb-1" not in health["hosts"]
    after = gate_after(overcloud, CATALOGUE, nodes, PATIENCE).plays[0]
    assert "lb-0" not in after["hosts"]


def test_agents_of_other_nodes_do_not_matter():
    assert gate_before(an_overcloud(), CATALOGUE, ["cmp-0"], PATIENCE).hosts == {"cmp-0"}


def test_a_service_without_anything_to_look_at_is_looked_for_by_its_name():
    [play] = gate_after(an_overcloud(), CATALOGUE, ["cmp-0"], PATIENCE).plays
    assert checks(play, "cmp-0")[("novelty",), "like"] == "novelty"


def test_what_nobody_can_check_is_told():
    results = {"cmp-1": {HEALTH_TASK: {"unchecked": ["novelty"]}}, "cmp-0": {HEALTH_TASK: {}}, "cmp-2": {}}
    assert unchecked(results) == ["novelty"]


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
        ({"msg": "sick: a", "sick": {"a": "not active: x (failed)"}}, "a is sick: not active: x (failed)"),
        ({"msg": "sick: a, b", "sick": {"b": "two", "a": "one"}}, "a, b are sick: a: one; b: two"),
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


ACCEPTED = parse([
    {"name": "service:keystone", "roles": ["Api"]}, {"name": "unit:tripleo_keystone", "nodes": ["ctl-1"]},
])  # fmt: skip


@pytest.mark.parametrize(("gate", "names"), [
    (gate_before, {"api-0": ["service:keystone"], "ctl-1": ["unit:tripleo_keystone"]}), (gate_after, {}),
])  # fmt: skip
def test_gates_bring_what_is_accepted_to_each_node_as_data(gate, names):
    play, _ = gate(an_overcloud(), CATALOGUE, ["ctl-0"], PATIENCE, accept=ACCEPTED).plays
    assert play["vars"]["tripleo_update_accept"] == names
    asked = play["tasks"][0]["tripleo_update_health"]
    assert (asked["moment"], asked["accept"]) == (
        "before" if names else "after", "{{ tripleo_update_accept[inventory_hostname] | default([]) }}"
    )  # fmt: skip


def test_what_is_accepted_is_told_once_with_its_nodes():
    told = {"unchecked": [], "accepted": {"keystone": "unhealthy: tripleo_keystone"}}
    results = {"ctl-10": {HEALTH_TASK: told}, "ctl-2": {HEALTH_TASK: {**told, "without": ["keystone"]}}, "x": {}}
    assert gates.accepted(results) == ["keystone is sick: unhealthy: tripleo_keystone (ctl-2, ctl-10)"]
    assert gates.not_running(results) == {"ctl-2": ["keystone"]}


def test_a_remedy_spells_some_names_out():
    found = {"a": ["unit:b10", "unit:b2"], "b": ["unit:c", "unit:d"]}
    results = {node: {HEALTH_TASK: {"sick": {"x": "ill"}, "names": names}} for node, names in found.items()}
    told = gates.remedy(results, "before")
    spelled = ", ".join(f'{{name: "unit:{name}", reason: "…"}}' for name in ("b2", "b10", "c"))
    assert f"'accept: [{spelled}]'" in told
    assert told.endswith(", and 1 more") and gates.remedy({"a": {}}, "before") == ""
    assert "mend it and retry" in gates.remedy(results, "after")
    worse = {"a": {HEALTH_TASK: {"sick": {"x": "ill"}, "names": []}}}
    assert "if it may stay so, 'openstack overcloud update unlock'" in gates.remedy(worse, "before")
