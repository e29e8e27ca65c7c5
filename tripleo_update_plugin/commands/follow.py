"""``openstack overcloud update follow``."""

import argparse
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from osc_lib.command import command

from tripleo_update_plugin.commands import exit_codes
from tripleo_update_plugin.commands.base import CloudCommand, Rows
from tripleo_update_plugin.commands.executions import BATCH_COLUMNS, batch_rows
from tripleo_update_plugin.commands.report import breach_line
from tripleo_update_plugin.commands.updates import add_update, which
from tripleo_update_plugin.outcome.control import Quarantine
from tripleo_update_plugin.outcome.execution import STATES, BatchRun
from tripleo_update_plugin.outcome.standing import Standing
from tripleo_update_plugin.times import clock

if TYPE_CHECKING:
    from tripleo_update_plugin.adapters.mistral import Mistral
    from tripleo_update_plugin.adapters.update_state import UpdateState

#: Seconds without a line after which what is at work is said once more.
QUIET = 60.0


class FollowUpdate(CloudCommand, command.Lister):  # type: ignore[misc]
    """Follow an update until nothing is at work any more.

    May be left with Ctrl-C and taken up again at any time: the update goes on in Mistral. Where Mistral does not answer
    for a while, it goes on looking. The exit code is 0 if the update went well, 1 if it failed or was aborted, 3 if it
    is paused or waits for a person, 4 if it could not be looked at.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_update(parser, ended=True)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Rows:
        from tripleo_update_plugin.verbs import looking

        id = which(self, parsed_args, ended=True)
        mistral, notes = self.mistral(), self.notes()
        self.exit_code, _ = follow(id, mistral, notes, self.say, self.interval)
        return BATCH_COLUMNS, batch_rows(looking.look(id, mistral, notes))


def follow(
    id: str, mistral: "Mistral", notes: "UpdateState", say: Callable[[str], None], interval: float
) -> tuple[int, str]:
    """Say what changes until nothing is at work any more; the exit code for that, and the update's state.

    Looks every *interval* seconds.
    """
    from tripleo_update_plugin import rollout
    from tripleo_update_plugin.verbs.following import Follower

    def tell(line: str) -> None:
        say(f"{clock(time.time())}  {line}")

    progress = Progress()
    standing = None
    try:
        for standing in Follower(id, mistral, notes, tell, interval).looks():
            for line in progress.lines(standing, time.monotonic()):
                tell(line)
    except KeyboardInterrupt:
        say(f"\nNo longer looking; the update goes on. Follow it again with 'openstack overcloud update follow {id}'.")
        return exit_codes.INTERRUPTED, ""
    assert standing is not None
    left_out = notes.quarantined(id)
    watch = rollout.watch(id, mistral)
    for breach in watch.breaches if watch else ():
        tell(breach_line(breach))
    for line in ending(standing, left_out):
        tell(line)
    return exit_codes.of(standing.execution, left_out), standing.execution.state


def ending(standing: Standing, left_out: dict[str, Quarantine]) -> Iterator[str]:
    """How things stand where nothing is at work any more, and what to do next."""
    execution = standing.execution
    command = "openstack overcloud update"
    for node, note in left_out.items():
        yield f"{node} was left out: {note.kind}: {note.reason}"
    text = f"the update of {execution.stack} {STATES.get(execution.state, (False, execution.state))[1]}"
    if execution.state == "PAUSED" and execution.approval:
        yield f"the update of {execution.stack} waits for {execution.approval}: '{command} approve {execution.id}'"
    elif execution.state in ("PAUSED", "ERROR") and standing.failed:
        failed = ", ".join(run.id for run in standing.failed)
        yield f"{text}; once {failed} can go on: '{command} retry {execution.id}'"
    elif execution.state == "PAUSED":
        yield f"{text}: go on with '{command} resume {execution.id}'"
    else:
        yield f"{text}: '{command} report {execution.id}' has the nodes"


class Progress:
    """What changed from one look at an update to the next."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}
        self._spoke: float | None = None

    def lines(self, standing: Standing, now: float) -> list[str]:
        """A line for every batch that is somewhere else than at the last look; after a quiet minute for all at work.

        *now* is in seconds of a steady clock.
        """
        lines = []
        for run in standing.execution.batches:
            where = _where(standing, run)
            if where and self._seen.get(run.id) != where:
                self._seen[run.id] = where
                lines.append(f"{run.id}: {where}" + (f": {run.error}" if run.error else ""))
        if not lines and self._spoke is not None and now - self._spoke >= QUIET:
            lines = [f"{run.id}: still {standing.doing(run)}" for run in standing.at_work]
        if lines or self._spoke is None:
            self._spoke = now
        return lines


def _where(standing: Standing, run: BatchRun) -> str:
    """How far a batch is, in words; "" before it begins."""
    beat = standing.beat_of(run.id)
    if run.state in ("IDLE", "WAITING"):
        return ""
    if beat and beat.waits_for and any(phase.state == "RUNNING" for phase in run.phases):
        return standing.doing(run)
    if run.state == "RUNNING":
        return run.phase
    return STATES.get(run.state, (False, run.state))[1]
