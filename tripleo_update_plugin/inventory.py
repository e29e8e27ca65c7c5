"""The services of an overcloud, each with who runs it, its budget and the reason for it."""

from dataclasses import dataclass

from tripleo_update_plugin.catalogue import Catalogue
from tripleo_update_plugin.model import Facts, Overcloud, naturally
from tripleo_update_plugin.policy import Allowance, Policy, resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLine:
    """One service. ``budget`` is how many of its ``nodes`` may be down at once."""

    service: str
    kind: str
    run_by: tuple[str, ...]
    nodes: int
    budget: int
    bound_by: str


def services_of(overcloud: Overcloud, catalogue: Catalogue, policy: Policy) -> list[ServiceLine]:
    """All deployed services, in natural order. Raises BadPolicy as policy.resolve does."""
    allowances = resolve(policy, catalogue, overcloud, Facts())
    lines = []
    for service in overcloud.services:
        profile = catalogue.profile(service)
        count = len(overcloud.hosts_of(service))
        allowance = allowances.get(service)
        runners = {runners[service] for runners in overcloud.runners.values() if service in runners}
        lines.append(
            ServiceLine(
                service=service,
                kind=profile.kind,
                # What only configures a host has no runner of its own, unless Pacemaker has a resource for it.
                run_by=naturally(runners if profile.is_bounded else runners - {"systemd", "container"}) or ("host",),
                nodes=count,
                budget=allowance.allowed if allowance else count,
                bound_by=_bound_by(allowance, policy) if allowance else profile.why or "nothing: no client notices",
            )
        )
    return lines


def _bound_by(allowance: Allowance, policy: Policy) -> str:
    waiver = policy.waiver_of(allowance.service) if allowance.free < 1 else None
    source = f"{allowance.source}: {allowance.budget}"
    if allowance.source == "catalogue" and allowance.budget.of(allowance.of) > allowance.limit:
        source = f"limit: {allowance.limit}"
    reason = f"waived: {waiver.reason}" if waiver else allowance.why
    return f"{source} ({reason})" if reason else source
