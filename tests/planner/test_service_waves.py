"""Services updated alone first, on all their nodes."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st
from laws import checker
from laws.worlds import overcloud_of, plan_of, worlds

from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan import safety
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.rules.scope import parse_limit
from tripleo_update_plugin.testing import a_catalogue, an_overcloud

OVN = a_catalogue(ovn_controller={"kind": "agent"}, ovn_dbs={"kind": "active-passive", "after": ["ovn_controller"]})
OVERCLOUD = an_overcloud(
    Controller=(3, ["ovn_controller", "ovn_dbs", "nova_conductor"]), Compute=(4, ["ovn_controller", "nova_compute"])
)


def planned(limit=None, **policy):
    return plan_update(OVERCLOUD, OVN, parse_policy(policy), Facts(), limit)


@st.composite
def worlds_with_service_waves(draw):
    world = draw(worlds(most_nodes=4, timed=True))
    deployed = sorted(set().union(*world.services.values()))
    first = draw(st.lists(st.sampled_from(deployed), min_size=1, max_size=2, unique=True))
    return replace(world, first=tuple(first), waived=True)


def whole(plan):
    return replace(plan, batches=tuple(batch for batch in plan.batches if not batch.only))


def test_an_order_that_cannot_be_met_node_by_node_is_met():
    assert any("ovn_controller before ovn_dbs cannot" in warning for warning in planned().warnings)
    plan = planned(service_waves=["ovn_controller"])
    assert [(b.wave, b.nodes, b.only) for b in plan.batches[:2]] == [
        (1, ("compute-0", "compute-1", "controller-0"), ("ovn_controller",)),
        (2, ("compute-2", "compute-3", "controller-1"), ("ovn_controller",)),
    ]
    assert plan.batches[0].impact.keys() == {"ovn_controller"}
    assert plan.warnings == ("ovn_controller first, on all nodes that have it, costs 3 waves: 8 instead of 5",)
    assert plan.batches[3].because == {"batch-3": "order: ovn_controller first, on all its nodes"}


def test_a_service_wave_takes_its_own_time():
    plan = planned(service_waves=["ovn_controller"], durations={"default": 600, "services": {"ovn_controller": 30}})
    assert {b.seconds for b in plan.batches if b.only} == {30}
    assert plan.makespan == 5 * 600 + 3 * 30


def test_a_limit_to_a_service_has_no_service_waves():
    plan = planned(parse_limit(["service:ovn_dbs"], OVERCLOUD), service_waves=["ovn_controller"])
    assert {batch.only for batch in plan.batches} == {("ovn_dbs",)}


@given(worlds_with_service_waves())
def test_every_node_is_in_one_batch_as_a_whole_and_in_one_for_each_of_its_services_that_go_first(world):
    plan = plan_of(world)
    assert sorted(n for batch in whole(plan).batches for n in batch.nodes) == sorted(world.wanted)
    for service in world.first:
        nodes = [n for batch in plan.batches if batch.only == (service,) for n in batch.nodes]
        assert sorted(nodes) == sorted(world.wanted & world.hosts(service))


@given(worlds_with_service_waves())
def test_they_end_before_any_node_that_has_the_service_or_comes_after_it(world):
    plan = plan_of(world)
    before = checker.ancestors(plan)
    for service in world.first:
        held = {then for first, then in world.orders if first == service} | {service}
        for late in whole(plan).batches:
            if any(world.services[node] & held for node in late.nodes):
                assert {batch.id for batch in plan.batches if batch.only == (service,)} <= before[late.id]


@given(worlds_with_service_waves())
def test_no_instant_breaks_a_budget(world):
    plan = plan_of(world)
    for together in checker.antichains(plan):
        names = [node for batch in together for node in batch.nodes]
        assert len(names) == len(set(names))
        for service in world.budgets:
            hit = [n for b in together for n in b.nodes if service in (b.only or world.services[n])]
            alone = replace(world, budgets={service: world.budgets[service]}, domains={})
            assert not alone.refuses(world.hosts(service) & set(hit))
        assert not replace(world, budgets={}).refuses(names)


@given(worlds_with_service_waves())
def test_the_plan_is_proved_and_safe(world):
    plan = plan_of(world)
    assume(not checker.unmet(plan))
    assert plan.proved != "no"
    assert plan.makespan == plan.makespan_bound
    assert list(safety.problems(plan, overcloud_of(world))) == []
