"""``openstack overcloud update list`` and ``show``."""

import argparse
from typing import Any

from osc_lib.command import command

from tripleo_update_plugin.commands.base import CloudCommand, Rows
from tripleo_update_plugin.commands.updates import add_update, which
from tripleo_update_plugin.outcome.standing import Standing
from tripleo_update_plugin.times import iso

BATCH_COLUMNS = ("batch", "state", "phase", "started", "finished", "doing", "error")


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
    """Show the batches of an update: their states, phases and times, and what those at work are doing."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_update(parser, ended=True)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        from tripleo_update_plugin.verbs import burying, looking

        id = which(self, parsed_args, ended=True)
        mistral, notes = self.mistral(), self.notes()
        standing = looking.look(id, mistral, notes)
        burying.tend_if_silent(standing, mistral)
        execution = standing.execution
        self.say(f"{execution.stack}: {execution.state}" + (f": {execution.error}" if execution.error else ""))
        if (control := notes.load_control(id)).holds:
            wish = "the update ends" if control.abort else "no batch begins"
            self.say(f"{wish}, as {control.by or 'somebody'} wants since {iso(control.since)}")
        for node, note in notes.quarantined(id).items():
            self.say(f"{node} is left out: {note.kind}: {note.reason}")
        return BATCH_COLUMNS, batch_rows(standing)


def batch_rows(standing: Standing) -> list[tuple[Any, ...]]:
    """One row of BATCH_COLUMNS per batch that Mistral has reached."""
    at_work = {run.id for run in (*standing.at_work, *standing.waiting)}
    return [
        (b.id, b.state, b.phase, iso(b.started), iso(b.finished),
         standing.doing(b) if b.id in at_work else "", b.error)
        for b in standing.execution.batches
    ]  # fmt: skip
