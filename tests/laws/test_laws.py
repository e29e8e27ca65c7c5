"""What holds for every plan, on random small overclouds, judged by checker.py."""

import random
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tripleo_update_plugin.errors import Infeasible
from tripleo_update_plugin.plan import safety
from tripleo_update_plugin.plan.plan import Batch, Plan

from . import checker
from .checker import World
from .worlds import overcloud_of, plan_of, worlds

seeds = st.integers(0, 2**16).map(random.Random)

#: Small enough to try every possible update.
tiny_worlds = worlds(most_nodes=4, most_in_all=7)


def planned(world: World) -> Plan:
    """The plan, of worlds that have one."""
    assume(world.waived or not world.short())
    return plan_of(world)


@given(worlds())
def test_a_plan_exists_exactly_where_every_service_has_something_to_spare(world):
    if world.short() and not world.waived:
        with pytest.raises(Infeasible) as refusal:
            plan_of(world)
        assert all(service in str(refusal.value) for service in world.short())
    else:
        assert bool(plan_of(world).waivers) == bool(world.short())


@given(worlds())
def test_every_node_is_in_one_batch_or_excluded(world):
    plan = planned(world)
    assert sorted(node for batch in plan.batches for node in batch.nodes) == sorted(world.wanted)
    assert set(plan.excluded) == world.excluded | world.down


@given(worlds())
def test_no_instant_breaks_a_budget_or_a_domain(world):
    assert checker.broken_instants(world, planned(world)) == []


@given(worlds(orders=6))
def test_order_holds_but_where_the_plan_says_it_does_not(world):
    assert checker.broken_order(world, planned(world)) == []


@given(worlds())
def test_a_wave_is_the_longest_chain_of_batches_before(world):
    plan = planned(world)
    waves: dict[str, int] = {}
    for batch in plan.batches:
        waves[batch.id] = batch.wave
        assert batch.wave == 1 + max((waves[before] for before in batch.after), default=0)
    assert plan.waves == max(waves.values(), default=0)


@given(worlds())
def test_no_batch_could_join_the_wave_before(world):
    """Nor could one of its nodes, where nodes of that kind are not spread evenly over their waves."""
    plan = planned(replace(world, canary=False))
    assume(not checker.unmet(plan))
    for batch in plan.batches:
        earlier = [node for b in plan.batches if b.wave < batch.wave - 1 for node in b.nodes]
        beside = [node for b in plan.batches if b.wave == batch.wave - 1 for node in b.nodes]
        evened = any("evenly" in b.closed_by for b in plan.batches)
        for joining in [batch.nodes] if evened else [batch.nodes, *((node,) for node in batch.nodes)]:
            others = world.wanted - set(earlier) - set(joining)
            waits = any(world.precedes(x, y, world.orders) for x in others for y in joining)
            assert batch.wave == 1 or waits or world.refuses([*beside, *joining])


@given(worlds())
def test_no_plan_is_shorter_than_its_lower_bound(world):
    plan = planned(world)
    assert plan.waves >= plan.lower_bound


@given(worlds())
def test_no_plan_has_fewer_batches_than_its_bound(world):
    plan = planned(world)
    assert 0 < plan.batches_bound <= len(plan.batches) or not plan.batches
    assert ("(the fewest possible)" in str(plan)) == (plan.batches_bound == len(plan.batches) > 0)


@given(tiny_worlds)
def test_nothing_that_can_be_tried_is_shorter_than_the_lower_bound(world):
    plan = planned(world)
    assume(not checker.unmet(plan))
    shortest = checker.shortest(world)
    assert shortest is not None and plan.lower_bound <= shortest <= plan.waves
    assert "the least possible" not in str(plan) or plan.waves == shortest


@given(worlds(orders=5), seeds)
def test_the_order_of_what_heat_says_does_not_matter(world, shuffle):
    assert plan_of(replace(world, waived=True), shuffle) == plan_of(replace(world, waived=True))


@given(worlds(), st.data())
def test_a_tighter_budget_never_lowers_the_lower_bound(world, data):
    numbers = sorted(service for service, budget in world.budgets.items() if budget != "agents")
    assume(numbers)  # a number in place of the rule 'agents' is no tighter: it forgets about roles
    world = replace(world, waived=True)
    service = data.draw(st.sampled_from(numbers))
    tighter = replace(world, budgets={**world.budgets, service: data.draw(st.integers(1, world.allowed(service)))})
    loose, tight = plan_of(world), plan_of(tighter)
    assume(not checker.unmet(loose) and not checker.unmet(tight))
    assert tight.lower_bound >= loose.lower_bound


@given(worlds())
def test_a_plan_survives_being_written_and_read(world):
    plan = planned(world)
    assert Plan.from_dict(plan.to_dict()) == plan


@given(worlds())
def test_safety_finds_nothing_wrong_with_a_plan(world):
    assert list(safety.problems(planned(world), overcloud_of(world))) == []


@given(worlds(), st.data())
def test_safety_refuses_exactly_what_breaks_at_some_instant(world, data):
    """A batch forgets what it comes after, or takes in others; under waivers, too."""
    plan = planned(world)
    assume(len(plan.batches) > 1)
    edit = data.draw(st.sampled_from([forgetful, larger]))
    broken = edit(plan, data.draw(st.sampled_from(plan.batches[1:])))
    found = [problem for problem in safety.problems(broken, overcloud_of(world)) if "may overlap" in problem]
    assert bool(checker.broken_instants(world, broken)) == bool(found)


@given(worlds(orders=6), st.data())
def test_safety_refuses_exactly_what_breaks_an_order(world, data):
    plan = planned(world)
    assume(len(plan.batches) > 1)
    edit = data.draw(st.sampled_from([forgetful, larger]))
    broken = edit(plan, data.draw(st.sampled_from(plan.batches[1:])))
    problems = list(safety.problems(broken, overcloud_of(world)))
    found = [problem for problem in problems if "does not come after" in problem or "which come later" in problem]
    assert bool(checker.broken_order(world, broken)) == bool(found)


def forgetful(plan: Plan, batch: Batch) -> Plan:
    """*plan*, where *batch* waits for nothing."""
    return replace(plan, batches=tuple(replace(b, after=()) if b is batch else b for b in plan.batches))


def larger(plan: Plan, batch: Batch) -> Plan:
    """*plan*, where *batch* updates the nodes of all batches before it in the list as well; those are gone."""
    place = plan.batches.index(batch)
    gone = {b.id for b in plan.batches[:place]}
    whole = replace(batch, after=(), nodes=tuple(node for b in plan.batches[: place + 1] for node in b.nodes))
    rest = (
        replace(b, after=tuple(dict.fromkeys(batch.id if id in gone else id for id in b.after)))
        for b in plan.batches[place + 1 :]
    )
    return replace(plan, batches=(whole, *rest))


@given(worlds(), st.data())
def test_safety_misses_no_node(world, data):
    plan = planned(world)
    assume(plan.batches)
    node = data.draw(st.sampled_from(plan.nodes))
    batches = tuple(replace(b, nodes=tuple(n for n in b.nodes if n != node)) for b in plan.batches)
    assert any(node in problem for problem in safety.problems(replace(plan, batches=batches), overcloud_of(world)))
