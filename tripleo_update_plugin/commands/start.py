"""``openstack overcloud update start``."""

import argparse
from typing import Any

from osc_lib.command import command

from tripleo_update_plugin.commands.base import CloudCommand
from tripleo_update_plugin.commands.follow import follow


class StartUpdate(CloudCommand, command.ShowOne):  # type: ignore[misc]
    """Start the update that a plan describes.

    Checks that the overcloud is still what the plan was made from, that the plan keeps its budgets and that Mistral's
    executors go by the same service profiles, asks the nodes again, asks for confirmation, and hands the plan to
    Mistral, which runs it to the end whether or not anyone looks on.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("plan", metavar="PLAN", help="a plan that 'overcloud update plan --save' wrote")
        parser.add_argument(
            "--no-facts", action="store_true", help="do not ask the nodes again whether they are as the plan counts on"
        )
        parser.add_argument("-y", "--yes", action="store_true", help="do not ask for confirmation")
        parser.add_argument("--wait", action="store_true", help="then follow the update, as 'overcloud update follow'")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        from tripleo_update_plugin import rollout
        from tripleo_update_plugin.adapters import documents

        plan = documents.read_plan(parsed_args.plan)
        mistral = self.mistral()
        rollout.check(plan, self.heat())
        rollout.refuse_second(plan, mistral)
        rollout.check_executors(plan, mistral)
        for line in [] if parsed_args.no_facts else rollout.check_nodes(plan, mistral):
            self.say(f"since the plan was made: {line}")
        if not parsed_args.yes:
            self.say(str(plan))
            self.confirm(f"Update {len(plan.nodes)} nodes of {plan.stack}? [y/N] ")
        id = rollout.start(plan, mistral)
        self.say(f"Started: {id}")
        if parsed_args.wait:
            self.exit_code, _ = follow(id, mistral, self.notes(), self.say, self.interval)
        state = mistral.execution(id, phases=False).state
        return ("id", "stack", "state", "nodes", "batches"), (id, plan.stack, state, len(plan.nodes), len(plan.batches))
