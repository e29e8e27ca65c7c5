"""``openstack overcloud update follow``."""

import argparse
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from osc_lib.command import command

from tripleo_update_plugin.commands.base import CloudCommand, Rows
from tripleo_update_plugin.commands.executions import BATCH_COLUMNS, batch_rows
from tripleo_update_plugin.commands.report import breach_line
from tripleo_update_plugin.outcome.execution import STATES, BatchRun, Execution
from tripleo_update_plugin.times import clock

if TYPE_CHECKING:
    from tripleo_update_plugin.adapters.mistral import Mistral

INTERVAL = 2.0  # seconds between two looks

#: The shell's exit code of a command that Ctrl-C ended.
INTERRUPTED = 130


class FollowUpdate(CloudCommand, command.Lister):  # type: ignore[misc]
    """Follow an update to its end.

    May be left with Ctrl-C and taken up again at any time: the update goes on in Mistral. The exit code is 0 if the
    update went well, 1 if it failed, was cancelled or waits for a person.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("id", metavar="ID", help="the update, as 'overcloud update list' shows it")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        mistral = self.mistral()
        self.exit_code = follow(parsed_args.id, mistral, self.say)
        return BATCH_COLUMNS, batch_rows(mistral.execution(parsed_args.id))


def follow(id: str, mistral: "Mistral", say: Callable[[str], None]) -> int:
    """Say what changes until the update ends; the exit code that stands for its end."""
    from tripleo_update_plugin import rollout

    seen: dict[str, str] = {}
    execution = None
    try:
        for execution in rollout.follow(id, mistral, INTERVAL):
            for line in _changes(execution, seen):
                say(f"{clock(time.time())}  {line}")
    except KeyboardInterrupt:
        say(f"\nNo longer looking; the update goes on. Follow it again with 'openstack overcloud update follow {id}'.")
        return INTERRUPTED
    assert execution is not None
    watch = rollout.watch(id, mistral)
    for breach in watch.breaches if watch else ():
        say(f"{clock(time.time())}  {breach_line(breach)}")
    say(f"{clock(time.time())}  {ending(execution)}")
    return 0 if execution.state == "SUCCESS" else 1


def ending(execution: Execution) -> str:
    """How an update ended, and what to do next."""
    text = f"the update of {execution.stack} {STATES.get(execution.state, (False, execution.state))[1]}"
    if execution.state == "PAUSED":
        text = f"the update of {execution.stack} waits for {execution.approval}" if execution.approval else text
        return f"{text}: go on with 'openstack overcloud update resume {execution.id}'"
    return f"{text}: 'openstack overcloud update report {execution.id}' has the nodes"


def _changes(execution: Execution, seen: dict[str, str]) -> list[str]:
    """A line for every batch that is somewhere else than in *seen*, which is brought up to date."""
    lines = []
    for batch in execution.batches:
        where = _where(batch)
        if where and seen.get(batch.id) != where:
            seen[batch.id] = where
            lines.append(f"{batch.id}: {where}" + (f": {batch.error}" if batch.error else ""))
    return lines


def _where(batch: BatchRun) -> str:
    """How far a batch is, in words; "" before it begins."""
    if batch.state in ("IDLE", "WAITING"):
        return ""
    if batch.state == "RUNNING":
        return batch.phase
    return STATES.get(batch.state, (False, batch.state))[1]
