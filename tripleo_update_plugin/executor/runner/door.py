"""May a batch begin? As long as something holds the update it waits at the door, where nothing of it was touched.

What holds it are people (pause, abort), too many nodes that failed, or too many jobs at work on this machine. Waiting
does no harm: so where Mistral does not answer, and nobody can say what people want, it waits as well.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.adapters.update_state import UpdateState
from tripleo_update_plugin.errors import ExecutionNotFound, UpdateError
from tripleo_update_plugin.executor import logs
from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.outcome.control import Control
from tripleo_update_plugin.outcome.execution import is_final
from tripleo_update_plugin.times import iso

PERIOD = 5.0  # seconds between two looks

#: Says why nothing may begin just now; "" if it may.
Hold = Callable[[], str]


def _free() -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What came of waiting: ``refusal`` says why the batch does not begin at all, "" if it does."""

    seconds: float
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The door of *batch*, of the update whose root execution is *root*.

    ``spent`` says that more nodes have failed than may, which is a matter for people, ``busy`` that other jobs come
    first. ``beat`` tells others what is waited for, "" once it is over. ``clock`` is steady, in seconds.
    """

    root: str
    batch: str
    mistral: Mistral
    notes: UpdateState
    log: logs.Log
    cancelled: Callable[[], bool]
    beat: Callable[[str], None]
    spent: Hold = _free
    busy: Hold = _free
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def wait(self) -> Passage:
        """Return when the batch may begin, or when it is clear that it will not."""
        began, told = self.clock(), ""
        while True:
            why, refusal = self._look()
            if refusal or not why:
                self.beat("")
                return Passage(seconds=self.clock() - began, refusal=refusal)
            if why != told:
                self.log.info("waits: %s", why)
                told = why
            self.beat(why)
            if self.cancelled():
                return Passage(seconds=self.clock() - began, refusal=f"not started: its job was ended while {why}")
            self.sleep(PERIOD)

    def _look(self) -> tuple[str, str]:
        """(what is waited for, why the batch will not begin)."""
        try:
            control = self.notes.load_control(self.root)
            held = _wish(control) or self.spent()
            why = held or self.busy()
            if not why:
                return "", ""
            if is_final(state := self.mistral.state_of(self.root)):
                return why, f"not started: {'aborted' if control.abort else f'the update is {state}'}"
            if held and (state == "RUNNING" or control.abort):
                self._rest(control)
            return why, ""
        except ExecutionNotFound as error:
            return "", f"not started: {error.message}"
        except UpdateError as error:
            return error.message, ""

    def _rest(self, control: Control) -> None:
        """Let the update itself rest, or end, if all batches that have begun wait; the first of them does it."""
        waiting = {beat.batch for beat in self.notes.beats(self.root) if beat.at_door} | {self.batch}
        execution = self.mistral.execution(self.root, phases=False)
        begun = {run.id for run in execution.batches if run.state in ("RUNNING", "DELAYED", "PAUSED")}
        if naturally(waiting & begun)[:1] != (self.batch,) or begun - waiting:
            return
        if control.abort:
            self.log.info("nothing is at work any more: the update ends")
            self.mistral.cancel(self.root)
        elif self.mistral.pause(self.root) and not (_wish(self.notes.load_control(self.root)) or self.spent()):
            self.mistral.resume(self.root)  # somebody let it go on while we looked


def _wish(control: Control) -> str:
    """What people want, as far as it keeps batches from beginning."""
    by = f"by {control.by or 'somebody'} since {iso(control.since)}"
    if control.abort:
        return f"aborted {by}"
    return f"paused {by}" if control.pause else ""
