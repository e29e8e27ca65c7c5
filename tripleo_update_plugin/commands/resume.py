"""``openstack overcloud update resume``."""

import argparse
from typing import Any

from osc_lib.command import command

from tripleo_update_plugin.commands.base import CloudCommand
from tripleo_update_plugin.commands.follow import follow
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.plan.words import some_names


class ResumeUpdate(CloudCommand, command.ShowOne):  # type: ignore[misc]
    """Let an update go on that waits for an approval, or that was paused.

    Shows what comes next, asks for confirmation, and resumes the update in Mistral.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("id", metavar="ID", help="the update, as 'overcloud update list' shows it")
        parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
        parser.add_argument("--wait", action="store_true", help="follow the update to its end; exit code 1 if it fails")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        from tripleo_update_plugin import rollout

        mistral = self.mistral()
        plan, approval = rollout.waiting(parsed_args.id, mistral)
        if not parsed_args.yes:
            self.say(_next(plan, approval))
            self.confirm(f"Let the update of {plan.stack} go on? [y/N] ")
        mistral.resume(parsed_args.id)
        if parsed_args.wait:
            self.exit_code = follow(parsed_args.id, mistral, self.say)
        execution = mistral.execution(parsed_args.id, phases=False)
        return ("id", "stack", "state", "approved"), (execution.id, execution.stack, execution.state, approval)


def _next(plan: Plan, approval: str) -> str:
    """What an approval lets begin, in words; that of a pause by hand nobody knows."""
    for each in plan.approvals:
        if each.id == approval:
            begins = [f"{id}: {some_names(plan.batch(id).nodes)}" for id in each.before]
            return "\n".join([f"{approval}, {each.why}. What begins next:", *begins])
    return "The update was paused by hand; what was to come next begins."
