"""``openstack overcloud update plan diff``."""

import argparse

from osc_lib.command import command

from tripleo_update_plugin.commands.base import CloudCommand, Rows
from tripleo_update_plugin.commands.plan import NodesColumn


class ComparePlans(CloudCommand, command.Lister):  # type: ignore[misc]
    """Show what changed from one saved plan to another.

    One row per change: nodes that moved, are new, gone or excluded, then what the plans were made from: budgets and the
    rest of the policy, waivers, facts, outputs. Nodes that moved alike share a row.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("before", metavar="A", help="a plan that 'overcloud update plan --save' wrote")
        parser.add_argument("after", metavar="B", help="a later plan")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        from tripleo_update_plugin.adapters import documents
        from tripleo_update_plugin.plan import comparison

        before, after = documents.read_plan(parsed_args.before), documents.read_plan(parsed_args.after)
        changes = comparison.compare(before, after)
        self.say(comparison.summary(changes, identical=before == after))
        return comparison.COLUMNS, [(c.what, NodesColumn(c.names), c.before, c.after) for c in changes]
