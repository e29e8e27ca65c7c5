"""What a plan promises, worked out from scratch: by counting nodes, and by trying everything.

Nothing here uses the planner's own ideas (groups, slots, lanes) or its checks, so that the two can disagree.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, combinations

from tripleo_update_plugin.plan.plan import Batch, Plan

Order = tuple[str, str]


@dataclass(frozen=True)
class World:
    """An overcloud and what may be down there, in the plainest form.

    ``budgets`` is {service: number, 'N%' or 'agents'}; a service without one is not bounded. 'agents' is half of all,
    and half of each role. With ``waived`` every service that has nothing to spare may go down, one node at a time.
    """

    roles: dict[str, tuple[int, tuple[str, ...]]]
    budgets: dict[str, int | str]
    orders: tuple[Order, ...] = ()
    domains: dict[str, str] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()
    down: frozenset[str] = frozenset()
    canary: bool = False
    waived: bool = False
    first: tuple[str, ...] = ()  # services updated alone first, on all their nodes
    seconds: dict[str, int] = field(default_factory=dict)  # {role: of one node}; 600 where it says nothing

    @property
    def services(self) -> dict[str, frozenset[str]]:
        """{node: its services}"""
        return {f"{role.lower()}-{i}": frozenset(s) for role, (count, s) in self.roles.items() for i in range(count)}

    @property
    def wanted(self) -> frozenset[str]:
        """The nodes to update."""
        return frozenset(self.services) - self.excluded - self.down

    def lasts(self, node: str) -> int:
        return next((s for role, s in self.seconds.items() if node.startswith(f"{role.lower()}-")), 600)

    def hosts(self, service: str) -> frozenset[str]:
        return frozenset(node for node, services in self.services.items() if service in services)

    def allowed(self, service: str) -> int:
        """How many hosts of *service* may be down, the ones down already counted."""
        budget, count = self.budgets[service], len(self.hosts(service))
        if budget == "agents":
            return max(1, count // 2)
        if isinstance(budget, str):
            return max(1, count * int(budget[:-1]) // 100)
        return min(budget, count)

    def short(self) -> set[str]:
        """The services of wanted nodes that have nothing to spare."""
        return {
            service
            for service in self.budgets
            if self.hosts(service) & self.wanted and self.allowed(service) <= len(self.hosts(service) & self.down)
        }

    def refuses(self, nodes: Iterable[str]) -> str:
        """Why *nodes* may not go down together, "" if they may."""
        nodes, short = frozenset(nodes), self.short()
        for service in self.budgets:
            hit = self.hosts(service) & nodes
            most = 1 if service in short else self.allowed(service) - len(self.hosts(service) & self.down)
            if len(hit) > most:
                return f"{service}: {len(hit)} go down, {most} may"
            if self.budgets[service] == "agents" and (role := self.emptied(service, hit)):
                return f"{service}: more than half of role {role} goes down"
        domains = {self.domains[node] for node in nodes if node in self.domains}
        return f"several domains: {sorted(domains)}" if len(domains) > 1 else ""

    def emptied(self, service: str, hit: frozenset[str]) -> str:
        """A role that loses more than half of *service*, and more than one node of it, with *hit*; "" if none does."""
        for role in self.roles:
            members = {node for node in self.hosts(service) if node.startswith(f"{role.lower()}-")}
            if len(members & hit) > max(1, len(members) // 2 - len(members & self.down)):
                return role
        return ""

    def precedes(self, first: str, then: str, orders: Iterable[Order]) -> bool:
        """Whether one of *orders* asks for node *first* before node *then*."""
        a, b = self.services[first], self.services[then]
        return any(x in a and y in b and not (x in b and y in a) for x, y in orders)


def unmet(plan: Plan) -> set[Order]:
    """The orders that the plan owns up to not keeping."""
    words = [warning.split() for warning in plan.warnings if "cannot be met node by node" in warning]
    return {(line[0], line[2]) for line in words}


def ancestors(plan: Plan) -> dict[str, frozenset[str]]:
    """{batch: all batches that end before it begins}"""
    found: dict[str, frozenset[str]] = {}
    for batch in plan.batches:  # given in an order in which this works; a KeyError says that it does not
        found[batch.id] = frozenset(batch.after).union(*(found[before] for before in batch.after))
    return found


def antichains(plan: Plan) -> Iterator[tuple[Batch, ...]]:
    """Every set of batches that may run at the same time, the largest such sets and all their subsets."""
    before = ancestors(plan)

    def grow(chosen: tuple[Batch, ...], rest: tuple[Batch, ...]) -> Iterator[tuple[Batch, ...]]:
        yield chosen
        for i, batch in enumerate(rest):
            free = tuple(b for b in rest[i + 1 :] if b.id not in before[batch.id] and batch.id not in before[b.id])
            yield from grow((*chosen, batch), free)

    yield from grow((), plan.batches)


def broken_instants(world: World, plan: Plan) -> list[str]:
    """What breaks at some instant that the order of batches allows."""
    reasons = []
    for together in antichains(plan):
        reason = world.refuses(node for batch in together for node in batch.nodes)
        if reason:
            reasons.append(f"{[batch.id for batch in together]}: {reason}")
    return reasons


def broken_order(world: World, plan: Plan) -> list[str]:
    """Pairs of nodes that an order separates and the batches do not."""
    before, orders = ancestors(plan), set(world.orders) - unmet(plan)
    return [
        f"{x} of {a.id} before {y} of {b.id}"
        for a in plan.batches
        for b in plan.batches
        for x in a.nodes
        for y in b.nodes
        if x != y and a.id not in before[b.id] and world.precedes(x, y, orders)
    ]


def shortest(world: World) -> int | None:
    """The fewest waves that any update of *world* can have, by trying all; None if its orders contradict each other."""
    wanted = sorted(world.wanted)
    needs = {y: {x for x in wanted if x != y and world.precedes(x, y, world.orders)} for y in wanted}
    reached: set[frozenset[str]] = {frozenset()}
    waves = 0
    seen = set(reached)
    while frozenset(wanted) not in reached:
        following: set[frozenset[str]] = set()
        for done in reached:
            ready = [node for node in wanted if node not in done and needs[node] <= done]
            sizes = range(1, 2) if world.canary and not waves else range(1, len(ready) + 1)
            steps = chain.from_iterable(combinations(ready, size) for size in sizes)
            following |= {done.union(step) for step in steps if not world.refuses(step)}
        reached = following - seen
        seen |= reached
        waves += 1
        if not reached:
            return None
    return waves


def longest_chain(world: World, plan: Plan) -> int:
    """Seconds along the longest chain of batches, each as long as its slowest node."""
    ends: dict[str, int] = {}
    for batch in plan.batches:
        ends[batch.id] = max(map(world.lasts, batch.nodes)) + max((ends[b] for b in batch.after), default=0)
    return max(ends.values(), default=0)


def quickest(world: World) -> int | None:
    """The fewest seconds that any update of *world* can take, by trying all; None if its orders contradict each other.

    Nothing is lost if nodes start only when others end. A moment is (what has ended, {(node, seconds it still takes)}).
    """
    wanted = world.wanted
    needs = {y: {x for x in wanted if x != y and world.precedes(x, y, world.orders)} for y in wanted}
    moments: list[tuple[int, int, frozenset[str], frozenset[tuple[str, int]]]] = [(0, 0, frozenset(), frozenset())]
    seen = set()
    while moments:
        now, _, done, running = heapq.heappop(moments)
        if done == wanted:
            return now
        if (done, running) in seen:
            continue
        seen.add((done, running))
        for step in _steps(world, needs, done, running):
            busy = {*running, *((node, world.lasts(node)) for node in step)}
            soonest = min(left for _, left in busy)
            ended = done.union(node for node, left in busy if left == soonest)
            rest = frozenset((node, left - soonest) for node, left in busy if left > soonest)
            heapq.heappush(moments, (now + soonest, len(seen) * 1000 + len(moments), ended, rest))
    return None


def _steps(
    world: World, needs: dict[str, set[str]], done: frozenset[str], running: frozenset[tuple[str, int]]
) -> Iterator[tuple[str, ...]]:
    """What may start at a moment: any nodes that what runs leaves room for; none, if something runs."""
    busy = [node for node, _ in running]
    ready = [node for node in sorted(world.wanted - done) if node not in busy and needs[node] <= done]
    first = world.canary and not done
    sizes = range(0 if busy else 1, 1 + (min(1, len(ready)) if first else len(ready)))
    for step in chain.from_iterable(combinations(ready, size) for size in ([0] if first and busy else sizes)):
        if not world.refuses([*busy, *step]):
            yield step
