"""The fewest batches: a bound that nothing beats, and schedules that meet it."""

from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.planner.problem.problem import Group, Problem
from tripleo_update_plugin.planner.search import cp_sat, fewest_batches
from tripleo_update_plugin.planner.search.batch_bound import batches_bound, families
from tripleo_update_plugin.planner.search.bounds import Chains
from tripleo_update_plugin.planner.search.schedule import makespan, schedule
from tripleo_update_plugin.rules.catalogue import Catalogue
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import an_overcloud

NONE = frozenset()


def problem(groups, capacities=(), canary=False):
    made = tuple(
        Group(
            label=f"R{i}", nodes=tuple(f"r{i}-{k}" for k in range(count)), budgets=budgets, before=before,
            domain=domain, seconds=60,
        )
        for i, (count, budgets, before, domain) in enumerate(groups)
    )  # fmt: skip
    return Problem(groups=made, capacities=capacities, reasons=tuple(map(str, capacities)), canary=canary)


@st.composite
def problems(draw):
    capacities = tuple(draw(st.lists(st.integers(1, 3), max_size=3)))
    budgets = st.sets(st.integers(0, len(capacities) - 1)) if capacities else st.just(set())
    groups = []
    for i in range(draw(st.integers(1, 3))):
        before = draw(st.frozensets(st.integers(0, i - 1))) if i else NONE
        groups.append((draw(st.integers(1, 3)), tuple(sorted(draw(budgets))), before, draw(st.sampled_from(["", "a"]))))
    return problem(groups, capacities, draw(st.booleans()))


def tried(problem):
    """The fewest batches of all ways to update node by node, group by group; written without the planner's means."""

    def starts(left):
        for counts in product(*(range(n + 1) for n in left)):
            chosen = [i for i, count in enumerate(counts) if count]
            waits = any(left[p] for i in chosen for p in problem.groups[i].before)
            full = any(
                sum(counts[i] for i in chosen if b in problem.groups[i].budgets) > capacity
                for b, capacity in enumerate(problem.capacities)
            )
            if chosen and not waits and not full:
                yield counts, len(families(problem, chosen))

    @cache
    def best(left):
        if not any(left):
            return 0
        return min(n + best(tuple(a - b for a, b in zip(left, counts, strict=True))) for counts, n in starts(left))

    whole = tuple(len(group.nodes) for group in problem.groups)
    if not problem.canary:
        return best(whole)
    firsts = [i for i, group in enumerate(problem.groups) if not group.before]
    return 1 + min(best(tuple(n - (k == i) for k, n in enumerate(whole))) for i in firsts)


@given(problems())
def test_nothing_that_can_be_tried_has_fewer_batches_than_the_bound(problem):
    assert 0 < batches_bound(problem) <= tried(problem)


def test_the_bound_is_met_where_families_are_apart():
    """Two roles that share a budget can go together; one that waits for both, and one that shares nothing, cannot."""
    roles = problem(
        [(4, (0,), NONE, ""), (2, (0,), NONE, ""), (3, (0,), frozenset({0, 1}), ""), (2, (), NONE, "")], (3,)
    )
    assert batches_bound(roles) == tried(roles) == 2 + 1 + 1


def test_groups_that_never_start_together_are_no_family():
    racks = problem([(2, (0,), NONE, "a"), (2, (0,), NONE, "b")], (4,))
    assert families(racks, range(2)) == [(0,), (1,)]
    assert batches_bound(racks) == 2


CANARY = {"canary": True, "waivers": [{"service": "bus", "reason": "nobody takes it"}], "budgets": {"bus": "100%"}}
ONE_OF_A_KIND = {"Ra": (2, ("bus",)), "Rb": (1, ("bus",))}


def plan(policy, **roles):
    return plan_update(an_overcloud(**roles), Catalogue({}), parse_policy(policy))


def test_the_canary_that_leaves_the_fewest_batches_goes_first():
    made = plan(CANARY, **ONE_OF_A_KIND)
    assert [batch.nodes for batch in made.batches] == [("rb-0",), ("ra-0", "ra-1")]
    assert "in 2 batches (the fewest possible), 2 waves" in str(made)


@pytest.mark.parametrize("policy", [{"solver_time": 0}, {}], ids=["no time", "no solver"])
def test_without_a_search_the_plan_says_how_many_are_needed(monkeypatch, policy):
    def missing():
        raise cp_sat.SolverMissing

    monkeypatch.setattr(cp_sat, "solver", missing)
    made = plan({**CANARY, **policy}, **ONE_OF_A_KIND)
    assert "in 3 batches (at least 2 are needed), 2 waves" in str(made)


def batches(problem, slots):
    return sum(len(families(problem, slot.nodes)) for slot in slots)


CUT_UP = [  # by the constructive schedule, which starts nodes as soon as it may
    (problem([(1, (2,), NONE, ""), (5, (0, 2), NONE, ""), (5, (0,), NONE, "")], (2, 2, 2)), 6, 5),
    (problem([(3, (0,), NONE, ""), (3, (0, 1), NONE, ""), (4, (1,), frozenset({0}), "")], (3, 2)), 5, 4),
    (problem([(5, (1,), NONE, ""), (4, (0, 2), NONE, ""), (3, (1, 2), frozenset({0}), "")], (1, 1, 2)), 12, 9),
]


@pytest.mark.parametrize(("problem", "before", "after"), CUT_UP)
def test_a_search_finds_the_fewest_in_the_same_time(problem, before, after):
    slots = schedule(problem, Chains(problem, problem.lengths).tails)
    found, proved = fewest_batches.fewest(problem, slots, 10)
    assert (batches(problem, slots), batches(problem, found), proved) == (before, after, after)
    assert tried(problem) == after
    assert makespan(problem, list(found)) <= makespan(problem, slots)
    for i, group in enumerate(problem.groups):
        assert sum(len(slot.nodes.get(i, ())) for slot in found) == len(group.nodes)
    assert all(slot.closed_by[i] for slot in found for i in slot.nodes)


def test_a_large_model_is_not_built():
    large = problem([(2000, (0,), NONE, "")], (1,))
    slots = schedule(large, Chains(large, large.lengths).tails)
    assert fewest_batches.fewest(large, slots, 10) == (slots, 0)
