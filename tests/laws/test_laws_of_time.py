"""What holds for plans of nodes that take different times, judged by checker.py."""

import random
from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from tripleo_update_plugin.plan import safety
from tripleo_update_plugin.plan.plan import Plan

from . import checker
from .checker import World
from .worlds import overcloud_of, plan_of, worlds

timed_worlds = worlds(timed=True, orders=4)

#: Small enough to try every possible update.
tiny_worlds = worlds(most_nodes=4, most_in_all=6, timed=True)


def planned(world: World) -> Plan:
    """The plan, of worlds that have one."""
    assume(world.waived or not world.short())
    return plan_of(world)


@given(timed_worlds)
def test_no_instant_breaks_anything_however_long_batches_take(world):
    plan = planned(world)
    assert checker.broken_instants(world, plan) == []
    assert checker.broken_order(world, plan) == []
    assert sorted(node for batch in plan.batches for node in batch.nodes) == sorted(world.wanted)


@given(timed_worlds)
def test_a_batch_takes_as_long_as_its_slowest_node_and_the_plan_as_its_longest_chain(world):
    plan = planned(world)
    assert all(batch.seconds == max(map(world.lasts, batch.nodes)) for batch in plan.batches)
    assert plan.makespan == checker.longest_chain(world, plan)


@given(timed_worlds)
def test_no_plan_is_quicker_than_its_bound(world):
    plan = planned(world)
    assert plan.makespan >= plan.makespan_bound
    assert (plan.makespan == plan.makespan_bound) == (plan.proved != "no")


@given(tiny_worlds)
def test_nothing_that_can_be_tried_is_quicker_than_the_bound_or_than_a_proved_plan(world):
    plan = planned(world)
    assume(not checker.unmet(plan))
    quickest = checker.quickest(world)
    assert quickest is not None and plan.makespan_bound <= quickest <= plan.makespan
    assert plan.proved == "no" or plan.makespan == quickest


@given(worlds(most_nodes=4), st.data())
def test_tighter_budgets_never_shorten_a_proved_plan(world, data):
    numbers = sorted(service for service, budget in world.budgets.items() if budget != "agents")
    assume(numbers)  # a number in place of the rule 'agents' is no tighter: it forgets about roles
    world = replace(world, waived=True)
    service = data.draw(st.sampled_from(numbers))
    tighter = replace(world, budgets={**world.budgets, service: data.draw(st.integers(1, world.allowed(service)))})
    loose, tight = plan_of(world), plan_of(tighter)
    assume(not checker.unmet(loose) and not checker.unmet(tight) and loose.proved != "no")
    assert tight.makespan >= loose.makespan


@given(timed_worlds)
def test_without_an_exact_search_a_plan_is_only_proved_by_its_bound(world):
    world = replace(world, waived=True)
    quick, best = plan_of(world, solver_time=0), plan_of(world)
    assert quick.proved in ("bound", "no")
    assert quick.makespan_bound <= best.makespan_bound <= best.makespan <= quick.makespan
    assert best.proved != "no"


@given(worlds())
def test_where_all_nodes_take_equally_long_time_goes_in_waves(world):
    plan = planned(world)
    assert plan.makespan == 600 * plan.waves
    assert plan.makespan_bound == 600 * plan.lower_bound


@given(timed_worlds)
def test_every_batch_says_why_it_waits(world):
    for batch in planned(world).batches:
        assert set(batch.because) == set(batch.after)
        assert all(batch.because.values())


@given(timed_worlds)
def test_safety_finds_nothing_wrong(world):
    assert list(safety.problems(planned(world), overcloud_of(world))) == []


@given(timed_worlds, st.integers(0, 2**16).map(random.Random))
def test_the_order_of_what_heat_says_does_not_matter(world, shuffle):
    assume(world.waived or not world.short())
    assert plan_of(world, shuffle) == plan_of(world)
