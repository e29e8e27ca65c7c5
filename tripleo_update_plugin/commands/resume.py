"""``openstack overcloud update resume`` and ``approve``."""

import argparse

from tripleo_update_plugin.commands import exit_codes
from tripleo_update_plugin.commands.updates import ActOnUpdate, Target, operator
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.plan.words import some_names

_QUESTION = "Let the update of {stack} go on?"


class ResumeUpdate(ActOnUpdate):
    """Let an update go on, whoever paused it: a person, a probe, an approval.

    Shows what comes next, asks, and lets it begin. Also takes back an 'abort' that has not come to its end.
    """

    def asks(self, target: Target, args: argparse.Namespace) -> str:
        return _QUESTION if target.standing.execution.state == "PAUSED" else ""

    def intent(self, target: Target, args: argparse.Namespace) -> str:
        if target.standing.execution.approval:
            return _next(target.plan, target.standing.execution.approval)
        return "What was held goes on, and what was to come next begins."

    def act(self, target: Target, args: argparse.Namespace) -> str:
        from tripleo_update_plugin.verbs import holding

        return holding.resume(target.standing, target.mistral, target.notes, operator())


class ApproveUpdate(ActOnUpdate):
    """Give the approval that an update waits for.

    Shows what comes next, asks, and lets it begin. An update that is paused for another reason stays paused.
    """

    def asks(self, target: Target, args: argparse.Namespace) -> str:
        return _QUESTION if target.standing.execution.approval else ""

    def intent(self, target: Target, args: argparse.Namespace) -> str:
        return _next(target.plan, target.standing.execution.approval)

    def act(self, target: Target, args: argparse.Namespace) -> str:
        from tripleo_update_plugin.verbs import holding

        approval = target.standing.execution.approval
        if holding.approve(target.standing, target.mistral):
            return f"{approval} is given"
        if target.standing.execution.state == "PAUSED":
            self.exit_code = exit_codes.PAUSED
            return "it is paused, but waits for no approval: 'openstack overcloud update resume' lets it go on"
        return "it waits for no approval"


def _next(plan: Plan, approval: str) -> str:
    """What an approval lets begin, in words."""
    for each in plan.approvals:
        if each.id == approval:
            begins = [f"{id}: {some_names(plan.batch(id).nodes)}" for id in each.before]
            return "\n".join([f"{approval}, {each.why}. What begins next:", *begins])
    return "It waits for no approval."
