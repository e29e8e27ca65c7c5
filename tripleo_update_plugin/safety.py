"""Whether a plan keeps its promises, checked without the planner: before a start, and in tests.

What is down at one instant is the union of batches of which none is before another, however long each of them takes.
"""

from collections.abc import Iterator, Mapping, Sequence
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


def _most_together(hit: Mapping[int, int], ancestors: Sequence[int], enough: int) -> int:
    """The most nodes of the batches *hit* that may be down at once, {place in the plan: nodes}."""
    weights = [hit.get(i, 0) for i in range(len(ancestors))]
    among = sum(1 << i for i in hit)
    return most_together(weights, [before & among if i in hit else 0 for i, before in enumerate(ancestors)], enough)


def _takes(batch: Batch, service: str) -> bool:
    return not batch.only or service in batch.only
