"""``openstack overcloud update report``."""

import argparse

from osc_lib.command import command

from tripleo_update_plugin.commands.base import CloudCommand, Rows
from tripleo_update_plugin.report import COLUMNS, row


class ReportUpdate(CloudCommand, command.Lister):  # type: ignore[misc]
    """Report what became of every node of an update; the exit code is 0 only if all went well."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("id", metavar="ID", help="the update, as 'overcloud update list' shows it")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        from tripleo_update_plugin import rollout

        report = rollout.report(parsed_args.id, self.mistral())
        self.exit_code = 0 if report.went_well else 1
        counts: dict[str, int] = {}
        for outcome in report.outcomes:
            counts[outcome.outcome] = counts.get(outcome.outcome, 0) + 1
        self.say(f"{report.plan.stack}: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
        for waiver in report.plan.waivers:
            self.say(f"waived: {waiver['service']}: {waiver['reason']}")
        return COLUMNS, [row(outcome) for outcome in report.outcomes]
