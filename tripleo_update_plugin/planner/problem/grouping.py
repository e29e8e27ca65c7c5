"""Which nodes are alike to the planner, which budgets bind them, and what comes before what?

The planner counts inside groups, so its work grows with the groups and waves, not with pairs of nodes.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence

from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.overcloud.model import Node
from tripleo_update_plugin.planner.problem.constraints import Constraint, MaxUnavailable
from tripleo_update_plugin.planner.problem.precedence import Order, precedence_of
from tripleo_update_plugin.planner.problem.problem import Group, Problem
from tripleo_update_plugin.rules.policy import Durations, Policy

#: {order between services: (role, role that does not wait for it)}
Unmet = Mapping[Order, tuple[tuple[str, str], ...]]


def problem_of(
    nodes: Sequence[Node],
    constraints: Iterable[Constraint],
    orders: Sequence[Order],
    facts: Facts,
    policy: Policy,
    only: tuple[str, ...] = (),
) -> tuple[Problem, Unmet]:
    """The problem of updating *nodes*, and those of the *orders* between services that cannot be met node by node.

    *only* names the services that are updated, all when empty. An order that a service wave meets is left out: there is
    a batch for its first service alone.
    """
    waves = policy.service_waves or ()
    budgets = _binding(frozenset(node.name for node in nodes), constraints)
    alike = _alike(nodes, budgets, orders, policy)
    keys = sorted(alike, key=lambda key: (alike[key][0].role, naturally(node.name for node in alike[key])[0]))
    open_orders = [(first, then) for first, then in orders if first not in waves]
    precedence = precedence_of([alike[key][0].services for key in keys], open_orders)
    leaders = frozenset(facts.leaders.values())
    durations = policy.durations or Durations()
    groups = tuple(
        Group(
            label=alike[key][0].role,
            nodes=_leaders_last(alike[key], leaders),
            budgets=_budgets_of(alike[key][0], budgets),
            before=precedence.before[i],
            domain=policy.domains.get(alike[key][0].name, ""),
            seconds=durations.of(alike[key][0].name, alike[key][0].role),
            only=only,
        )
        for i, key in enumerate(keys)
    )
    problem = Problem(
        groups=groups,
        capacities=tuple(c.capacity for c in budgets),
        reasons=tuple(c.reason for c in budgets),
        canary=policy.canary,
        orders={pair: _in_words(asked) for pair, asked in precedence.because.items()},
    )
    unmet = {
        order: tuple(dict.fromkeys((groups[a].label, groups[b].label) for a, b in pairs))
        for order, pairs in precedence.unmet.items()
    }
    return problem, unmet


def _binding(names: frozenset[str], constraints: Iterable[Constraint]) -> list[MaxUnavailable]:
    """The budgets that can be exceeded at all; of those for the same nodes the tightest, of equals the first."""
    tightest: dict[frozenset[str], MaxUnavailable] = {}
    for c in constraints:
        if not isinstance(c, MaxUnavailable) or c.capacity >= len(members := c.members & names):
            continue
        if members not in tightest or c.capacity < tightest[members].capacity:
            tightest[members] = c
    return list(tightest.values())


def _budgets_of(node: Node, budgets: Sequence[MaxUnavailable]) -> tuple[int, ...]:
    return tuple(i for i, budget in enumerate(budgets) if node.name in budget.members)


def _alike(
    nodes: Iterable[Node], budgets: Sequence[MaxUnavailable], orders: Iterable[Order], policy: Policy
) -> Mapping[Hashable, list[Node]]:
    """The nodes that the planner need not tell apart, together.

    Budgets are of services and roles, so those of the same role and services have the same.
    """
    ordered = {service for pair in orders for service in pair}.union(policy.service_waves or ())
    durations = policy.durations or Durations()
    kinds: dict[tuple[str, frozenset[str]], tuple[Hashable, ...]] = {}
    alike: dict[Hashable, list[Node]] = {}
    for node in nodes:
        kind = (node.role, node.services)
        if kind not in kinds:
            kinds[kind] = (node.role, _budgets_of(node, budgets), node.services & ordered)
        key = (*kinds[kind], policy.domains.get(node.name, ""), durations.of(node.name, node.role))
        alike.setdefault(key, []).append(node)
    return alike


def _leaders_last(nodes: Iterable[Node], leaders: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(naturally(node.name for node in nodes), key=lambda name: name in leaders))


def _in_words(orders: Sequence[Order]) -> str:
    first, then = orders[0]
    more = f" and {len(orders) - 1} more" if len(orders) > 1 else ""
    return f"order: {first} before {then}{more}"
