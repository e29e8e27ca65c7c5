"""``openstack overcloud update simulate``."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cliff.columns import FormattableColumn
from osc_lib.command import command

from tripleo_update_plugin.commands.base import CloudCommand, Rows, seconds
from tripleo_update_plugin.commands.plan import NodesColumn
from tripleo_update_plugin.times import in_words

if TYPE_CHECKING:
    from tripleo_update_plugin.outcome.execution import Execution
    from tripleo_update_plugin.plan.plan import Plan

COLUMNS = ("batch", "start", "end", "takes", "nodes", "outcome", "detail")


class SimulateUpdate(CloudCommand, command.Lister):  # type: ignore[misc]
    """Show what an update would do and when, and touch nothing.

    One row per batch, in the order in which they begin; times count from the beginning. Batches that nothing orders run
    side by side. With --fail and --lost it says what the update would do then, and when it would end.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add = parser.add_argument
        add("plan", metavar="PLAN", help="a plan that 'overcloud update plan --save' wrote")
        add("--fail", metavar="NODE", action="append", default=[], help="a node whose update fails; repeatable")
        add("--lost", metavar="NODE", action="append", default=[], help="a node that never comes back; repeatable")
        add(
            "--at", metavar="BATCH", action="append", default=[],
            help="the batch in which that happens, for a node that has several (default: its first); repeatable",
        )  # fmt: skip
        times = parser.add_mutually_exclusive_group()
        times.add_argument(
            "--durations", metavar="FILE|SECONDS",
            help="how long batches take: all of them SECONDS, or by role and node, as 'durations' of a policy says",
        )  # fmt: skip
        times.add_argument(
            "--from-history", action="store_true", help="how long they took in earlier updates that Mistral knows"
        )
        add(
            "--gate-timeout", metavar="SECONDS", type=seconds, default=1800.0,
            help="how long a gate waits for a node, as the executors' option gate_timeout says (default: 1800)",
        )  # fmt: skip
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        from tripleo_update_plugin.adapters import documents
        from tripleo_update_plugin.outcome import simulation

        plan = documents.read_plan(parsed_args.plan)
        failing = simulation.troubles(plan, parsed_args.fail, parsed_args.at)
        lost = simulation.troubles(plan, parsed_args.lost, parsed_args.at)
        assumed = simulation.Assumptions(
            seconds=simulation.seconds_of(plan, self._durations(plan, parsed_args)),
            failing=failing,
            lost=lost,
            shared=_shared(plan) if failing or lost else frozenset(),
            patience=parsed_args.gate_timeout,
        )
        execution = simulation.simulate(plan, assumed)
        self.say(_summary(plan, execution))
        rows = [
            (s.batch, TimeColumn(s.start), TimeColumn(s.end), TimeColumn(s.takes), NodesColumn(s.nodes), s.outcome,
             s.detail)
            for s in simulation.timeline(plan, execution)
        ]  # fmt: skip
        return COLUMNS, rows

    def _durations(self, plan: "Plan", args: argparse.Namespace) -> Mapping[str, Any] | None:
        from tripleo_update_plugin import rollout
        from tripleo_update_plugin.adapters import documents
        from tripleo_update_plugin.errors import BadInput
        from tripleo_update_plugin.outcome import simulation

        if args.from_history:
            roles = simulation.estimate(rollout.history(plan.stack, self.mistral()))
            if not roles:
                raise BadInput(
                    f"no batch of an earlier update of {plan.stack} went well, so nothing is known",
                    "Leave --from-history out, or say how long batches take with --durations.",
                )
            self.say("From earlier updates: " + ", ".join(f"{r} {in_words(round(s))}" for r, s in roles.items()))
            return {"default": max(roles.values()), "roles": roles}
        if args.durations is None:
            return None
        try:
            return simulation.parse_durations({"default": float(args.durations)}, "--durations")
        except ValueError:
            return simulation.parse_durations(documents.read_data(args.durations), args.durations)


class TimeColumn(FormattableColumn):  # type: ignore[misc]
    """Seconds for machines, ``1 h 2 min 3 s`` for people; None is no time."""

    def human_readable(self) -> str:
        return "" if self._value is None else in_words(round(self._value))

    def machine_readable(self) -> float | None:
        return self._value  # type: ignore[no-any-return]


def _shared(plan: "Plan") -> frozenset[str]:
    """The services whose copies on other nodes a batch's first gate looks at."""
    from tripleo_update_plugin.adapters import extensions
    from tripleo_update_plugin.playbooks.gates import SHARED_KINDS

    catalogue = extensions.load_catalogue(*plan.policy.get("services", ()))
    hit = {service for batch in plan.batches for service in batch.impact}
    return frozenset(service for service in hit if catalogue.profile(service).kind in SHARED_KINDS)


def _summary(plan: "Plan", execution: "Execution") -> str:
    """How the update would end, when, and what would have become of the nodes."""
    from tripleo_update_plugin.outcome import simulation
    from tripleo_update_plugin.outcome.report import report_of

    counts: dict[str, int] = {}
    for outcome in report_of(plan, execution).outcomes:
        counts[outcome.outcome] = counts.get(outcome.outcome, 0) + 1
    verb = "go well" if execution.state == "SUCCESS" else "fail"
    lines = [
        f"{plan.stack}: the update would {verb} and end after {in_words(round(execution.finished or 0))}: "
        + ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    ]
    if waits := simulation.approvals(plan, execution):
        lines.append(f"{waits} approval{'s' * (waits > 1)} on the way, taken to be given at once")
    return "\n".join(lines)
