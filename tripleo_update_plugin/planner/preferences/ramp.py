"""How does an update begin with few nodes of each role and go on with more?

``1, 10%, 25%`` means: one node of every role; when it is updated, a tenth of them; from then on a quarter at a time.
Each step is made of groups of its own, which come after those of the step before.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from tripleo_update_plugin.planner.problem.problem import Problem
from tripleo_update_plugin.rules.budget import Budget


class _Piece(NamedTuple):
    """The nodes that step number ``step`` takes of the group ``group``."""

    group: int
    step: int
    nodes: tuple[str, ...]


def with_ramp(problem: Problem, steps: Sequence[Budget]) -> Problem:
    """*problem* with each role taken in *steps* of so many of its nodes, and so each service wave of a role."""
    families = dict.fromkeys((group.label, group.only) for group in problem.groups) if steps else {}
    for label, only in families:
        # In the order between groups, so that no step comes before one that order puts first.
        members = [i for i in problem.order if (problem.groups[i].label, problem.groups[i].only) == (label, only)]
        problem = _in_steps(problem, members, steps)
    return problem


def _in_steps(problem: Problem, members: Sequence[int], steps: Sequence[Budget]) -> Problem:
    """*problem* with the groups *members*, which are all of one role, taken in steps."""
    label, count = problem.groups[members[0]].label, sum(len(problem.groups[i].nodes) for i in members)
    sizes = [step.of(count) for step in steps]
    pieces = list(_pieces(problem, members, sizes))
    problem, steps_of = _cut(problem, pieces, [f"ramp: {size} of {count} {label} in this step" for size in sizes[:-1]])
    last = [i for i, step in steps_of.items() if step == len(sizes) - 1]
    if sum(len(problem.groups[i].nodes) for i in last) > sizes[-1]:
        problem = _bounded(problem, last, sizes[-1], f"ramp: {sizes[-1]} of {count} {label} at a time")
    return _one_after_the_other(problem, steps_of, f"ramp: {label} in growing steps")


def _pieces(problem: Problem, members: Iterable[int], sizes: Sequence[int]) -> Iterator[_Piece]:
    """The nodes of *members*, one after the other, in steps of *sizes*; the last step takes all that are left."""
    step, room = 0, sizes[0]
    for i in members:
        left = problem.groups[i].nodes
        while left:
            while not room and step < len(sizes) - 1:
                step, room = step + 1, sizes[step + 1]
            taken = len(left) if step == len(sizes) - 1 else room
            yield _Piece(i, step, left[:taken])
            room -= len(left[:taken])
            left = left[taken:]


def _cut(problem: Problem, pieces: Iterable[_Piece], ends: Sequence[str]) -> tuple[Problem, dict[int, int]]:
    """*problem* with a group for each piece, under the order of the group it is of; and {such a group: its step}."""
    groups = list(problem.groups)
    parts: dict[int, list[int]] = {}
    steps_of: dict[int, int] = {}
    for piece in pieces:
        end = ends[piece.step] if piece.step < len(ends) else ""
        made = replace(problem.groups[piece.group], nodes=piece.nodes, ends=end)
        place = len(groups) if piece.group in parts else piece.group
        groups[place : place + 1] = [made]
        parts.setdefault(piece.group, []).append(place)
        steps_of[place] = piece.step
    groups = [replace(g, before=frozenset(part for p in g.before for part in parts.get(p, [p]))) for g in groups]
    orders = {
        (a, b): why for (p, i), why in problem.orders.items() for a in parts.get(p, [p]) for b in parts.get(i, [i])
    }
    return replace(problem, groups=tuple(groups), orders=orders), steps_of


def _bounded(problem: Problem, members: Iterable[int], capacity: int, reason: str) -> Problem:
    """*problem* with one more budget, for the groups *members*."""
    groups = list(problem.groups)
    for i in members:
        groups[i] = replace(groups[i], budgets=(*groups[i].budgets, len(problem.capacities)))
    capacities, reasons = (*problem.capacities, capacity), (*problem.reasons, reason)
    return replace(problem, groups=tuple(groups), capacities=capacities, reasons=reasons)


def _one_after_the_other(problem: Problem, steps_of: dict[int, int], reason: str) -> Problem:
    groups, orders = list(problem.groups), dict(problem.orders)
    for i, step in steps_of.items():
        earlier = frozenset(j for j, other in steps_of.items() if other == step - 1)
        groups[i] = replace(groups[i], before=groups[i].before | earlier)
        orders = {**dict.fromkeys(((j, i) for j in earlier), reason), **orders}
    return replace(problem, groups=tuple(groups), orders=orders)
