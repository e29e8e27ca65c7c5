"""The planner: from an overcloud and what may be down to a plan of batches, and a bound that tells how good it is.

Its parts are modules of their own: constraints, grouping, schedule, bounds, batching. All of it in prose is in
docs/source/policy.rst.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tripleo_update_plugin.batching import batches_of
from tripleo_update_plugin.catalogue import Catalogue
from tripleo_update_plugin.constraints import constraints_of
from tripleo_update_plugin.errors import BadLimit, Infeasible
from tripleo_update_plugin.failovers import leaders_last
from tripleo_update_plugin.grouping import problem_of
from tripleo_update_plugin.model import Facts, Node, Overcloud, naturally
from tripleo_update_plugin.plan import Batch, Plan
from tripleo_update_plugin.policy import Allowance, Policy, resolve
from tripleo_update_plugin.precedence import Precedence
from tripleo_update_plugin.servicewaves import with_service_waves
from tripleo_update_plugin.solving import solve

NO_FACTS = "planned without live facts: nodes that are down already are not counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What an update is limited to; empty sets do not limit."""

    roles: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()

    def takes(self, node: Node) -> bool:
        """Whether *node* is inside the limit."""
        placed = not (self.roles or self.nodes) or node.role in self.roles or node.name in self.nodes
        return placed and (not self.services or bool(self.services & node.services))

    def to_dict(self) -> dict[str, list[str]]:
        return {
            kind: list(naturally(names))
            for kind, names in (("roles", self.roles), ("nodes", self.nodes), ("services", self.services))
            if names
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Iterable[str]]) -> "Limit":
        return cls(**{kind: frozenset(names) for kind, names in data.items()})


def parse_limit(texts: Iterable[str], overcloud: Overcloud) -> Limit:
    """``role:NAME``, ``node:NAME``, ``service:NAME``, or a bare name that is only one of the three."""
    known = {
        "role": {node.role for node in overcloud.nodes},
        "node": {node.name for node in overcloud.nodes},
        "service": set(overcloud.services),
    }
    chosen: dict[str, set[str]] = {kind: set() for kind in known}
    for text in texts:
        kind, _, name = text.partition(":") if ":" in text else ("", "", text)
        kinds = [kind] if kind else [k for k, names in known.items() if name in names]
        if len(kinds) > 1:
            raise BadLimit(f"--limit {text} may mean {' or '.join(f'{k}:{name}' for k in kinds)}")
        if not kinds or name not in known.get(kinds[0], ()):
            raise BadLimit(f"--limit {text}: stack {overcloud.stack} has no such {kind or 'role, node or service'}")
        chosen[kinds[0]].add(name)
    return Limit(**{f"{kind}s": frozenset(names) for kind, names in chosen.items()})


def plan_update(
    overcloud: Overcloud,
    catalogue: Catalogue,
    policy: Policy | None = None,
    facts: Facts | None = None,
    limit: Limit | None = None,
    outputs: Mapping[str, str] | None = None,
) -> Plan:
    """The shortest plan this planner finds, with a lower bound.

    *facts* None means that the nodes were not asked. *outputs* is {output: digest}, so that a stale plan knows.
    Raises Infeasible if a service would lose more than its budget, BadPolicy if the policy cannot be followed.
    """
    policy, limit, known = policy or Policy(), limit or Limit(), facts or Facts()
    policy = replace(policy, service_waves=()) if limit.services else policy
    excluded = _excluded(overcloud, known, limit)
    nodes = [node for node in overcloud.nodes if node.name not in excluded]
    allowances = resolve(policy, catalogue, overcloud, known)
    hit = _services_hit(nodes, limit, allowances)
    waivers = _waivers(policy, [allowances[service] for service in hit])
    bounded = [allowances[service] for service in hit]
    constraints = constraints_of(overcloud, bounded, policy, known)
    orders = _orders(overcloud, catalogue, policy)
    problem, precedence = problem_of(nodes, constraints, orders, known, policy, naturally(limit.services))
    problem = with_service_waves(problem, nodes, constraints, orders, policy)
    solution = solve(problem, policy.solver_time)
    problem, solution = leaders_last(problem, solution, known.leaders, {node.name: node.services for node in nodes})
    batches = batches_of(solution.slots, problem, overcloud, bounded)
    fewer = batches
    if policy.service_waves:
        plain, _ = problem_of(nodes, constraints, orders, known, replace(policy, service_waves=()))
        fewer = batches_of(solve(plain, policy.solver_time).slots, plain, overcloud, bounded)
    more = (_costs(policy, batches, fewer), solution.warning)
    return Plan(
        stack=overcloud.stack,
        release=overcloud.release,
        architecture=overcloud.architecture,
        packaging=overcloud.packaging,
        outputs_digest=overcloud.digest,
        outputs=outputs or {},
        policy=_policy_dict(policy, allowances, limit),
        facts=facts,
        lower_bound=solution.lower_bound,
        makespan_bound=solution.makespan_bound,
        proved=solution.proved,
        batches=batches,
        excluded=excluded,
        waivers=waivers,
        warnings=_warnings(overcloud, catalogue, facts, precedence, hit, more),
    )


