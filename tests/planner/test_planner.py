import pytest

from tripleo_update_plugin.errors import BadLimit, Infeasible
from tripleo_update_plugin.overcloud.facts import Facts, Held
from tripleo_update_plugin.plan import safety
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.rules.scope import Limit, parse_limit
from tripleo_update_plugin.testing import a_catalogue, an_overcloud

CORE = ["pacemaker", "mysql", "rabbitmq", "keystone", "nova_api", "nova_conductor", "ntp"]
THREE = an_overcloud(Controller=(3, CORE), Compute=(4, ["nova_compute", "ntp"]))


def planned(overcloud=THREE, facts=None, limit=None, **policy):
    return plan_update(overcloud, a_catalogue(), parse_policy(policy), facts or Facts(), limit)


def waves(plan):
    return [(batch.wave, ", ".join(batch.nodes)) for batch in plan.batches]


def test_three_controllers_then_the_computes_by_half():
    plan = planned()
    assert waves(plan) == [
        (1, "controller-0"),
        (2, "controller-1"),
        (3, "controller-2"),
        (4, "compute-0, compute-1"),
        (5, "compute-2, compute-3"),
    ]
    assert plan.lower_bound == 5
    assert plan.batches[0].closed_by == "mysql: 1 of 3 may be down"
    assert plan.batches[-1].closed_by == "no more Compute"
    assert plan.warnings == ()


def test_roles_that_share_nothing_go_side_by_side():
    plan = planned(an_overcloud(Database=(2, ["redis"]), Networker=(2, ["neutron_l3"])))
    assert [(b.wave, b.nodes, b.after) for b in plan.batches] == [
        (1, ("database-0",), ()),
        (1, ("networker-0",), ()),
        (2, ("database-1",), ("batch-1",)),
        (2, ("networker-1",), ("batch-2",)),
    ]


def test_the_leader_goes_last():
    plan = planned(facts=Facts(leaders={"mysql": "controller-0"}))
    assert [nodes for _, nodes in waves(plan)[:3]] == ["controller-1", "controller-2", "controller-0"]


def test_nodes_that_are_up_to_date_can_be_left_out():
    digest = THREE.digest
    facts = Facts(
        updated={"controller-0": digest, "controller-1": digest, "controller-2": "f" * 64, "compute-0": digest,
                 "compute-1": digest},
        updates={**dict.fromkeys((node.name for node in THREE.nodes), 0), "controller-1": 3},
        held={"compute-1": Held(state="at work", update="u-1")},
    )  # fmt: skip
    assert "controller-0" in planned(facts=facts).nodes
    plan = plan_update(THREE, a_catalogue(), parse_policy({}), facts, skip_current=True)
    assert "controller-1" in plan.nodes, "something is newer"
    assert "controller-2" in plan.nodes, "it was updated to other outputs"
    assert plan.excluded["controller-0"].startswith("up to date: ") and plan.excluded["compute-0"].startswith("up to ")
    assert plan.excluded["compute-1"].startswith("at work since"), "whose it is says more"


@pytest.mark.parametrize(("newer", "warned"), [(0, True), (1, False)])
def test_a_plan_says_that_nothing_is_newer_anywhere(newer, warned):
    updates = {**dict.fromkeys((node.name for node in THREE.nodes), 0), "compute-3": newer}
    assert any("update prepare" in text for text in planned(facts=Facts(updates=updates)).warnings) == warned
    partly = Facts(updates={"controller-0": 0})
    assert not any("update prepare" in text for text in planned(facts=partly).warnings)


def test_a_canary_goes_alone():
    plan = planned(an_overcloud(Compute=(4, ["nova_compute"])), canary=True)
    assert waves(plan)[0] == (1, "compute-0")
    assert plan.batches[0].closed_by == "canary: one node first"
    assert all("batch-1" in batch.after for batch in plan.batches if batch.wave == 2)


def test_domains_go_one_after_the_other():
    plan = planned(an_overcloud(Compute=(4, ["ntp"])), domains={"x": ["compute-0", "compute-2"], "y": ["compute-1"]})
    assert waves(plan) == [(1, "compute-0, compute-2"), (1, "compute-3"), (2, "compute-1")]


def test_a_node_that_is_down_is_left_out_and_counts():
    plan = planned(an_overcloud(Compute=(6, ["nova_compute"])), Facts(down=frozenset({"compute-1"})))
    assert plan.excluded == {"compute-1": "does not answer"}
    assert [len(batch.nodes) for batch in plan.batches] == [2, 2, 1]
    assert plan.batches[0].impact["nova_compute"].down == 3
    assert plan.batches[0].closed_by == "nova_compute: 3 of 6 may be down, 1 already is"


def test_a_node_that_an_update_holds_is_left_out_and_counts():
    held = Held(state="out of use", update="1234abcd-9", batch="batch-2", since=0.0)
    plan = planned(an_overcloud(Database=(5, ["redis"])), Facts(held={"database-0": held}), budgets={"redis": 2})
    assert plan.excluded["database-0"] == "out of use since 1970-01-01T00:00:00Z by update 1234abcd, batch-2"
    assert [len(batch.nodes) for batch in plan.batches] == [1] * 4
    assert plan.batches[0].closed_by == "redis: 2 of 5 may be down, 1 already is"
    assert list(safety.problems(plan, an_overcloud(Database=(5, ["redis"])))) == []
    with pytest.raises(Infeasible, match="mysql: 1 of 3 may be down, 1 down already"):
        planned(facts=Facts(held={"controller-0": held}))


