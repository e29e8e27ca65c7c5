"""Whether a plan may start on the overcloud as it is now."""

from collections.abc import Mapping
from typing import Any

from tripleo_update_plugin import outputs, safety
from tripleo_update_plugin.errors import CannotUpdate, StalePlan
from tripleo_update_plugin.model import Overcloud
from tripleo_update_plugin.plan import Plan


def check(plan: Plan, now: Mapping[str, Any]) -> None:
    """Compare *plan* with the stack's outputs *now*.

    Raises StalePlan if the overcloud is not what the plan was made from, BadPlan if the plan breaks its own budgets,
    CannotUpdate if the actions could not carry it out.
    """
    if outputs.digest(now) != plan.outputs_digest:
        changes = outputs.differences(plan.outputs, outputs.digests(now)) or "an output that is a secret"
        raise StalePlan(f"stack {plan.stack} has changed since the plan was made: {changes}")
    overcloud = outputs.parse(now, plan.stack)
    safety.check(plan, overcloud)
    _check_means(plan, overcloud)


def _check_means(plan: Plan, overcloud: Overcloud) -> None:
    """Refuse what would fail in the middle of the first batch."""
    if not overcloud.has_update_tasks:
        raise CannotUpdate(
            f"stack {plan.stack} ({overcloud.release}) brings no update playbook of its own",
            "Overclouds bring one from Queens on; update an older one with the procedure of its release.",
        )
    if partial := [batch.id for batch in plan.batches if batch.only]:
        raise CannotUpdate(
            f"{partial[0]} updates some services of its nodes only; the overcloud's playbook updates whole nodes",
            "Make a plan without service:NAME limits and without service waves.",
        )
