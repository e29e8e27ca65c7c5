"""Does a plan keep its promises? It is asked without the planner, before a start and in tests.

Batches of which none comes after another may be under way at one instant, however long each of them takes: so it is
their nodes together that are down then.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from tripleo_update_plugin.errors import BadPlan
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.plan.most_at_once import most_together
from tripleo_update_plugin.plan.plan import Batch, Plan
from tripleo_update_plugin.rules.budget import parse_budget
from tripleo_update_plugin.rules.policy import EVERYTHING, Checkpoint


def check(plan: Plan, overcloud: Overcloud) -> None:
    """Raise BadPlan with the first broken promise of *plan* for *overcloud*."""
    for problem in problems(plan, overcloud):
        raise BadPlan(problem)


def problems(plan: Plan, overcloud: Overcloud) -> Iterator[str]:
    """Everything wrong with the plan, in words; of the catalogue's order between services nothing is known here."""
    yield from _wrong_nodes(plan, overcloud)
    ancestors = _ancestors(plan.batches)
    if ancestors is None:
        yield "the batches wait for one another in a circle"
        return
    yield from _broken_budgets(plan, overcloud, ancestors)
    yield from _broken_halves(plan, overcloud, ancestors)
    yield from _mixed_domains(plan, ancestors)
    yield from _broken_order(plan, overcloud, ancestors)
    yield from _broken_ramps(plan, overcloud, ancestors)
    yield from _broken_approvals(plan, ancestors)
    yield from _passed_checkpoints(plan, overcloud, ancestors)


def tangles(plan: Plan) -> Iterator[str]:
    """Where the batches and approvals of a plan do not fit together, whatever the overcloud, in words."""
    ids = [batch.id for batch in plan.batches] + [approval.id for approval in plan.approvals]
    if twice := sorted({id for id in ids if ids.count(id) > 1} if len(set(ids)) < len(ids) else ()):
        yield f"two batches or approvals have the same id {twice[0]}"
        return
    known = {batch.id for batch in plan.batches}
    for batch in plan.batches:
        if batch.id in batch.after:
            yield f"batch {batch.id} comes after itself"
        if unknown := sorted(set(batch.after) - known):
            yield f"batch {batch.id} comes after {', '.join(unknown)}, which the plan has not"
    for approval in plan.approvals:
        if unknown := sorted(set(approval.before) - known):
            yield f"{approval.id} is before {', '.join(unknown)}, which the plan has not"
    try:
        TopologicalSorter({batch.id: batch.after for batch in plan.batches}).prepare()
    except CycleError as error:
        yield f"batches wait for one another in a circle: {', '.join(error.args[1][:5])}"


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
    before = [ancestors[batch.id] for batch in plan.batches]
    hosts, waived = overcloud.hosts(), _waived(plan)
    down = plan.facts.away if plan.facts else frozenset()
    for service, budget in budgets.items():
        members, allowed = hosts.get(service, frozenset()), budget["max_unavailable"]
        already = len(members & down)
        free = max(allowed - already, 1 if service in waived else 0)
        if (most := _most_together(_hit(plan, service, members), before, free)) > free:
            yield (
                f"batches that may overlap take {already + most} of {service} down, {allowed} of {budget['of']} may be"
                + ("; waived, so one node at a time" if free > allowed - already else "")
            )


def _waived(plan: Plan) -> frozenset[str]:
    """Services that may go down altogether: their policy waives them, and the plan owns up to making use of it."""
    given = {waiver["service"] for waiver in plan.policy.get("waivers", ())}
    used = [waiver for waiver in plan.waivers if waiver["service"] in given]
    everything = (service for w in used if w["service"] == EVERYTHING for service in w.get("services", ()))
    return frozenset(everything).union(w["service"] for w in used)


