"""How is a service updated alone, on all its nodes, before any of them is updated as a whole?

So an order between services can be met that cannot be met node by node: ``ovn_controller`` on every node before
``ovn_dbs`` on the controllers, which have both. Each such service gets groups of its own, with its own budget only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tripleo_update_plugin.overcloud.model import Node
from tripleo_update_plugin.planner.problem.constraints import Constraint, MaxUnavailable
from tripleo_update_plugin.planner.problem.precedence import Order
from tripleo_update_plugin.planner.problem.problem import Group, Problem
from tripleo_update_plugin.rules.policy import Policy


def with_service_waves(
    problem: Problem, nodes: Iterable[Node], constraints: Iterable[Constraint], orders: Sequence[Order], policy: Policy
) -> Problem:
    """*problem* with the service waves of *policy* before it; where the policy had none, it has the catalogue's by now.

    *nodes* are those that are updated, *constraints* and *orders* those that the problem was made of.
    """
    services_of = {node.name: node.services for node in nodes}
    budgets = [c for c in constraints if isinstance(c, MaxUnavailable)]
    seconds = policy.durations.services if policy.durations else {}
    earlier: frozenset[int] = frozenset()
    for service in policy.service_waves or ():
        own = [c for c in budgets if c.allowance.service == service]
        first = len(problem.groups)
        problem = _with_own_groups(problem, service, own, services_of, earlier, seconds)
        earlier |= frozenset(range(first, len(problem.groups)))
        after = {then for before, then in orders if before == service} | {service}
        problem = _hold_back(problem, service, range(first, len(problem.groups)), after, services_of)
    return problem


def _with_own_groups(
    problem: Problem,
    service: str,
    own: Sequence[MaxUnavailable],
    services_of: Mapping[str, frozenset[str]],
    earlier: frozenset[int],
    seconds: Mapping[str, int],
) -> Problem:
    """One more group for each group that has *service*; they come after the groups *earlier*."""
    count = len(problem.capacities)
    groups = [
        Group(
            label=group.label,
            nodes=group.nodes,
            budgets=tuple(count + k for k, budget in enumerate(own) if group.nodes[0] in budget.members),
            before=earlier,
            domain=group.domain,
            seconds=seconds.get(service, group.seconds),
            only=(service,),
        )
        for group in problem.groups
        if not group.only and service in services_of[group.nodes[0]]
    ]
    return replace(
        problem,
        groups=(*problem.groups, *groups),
        capacities=(*problem.capacities, *(budget.capacity for budget in own)),
        reasons=(*problem.reasons, *(budget.reason for budget in own)),
    )


def _hold_back(
    problem: Problem, service: str, wave: range, after: set[str], services_of: Mapping[str, frozenset[str]]
) -> Problem:
    """Put whole nodes that have one of the services *after* behind the groups of a *wave*."""
    groups, orders = list(problem.groups), dict(problem.orders)
    for i, group in enumerate(groups):
        if not group.only and services_of[group.nodes[0]] & after:
            groups[i] = replace(group, before=group.before | set(wave))
            orders.update(dict.fromkeys(((s, i) for s in wave), f"order: {service} first, on all its nodes"))
    return replace(problem, groups=tuple(groups), orders=orders)
