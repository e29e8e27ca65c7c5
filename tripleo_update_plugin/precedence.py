"""Which groups of nodes must be updated before which others: order between services, brought down to nodes.

``a`` before ``b`` means: a node with ``a`` precedes every node with ``b``, except where each of the two has both
services; such nodes satisfy the order inside themselves only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

Order = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Precedence:
    """``before`` is {group: groups that precede it}; ``unmet`` are orders that cannot be met node by node."""

    before: Mapping[int, frozenset[int]]
    unmet: tuple[Order, ...]


def precedence_of(groups: Sequence[frozenset[str]], orders: Iterable[Order]) -> Precedence:
    """The order of *groups* (each given by its services), without cycles.

    Where orders contradict one another node by node, the pair of groups that the fewest orders ask for gives way.
    """
    asked: dict[tuple[int, int], list[Order]] = {}
    for first, then in orders:
        for a, services in enumerate(groups):
            if first not in services:
                continue
            for b, others in enumerate(groups):
                if a != b and then in others and not (first in others and then in services):
                    asked.setdefault((a, b), []).append((first, then))
    unmet: list[Order] = []
    while cycle := _cycle(asked, len(groups)):
        weakest = min(cycle, key=lambda pair: (len(asked[pair]), pair))
        unmet += asked.pop(weakest)
    before = {b: frozenset(x for x, y in asked if y == b) for b in range(len(groups))}
    return Precedence(before, tuple(dict.fromkeys(unmet)))


def _cycle(pairs: Iterable[tuple[int, int]], count: int) -> list[tuple[int, int]]:
    """The pairs along some cycle, none if there is none."""
    graph: dict[int, set[int]] = {group: set() for group in range(count)}
    for a, b in pairs:
        graph[b].add(a)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        path = error.args[1]  # each element precedes the next
        return list(pairwise(path))
    return []


def ranked(before: Mapping[int, frozenset[int]]) -> list[int]:
    """The groups, each after all that precede it."""
    return list(TopologicalSorter(before).static_order())
