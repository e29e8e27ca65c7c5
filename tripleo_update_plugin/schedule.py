"""Groups of alike nodes into waves: list scheduling by the longest way to the end, and a bound below any schedule.

A wave is a set of nodes that may all be down at once; every node of a group comes after all nodes of the groups that
precede it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tripleo_update_plugin.precedence import ranked


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that are alike to the planner.

    ``budgets`` are indexes of the problem's capacities, ``before`` indexes of the groups that precede it. The nodes
    are in the order in which they are taken, leaders last.
    """

    label: str
    nodes: tuple[str, ...]
    budgets: tuple[int, ...]
    before: frozenset[int]
    domain: str = ""


@dataclass(frozen=True)
class Problem:
    """What to schedule. ``capacities[i]`` nodes of budget i may be down at once, because of ``reasons[i]``."""

    groups: tuple[Group, ...]
    capacities: tuple[int, ...]
    reasons: tuple[str, ...]
    canary: bool = False

    @cached_property
    def order(self) -> list[int]:
        """Group indexes, each after those that precede it."""
        return ranked({i: group.before for i, group in enumerate(self.groups)})

    def work(self, counts: Mapping[int, int]) -> int:
        """Waves that so many nodes of each group need at the least, whatever their order."""
        load: dict[int, int] = {}
        for i, count in counts.items():
            for budget in self.groups[i].budgets:
                load[budget] = load.get(budget, 0) + count
        waves = [-(-total // self.capacities[budget]) for budget, total in load.items()]
        return max([min(1, sum(counts.values())), *waves])

    @cached_property
    def heads(self) -> list[int]:
        """For each group, the waves that must pass before its first node."""
        heads = [0] * len(self.groups)
        for i in self.order:
            heads[i] = max((heads[p] + self.size(p) for p in self.groups[i].before), default=0)
        return heads

    @cached_property
    def tails(self) -> list[int]:
        """For each group, the waves that must follow its last node."""
        tails = [0] * len(self.groups)
        for i in reversed(self.order):
            for p in self.groups[i].before:
                tails[p] = max(tails[p], self.size(i) + tails[i])
        return tails

    def size(self, i: int) -> int:
        """Waves that group *i* needs at the least."""
        return self.work({i: len(self.groups[i].nodes)})


@dataclass(frozen=True, slots=True)
class Slot:
    """The nodes of one wave, and what kept more of a group out; both by group index."""

    nodes: Mapping[int, tuple[str, ...]]
    closed_by: Mapping[int, str]


def lower_bound(problem: Problem) -> int:
    """Waves that no schedule can go below.

    With a canary, one wave for it, and what the rest needs at the least.
    """
    if not problem.canary:
        return _chain_bound(problem)
    first = [i for i, group in enumerate(problem.groups) if not group.before]
    return min((1 + _chain_bound(_without_one(problem, i)) for i in first), default=0)


def _without_one(problem: Problem, i: int) -> Problem:
    groups = tuple(replace(g, nodes=g.nodes[1:]) if k == i else g for k, g in enumerate(problem.groups))
    return replace(problem, groups=groups)


def _chain_bound(problem: Problem) -> int:
    """The longest chain over order and ceil(nodes / budget).

    For every budget and every earliest start, the nodes that cannot start earlier need their share of waves, and
    then what must follow the last of them.
    """
    heads, tails = problem.heads, problem.tails
    best = max((heads[i] + problem.size(i) + tails[i] for i in range(len(problem.groups))), default=0)
    for budget in range(len(problem.capacities)):
        users = [i for i, group in enumerate(problem.groups) if budget in group.budgets]
        for start in {heads[i] for i in users}:
            late = [i for i in users if heads[i] >= start and problem.groups[i].nodes]
            if not late:
                continue
            waves = problem.work({i: len(problem.groups[i].nodes) for i in late})
            best = max(best, start + waves + min(tails[i] for i in late))
    return max(best, _domain_bound(problem))


def _domain_bound(problem: Problem) -> int:
    domains = {group.domain for group in problem.groups if group.domain}
    counts = [
        {i: len(g.nodes) for i, g in enumerate(problem.groups) if g.domain == domain} for domain in sorted(domains)
    ]
    return sum(problem.work(count) for count in counts)


def schedule(problem: Problem) -> list[Slot]:
    """Waves, as few as the greedy choice gives; then spread evenly where that costs no wave."""
    waves = _greedy(problem, {})
    even = {}
    for i, group in enumerate(problem.groups):
        used = sum(1 for wave in waves if i in wave.nodes)
        if used == problem.size(i):
            even[i] = -(-len(group.nodes) // used)
    spread = _greedy(problem, even)
    return spread if len(spread) <= len(waves) else waves


def _greedy(problem: Problem, most: Mapping[int, int]) -> list[Slot]:
    """Wave by wave, the groups with the longest way to go first, as many of each as fit and as *most* allows."""
    left = [list(group.nodes) for group in problem.groups]
    waves: list[Slot] = []
    while any(left):
        ready = [
            i for i, group in enumerate(problem.groups) if left[i] and not any(left[p] for p in group.before)
        ]
        ready.sort(key=lambda i: (-problem.work({i: len(left[i])}) - problem.tails[i], i))
        if problem.canary and not waves:
            first = ready[0]
            waves.append(Slot({first: (left[first].pop(0),)}, {first: "canary: one node first"}))
            continue
        waves.append(_fill(problem, ready, left, most))
    return waves


def _fill(problem: Problem, ready: Sequence[int], left: list[list[str]], most: Mapping[int, int]) -> Slot:
    free = list(problem.capacities)
    domain = ""
    nodes: dict[int, tuple[str, ...]] = {}
    closed: dict[int, str] = {}
    for i in ready:
        group = problem.groups[i]
        if group.domain and domain and group.domain != domain:
            closed[i] = f"one failure domain at a time: {domain}"
            continue
        room = min([free[b] for b in group.budgets], default=len(left[i]))
        count = min(len(left[i]), room, most.get(i, len(left[i])))
        if count:
            domain = domain or group.domain
            nodes[i], left[i][:] = tuple(left[i][:count]), left[i][count:]
            for b in group.budgets:
                free[b] -= count
        if left[i]:
            closed[i] = _closed_by(problem, i, free, count < room)
    return Slot(nodes, closed)


def _closed_by(problem: Problem, i: int, free: Sequence[int], evened: bool) -> str:
    full = [problem.reasons[b] for b in problem.groups[i].budgets if free[b] < 1]
    if evened or not full:
        return "spread evenly over its waves"
    return full[0]

