"""When do the nodes of each group start? List scheduling by the longest way to the end.

Nodes start when something has ended: those with the longest way to go first, as many as every budget leaves room for.
A budget is in use from the start to the end of a node. Where all nodes take equally long this gives waves.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tripleo_update_plugin.planner.problem.problem import Problem


@dataclass(frozen=True, slots=True)
class Slot:
    """Nodes that start together, ``start`` seconds after the beginning.

    ``nodes`` is {group: names}, ``closed_by`` {group: why no more of it start}; groups by index.
    """

    start: int
    nodes: Mapping[int, tuple[str, ...]]
    closed_by: Mapping[int, str]


class Site:
    """What is going on at one moment of a schedule in the making: what is left, what runs, what is free."""

    def __init__(self, problem: Problem) -> None:
        groups = problem.groups
        self.problem = problem
        self.now = 0
        self.left = [len(group.nodes) for group in groups]
        self.free = list(problem.capacities)
        self.domain = ""  # the one that is being updated
        self._in_domain = 0  # nodes
        self._unfinished = list(self.left)
        self._running: list[tuple[int, int, int]] = []  # end, group, nodes
        self._followers: list[list[int]] = [[] for _ in groups]
        self._waits = [0] * len(groups)
        for i, group in enumerate(groups):
            for p in group.before:
                if self._unfinished[p]:
                    self._followers[p].append(i)
                    self._waits[i] += 1
        self.ready = {i for i in range(len(groups)) if self.left[i] and not self._waits[i]}

    @property
    def is_over(self) -> bool:
        """Whether nothing runs, and nothing is left to start."""
        return not self._running and not self.ready

    def room(self, i: int) -> int:
        """How many more nodes of group *i* may start now."""
        group = self.problem.groups[i]
        if group.domain and self.domain not in ("", group.domain):
            return 0
        return min([self.left[i], *(self.free[b] for b in group.budgets)])

    def start(self, i: int, count: int) -> tuple[str, ...]:
        """Start *count* nodes of group *i*; their names."""
        group = self.problem.groups[i]
        first = len(group.nodes) - self.left[i]
        self.left[i] -= count
        if not self.left[i]:
            self.ready.discard(i)
        for budget in group.budgets:
            self.free[budget] -= count
        if group.domain:
            self.domain = group.domain
            self._in_domain += count
        heapq.heappush(self._running, (self.now + group.seconds, i, count))
        return group.nodes[first : first + count]

    def wait(self) -> None:
        """Go on to the moment when the next node ends."""
        self.now = self._running[0][0]
        while self._running and self._running[0][0] == self.now:
            _, i, count = heapq.heappop(self._running)
            self._end(i, count)

    def _end(self, i: int, count: int) -> None:
        group = self.problem.groups[i]
        for budget in group.budgets:
            self.free[budget] += count
        if group.domain:
            self._in_domain -= count
            self.domain = self.domain if self._in_domain else ""
        self._unfinished[i] -= count
        if not self._unfinished[i]:
            self._free_followers(i)

    def _free_followers(self, i: int) -> None:
        for follower in self._followers[i]:
            self._waits[follower] -= 1
            if not self._waits[follower] and self.left[follower]:
                self.ready.add(follower)

    def closed_by(self, i: int) -> str:
        """Why no more of group *i* can start now, "" if more can."""
        group = self.problem.groups[i]
        if not self.left[i]:
            return group.ends or f"no more {group.label}{group.domain and f' in {group.domain}'}"
        return next((self.problem.reasons[b] for b in group.budgets if self.free[b] < 1), "")


EVENED = "spread evenly over its waves"
CANARY = "canary: one node first"


def makespan(problem: Problem, slots: list[Slot]) -> int:
    """Seconds from the start of a schedule to its end."""
    return max((slot.start + problem.groups[i].seconds for slot in slots for i in slot.nodes), default=0)


def schedule(problem: Problem, tails: Sequence[int]) -> list[Slot]:
    """As short as the greedy choice gives; then spread evenly where that costs no time.

    *tails* are the seconds that must follow each group.
    """
    slots = _greedy(problem, tails, {})
    started = [0] * len(problem.groups)
    for slot in slots:
        for i in slot.nodes:
            started[i] += 1
    even = {i: -(-len(g.nodes) // n) for i, g in enumerate(problem.groups) if (n := started[i]) == problem.rounds(i)}
    spread = _greedy(problem, tails, even)
    return spread if makespan(problem, spread) <= makespan(problem, slots) else slots


def _greedy(problem: Problem, tails: Sequence[int], most: Mapping[int, int]) -> list[Slot]:
    """The groups with the longest way to go first, as many of each as fit and as *most* allows."""
    site = Site(problem)
    slots: list[Slot] = []
    while not site.is_over:
        ready = sorted(site.ready, key=lambda i: (-_to_go(site, i) - tails[i], i))
        if problem.canary and not slots:
            slots.append(Slot(0, {ready[0]: site.start(ready[0], 1)}, {ready[0]: CANARY}))
        else:
            slot = _fill(site, ready, most)
            if slot.nodes:
                slots.append(slot)
        site.wait()
    return slots


def _to_go(site: Site, i: int) -> int:
    """The seconds that what is left of group *i* needs at the least."""
    return -(-site.left[i] // site.problem.widths[i]) * site.problem.groups[i].seconds


def _fill(site: Site, ready: list[int], most: Mapping[int, int]) -> Slot:
    nodes = {}
    for i in ready:
        count = min(site.room(i), most.get(i, site.left[i]))
        if count:
            nodes[i] = site.start(i, count)
    return Slot(site.now, nodes, {i: site.closed_by(i) or EVENED for i in nodes})