def _costs(policy: Policy, batches: Iterable[Batch], without: Iterable[Batch]) -> str:
    """What service waves cost, in words; "" where there are none."""
    if not policy.service_waves:
        return ""
    waves, fewer = (max((batch.wave for batch in plan), default=0) for plan in (batches, without))
    names = ", ".join(policy.service_waves)
    return f"{names} first, on all nodes that have it, costs {waves - fewer} waves: {waves} instead of {fewer}"


def _excluded(overcloud: Overcloud, facts: Facts, limit: Limit) -> dict[str, str]:
    excluded = {}
    for node in overcloud.nodes:
        if node.excluded:
            excluded[node.name] = node.excluded
        elif node.name in facts.down:
            excluded[node.name] = "does not answer"
        elif not limit.takes(node):
            excluded[node.name] = "outside --limit"
    return excluded


def _services_hit(nodes: Iterable[Node], limit: Limit, allowances: Mapping[str, Allowance]) -> list[str]:
    """The bounded services that this update takes down somewhere."""
    present = {service for node in nodes for service in node.services}
    return [service for service in allowances if service in present and service in (limit.services or present)]


def _waivers(policy: Policy, allowances: Iterable[Allowance]) -> tuple[dict[str, str], ...]:
    """The waivers this update needs; Infeasible if the policy lacks one."""
    short = [a for a in allowances if a.free < 1]
    missing = [a for a in short if not policy.waiver_of(a.service)]
    if missing:
        raise Infeasible(
            f"{len(missing)} service{'s' * (len(missing) > 1)} would have more down than may be: "
            + "; ".join(_shortage(a) for a in missing[:5])
            + (f"; and {len(missing) - 5} more" if len(missing) > 5 else "")
        )
    needed = dict.fromkeys(w for a in short if (w := policy.waiver_of(a.service)))
    return tuple({"service": w.service, "reason": w.reason} for w in needed)


def _shortage(a: Allowance) -> str:
    if a.of == 1:
        return f"{a.service} has one copy only"
    return f"{a.service}: {a.allowed} of {a.of} may be down" + (f", {a.down} down already" if a.down else "")


def _orders(overcloud: Overcloud, catalogue: Catalogue, policy: Policy) -> list[tuple[str, str]]:
    """Pairs (first, then) of deployed services, the catalogue's and the policy's."""
    deployed = overcloud.services
    wanted = [(first, service) for service in deployed for first in catalogue.profile(service).after]
    return [pair for pair in dict.fromkeys([*wanted, *policy.order]) if pair[0] in deployed and pair[1] in deployed]


def _policy_dict(policy: Policy, allowances: Mapping[str, Allowance], limit: Limit) -> dict[str, Any]:
    """The policy, resolved: what was asked for and what was assumed, in numbers."""
    return {
        "budgets": {
            a.service: {"max_unavailable": a.allowed, "of": a.of, "limit": a.limit, "from": f"{a.source}: {a.budget}"}
            for a in allowances.values()
        },
        "order": [{"first": first, "then": then} for first, then in policy.order],
        "domains": dict(sorted(policy.domains.items())),
        "durations": policy.durations.to_dict() if policy.durations else {},
        "service_waves": list(policy.service_waves),
        "canary": policy.canary,
        "approve": policy.approve,
        "max_failed": policy.max_failed,
        "waivers": [{"service": w.service, "reason": w.reason} for w in policy.waivers],
        "services": list(policy.services),
        **policy.probes,
        "limit": limit.to_dict(),
    }


def _warnings(
    overcloud: Overcloud,
    catalogue: Catalogue,
    facts: Facts | None,
    precedence: Precedence,
    hit: Iterable[str],
    more: Iterable[str],
) -> tuple[str, ...]:
    warnings = [NO_FACTS] if facts is None else []
    unknown = [service for service in hit if not catalogue.knows(service)]
    if unknown:
        warnings.append(f"not in the service catalogue, so one node at a time: {', '.join(unknown)}")
    for first, then in precedence.unmet:
        warnings.append(f"{first} before {then} cannot be met node by node here: it holds inside each node only")
    if not overcloud.has_update_tasks:
        warnings.append(f"this overcloud ({overcloud.release}) brings no update tasks of its own")
    return (*warnings, *(text for text in more if text))
