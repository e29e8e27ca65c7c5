"""Whether a plan keeps its promises, checked without the planner: before a start, and in tests.

What is down at one instant is the union of batches of which none is before another, however long each of them takes.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from tripleo_update_plugin.errors import BadPlan
from tripleo_update_plugin.model import Overcloud
from tripleo_update_plugin.overlap import most_together
from tripleo_update_plugin.plan import Batch, Plan

EVERYTHING = "*"


def check(plan: Plan, overcloud: Overcloud) -> None:
    """Raise BadPlan with the first broken promise of *plan* for *overcloud*."""
    for problem in problems(plan, overcloud):
        raise BadPlan(problem)


def problems(plan: Plan, overcloud: Overcloud) -> Iterator[str]:
    """Everything wrong with the plan, in words."""
    yield from _wrong_nodes(plan, overcloud)
    ancestors = _ancestors(plan.batches)
    if ancestors is None:
        yield "the batches wait for one another in a circle"
        return
    yield from _broken_budgets(plan, overcloud, ancestors)
    yield from _broken_halves(plan, overcloud, ancestors)
    yield from _mixed_domains(plan, ancestors)
    yield from _broken_order(plan, overcloud, ancestors)


def _wrong_nodes(plan: Plan, overcloud: Overcloud) -> Iterator[str]:
    names = {node.name for node in overcloud.nodes}
    seen: dict[str, str] = {}
    for batch in plan.batches:
        for node in batch.nodes:
            if node not in names:
                yield f"batch {batch.id} has {node}, which the overcloud has not"
            if node in plan.excluded:
                yield f"node {node} is in batch {batch.id} and excluded"
            if node in seen and not batch.only:
                yield f"node {node} is in batch {seen[node]} and in batch {batch.id}"
            if not batch.only:
                seen[node] = batch.id
    touched = {node for batch in plan.batches for node in batch.nodes}
    for node in sorted(names - touched - set(plan.excluded)):
        yield f"node {node} is in no batch and not excluded"


def _ancestors(batches: Sequence[Batch]) -> dict[str, int] | None:
    """{batch: all batches before it, as a bit set of their places in the plan}; None if they go in a circle."""
    place = {batch.id: i for i, batch in enumerate(batches)}
    ancestors: dict[str, int] = {}
    try:
        order = list(TopologicalSorter({batch.id: batch.after for batch in batches}).static_order())
        after = {batch.id: batch.after for batch in batches}
        for id in order:
            ancestors[id] = 0
            for before in after[id]:
                ancestors[id] |= ancestors[before] | 1 << place[before]
    except (CycleError, KeyError):
        return None
    return ancestors


def _broken_budgets(plan: Plan, overcloud: Overcloud, ancestors: Mapping[str, int]) -> Iterator[str]:
    budgets: Mapping[str, Mapping[str, int]] = plan.policy.get("budgets", {})
    waived = {waiver["service"] for waiver in plan.waivers}
    services = {node.name: node.services for node in overcloud.nodes}
    down = plan.facts.down if plan.facts else frozenset()
    for service, budget in budgets.items():
        if service in waived or EVERYTHING in waived:
            continue
        allowed = budget["max_unavailable"]
        hit = {
            i: count
            for i, batch in enumerate(plan.batches)
            if _takes(batch, service) and (count := sum(service in services.get(n, ()) for n in batch.nodes))
        }
        already = sum(service in services.get(node, ()) for node in down)
        most = already + _most_together(hit, [ancestors[batch.id] for batch in plan.batches], allowed - already)
        if hit and most > allowed:
            yield f"batches that may overlap take {most} of {service} down, {allowed} of {budget['of']} may be"


def _broken_halves(plan: Plan, overcloud: Overcloud, ancestors: Mapping[str, int]) -> Iterator[str]:
    """Of services with the rule ``agents`` half of each role's replicas stay."""
    before = [ancestors[batch.id] for batch in plan.batches]
    down = plan.facts.down if plan.facts else frozenset()
    for service, budget in plan.policy.get("budgets", {}).items():
        if not str(budget.get("from", "")).endswith(": agents"):
            continue
        for role in sorted({node.role for node in overcloud.nodes}):
            members = {node.name for node in overcloud.nodes if node.role == role and service in node.services}
            allowed = max(len(members) // 2 - len(members & down), 1)
            hit = {
                i: count
                for i, batch in enumerate(plan.batches)
                if _takes(batch, service) and (count := len(members & set(batch.nodes)))
            }
            if hit and (most := _most_together(hit, before, allowed)) > allowed:
                yield f"batches that may overlap take {most} of {service} of role {role} down, {allowed} may be"


def _mixed_domains(plan: Plan, ancestors: Mapping[str, int]) -> Iterator[str]:
    """Only nodes of one failure domain are updated at a time."""
    domains: Mapping[str, str] = plan.policy.get("domains", {})
    of = [{domains[node] for node in batch.nodes if node in domains} for batch in plan.batches]
    for i, batch in enumerate(plan.batches):
        for j, other in enumerate(plan.batches[: i + 1]):
            if len(of[i] | of[j]) > 1 and of[i] and of[j] and not _ordered(ancestors, batch, other, i, j):
                both = ", ".join(sorted(of[i] | of[j]))
                yield f"batches {other.id} and {batch.id} may overlap, in the domains {both}"


def _broken_order(plan: Plan, overcloud: Overcloud, ancestors: Mapping[str, int]) -> Iterator[str]:
    """What the policy puts in order is in order where it can be; the catalogue's order is not looked at.

    A service that was updated alone on a node has met its orders there: its update with the whole node changes nothing.
    The policy's service waves win against an order that puts something before them.
    """
    services = {node.name: node.services for node in overcloud.nodes}
    alone = frozenset((node, s) for batch in plan.batches for node in batch.nodes for s in batch.only)
    for pair in plan.policy.get("order", ()):
        first, then = pair["first"], pair["then"]
        if any(warning.startswith(f"{first} before {then} ") for warning in plan.warnings):
            continue
        if any(then in batch.only for batch in plan.batches):
            continue
        for i, batch in enumerate(plan.batches):
            for later in plan.batches:
                if not ancestors[later.id] >> i & 1 and _wants(batch, later, first, then, services, alone):
                    yield f"batch {later.id} has {then} and does not come after batch {batch.id}, which has {first}"


def _wants(
    batch: Batch,
    later: Batch,
    first: str,
    then: str,
    services: Mapping[str, Collection[str]],
    alone: Collection[tuple[str, str]],
) -> bool:
    """Whether some node of *batch* has to be updated before some node of *later*."""
    ones, others = (
        [
            services[n] for n in each.nodes
            if service in services.get(n, ()) and _takes(each, service) and (each.only or (n, service) not in alone)
        ]
        for each, service in ((batch, first), (later, then))
    )  # fmt: skip
    return batch.id != later.id and any(not (then in a and first in b) for a in ones for b in others)


def _ordered(ancestors: Mapping[str, int], batch: Batch, other: Batch, i: int, j: int) -> bool:
    return bool(ancestors[batch.id] >> j & 1 or ancestors[other.id] >> i & 1)


def _most_together(hit: Mapping[int, int], ancestors: Sequence[int], enough: int) -> int:
    """The most nodes of the batches *hit* that may be down at once, {place in the plan: nodes}."""
    weights = [hit.get(i, 0) for i in range(len(ancestors))]
    among = sum(1 << i for i in hit)
    return most_together(weights, [before & among if i in hit else 0 for i, before in enumerate(ancestors)], enough)


def _takes(batch: Batch, service: str) -> bool:
    return not batch.only or service in batch.only
