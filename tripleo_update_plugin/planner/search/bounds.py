"""What can no schedule go below, in waves, where every node counts as one step, and in seconds?

The bounds are chains of loads. Nodes that share a budget of ``c`` and take ``d`` each need ceil(n / c) x d; nodes that
take different times need at least their sum divided by ``c``. Before them lies what must precede the first of them,
after them what must follow the last.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import gcd

from tripleo_update_plugin.planner.problem.problem import Problem


class Chains:
    """The ways through a problem whose nodes take *lengths*: ``heads`` before each group, ``tails`` after it."""

    def __init__(self, problem: Problem, lengths: Sequence[int]) -> None:
        self._problem = problem
        self._lengths = lengths
        groups = problem.groups
        after: list[list[int]] = [[] for _ in groups]
        for i, group in enumerate(groups):
            for p in group.before:
                after[p].append(i)
        self.sizes = [problem.rounds(i) * lengths[i] for i in range(len(groups))]
        self.heads = self._ways(problem.order, lambda i: groups[i].before)
        self.tails = self._ways(problem.order[::-1], lambda i: after[i])

    def _ways(self, order: Iterable[int], nearer: Callable[[int], Iterable[int]]) -> list[int]:
        """For each group, the least time that all groups on one side of it need; *nearer* gives the next of them."""
        ways = [0] * len(self._problem.groups)
        beyond: dict[int, frozenset[int]] = {}
        for i in order:
            beyond[i] = frozenset().union(*(beyond[p] | {p} for p in nearer(i)))
            ways[i] = max((ways[p] + self.sizes[p] for p in nearer(i)), default=0)
            if len(beyond[i]) > 1:
                ways[i] = max(ways[i], self._loads(beyond[i], ways))
        return ways

    def _loads(self, groups: frozenset[int], ways: Sequence[int]) -> int:
        """The least time for *groups*, each of them no sooner than its way allows."""
        best = 0
        for budget, users in enumerate(self._problem.users):
            inside = [i for i in users if i in groups]
            if not inside or max(ways[i] for i in inside) + self.load(budget, inside) <= best:
                continue
            for start in {ways[i] for i in inside}:
                best = max(best, start + self.load(budget, [i for i in inside if ways[i] >= start]))
        return best

    def load(self, budget: int, groups: Iterable[int]) -> int:
        """The least time in which *groups* can go through *budget*."""
        capacity, nodes, work, best = self._problem.capacities[budget], 0, 0, 0
        for length, i in sorted(((self._lengths[i], i) for i in groups), reverse=True):
            nodes += len(self._problem.groups[i].nodes)
            work += len(self._problem.groups[i].nodes) * length
            best = max(best, -(-nodes // capacity) * length)
        return max(best, -(-work // capacity))

    def bound(self) -> int:
        """The longest chain over order and loads."""
        problem, heads, tails = self._problem, self.heads, self.tails
        best = max((heads[i] + self.sizes[i] + tails[i] for i in range(len(problem.groups))), default=0)
        for budget, members in enumerate(problem.users):
            users = [i for i in members if problem.groups[i].nodes]
            if not users or not self._may_exceed(best, budget, users, max(heads[i] for i in users)):
                continue
            for start in {heads[i] for i in users}:
                late = [i for i in users if heads[i] >= start]
                if not self._may_exceed(best, budget, late, start):
                    continue
                for end in {tails[i] for i in late}:
                    best = max(best, start + self.load(budget, [i for i in late if tails[i] >= end]) + end)
        return max(best, self._domains())

    def _may_exceed(self, best: int, budget: int, groups: list[int], start: int) -> bool:
        """Whether some of *groups* in a row through *budget* from *start* on can take longer than *best*."""
        return start + self.load(budget, groups) + max(self.tails[i] for i in groups) > best

    def _domains(self) -> int:
        """One failure domain after the other, each as long as it takes alone."""
        problem = self._problem
        total = 0
        for domain in sorted({group.domain for group in problem.groups if group.domain}):
            inside = [i for i, group in enumerate(problem.groups) if group.domain == domain]
            loads = (self.load(b, [i for i in users if i in inside]) for b, users in enumerate(problem.users))
            total += max([*(self.sizes[i] for i in inside), *loads], default=0)
        return total


def bounds(problem: Problem, chains: Chains) -> tuple[int, int]:
    """Waves and seconds that no schedule can go below; *chains* are those in seconds. A canary has its own wave."""
    if problem.is_even:
        seconds = _bound(problem, problem.lengths, chains)
        return seconds // max(problem.lengths, default=1), seconds
    ones = (1,) * len(problem.groups)
    step = gcd(*problem.lengths)  # in the shortest schedules every node ends after a sum of durations
    seconds = -(-_bound(problem, problem.lengths, chains) // step) * step
    return _bound(problem, ones, Chains(problem, ones)), seconds


def _bound(problem: Problem, lengths: Sequence[int], chains: Chains) -> int:
    bound = chains.bound()
    if not problem.canary or not problem.groups:
        return bound
    first = [i for i, group in enumerate(problem.groups) if not group.before]
    first.sort(key=lambda i: -chains.sizes[i] - chains.tails[i])
    best = sum(lengths) + bound
    for i in first:
        # Without one of its nodes a problem is shorter by no more than that node: then none is better than the bound.
        if best > max(bound, lengths[i]):
            best = min(best, lengths[i] + Chains(without_one(problem, i), lengths).bound())
    return best


def without_one(problem: Problem, i: int) -> Problem:
    """The rest of a problem whose canary is of group *i*."""
    groups = tuple(replace(g, nodes=g.nodes[1:]) if k == i else g for k, g in enumerate(problem.groups))
    return replace(problem, groups=groups, canary=False)
