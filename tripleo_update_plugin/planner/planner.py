"""How does an overcloud become a plan, and how good is the plan?

The problem is stated (problem), wishes for the order are added (preferences), a schedule is sought and cut into batches
(search). docs/source/policy.rst tells all of it in prose.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tripleo_update_plugin.errors import Infeasible
from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.overcloud.model import Node, Overcloud
from tripleo_update_plugin.plan.plan import Batch, Plan
from tripleo_update_plugin.planner.preferences.approvals import with_approvals
from tripleo_update_plugin.planner.preferences.checkpoints import with_checkpoints
from tripleo_update_plugin.planner.preferences.leaders_last import leaders_last, moved_twice
from tripleo_update_plugin.planner.preferences.ramp import with_ramp
from tripleo_update_plugin.planner.preferences.service_waves import with_service_waves
from tripleo_update_plugin.planner.problem.constraints import constraints_of
from tripleo_update_plugin.planner.problem.grouping import Unmet, problem_of
from tripleo_update_plugin.planner.problem.precedence import Order
from tripleo_update_plugin.planner.problem.problem import Problem
from tripleo_update_plugin.planner.search.batch_bound import batches_bound
from tripleo_update_plugin.planner.search.batching import batches_of
from tripleo_update_plugin.planner.search.fewest_batches import fewest
from tripleo_update_plugin.planner.search.schedule import Slot
from tripleo_update_plugin.planner.search.shortest import Solution, solve
from tripleo_update_plugin.rules import acceptance
from tripleo_update_plugin.rules.allowances import Allowance, resolve
from tripleo_update_plugin.rules.budget import Count
from tripleo_update_plugin.rules.catalogue import Catalogue
from tripleo_update_plugin.rules.deadlines import SILENCE
from tripleo_update_plugin.rules.policy import EVERYTHING, Policy, Waiver
from tripleo_update_plugin.rules.scope import Limit

NO_FACTS = "planned without live facts: nodes that are down already are not counted"

NOTHING_NEWER = (
    "no package or image is newer on any node, as far as repositories and names of images tell: is 'openstack "
    "overcloud update prepare' still to come?"
)


def plan_update(
    overcloud: Overcloud,
    catalogue: Catalogue,
    policy: Policy | None = None,
    facts: Facts | None = None,
    limit: Limit | None = None,
    outputs: Mapping[str, str] | None = None,
    skip_current: bool = False,
) -> Plan:
    """The shortest plan this planner finds, with bounds that tell how much shorter one could be.

    *facts* None means that the nodes were not asked. *outputs* is outputs.digests() of what the overcloud was read
    from, so that a plan that has become stale can say what changed. With *skip_current* nodes that are up to date by
    the facts are left out. Raises Infeasible if a service would lose more than its budget, BadPolicy if the policy
    cannot be followed.
    """
    policy, limit, known = policy or Policy(), limit or Limit(), facts or Facts()
    policy = replace(policy, service_waves=_service_waves(policy, catalogue, overcloud, limit))
    allowances = resolve(policy, catalogue, overcloud, known)
    excluded = _excluded(overcloud, known, limit, skip_current)
    nodes = {node.name: node for node in overcloud.nodes if node.name not in excluded}
    hit = [allowances[service] for service in _services_hit(nodes.values(), limit, allowances)]
    there, orders, only = [*nodes.values()], _orders(overcloud, catalogue, policy), naturally(limit.services)
    world = _World(overcloud=overcloud, nodes=there, allowances=hit, orders=orders, facts=known, only=only)
    waivers = _waivers(policy, hit)
    solution, scheduled, unmet = world.schedule(policy)
    batches, approvals = with_approvals(scheduled, policy, nodes)
    return Plan(
        stack=overcloud.stack,
        release=overcloud.release,
        architecture=overcloud.architecture,
        packaging=overcloud.packaging,
        outputs_digest=overcloud.digest,
        outputs=outputs or {},
        policy=_policy_dict(policy, allowances, limit, overcloud),
        facts=facts,
        lower_bound=solution.lower_bound,
        makespan_bound=solution.makespan_bound,
        batches_bound=solution.batches_bound,
        # Durations that differ make waves that wait for one another longer than they need be.
        proved=solution.proved if batches == scheduled or not policy.durations else "no",
        batches=tuple(_detailed(batch, policy, nodes) for batch in batches),
        approvals=approvals,
        excluded=excluded,
        waivers=waivers,
        warnings=(
            *_warnings(overcloud, facts, unmet, [a.service for a in hit if not catalogue.knows(a.service)]),
            *_doubts(policy, catalogue, batches, world, solution.warning),
        ),
    )


def _doubts(
    policy: Policy, catalogue: Catalogue, batches: Sequence[Batch], world: "_World", of_solver: str
) -> Iterator[str]:
    """What the policy asks for and might be meant otherwise, what its plan costs, and what the solver warns of."""
    yield from acceptance.doubts(policy.accept, catalogue)
    yield from _failovers(batches, world.facts, world.services_of)
    yield from filter(None, (_costs(policy, batches, world.waves), of_solver))


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """What a plan is made for, whatever the policy wants of its order."""

    overcloud: Overcloud
    nodes: Sequence[Node]  # those that are updated
    allowances: Sequence[Allowance]  # of the services that are hit
    orders: Sequence[Order]
    facts: Facts
    only: tuple[str, ...]

    @property
    def services_of(self) -> dict[str, frozenset[str]]:
        return {node.name: node.services for node in self.nodes}

    def problem(self, policy: Policy) -> tuple[Problem, Unmet]:
        """What there is to schedule under *policy*, and the order between services that cannot be met."""
        constraints = constraints_of(self.overcloud, self.allowances, policy, self.facts)
        problem, unmet = problem_of(self.nodes, constraints, self.orders, self.facts, policy, self.only)
        problem = with_service_waves(problem, self.nodes, constraints, self.orders, policy)
        problem = with_ramp(problem, policy.ramp)
        return with_checkpoints(problem, policy.checkpoints, self.services_of), unmet

    def schedule(self, policy: Policy) -> tuple[Solution, tuple[Batch, ...], Unmet]:
        """The shortest schedule under *policy*, its batches, and the order between services that it does not keep."""
        problem, unmet = self.problem(policy)
        solution = solve(problem, policy.solver_time)
        problem, solution = leaders_last(problem, solution, self.facts.leaders, self.services_of, policy.solver_time)
        batches, least = self._cut(problem, solution.slots), batches_bound(problem)
        if len(batches) > least:
            slots, proved = fewest(problem, solution.slots, policy.solver_time)
            fewer, least = self._cut(problem, slots), max(least, proved)
            if self._badness(fewer) < self._badness(batches):
                batches = fewer
        return replace(solution, batches_bound=least), batches, unmet

    def waves(self, policy: Policy) -> int:
        """How many waves a schedule under *policy* has."""
        problem, _ = self.problem(policy)
        slots = solve(problem, policy.solver_time).slots
        return max((batch.wave for batch in self._cut(problem, slots)), default=0)

    def _cut(self, problem: Problem, slots: Sequence[Slot]) -> tuple[Batch, ...]:
        return batches_of(slots, problem, self.overcloud, self.allowances)

    def _badness(self, batches: Sequence[Batch]) -> tuple[int, int, int]:
        """What is to be as little as possible, the most important first, among plans of one length."""
        again = sum(1 for _ in moved_twice(batches, self.facts.leaders, self.services_of))
        return again, len(batches), max((len(batch.nodes) for batch in batches), default=0)


def _detailed(batch: Batch, policy: Policy, known: Mapping[str, Node]) -> Batch:
    """*batch* with how long its phases may take, and with whose nodes it has where it matters which of them fail."""
    members = {role: tuple(node for node in batch.nodes if known[node].role == role) for role in batch.roles}
    deadlines = policy.deadlines.of_batch({role: len(nodes) for role, nodes in members.items()}, batch.only)
    tells = policy.max_failed.tells_apart and len(members) > 1
    return replace(batch, deadlines=deadlines, members=members if tells else {})


def _service_waves(policy: Policy, catalogue: Catalogue, overcloud: Overcloud, limit: Limit) -> tuple[str, ...]:
    """The services that are updated alone first: what the policy says, else what the catalogue asks for."""
    if limit.services:
        return ()
    if policy.service_waves is not None:
        return policy.service_waves
    return tuple(service for service in overcloud.services if catalogue.profile(service).wave == "first")


def _costs(policy: Policy, batches: Iterable[Batch], waves_under: Callable[[Policy], int]) -> str:
    """What the policy's wishes for the order cost, in words; "" where it has none."""
    first = f"{', '.join(policy.service_waves or ())} first, on all nodes that have it,"
    wishes = [
        *([first] if policy.service_waves else []),
        *(["the ramp"] if policy.ramp else []),
        *(["waiting at checkpoints"] if policy.checkpoints else []),
    ]
    if not wishes:
        return ""
    waves = max((batch.wave for batch in batches), default=0)
    fewer = waves_under(replace(policy, service_waves=(), ramp=(), checkpoints=()))
    cost = "cost" if len(wishes) > 1 else "costs"
    return f"{' and '.join(wishes)} {cost} {waves - fewer} waves: {waves} instead of {fewer}"


