"""How many nodes of batches, of which some come after others, may be down at the same time?

Exactly: it is the heaviest antichain of the order. By Dilworth's theorem that is the least number of rows of nodes, one
after the other in each, that hold all nodes. A row goes on where a node of a later batch takes the place of one of an
earlier batch; so there are as many rows as nodes, less the most places that can be taken over, which is a maximum flow.
"""

from collections.abc import Iterator, Sequence


def most_together(weights: Sequence[int], before: Sequence[int], enough: int = 0) -> int:
    """The most nodes of batches of which none comes before another.

    Batch ``i`` has ``weights[i]`` nodes and comes after the batches in the bit set ``before[i]``. Where the caller only
    wants to know whether it is more than *enough*, it ends sooner: an answer up to *enough* may be more than the truth.
    """
    flow = _Flow(weights, before)
    flow.hand_on_directly()
    while flow.rows > enough and flow.augment():
        pass
    return flow.rows


class _Flow:
    """Nodes of batch ``u`` whose places nodes of a later batch ``v`` take: ``flow[v][u]``."""

    def __init__(self, weights: Sequence[int], before: Sequence[int]) -> None:
        self.rows = sum(weights)
        self._before = before
        self._supply, self._demand = list(weights), list(weights)
        self._flow: list[dict[int, int]] = [{} for _ in weights]

    def _push(self, u: int, v: int, amount: int) -> None:
        left = self._flow[v].get(u, 0) + amount
        if left:
            self._flow[v][u] = left
        else:
            del self._flow[v][u]

    def hand_on_directly(self) -> None:
        """Each batch takes the places of the latest batches before it; plans of this planner need no more."""
        for v, before in enumerate(self._before):
            for u in _bits_downwards(before):
                if not self._demand[v]:
                    break
                amount = min(self._supply[u], self._demand[v])
                if amount:
                    self._push(u, v, amount)
                    self._supply[u] -= amount
                    self._demand[v] -= amount
                    self.rows -= amount

    def augment(self) -> bool:
        """Hand on more by changing who hands on to whom; False if that is not possible."""
        came_from: dict[int, tuple[int, int]] = {}  # u: (v that u could serve, u that serves it now)
        seen = {v for v, demand in enumerate(self._demand) if demand}
        reached: dict[int, int] = {}  # u: the v by which it was reached
        queue = sorted(seen)
        for v in queue:
            for u in _bits_downwards(self._before[v]):
                if u in reached:
                    continue
                reached[u] = v
                if self._supply[u]:
                    self._apply(u, reached, came_from)
                    return True
                for other, flows in enumerate(self._flow):
                    if u in flows and other not in seen:
                        seen.add(other)
                        came_from[other] = (v, u)
                        queue.append(other)
        return False

    def _apply(self, u: int, reached: dict[int, int], came_from: dict[int, tuple[int, int]]) -> None:
        """Move one node along the way found from a batch with places to spare to one that lacks them."""
        self._supply[u] -= 1
        v = reached[u]
        self._push(u, v, 1)
        while v in came_from:
            earlier, through = came_from[v]
            self._push(through, v, -1)
            self._push(through, earlier, 1)
            v = earlier
        self._demand[v] -= 1
        self.rows -= 1


def _bits_downwards(bits: int) -> Iterator[int]:
    """The indexes in a bit set, the highest first."""
    while bits:
        highest = bits.bit_length() - 1
        yield highest
        bits ^= 1 << highest
