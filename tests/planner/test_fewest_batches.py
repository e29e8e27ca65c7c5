"""The fewest batches: a bound that nothing beats, and schedules that meet it.

What is tried here, counted and looked at knows Group and Problem, and nothing of how the planner goes about it.
"""

from functools import cache
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.planner.problem.problem import Group, Problem
from tripleo_update_plugin.planner.search import cp_sat, fewest_batches
from tripleo_update_plugin.planner.search.batch_bound import batches_bound, families
from tripleo_update_plugin.planner.search.bounds import Chains
from tripleo_update_plugin.planner.search.schedule import schedule
from tripleo_update_plugin.rules.catalogue import Catalogue
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import an_overcloud

NONE = frozenset()


def problem(groups, capacities=(), canary=False):
    """Groups are (nodes, budgets, groups before, domain) and, where they do not take a minute, seconds."""
    made = tuple(
        Group(
            label=f"R{i}", nodes=tuple(f"r{i}-{k}" for k in range(count)), budgets=budgets, before=before,
            domain=domain, seconds=seconds[0] if seconds else 60,
        )
        for i, (count, budgets, before, domain, *seconds) in enumerate(groups)
    )  # fmt: skip
    return Problem(groups=made, capacities=capacities, reasons=tuple(map(str, capacities)), canary=canary)


@st.composite
def problems(draw):
    capacities = tuple(draw(st.lists(st.integers(1, 3), max_size=3)))
    budgets = st.sets(st.integers(0, len(capacities) - 1)) if capacities else st.just(set())
    groups = []
    for i in range(draw(st.integers(1, 3))):
        before = draw(st.frozensets(st.integers(0, i - 1))) if i else NONE
        domain, seconds = draw(st.sampled_from(["", "a", "b"])), draw(st.sampled_from([60, 60, 120]))
        groups.append((draw(st.integers(1, 3)), tuple(sorted(draw(budgets))), before, domain, seconds))
    return problem(groups, capacities, draw(st.booleans()))


def refused(problem, counts, left):
    """Whether so many nodes of each group may not go together, when so many of each are not updated yet."""
    going = [(group, count) for group, count in zip(problem.groups, counts, strict=True) if count]
    loads = [sum(count for group, count in going if b in group.budgets) for b in range(len(problem.capacities))]
    return (
        any(load > capacity for load, capacity in zip(loads, problem.capacities, strict=True))
        or len({group.domain for group, _ in going} - {""}) > 1
        or any(left[p] for group, _ in going for p in group.before)
    )


def batches_of(problem, started):
    """Of groups whose nodes start together: how many batches they are.

    Two groups are in one if their nodes take equally long and share a budget or domain, or if a third one joins them.
    """

    def joined(i, j):
        a, b = problem.groups[i], problem.groups[j]
        shared = set(a.budgets) & set(b.budgets) or (a.domain and a.domain == b.domain)
        return bool(shared) and a.seconds == b.seconds

    batches = [{i} for i in started]
    while pair := next((p for p in combinations(batches, 2) if any(joined(i, j) for i in p[0] for j in p[1])), None):
        batches = [batch for batch in batches if batch not in pair] + [pair[0] | pair[1]]
    return len(batches)


def tried(problem):
    """The fewest batches of all ways to update, one set of nodes after the other; those of a group are alike.

    No way has fewer because its batches overlap: they could go one after the other as well.
    """

    @cache
    def best(left):
        if not any(left):
            return 0
        ways = [
            batches_of(problem, [i for i, count in enumerate(counts) if count])
            + best(tuple(n - count for n, count in zip(left, counts, strict=True)))
            for counts in product(*(range(n + 1) for n in left))
            if any(counts) and not refused(problem, counts, left)
        ]
        return min(ways)

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


def test_without_time_for_a_search_the_plan_says_how_many_are_needed():
    made = plan({**CANARY, "solver_time": 0}, **ONE_OF_A_KIND)
    assert "in 3 batches (at least 2 are needed), 2 waves" in str(made)


def counted(problem, slots):
    return sum(batches_of(problem, slot.nodes) for slot in slots)


def runs(problem, slots):
    """(start, end, group) of every node."""
    return [
        (slot.start, slot.start + problem.groups[i].seconds, i)
        for slot in slots for i, nodes in slot.nodes.items() for _ in nodes
    ]  # fmt: skip


def breaks(problem, slots):
    """Whether at some moment nodes run that may not go together, or that should have waited for others."""
    all_runs, kinds = runs(problem, slots), range(len(problem.groups))
    for now in {start for start, _, _ in all_runs}:
        busy = [i for start, end, i in all_runs if start <= now < end]
        starting = {i for start, _, i in all_runs if start == now}
        left = [sum(1 for _, end, i in all_runs if i == k and end > now) for k in kinds]
        if refused(problem, [busy.count(i) for i in kinds], [0] * len(kinds)):
            return True
        if refused(problem, [int(i in starting) for i in kinds], left):
            return True
    return False


CUT_UP = [  # by the constructive schedule, which starts nodes as soon as it may
    (problem([(1, (2,), NONE, ""), (5, (0, 2), NONE, ""), (5, (0,), NONE, "")], (2, 2, 2)), 6, 5),
    (problem([(3, (0,), NONE, ""), (3, (0, 1), NONE, ""), (4, (1,), frozenset({0}), "")], (3, 2)), 5, 4),
    (problem([(5, (1,), NONE, ""), (4, (0, 2), NONE, ""), (3, (1, 2), frozenset({0}), "")], (1, 1, 2)), 12, 9),
]


@pytest.mark.parametrize(("problem", "before", "after"), CUT_UP)
def test_a_search_finds_the_fewest_in_the_same_time(problem, before, after):
    slots = schedule(problem, Chains(problem, problem.lengths).tails)
    found, proved = fewest_batches.fewest(problem, slots, 10)
    assert (counted(problem, slots), counted(problem, found), proved) == (before, after, after)
    assert tried(problem) == after
    assert max(end for _, end, _ in runs(problem, found)) <= max(end for _, end, _ in runs(problem, slots))
    updated = [node for slot in found for nodes in slot.nodes.values() for node in nodes]
    assert sorted(updated) == sorted(node for group in problem.groups for node in group.nodes)
    assert not breaks(problem, found)
    assert all(slot.closed_by[i] for slot in found for i in slot.nodes)


def test_without_a_solver_the_schedule_stays_and_nothing_is_proved():
    def missing():
        raise cp_sat.SolverMissing

    cut_up, *_ = CUT_UP[0]
    slots = schedule(cut_up, Chains(cut_up, cut_up.lengths).tails)
    assert fewest_batches.fewest(cut_up, slots, 10, missing) == (slots, 0)


def test_a_large_model_is_not_built():
    large = problem([(2000, (0,), NONE, "")], (1,))
    slots = schedule(large, Chains(large, large.lengths).tails)
    assert fewest_batches.fewest(large, slots, 10) == (slots, 0)