def _failovers(batches: Sequence[Batch], facts: Facts, services_of: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for service, leader in moved_twice(batches, facts.leaders, services_of):
        yield f"{service} moves more than once: its leader {leader} goes before any other node that has it"


def _excluded(overcloud: Overcloud, facts: Facts, limit: Limit, skip_current: bool) -> dict[str, str]:
    excluded = {}
    for node in overcloud.nodes:
        if node.excluded:
            excluded[node.name] = node.excluded
        elif node.name in facts.down:
            excluded[node.name] = "does not answer"
        elif node.name in facts.held:
            excluded[node.name] = str(facts.held[node.name])
        elif not limit.takes(node):
            excluded[node.name] = "outside --limit"
        elif skip_current and facts.is_current(node.name, overcloud.digest):
            excluded[node.name] = "up to date: an update has brought it to these outputs, and nothing is newer"
    return excluded


def _services_hit(nodes: Iterable[Node], limit: Limit, allowances: Mapping[str, Allowance]) -> list[str]:
    """The bounded services that this update takes down somewhere."""
    present = {service for node in nodes for service in node.services}
    return [service for service in allowances if service in present and service in (limit.services or present)]


def _waivers(policy: Policy, allowances: Iterable[Allowance]) -> tuple[dict[str, Any], ...]:
    """The waivers this update needs; Infeasible if the policy lacks one."""
    short = [a for a in allowances if a.free < 1]
    missing = [a for a in short if not policy.waiver_of(a.service)]
    if missing:
        raise Infeasible(
            f"{len(missing)} service{'s' * (len(missing) > 1)} would have more down than may be: "
            + "; ".join(_shortage(a) for a in missing[:5])
            + (f"; and {len(missing) - 5} more" if len(missing) > 5 else "")
        )
    needed: dict[Waiver, list[str]] = {}
    for a in short:
        if waiver := policy.waiver_of(a.service):
            needed.setdefault(waiver, []).append(a.service)
    return tuple(
        {"service": w.service, **({"services": covered} if w.service == EVERYTHING else {}), "reason": w.reason}
        for w, covered in needed.items()
    )


def _shortage(a: Allowance) -> str:
    if a.of == 1:
        return f"{a.service} has one copy only"
    return f"{a.service}: {a.allowed} of {a.of} may be down" + (f", {a.down} down already" if a.down else "")


def _orders(overcloud: Overcloud, catalogue: Catalogue, policy: Policy) -> list[tuple[str, str]]:
    """Pairs (first, then) of deployed services, the catalogue's and the policy's."""
    deployed = overcloud.services
    wanted = [(first, service) for service in deployed for first in catalogue.profile(service).after]
    return [pair for pair in dict.fromkeys([*wanted, *policy.order]) if pair[0] in deployed and pair[1] in deployed]


def _policy_dict(
    policy: Policy, allowances: Mapping[str, Allowance], limit: Limit, overcloud: Overcloud
) -> dict[str, Any]:
    """The policy, resolved: what was asked for and what was assumed, in numbers."""
    return {
        "budgets": {
            a.service: {"max_unavailable": a.allowed, "of": a.of, "limit": a.limit, "from": f"{a.source}: {a.budget}"}
            for a in allowances.values()
        },
        "order": [{"first": first, "then": then} for first, then in policy.order],
        "domains": dict(sorted(policy.domains.items())),
        "durations": policy.durations.to_dict() if policy.durations else {},
        "service_waves": list(policy.service_waves or ()),
        "ramp": [step.value if isinstance(step, Count) else str(step) for step in policy.ramp],
        "checkpoints": [{"before": str(c), "reason": c.reason} for c in policy.checkpoints],
        "extra_vars": dict(policy.extra_vars),
        "canary": policy.canary,
        "approve": policy.approve,
        "max_failed": policy.max_failed.resolved(overcloud),
        "waivers": [{"service": w.service, "reason": w.reason} for w in policy.waivers],
        "services": list(policy.services),
        **policy.probes,
        **({"accept": [each.to_dict() for each in policy.accept]} if policy.accept else {}),
        **({"deadlines": deadlines} if (deadlines := policy.deadlines.to_dict()) else {}),
        **({"silence": policy.silence} if policy.silence != SILENCE else {}),
        **({"related_stacks": [each.to_dict() for each in policy.related_stacks]} if policy.related_stacks else {}),
        "limit": limit.to_dict(),
    }


def _warnings(overcloud: Overcloud, facts: Facts | None, unmet: Unmet, unknown: Iterable[str]) -> Iterator[str]:
    if facts is None:
        yield NO_FACTS
    elif len(facts.updates) == len(overcloud.nodes) and not any(facts.updates.values()):
        yield NOTHING_NEWER
    if unknown := list(unknown):
        yield f"not in the service catalogue, so one node at a time: {', '.join(unknown)}"
    for (first, then), pairs in unmet.items():
        some = "; ".join(f"{b} does not wait for {a}" for a, b in pairs[:3]) + ("; and others" if pairs[3:] else "")
        yield f"{first} before {then} cannot be met node by node here: {some}"
    if not overcloud.has_update_tasks:
        flow = ": packages are updated by a flow of our own" if overcloud.packaging == "packages" else ""
        yield f"this overcloud ({overcloud.release}) brings no update tasks of its own{flow}"