def _broken_halves(plan: Plan, overcloud: Overcloud, ancestors: Mapping[str, int]) -> Iterator[str]:
    """Of services with the rule ``agents`` half of each role's replicas stay."""
    before = [ancestors[batch.id] for batch in plan.batches]
    down = plan.facts.away if plan.facts else frozenset()
    for service, budget in plan.policy.get("budgets", {}).items():
        if not str(budget.get("from", "")).endswith(": agents"):
            continue
        for role in sorted({node.role for node in overcloud.nodes}):
            members = {node.name for node in overcloud.nodes if node.role == role and service in node.services}
            allowed = max(len(members) // 2 - len(members & down), 1)
            if (most := _most_together(_hit(plan, service, members), before, allowed)) > allowed:
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
                if ancestors[later.id] >> i & 1 or not _wants(batch, later, first, then, services, alone):
                    continue
                if batch is later:
                    yield f"batch {batch.id} has nodes with {first} and others with {then}, which come later"
                else:
                    yield f"batch {later.id} has {then} and does not come after batch {batch.id}, which has {first}"


def _broken_ramps(plan: Plan, overcloud: Overcloud, ancestors: Mapping[str, int]) -> Iterator[str]:
    """As long as fewer nodes of a role are updated than its first steps take, no more are begun than these take."""
    steps = [parse_budget(step) for step in plan.policy.get("ramp", ())]
    whole = [batch for batch in plan.batches if not batch.only]
    place = {batch.id: i for i, batch in enumerate(plan.batches)}
    for role in sorted({node.role for node in overcloud.nodes}):
        members = {node.name for node in overcloud.nodes if node.role == role} & set(plan.nodes)
        counts = {batch.id: len(members & set(batch.nodes)) for batch in whole}
        done = {id: sum(n for other, n in counts.items() if ancestors[id] >> place[other] & 1) for id in counts}
        taken = 0
        for step in steps[:-1]:
            taken += step.of(len(members))
            begun = sum(n for id, n in counts.items() if done[id] < taken)
            if begun > taken:
                yield f"{begun} nodes of role {role} may begin before {taken} are updated, which the ramp forbids"
        if steps and members:
            late = {place[id]: n for id, n in counts.items() if n and done[id] >= taken}
            most = _most_together(late, [ancestors[batch.id] for batch in plan.batches], steps[-1].of(len(members)))
            if most > steps[-1].of(len(members)):
                yield f"{most} nodes of role {role} may be updated at the same time, the ramp allows {steps[-1]}"


def _broken_approvals(plan: Plan, ancestors: Mapping[str, int]) -> Iterator[str]:
    """While a person is asked nothing else may begin: all that does not come before comes after."""
    place = {batch.id: i for i, batch in enumerate(plan.batches)}
    for approval in plan.approvals:
        if unknown := sorted(set(approval.before) - place.keys()):
            yield f"{approval.id} is before {', '.join(unknown)}, which the plan has not"
            continue
        for id in approval.before:
            rest = [batch for batch in plan.batches if not ancestors[id] >> place[batch.id] & 1]
            left = {batch.id for batch in rest}
            first = {batch.id for batch in rest if not left & set(batch.after)}
            if first != set(approval.before):
                yield f"{approval.id} does not part the batches: others may begin while it waits"
                break


def _passed_checkpoints(plan: Plan, overcloud: Overcloud, ancestors: Mapping[str, int]) -> Iterator[str]:
    """Every batch that a checkpoint of the policy holds back comes after an approval that names it."""
    place = {batch.id: i for i, batch in enumerate(plan.batches)}
    nodes = {node.name: node for node in overcloud.nodes}
    for entry in plan.policy.get("checkpoints", ()):
        kind, _, name = entry["before"].partition(":")
        checkpoint = Checkpoint(**{kind: name})
        passed = {id for approval in plan.approvals if f"before {checkpoint}" in approval.why for id in approval.before}
        for batch in plan.batches:
            of = [nodes[name] for name in batch.nodes if name in nodes]
            held = any(checkpoint.holds_back(node.role, batch.only or node.services) for node in of)
            if held and not any(id == batch.id or ancestors[batch.id] >> place[id] & 1 for id in passed if id in place):
                yield f"batch {batch.id} does not wait for the checkpoint before {checkpoint}"


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
    return any(not (then in a and first in b) for a in ones for b in others)


def _ordered(ancestors: Mapping[str, int], batch: Batch, other: Batch, i: int, j: int) -> bool:
    return bool(ancestors[batch.id] >> j & 1 or ancestors[other.id] >> i & 1)


def _hit(plan: Plan, service: str, members: Collection[str]) -> dict[int, int]:
    """{place of a batch in the plan: how many of *members* lose *service* there}, without batches that take none."""
    counts = (sum(n in members for n in b.nodes) if _takes(b, service) else 0 for b in plan.batches)
    return {i: count for i, count in enumerate(counts) if count}


def _most_together(hit: Mapping[int, int], ancestors: Sequence[int], enough: int) -> int:
    """The most nodes of the batches *hit* that may be down at once, {place in the plan: nodes}."""
    weights = [hit.get(i, 0) for i in range(len(ancestors))]
    among = sum(1 << i for i in hit)
    return most_together(weights, [before & among if i in hit else 0 for i, before in enumerate(ancestors)], enough)


def _takes(batch: Batch, service: str) -> bool:
    return not batch.only or service in batch.only
