"""How is a schedule cut into batches that know nothing but what they come after?

Of the nodes that start together, groups that share a budget and take equally long make one batch; groups that share
none are batches of their own. A budget of ``c`` is like ``c`` places: a batch takes as many as it has nodes there, and
comes after the batches that had those places before. So batches that nothing orders never have more places than there
are, and budgets hold however the batches overlap and however long they take in truth.
"""

from bisect import insort
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud.model import Node, Overcloud
from tripleo_update_plugin.plan.plan import Batch, Impact
from tripleo_update_plugin.planner.problem.problem import Problem
from tripleo_update_plugin.planner.search.batch_bound import families
from tripleo_update_plugin.planner.search.schedule import Slot
from tripleo_update_plugin.rules.allowances import Allowance

CANARY = "the canary"
REASONS = 2  #: that are told at the most, of one batch that waits for another


def batches_of(
    slots: Sequence[Slot],
    problem: Problem,
    overcloud: Overcloud,
    allowances: Iterable[Allowance],
) -> tuple[Batch, ...]:
    """The batches of the schedule *slots* of *problem*, each after all that it comes after.

    *allowances* are those of the services that are hit, for the numbers of what goes down.
    """
    nodes = {node.name: node for node in overcloud.nodes}
    impacts = _Impacts(allowances)
    places = _Places(problem)
    batches: list[Batch] = []
    for slot in slots:
        for lane in families(problem, slot.nodes):
            after = places.take(len(batches), slot, lane)
            only = problem.groups[lane[0]].only
            names = naturally(name for i in lane for name in slot.nodes[i])
            batches.append(
                Batch(
                    id=f"batch-{len(batches) + 1}",
                    nodes=names,
                    roles=naturally({nodes[name].role for name in names}),
                    wave=1 + max((batches[j].wave for j in after), default=0),
                    seconds=max(problem.groups[i].seconds for i in lane),
                    after=tuple(batches[j].id for j in after),
                    because={batches[j].id: reason for j, reason in after.items()},
                    closed_by="; ".join(dict.fromkeys(slot.closed_by[i] for i in lane)),
                    impact=impacts.of([nodes[name] for name in names], only),
                    only=only,
                )
            )
    return tuple(batches)


@dataclass
class _Reasons:
    """Why a batch waits for others: {number of the batch: reasons}."""

    found: dict[int, list[str]] = field(default_factory=dict)

    def add(self, batch: int, reason: str) -> None:
        reasons = self.found.setdefault(batch, [])
        if len(reasons) < REASONS and reason not in reasons:
            reasons.append(reason)


class _Places:
    """Who had each place of each budget last, and what every batch comes after. Batches are given by their start."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        # Per budget: (end, batch, places) in the order of their ends; -1 is nobody.
        self._places = [[(0, -1, capacity)] for capacity in problem.capacities]
        self._before = [sorted(group.before) for group in problem.groups]
        self._ancestors: list[int] = []  # bit sets
        self._last_of_group: dict[int, list[int]] = {}
        self._domain = ""
        self._domain_now: list[int] = []
        self._domain_before: tuple[str, list[int]] = ("", [])

    def take(self, k: int, slot: Slot, lane: tuple[int, ...]) -> dict[int, str]:
        """Batch *k* is *lane* of *slot*: {batch just before it: why}, none that another one implies."""
        reasons = _Reasons()
        self._wait_for_order(lane, reasons)
        self._wait_for_places(k, slot, lane, reasons)
        self._wait_for_domains(k, lane, reasons)
        if self._problem.canary and k:
            reasons.add(0, CANARY)
        after = self._nearest(k, reasons.found)
        for i in lane:
            earlier = self._last_of_group.get(i, ())
            self._last_of_group[i] = [*(j for j in earlier if not self._ancestors[k] >> j & 1), k]
        return {j: "; ".join(reasons.found[j]) for j in sorted(after)}

    def _wait_for_order(self, lane: Iterable[int], reasons: _Reasons) -> None:
        for i in lane:
            for p in self._before[i]:
                for j in self._last_of_group.get(p, ()):
                    reasons.add(j, self._problem.orders.get((p, i), "order"))

    def _wait_for_places(self, k: int, slot: Slot, lane: Iterable[int], reasons: _Reasons) -> None:
        """Take the places that have been free for the longest: so it waits for nothing that it need not wait for."""
        counts: dict[int, int] = {}
        for i in lane:
            for budget in self._problem.groups[i].budgets:
                counts[budget] = counts.get(budget, 0) + len(slot.nodes[i])
        end = slot.start + max(self._problem.groups[i].seconds for i in lane)
        for budget, wanted in sorted(counts.items()):
            reason = self._problem.reasons[budget]
            for j in _hand_over(self._places[budget], wanted, end, k):
                reasons.add(j, reason)

    def _wait_for_domains(self, k: int, lane: Iterable[int], reasons: _Reasons) -> None:
        """All batches of one failure domain come after all of the domain before it."""
        domain = next((d for i in lane if (d := self._problem.groups[i].domain)), "")
        if not domain:
            return
        if domain != self._domain:
            self._domain_before = (self._domain, self._domain_now)
            self._domain, self._domain_now = domain, []
        self._domain_now.append(k)
        name, batches = self._domain_before
        for j in batches:
            reasons.add(j, f"one failure domain at a time: {name} before {domain}")

    def _nearest(self, k: int, wanted: Iterable[int]) -> list[int]:
        """*wanted* without those that come before others of them."""
        self._ancestors.append(0)
        after = []
        for j in sorted(wanted, reverse=True):
            if not self._ancestors[k] >> j & 1:
                after.append(j)
                self._ancestors[k] |= self._ancestors[j] | 1 << j
        return after


def _hand_over(places: list[tuple[int, int, int]], wanted: int, end: int, k: int) -> list[int]:
    """Give *wanted* of the *places* of one budget to batch *k* until *end*; who had them before."""
    if len(places) == 1 and places[0][2] == wanted:
        before = places[0][1]
        places[0] = (end, k, wanted)
        return [before] if before >= 0 else []
    found = []
    missing = wanted
    while missing:
        ended, j, count = places.pop(0)
        if j >= 0:
            found.append(j)
        if count > missing:
            places.insert(0, (ended, j, count - missing))
        missing -= min(count, missing)
    if places and places[-1] > (end, k, wanted):
        insort(places, (end, k, wanted))
    else:  # as a rule: who starts last ends last
        places.append((end, k, wanted))
    return found


class _Impacts:
    """What batches take down. Many batches are alike, so each kind of them is counted once."""

    def __init__(self, allowances: Iterable[Allowance]) -> None:
        self._allowances = {a.service: a for a in allowances}
        self._known: dict[Hashable, Mapping[str, Impact]] = {}

    def of(self, nodes: Iterable[Node], only: tuple[str, ...]) -> Mapping[str, Impact]:
        """{service: how many of it are down}, of the services *only*; of all of them when empty."""
        alike: dict[frozenset[str], int] = {}
        for node in nodes:
            alike[node.services] = alike.get(node.services, 0) + 1
        kind = (frozenset(alike.items()), only)
        if kind not in self._known:
            self._known[kind] = self._count(alike, only)
        return self._known[kind]

    def _count(self, alike: Mapping[frozenset[str], int], only: tuple[str, ...]) -> Mapping[str, Impact]:
        counts: dict[str, int] = {}
        for services, count in alike.items():
            for service in services:
                counts[service] = counts.get(service, 0) + count
        return {
            service: Impact(down=counts[service] + a.down, of=a.of, allowed=a.allowed)
            for service, a in self._allowances.items()
            if service in counts and service in (only or counts)
        }
