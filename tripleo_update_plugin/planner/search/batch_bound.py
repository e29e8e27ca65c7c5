"""How many batches must any plan have?

Nodes are in one batch only if they start together, take equally long and share a budget or failure domain, directly or
through others that start with them. So groups fall into families that have no batch in common, and a family's batches,
done one after the other, are a schedule of the family alone: no fewer than the waves that such a schedule must have.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from tripleo_update_plugin.planner.problem.problem import Group, Problem
from tripleo_update_plugin.planner.search.bounds import Chains, bounds


def families(problem: Problem, members: Iterable[int], behind: Sequence[frozenset[int]] = ()) -> list[tuple[int, ...]]:
    """The groups *members*, by index, in tuples of those whose nodes may make one batch.

    Without *behind* the groups are taken to start together. With it (``behind[i]`` are all groups before group ``i``),
    of two that wait for one another none is taken to start with the other.
    """
    own = sorted(members)
    keys = {i: _keys(problem.groups[i]) for i in own}
    parent = {i: i for i in own}

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for i, j in combinations(own, 2):
        if not keys[i].isdisjoint(keys[j]) and not _are_apart(problem, i, j, behind):
            parent[root(j)] = root(i)
    found: dict[int, list[int]] = {}
    for i in own:
        found.setdefault(root(i), []).append(i)
    return sorted(tuple(family) for family in found.values())


def _keys(group: Group) -> frozenset[Hashable]:
    own: tuple[Hashable, ...] = (*group.budgets, group.domain) if group.domain else group.budgets
    return frozenset((key, group.seconds, group.only) for key in own)


def _are_apart(problem: Problem, i: int, j: int, behind: Sequence[frozenset[int]]) -> bool:
    """Whether nodes of two groups never start together."""
    domains = {problem.groups[i].domain, problem.groups[j].domain} - {""}
    return len(domains) > 1 or (bool(behind) and (i in behind[j] or j in behind[i]))


def all_before(problem: Problem) -> list[frozenset[int]]:
    """For each group, by index, all that come before it, directly or through others."""
    behind: list[frozenset[int]] = [frozenset()] * len(problem.groups)
    for i in problem.order:
        before = problem.groups[i].before
        behind[i] = before.union(*(behind[p] for p in before))
    return behind


def batches_bound(problem: Problem) -> int:
    """The number of batches that no schedule of *problem* can go below."""
    alone, with_canary = [], []
    for family in _subproblems(problem):
        alone.append(_waves(family))
        with_canary.append(_waves(replace(family, canary=True)) if problem.canary else alone[-1])
    cost_of_canary = min((more - least for more, least in zip(with_canary, alone, strict=True)), default=0)
    return sum(alone) + cost_of_canary


def _waves(problem: Problem) -> int:
    return bounds(problem, Chains(problem, problem.lengths))[0]


def _subproblems(problem: Problem) -> Iterator[Problem]:
    """Each family by itself, under the order that it has through other groups as well."""
    behind = all_before(problem)
    for family in families(problem, (i for i, group in enumerate(problem.groups) if group.nodes), behind):
        place = {i: k for k, i in enumerate(family)}
        groups = tuple(
            replace(problem.groups[i], before=frozenset(place[p] for p in behind[i] if p in place)) for i in family
        )
        yield replace(problem, groups=groups, orders={}, canary=False)
