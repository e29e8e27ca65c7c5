"""What must hold at every instant of an update, whichever batches overlap?

Every constraint obeys one law: if a set of nodes is refused, every larger set is refused too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.rules.allowances import Allowance
from tripleo_update_plugin.rules.budget import Rule
from tripleo_update_plugin.rules.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Why a set of nodes may not be down together."""

    constraint: str
    reason: str


#: Of constraints that bind alike, the one to name first: what hurts most when it breaks.
_RANK = {"quorum": 0, "storage": 1, "active-passive": 2, "cache": 3, "stateless": 4, "worker": 5}


class Constraint(Protocol):
    """A rule over sets of nodes that are down at the same time."""

    @property
    def name(self) -> str:
        """What it is told by: a service, or ``domains``."""

    @property
    def members(self) -> frozenset[str]:
        """The nodes it speaks of; all others are indifferent to it."""

    def violation(self, down: frozenset[str]) -> Violation | None:
        """The reason why *down* is refused, None if it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxUnavailable:
    """At most ``capacity`` of the members go down together (those down already are taken off it)."""

    allowance: Allowance
    members: frozenset[str]
    capacity: int
    role: str = ""  # where it speaks of the nodes of one role only

    @property
    def name(self) -> str:
        """The service."""
        return self.allowance.service

    @property
    def reason(self) -> str:
        """The numbers behind it, e.g. ``mysql: 1 of 3 may be down``."""
        a = self.allowance
        if self.role:
            return f"{a.service}: {self.capacity} of {len(self.members)} of role {self.role} may be down"
        text = f"{a.service}: {a.allowed} of {a.of} may be down"
        if a.down:
            text += f", {a.down} already {'is' if a.down == 1 else 'are'}"
        return text if a.free > 0 else f"{text}; waived, so one at a time"

    def violation(self, down: frozenset[str]) -> Violation | None:
        """See Constraint."""
        if len(down & self.members) <= self.capacity:
            return None
        return Violation(constraint=self.name, reason=self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneDomainAtATime:
    """Nodes that go down together are all of the same failure domain; ``domains`` is {node: domain}."""

    domains: Mapping[str, str]
    name: str = "domains"

    @property
    def members(self) -> frozenset[str]:
        """Nodes that are in a domain."""
        return frozenset(self.domains)

    def violation(self, down: frozenset[str]) -> Violation | None:
        """See Constraint."""
        hit = {self.domains[node] for node in down if node in self.domains}
        if len(hit) <= 1:
            return None
        return Violation(constraint=self.name, reason=f"one failure domain at a time, not {' and '.join(sorted(hit))}")


def constraints_of(
    overcloud: Overcloud, allowances: Iterable[Allowance], policy: Policy, facts: Facts
) -> tuple[Constraint, ...]:
    """All constraints of an update, those first that bind the most."""
    allowances = list(allowances)
    hosts = overcloud.hosts()
    roles: dict[str, set[str]] = {}
    for node in overcloud.nodes:
        roles.setdefault(node.role, set()).add(node.name)
    budgets = [
        MaxUnavailable(allowance=a, members=hosts[a.service] - facts.away, capacity=max(a.free, 1)) for a in allowances
    ]
    budgets += [c for a in allowances for c in _halves_of_roles(roles, hosts[a.service], a, facts)]
    budgets.sort(key=_worst_first)
    return (*budgets, OneDomainAtATime(domains=policy.domains)) if policy.domains else tuple(budgets)


def _worst_first(c: MaxUnavailable) -> tuple[float, int, bool, str]:
    """Of those that bind alike, what clients feel most, and a budget of one's own before the usual one of agents."""
    rank = _RANK.get(c.allowance.kind, len(_RANK))
    return (-len(c.members) / c.capacity, rank, c.allowance.budget == Rule("agents"), c.name)


def _halves_of_roles(
    roles: Mapping[str, set[str]], hosts: frozenset[str], allowance: Allowance, facts: Facts
) -> Iterator[MaxUnavailable]:
    """An agent serves its own node, so its replicas on nodes of another role are no help: half of each role stay.

    Without this a budget over all roles would let three network nodes go together because there are a hundred computes.
    It is part of the rule ``agents``; a budget of another kind stands alone.
    """
    if allowance.budget != Rule("agents"):
        return
    for role, names in sorted(roles.items()):
        members = hosts & names
        if not members:
            continue
        capacity = max(len(members) // 2 - len(members & facts.away), 1)
        yield MaxUnavailable(allowance=allowance, members=members - facts.away, capacity=capacity, role=role)
