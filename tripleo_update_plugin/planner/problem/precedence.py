"""Which groups of nodes must be updated before which others? The order between services, brought down to nodes.

``a`` before ``b`` means: a node with ``a`` precedes every node with ``b``, except where each of the two has both
services; such nodes satisfy the order inside themselves only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

#: (service that goes first, service that comes after it)
Order = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Precedence:
    """The order between groups, each given by its index. ``before`` is {group: groups that precede it}.

    ``unmet`` are the orders that cannot be met node by node: {order: pairs of groups that do not keep it}.
    ``because`` is {(group, group after it): the orders that ask for it}.
    """

    before: Mapping[int, frozenset[int]]
    unmet: Mapping[Order, tuple[tuple[int, int], ...]]
    because: Mapping[tuple[int, int], tuple[Order, ...]]


def precedence_of(groups: Sequence[frozenset[str]], orders: Iterable[Order]) -> Precedence:
    """The order of *groups* (each given by its services), without cycles.

    Where orders contradict one another node by node, the pair of groups that the fewest orders ask for gives way.
    """
    asked: dict[tuple[int, int], list[Order]] = {}
    for first, then in orders:
        followers = [b for b, others in enumerate(groups) if then in others]
        for a, services in enumerate(groups):
            if first in services:
                for b in followers:
                    if a != b and not (first in groups[b] and then in services):
                        asked.setdefault((a, b), []).append((first, then))
    unmet: dict[Order, tuple[tuple[int, int], ...]] = {}
    for pair in [pair for pair in asked if pair < pair[::-1] and pair[::-1] in asked]:  # most circles are of two
        _give_up(_weakest(asked, (pair, pair[::-1])), asked, unmet)
    while cycle := _cycle(asked, len(groups)):
        _give_up(_weakest(asked, cycle), asked, unmet)
    before: dict[int, set[int]] = {b: set() for b in range(len(groups))}
    for a, b in asked:
        before[b].add(a)
    because = {pair: tuple(orders) for pair, orders in asked.items()}
    return Precedence({b: frozenset(a) for b, a in before.items()}, unmet, because)


def _give_up(
    pair: tuple[int, int],
    asked: dict[tuple[int, int], list[Order]],
    unmet: dict[Order, tuple[tuple[int, int], ...]],
) -> None:
    for order in asked.pop(pair):
        unmet[order] = (*unmet.get(order, ()), pair)


def _weakest(asked: Mapping[tuple[int, int], Sequence[Order]], pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
    return min(pairs, key=lambda pair: (len(asked[pair]), pair))


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
    """The groups, each after all that precede it. CycleError if they go in a circle."""
    return list(TopologicalSorter(before).static_order())