def test_a_second_database_down_is_refused_with_numbers():
    with pytest.raises(Infeasible) as refusal:
        planned(facts=Facts(down=frozenset({"controller-1"})))
    assert "mysql: 1 of 3 may be down, 1 down already" in refusal.value.message
    assert refusal.value.message.startswith("6 services would have more down than may be: ")
    assert refusal.value.message.endswith("; and 1 more")


def test_one_copy_is_refused_unless_it_is_waived():
    one = an_overcloud(Controller=(1, ["mysql"]))
    with pytest.raises(Infeasible, match="mysql has one copy only"):
        planned(one)
    plan = planned(one, waivers=[{"service": "mysql", "reason": "night"}])
    assert plan.waivers == ({"service": "mysql", "reason": "night"},)
    assert waves(plan) == [(1, "controller-0")]


def test_a_waiver_that_is_not_needed_is_not_shown():
    assert planned(waivers=[{"service": "*", "reason": "night"}]).waivers == ()


def test_an_overcloud_that_was_not_asked_is_warned_of():
    plan = plan_update(THREE, a_catalogue())
    assert plan.facts is None
    assert any("without live facts" in warning for warning in plan.warnings)


def test_an_unknown_service_and_an_old_release_are_warned_of():
    plan = planned(an_overcloud(release="pike", Controller=(2, ["homemade"])))
    assert "not in the service catalogue, so one node at a time: homemade" in plan.warnings
    assert any("brings no update tasks" in warning for warning in plan.warnings)


def test_orders_that_cannot_be_met_are_warned_of():
    mixed = an_overcloud(A=(1, ["mysql", "nova_compute"]), B=(1, ["nova_conductor"]))
    order = [{"first": "nova_compute", "then": "nova_conductor"}]
    plan = planned(mixed, order=order, waivers=[{"service": "*", "reason": "x"}])
    assert sum("cannot be met node by node" in warning for warning in plan.warnings) == 1


@pytest.mark.parametrize(
    ("texts", "nodes"),
    [
        (["role:Compute"], {"compute-0", "compute-1", "compute-2", "compute-3"}),
        (["node:compute-3", "node:controller-0"], {"compute-3", "controller-0"}),
        (["compute-1"], {"compute-1"}),
        (["service:mysql"], {"controller-0", "controller-1", "controller-2"}),
        (["mysql", "controller-2"], {"controller-2"}),
        ([], {node.name for node in THREE.nodes}),
    ],
)
def test_a_limit_takes_the_nodes_it_names(texts, nodes):
    plan = planned(limit=parse_limit(texts, THREE))
    assert set(plan.nodes) == nodes
    assert set(plan.excluded.values()) <= {"outside --limit"}


def test_a_limit_to_a_service_takes_only_that_down():
    plan = planned(limit=parse_limit(["service:nova_api"], THREE))
    assert {batch.only for batch in plan.batches} == {("nova_api",)}
    assert {service for batch in plan.batches for service in batch.impact} == {"nova_api"}


@pytest.mark.parametrize("text", ["role:Compue", "mysq", "node:mysql", "zone:a", "role:", ""])
def test_a_limit_to_nothing_is_refused(text):
    with pytest.raises(BadLimit):
        parse_limit([text], THREE)


def test_a_limit_that_may_mean_two_things_is_refused():
    overcloud = an_overcloud(mysql=(1, ["mysql"]))
    with pytest.raises(BadLimit, match="role:mysql or service:mysql"):
        parse_limit(["mysql"], overcloud)


def test_a_limit_survives_being_written_and_read():
    limit = parse_limit(["role:Compute", "service:ntp"], THREE)
    assert limit.to_dict() == {"roles": ["Compute"], "services": ["ntp"]}
    assert Limit.from_dict(limit.to_dict()) == limit


def test_a_budget_is_free_again_as_soon_as_a_node_has_ended():
    overcloud = an_overcloud(Slow=(1, ["keystone"]), Quick=(3, ["keystone"]))
    plan = planned(overcloud, durations={"roles": {"Slow": 900, "Quick": 300}})
    assert [(b.nodes, b.seconds, b.after) for b in plan.batches] == [
        (("quick-0",), 300, ()),
        (("slow-0",), 900, ()),
        (("quick-1",), 300, ("batch-1",)),
        (("quick-2",), 300, ("batch-3",)),
    ]
    assert plan.timeline["batch-4"] == (600, 900)
    assert (plan.makespan, plan.makespan_bound, plan.proved) == (900, 900, "bound")
    assert "3 waves, 15 min (the least possible)" in str(plan)
    assert plan.batches[2].because == {"batch-1": "keystone: 2 of 4 may be down"}


def test_why_a_batch_waits():
    plan = planned()
    assert plan.batches[1].because == {"batch-1": "mysql: 1 of 3 may be down"}
    assert plan.batches[3].because == {"batch-3": "order: nova_conductor before nova_compute"}
