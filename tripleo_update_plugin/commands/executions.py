"""``openstack overcloud update list`` and ``show``."""

import argparse
from typing import Any

from osc_lib.command import command

from tripleo_update_plugin.commands.base import CloudCommand, Rows
from tripleo_update_plugin.outcome.execution import Execution
from tripleo_update_plugin.times import iso

BATCH_COLUMNS = ("batch", "state", "phase", "started", "finished", "error")


class ListUpdates(CloudCommand, command.Lister):  # type: ignore[misc]
    """List the updates that Mistral knows, newest first."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("--stack", metavar="NAME", default="", help="only those of this stack")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        updates = self.mistral().updates(parsed_args.stack)
        rows = [(u.id, u.stack, u.state, iso(u.started), iso(u.finished)) for u in updates]
        return ("id", "stack", "state", "started", "finished"), rows


class ShowUpdate(CloudCommand, command.Lister):  # type: ignore[misc]
    """Show the batches of an update: their states, phases and times."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("id", metavar="ID", help="the update, as 'overcloud update list' shows it")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        execution = self.mistral().execution(parsed_args.id)
        self.say(f"{execution.stack}: {execution.state}" + (f": {execution.error}" if execution.error else ""))
        return BATCH_COLUMNS, batch_rows(execution)


def batch_rows(execution: Execution) -> list[tuple[Any, ...]]:
    """One row of BATCH_COLUMNS per batch that Mistral has reached."""
    return [(b.id, b.state, b.phase, iso(b.started), iso(b.finished), b.error) for b in execution.batches]
