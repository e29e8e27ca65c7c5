"""How does a plan get by with as few failovers as one of its length can have?

The leader of a service goes after all other nodes that have the service, whatever their role: so the service moves
once, to a node that is updated already. That is a wish: it is met where the plan gets no longer by it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import gcd

from tripleo_update_plugin.plan.plan import Batch
from tripleo_update_plugin.planner.problem.precedence import ranked
from tripleo_update_plugin.planner.problem.problem import Problem
from tripleo_update_plugin.planner.search import cp_sat
from tripleo_update_plugin.planner.search.bounds import Chains
from tripleo_update_plugin.planner.search.schedule import Slot, makespan, schedule
from tripleo_update_plugin.planner.search.shortest import Solution

_ASIDE = " (leaders aside)"


def leaders_last(
    problem: Problem,
    solution: Solution,
    leaders: Mapping[str, str],
    services_of: Mapping[str, frozenset[str]],
    seconds: float = 0.0,
) -> tuple[Problem, Solution]:
    """The problem with as many leaders last as cost no time, and its solution.

    *leaders* is {service: node}, *services_of* {node: its services} of the nodes that are updated. Where the schedule
    gets longer by a leader, an exact search of so many *seconds* may find one that does not.
    """
    length = makespan(problem, list(solution.slots))
    led: dict[str, set[str]] = {}
    for service, node in leaders.items():
        if node in services_of:
            led.setdefault(node, set()).add(service)
    for node in sorted(led):
        later = _with_last(problem, node, led[node], services_of, frozenset(led))
        if later is None:
            continue
        slots = _no_longer(later, length, seconds)
        if slots:
            length = makespan(later, slots)
            proved = "bound" if solution.proved == "no" and length == solution.makespan_bound else solution.proved
            problem, solution = later, replace(solution, slots=slots, proved=proved)
    return problem, solution


def _no_longer(problem: Problem, length: int, seconds: float) -> list[Slot]:
    """A schedule that takes no longer than *length*; empty if none is found."""
    slots = schedule(problem, Chains(problem, problem.lengths).tails)
    step = gcd(*problem.lengths)
    if makespan(problem, slots) <= length:
        return slots
    if seconds <= 0 or len(problem.groups) * (length // step) > cp_sat.SMALL:
        return []
    try:
        return list(cp_sat.search(problem, length, length + step, seconds).slots)
    except cp_sat.SolverMissing:
        return []


def moved_twice(
    batches: Sequence[Batch], leaders: Mapping[str, str], services_of: Mapping[str, frozenset[str]]
) -> Iterator[tuple[str, str]]:
    """(service, its leader) where no other node that has the service is updated when the leader goes.

    Then the service moves to a node whose turn is still to come, and moves again. *services_of* is of the nodes that
    are updated.
    """
    after = {batch.id: batch.after for batch in batches}
    batch_of = {node: batch.id for batch in batches for node in batch.nodes}
    for service, leader in sorted(leaders.items()):
        peers = {
            batch_of.get(node, "") for node, services in services_of.items() if service in services and node != leader
        }
        if leader in batch_of and peers and peers.isdisjoint(_all_before(batch_of[leader], after)):
            yield service, leader


def _all_before(id: str, after: Mapping[str, Sequence[str]]) -> set[str]:
    """The batches that a batch comes after, directly or through others."""
    found: set[str] = set()
    left = list(after[id])
    while left:
        if (earlier := left.pop()) not in found:
            found.add(earlier)
            left.extend(after[earlier])
    return found


def _with_last(
    problem: Problem, leader: str, led: set[str], services_of: Mapping[str, frozenset[str]], leaders: frozenset[str]
) -> Problem | None:
    """*problem* with *leader* in a group of its own, after all groups that share a service it leads; None if it is so.

    Groups of other leaders don't count: each would want to be the last.
    """
    whole = (i for i, group in enumerate(problem.groups) if leader in group.nodes and not group.only)
    own = next(whole, None)
    if own is None:  # only some of its services are updated
        return None
    rest = tuple(node for node in problem.groups[own].nodes if node != leader)
    if not rest:  # it may have no equals, but still share a service with other groups
        return _after_others(problem, own, led, services_of, leaders)
    alone = replace(problem.groups[own], nodes=(leader,))
    mine = len(problem.groups)
    groups = [
        replace(group, before=group.before | {mine}) if own in group.before else group for group in problem.groups
    ]
    label = alone.label.removesuffix(_ASIDE)
    alone = replace(alone, label=label)
    groups[own] = replace(groups[own], nodes=rest, label=label + _ASIDE)
    orders = dict(problem.orders)
    for (before, then), reason in problem.orders.items():
        orders.update({(mine, then): reason} if before == own else {})
        orders.update({(before, mine): reason} if then == own else {})
    split = replace(problem, groups=(*groups, alone), orders=orders)
    return _after_others(split, mine, led, services_of, leaders)


def _after_others(
    problem: Problem, mine: int, led: set[str], services_of: Mapping[str, frozenset[str]], leaders: frozenset[str]
) -> Problem | None:
    behind = _behind(problem, mine)
    others = {
        i
        for i, group in enumerate(problem.groups)
        if i not in behind and not group.only and group.nodes[0] not in leaders and services_of[group.nodes[0]] & led
    }
    if not others - problem.groups[mine].before:
        return None
    groups = list(problem.groups)
    groups[mine] = replace(groups[mine], before=groups[mine].before | others)
    why = f"failover: the leader of {', '.join(sorted(led))} goes last"
    return replace(problem, groups=tuple(groups), orders={**{(i, mine): why for i in others}, **problem.orders})


def _behind(problem: Problem, mine: int) -> set[int]:
    """The groups that must come after a group, and itself."""
    behind = {mine}
    for i in ranked({i: group.before for i, group in enumerate(problem.groups)}):
        if problem.groups[i].before & behind:
            behind.add(i)
    return behind
