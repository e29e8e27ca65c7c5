"""``openstack overcloud update status``."""

import argparse
import time
from collections.abc import Iterator
from typing import Any

from osc_lib.command import command

from tripleo_update_plugin.commands.base import CloudCommand, NamesColumn, Rows
from tripleo_update_plugin.outcome.control import Beat, Control
from tripleo_update_plugin.outcome.standing import Standing
from tripleo_update_plugin.times import in_words, iso

COLUMNS = ("update", "stack", "state", "batch", "phase", "doing", "nodes", "waits for", "since", "machine", "last sign")


class ShowStatus(CloudCommand, command.Lister):  # type: ignore[misc]
    """Show what every update does just now: one look, one row per batch that is at work or waits.

    Also of updates that were aborted, as long as a phase of theirs is at work. An update with nothing at work has one
    row, with what it waits for.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("--stack", metavar="NAME", default="", help="only updates of this stack")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        from tripleo_update_plugin.verbs import burying, looking

        mistral, notes = self.mistral(), self.notes()
        alive = notes.alive()
        rows: list[tuple[Any, ...]] = []
        for update in mistral.updates(parsed_args.stack):
            if update.is_final and update.id not in alive:
                continue
            standing = looking.look(update.id, mistral, notes)
            burying.tend_if_silent(standing, mistral)
            rows += _rows(standing, notes.load_control(update.id), time.time())
        if not rows:
            self.say("No update is under way.")
        return COLUMNS, rows


def _rows(standing: Standing, control: Control, now: float) -> Iterator[tuple[Any, ...]]:
    execution = standing.execution
    head = (execution.id, execution.stack, execution.state)
    runs = (*standing.at_work, *standing.waiting)
    for run in runs:
        beat = standing.beat_of(run.id)
        since = iso(run.phases[-1].started if run.phases else run.started)
        yield (*head, run.id, run.phase, *_of(beat, now, since))
    if not runs and not execution.is_final:
        yield (*head, "", "", "", NamesColumn(()), _held_by(standing, control), iso(control.since or None), "", "")


def _of(beat: Beat | None, now: float, since: str) -> tuple[Any, ...]:
    if beat is None:
        return "", NamesColumn(()), "", since, "", ""
    sign = f"{in_words(max(0, round(now - beat.beat)))} ago"
    return beat.doing, NamesColumn(beat.nodes), beat.waits_for, since, beat.machine, sign


def _held_by(standing: Standing, control: Control) -> str:
    """What keeps an update from going on at which nothing is at work."""
    if standing.execution.approval:
        return standing.execution.approval
    if standing.failed:
        return f"retry of {', '.join(run.id for run in standing.failed)}"
    if control.holds:
        return f"{'abort' if control.abort else 'pause'} by {control.by or 'somebody'}"
    return "resume" if standing.execution.state == "PAUSED" else ""
