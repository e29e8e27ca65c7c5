"""Whether a plan may start on the overcloud as it is now."""

from collections.abc import Iterable, Mapping
from typing import Any

from tripleo_update_plugin.errors import CannotUpdate, StalePlan
from tripleo_update_plugin.overcloud import outputs
from tripleo_update_plugin.overcloud.architecture import PerService
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.plan import safety
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.playbooks import method, packages, single_services
from tripleo_update_plugin.rules.catalogue import Catalogue


def roles_to_read(plan: Plan, now: Mapping[str, Any]) -> list[str]:
    """Roles whose services' own data check() needs."""
    roles = {role for batch in plan.batches if batch.only for role in batch.roles}
    return method.roles_to_read(now, roles)


def check(plan: Plan, now: Mapping[str, Any], catalogue: Catalogue, services: PerService | None = None) -> None:
    """Compare *plan* with the stack's outputs *now*; *services* is the data of the roles to read.

    Raises StalePlan if the overcloud is not what the plan was made from, BadPlan if the plan breaks its own budgets,
    CannotUpdate if the actions could not carry it out.
    """
    if outputs.digest(now) != plan.outputs_digest:
        changes = outputs.differences(plan.outputs, outputs.digests(now)) or "an output that is a secret"
        raise StalePlan(f"stack {plan.stack} has changed since the plan was made: {changes}")
    overcloud = outputs.parse(now, plan.stack)
    safety.check(plan, overcloud)
    check_means(now, overcloud)
    for batch in plan.batches:
        if batch.only:
            check_only(now, overcloud, catalogue, services or {}, batch.nodes, batch.only, batch.id)


def check_means(now: Mapping[str, Any], overcloud: Overcloud) -> str:
    """The means that nodes are updated by; CannotUpdate where there are none."""
    found = method.means_of(now, overcloud)
    if not found:
        raise CannotUpdate(
            f"stack {overcloud.stack} ({overcloud.release}) has containers, but no update tasks of its own",
            "Overclouds of containers bring them from Pike on; update an older one with the procedure of its release.",
        )
    return found


def check_only(
    now: Mapping[str, Any],
    overcloud: Overcloud,
    catalogue: Catalogue,
    services: PerService,
    nodes: Iterable[str],
    only: Iterable[str],
    batch: str,
) -> None:
    """Raise CannotUpdate, which gives the reason, unless each of the services can be updated alone on these nodes."""
    found, wanted = check_means(now, overcloud), frozenset(only)
    pairs = {(overcloud.node(name).role, s) for name in nodes for s in overcloud.node(name).services & wanted}
    for role, service in sorted(pairs):
        if found == method.PACKAGES:
            unnamed = packages.without_package(catalogue, [service])
            reason = f"the catalogue names no unit of {service}, so its package is not known" if unnamed else ""
        elif found == method.TASKS:
            reason = f"the update tasks of {overcloud.release} are those of whole nodes"
        else:
            reason = single_services.refusal(overcloud, now.get("RoleConfig") or {}, services, role, service)
        if reason:
            raise CannotUpdate(
                f"{batch} updates only {service}, and {reason}",
                "Make a plan without this service:NAME limit or service wave.",
            )
