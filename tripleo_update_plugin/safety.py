"""Whether a plan keeps its promises, checked without the planner: before a start, and in tests.

What is down at one instant is the union of batches that nothing orders. For a batch and a service this takes all
batches that may overlap it to be down together, which is never less than what can happen.
"""

from collections.abc import Iterator, Mapping, Sequence

from tripleo_update_plugin.errors import BadPlan
from tripleo_update_plugin.model import Overcloud
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


def _ancestors(batches: Sequence[Batch]) -> dict[str, set[str]] | None:
    """{batch: all batches before it}; None if they go in a circle."""
    ancestors: dict[str, set[str]] = {}
    waiting = list(batches)
    while waiting:
        ready = [batch for batch in waiting if all(before in ancestors for before in batch.after)]
        if not ready:
            return None
        for batch in ready:
            ancestors[batch.id] = set(batch.after).union(*(ancestors[before] for before in batch.after))
        waiting = [batch for batch in waiting if batch.id not in ancestors]
    return ancestors


def _broken_budgets(plan: Plan, overcloud: Overcloud, ancestors: Mapping[str, set[str]]) -> Iterator[str]:
    budgets: Mapping[str, Mapping[str, int]] = plan.policy.get("budgets", {})
    waived = {waiver["service"] for waiver in plan.waivers}
    services = {node.name: node.services for node in overcloud.nodes}
    down = plan.facts.down if plan.facts else frozenset()
    for service, budget in budgets.items():
        if service in waived or EVERYTHING in waived:
            continue
        hit = {b.id: {n for n in b.nodes if service in services.get(n, ())} for b in plan.batches if _takes(b, service)}
        already = {node for node in down if service in services.get(node, ())}
        for id, nodes in hit.items():
            together = set(already).union(
                nodes, *(hit[o] for o in hit if o not in ancestors[id] and id not in ancestors[o])
            )
            if nodes and len(together) > budget["max_unavailable"]:
                yield (
                    f"batch {id} and what may overlap it take {len(together)} of {service} down, "
                    f"{budget['max_unavailable']} of {budget['of']} may be"
                )


def _takes(batch: Batch, service: str) -> bool:
    return not batch.only or service in batch.only
