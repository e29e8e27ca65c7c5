"""What others would do with the same nodes: batches one after the other, role after role."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tripleo_update_plugin.overcloud.model import Node, Overcloud
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.rules.policy import Durations, Policy

#: ``update_serial`` of TripleO's roles: 25 for computes; 1 for controllers, databases, messaging, networkers, storage.
STOCK_COMPUTES, STOCK_OTHERS = 25, 1


@dataclass(frozen=True)
class Peer:
    """Batches in a row, the seconds they take, and the services that lose more than their budget on the way."""

    batches: int
    seconds: int
    broken: int


def stock(overcloud: Overcloud, plan: Plan, policy: Policy) -> Peer:
    """``update_steps_playbook``: role after role with TripleO's ``serial``, whatever the budgets."""
    return _peer([b for nodes in _roles(overcloud.nodes) for b in _cut(nodes, _serial(nodes[0]))], plan, policy)


def role_by_role(overcloud: Overcloud, plan: Plan, policy: Policy) -> Peer:
    """Role after role, each batch as large as the budgets and failure domains of *plan* allow."""
    budgets = _budgets(plan)
    batches: list[Sequence[Node]] = []
    for nodes in _roles(overcloud.nodes):
        serial = max(1, min([budgets[s] for s in nodes[0].services if s in budgets], default=len(nodes)))
        places: dict[str, list[Node]] = {}
        for node in nodes:
            places.setdefault(policy.domains.get(node.name, ""), []).append(node)
        batches += [batch for place in places.values() for batch in _cut(place, serial)]
    return _peer(batches, plan, policy)


def _peer(batches: Sequence[Sequence[Node]], plan: Plan, policy: Policy) -> Peer:
    budgets, durations = _budgets(plan), policy.durations or Durations()
    broken: set[str] = set()
    for batch in batches:
        # The nodes of a batch are of one role, so all of them have the same services.
        broken |= {s for s in batch[0].services if s in budgets and len(batch) > budgets[s]}
    seconds = sum(max(durations.of(node.name, node.role) for node in batch) for batch in batches)
    return Peer(batches=len(batches), seconds=seconds, broken=len(broken))


def _budgets(plan: Plan) -> dict[str, int]:
    return {service: budget["max_unavailable"] for service, budget in plan.policy["budgets"].items()}


def _serial(node: Node) -> int:
    # A hyperconverged node is storage as well, and TripleO takes these one by one.
    return STOCK_COMPUTES if "nova_compute" in node.services and "ceph_osd" not in node.services else STOCK_OTHERS


def _roles(nodes: Iterable[Node]) -> Iterable[list[Node]]:
    found: dict[str, list[Node]] = {}
    for node in nodes:
        found.setdefault(node.role, []).append(node)
    return found.values()


def _cut(nodes: Sequence[Node], size: int) -> list[Sequence[Node]]:
    return [nodes[i : i + size] for i in range(0, len(nodes), size)]
