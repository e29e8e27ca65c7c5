"""What does a policy come to for one overcloud, in numbers?"""

from dataclasses import dataclass

from tripleo_update_plugin.errors import BadPolicy
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.rules import acceptance
from tripleo_update_plugin.rules.budget import Budget
from tripleo_update_plugin.rules.catalogue import Catalogue, Profile
from tripleo_update_plugin.rules.policy import EVERYTHING, Durations, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """One service's budget, resolved.

    ``of`` replicas there are, over all roles; ``down`` of them are down already; ``allowed`` may be down at once (the
    ones down already count); ``limit`` is what no policy may exceed. ``source`` is 'catalogue' or 'policy'.
    """

    service: str
    kind: str
    budget: Budget
    of: int
    down: int
    allowed: int
    limit: int
    source: str
    why: str

    @property
    def free(self) -> int:
        """How many more may go down now."""
        return self.allowed - self.down


def resolve(policy: Policy, catalogue: Catalogue, overcloud: Overcloud, facts: Facts) -> dict[str, Allowance]:
    """{service: its allowance}, for every deployed service that has a budget. *facts* say who is down already.

    Raises BadPolicy for a budget above a service's hard limit (unless waived) and for names that nothing has.
    """
    _check_names(policy, overcloud)
    acceptance.check(policy.accept, catalogue, overcloud)
    allowances = {}
    hosts = overcloud.hosts()
    for service in overcloud.services:
        profile = catalogue.profile(service)
        if profile.is_bounded or service in policy.budgets:
            allowances[service] = _allowance(profile, policy, hosts[service], facts)
    return allowances


def _allowance(profile: Profile, policy: Policy, hosts: frozenset[str], facts: Facts) -> Allowance:
    service = profile.service
    own = policy.budgets.get(service)
    budget = own or profile.budget
    limit = profile.limit.of(len(hosts))
    allowed = budget.of(len(hosts))
    if own and allowed > limit and not policy.waiver_of(service):
        raise BadPolicy(
            f"budgets: {service}: {own} lets {allowed} of {len(hosts)} be down, the limit is {limit}"
            + (f" ({profile.why})" if profile.why else ""),
            f"Lower it to {limit}, or add a waiver for {service} with a reason.",
        )
    return Allowance(
        service=service,
        kind=profile.kind,
        budget=budget,
        of=len(hosts),
        down=len(hosts & facts.away),
        allowed=allowed if own else min(allowed, limit),
        limit=limit,
        source="policy" if own else "catalogue",
        why=profile.why,
    )


def _check_names(policy: Policy, overcloud: Overcloud) -> None:
    services, nodes = set(overcloud.services), {node.name for node in overcloud.nodes}
    named = [*policy.budgets, *(w.service for w in policy.waivers if w.service != EVERYTHING)]
    named += [service for pair in policy.order for service in pair]
    named += [*(policy.service_waves or ()), *(checkpoint.service for checkpoint in policy.checkpoints)]
    named += [*(policy.durations.services if policy.durations else ()), *policy.deadlines.services]
    named += [*policy.max_failed.services]
    for service in filter(None, named):
        if service not in services:
            raise BadPolicy(f"no node has the service {service!r}, which the policy names")
    durations = policy.durations or Durations()
    for key, named_nodes in (("domains", policy.domains), ("durations", durations.nodes)):
        for node in named_nodes:
            if node not in nodes:
                raise BadPolicy(f"{key}: the overcloud has no node {node!r}")
    roles_of = {
        "durations": durations.roles, "checkpoints": [c.role for c in policy.checkpoints],
        "deadlines": policy.deadlines.roles, "max_failed": policy.max_failed.roles,
    }  # fmt: skip
    roles = {node.role for node in overcloud.nodes}
    for key, named_roles in roles_of.items():
        for role in filter(None, named_roles):
            if role not in roles:
                raise BadPolicy(f"{key}: the overcloud has no role {role!r}")
