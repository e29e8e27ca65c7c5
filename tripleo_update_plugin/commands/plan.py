"""``openstack overcloud update plan``."""

import argparse
import dataclasses

from osc_lib.command import command

from tripleo_update_plugin.commands.base import (
    CloudCommand,
    DataColumn,
    NamesColumn,
    Rows,
    add_source,
    ask_nodes,
    read_source,
    seconds,
)
from tripleo_update_plugin.plan.plan import COLUMNS, Plan, takes_down
from tripleo_update_plugin.plan.words import some_names


class PlanUpdate(CloudCommand, command.Lister):  # type: ignore[misc]
    """Work out a rolling update of an overcloud, and change nothing.

    Reads the overcloud from Heat (--stack) or from a file (--outputs) and prints one row per batch: the nodes that are
    updated together, the batches they come after, what they take down at the worst, and what kept the batch from
    growing. Save the plan with --save, read it, and start it with 'openstack overcloud update start FILE'.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_source(parser)
        parser.add_argument(
            "--limit",
            metavar="WHAT",
            action="append",
            default=[],
            help="update only role:NAME, node:NAME or service:NAME; repeatable",
        )
        parser.add_argument("--save", metavar="FILE", help="write the plan to FILE: JSON if it ends so, else YAML")
        parser.add_argument(
            "--no-facts",
            action="store_true",
            help="do not ask the nodes (through Mistral) who is down, who leads and what runs there",
        )
        parser.add_argument(
            "--skip-current",
            action="store_true",
            help="leave out nodes that an update has brought to these outputs, and on which nothing is newer",
        )
        parser.add_argument(
            "--explain", metavar="NODE", help="say why NODE is where it is, and list only the batches that led to it"
        )
        parser.add_argument(
            "--solver-time",
            metavar="SECONDS",
            type=seconds,
            help="where the plan may not be the shortest, search for a shorter one for so long (default: 10; 0: never)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        from tripleo_update_plugin import rollout
        from tripleo_update_plugin.adapters import documents
        from tripleo_update_plugin.plan import explanation
        from tripleo_update_plugin.rules import service_list

        policy = documents.read_policy(parsed_args.policy)
        if parsed_args.solver_time is not None:
            policy = dataclasses.replace(policy, solver_time=parsed_args.solver_time)
        by_service = any(not limit.startswith(("role:", "node:")) for limit in parsed_args.limit)
        source = read_source(self, parsed_args, per_service=by_service)
        if parsed_args.no_facts:
            source = dataclasses.replace(source, facts=None)
        elif not parsed_args.outputs:
            source = dataclasses.replace(source, facts=ask_nodes(self, source.stack))
        plan = rollout.prepare(source, policy, parsed_args.limit, skip_current=parsed_args.skip_current)
        if parsed_args.save is not None:
            documents.write_plan(plan, parsed_args.save)
        if parsed_args.explain:
            self.say(explanation.explain(plan, parsed_args.explain))
            return table(_way_to(plan, parsed_args.explain))
        self.say(_summary(plan))
        for line in service_list.tasks_told({x for batch in plan.batches for x in batch.only}, source.services):
            self.say(line)
        return table(plan)


class NodesColumn(NamesColumn):
    """Nodes: all of them for machines, some of many for people."""

    def human_readable(self) -> str:
        return some_names(self._value)


def table(plan: Plan) -> Rows:
    """The batches of a plan as rows."""
    rows = [
        (
            batch.id,
            batch.wave,
            NodesColumn(batch.nodes),
            NamesColumn(batch.roles),
            NamesColumn(batch.after),
            DataColumn(batch.to_dict()["impact"], lambda _, impact=batch.impact: takes_down(impact)),  # type: ignore[misc]
            batch.closed_by,
        )
        for batch in plan.batches
    ]
    return COLUMNS, rows


def _way_to(plan: Plan, node: str) -> Plan:
    """The plan, less the batches that nothing of *node* waits for."""
    ways = [plan.chain_to(batch.id) for batch in plan.batches if node in batch.nodes]
    wanted = {batch.id for way in ways for batch in way}
    return dataclasses.replace(plan, batches=tuple(batch for batch in plan.batches if batch.id in wanted))


def _summary(plan: Plan) -> str:
    """The text of a plan without its table, which goes to stdout."""
    head, counts, _, *rest = str(plan).rstrip("\n").split("\n")
    return "\n".join([head, counts, *rest[1 + len(plan.batches) :]])
