"""``openstack overcloud update report``."""

import argparse
from collections.abc import Iterator

from osc_lib.command import command

from tripleo_update_plugin.commands.base import CloudCommand, Rows
from tripleo_update_plugin.commands.updates import add_update, which
from tripleo_update_plugin.outcome import verdicts
from tripleo_update_plugin.outcome.report import COLUMNS, Report, row
from tripleo_update_plugin.outcome.verdicts import DOWNTIME, NO_DOWNTIME, NOT_PROVED, Breach
from tripleo_update_plugin.plan.words import some_names
from tripleo_update_plugin.times import iso

_WORST_FIRST = (DOWNTIME, NOT_PROVED, NO_DOWNTIME)


class ReportUpdate(CloudCommand, command.Lister):  # type: ignore[misc]
    """Report what became of every node of an update, and how available the overcloud was.

    The exit code is 0 only if all went well: every node updated, and no more requests failed than the policy allows.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_update(parser, ended=True)
        parser.add_argument(
            "--availability", action="store_true", help="a row for every probe, with its figures, instead of the nodes"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        from tripleo_update_plugin import rollout
        from tripleo_update_plugin.verbs import looking

        id, mistral = which(self, parsed_args, ended=True), self.mistral()
        report = rollout.report(id, mistral)
        self.exit_code = 0 if report.went_well else 1
        counts: dict[str, int] = {}
        for outcome in report.outcomes:
            counts[outcome.outcome] = counts.get(outcome.outcome, 0) + 1
        self.say(f"{report.plan.stack}: " + ", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
        for line in failure_lines(report):
            self.say(line)
        for waiver in report.plan.waivers:
            self.say(f"waived: {waiver['service']}: {waiver['reason']}")
        for accepted in report.plan.accepted:
            self.say(f"accepted: {accepted}")
        for line in looking.not_ended(looking.look(id, mistral, self.notes()), report.plan):
            self.say(line)
        for line in availability_lines(report):
            self.say(line)
        if parsed_args.availability:
            return verdicts.COLUMNS, [verdicts.row(verdict) for verdict in report.verdicts]
        return COLUMNS, [row(outcome) for outcome in report.outcomes]


def failure_lines(report: Report) -> Iterator[str]:
    """What the failure budget came to."""
    if behind := report.left_behind:
        yield f"failed within the budget, so the update went on without: {some_names(behind)}"
    if report.excess:
        yield f"more failed than may: {report.excess}"


def availability_lines(report: Report) -> Iterator[str]:
    """What may be claimed of the probes: those of which the same is said on one line, what is bad first."""
    for breach in report.breaches:
        yield f"availability: {breach_line(breach)}"
    claims: dict[str, list[str]] = {}
    for verdict in sorted(report.verdicts, key=lambda v: _WORST_FIRST.index(v.verdict)):
        claims.setdefault(str(verdict), []).append(verdict.probe)
    for claim, names in claims.items():
        yield f"availability: {', '.join(names)}: {claim}"
    if report.unprobed:
        yield f"availability: not asked, for nobody deployed them: {', '.join(report.unprobed)}"


def breach_line(breach: Breach) -> str:
    """Why an update was paused, and since when."""
    return f"{breach.probe}: {breach.text}, since {iso(breach.time)}" + (": paused" if breach.paused else "")
