"""Where a batch begins, it passes the door: what the door needs is made from the work at hand."""

import contextlib
import os
import platform
import time

from tripleo_update_plugin.adapters import keystone
from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.adapters.update_state import UpdateState
from tripleo_update_plugin.errors import UpdateError
from tripleo_update_plugin.executor.runner import quarantine
from tripleo_update_plugin.executor.runner.door import Door
from tripleo_update_plugin.executor.runner.patience import patiently
from tripleo_update_plugin.executor.runner.work import Work
from tripleo_update_plugin.outcome.control import Beat


def enter(work: Work) -> str:
    """Wait until the batch of *work* may begin; why it may not, "" if it may. The phase has its whole time then."""
    if work.phase != "gate" or work.given("moment") != "before" or not work.given("update"):
        return ""
    client = patiently(work, lambda: keystone.mistral_client(work.conf))
    notes = UpdateState(client)
    door = Door(
        root=work.update, batch=str(work.given("batch")), mistral=Mistral(client), notes=notes, log=work.log,
        cancelled=work.cancelled, beat=_Sign(work, notes).tell, spent=lambda: quarantine.spent(work, notes),
    )  # fmt: skip
    passage = door.wait()
    work.deadline += passage.seconds
    return passage.refusal


class _Sign:
    """The sign of life of a batch at the door."""

    def __init__(self, work: Work, notes: UpdateState) -> None:
        self._work, self._notes = work, notes
        self._since = time.time()
        self._told = False

    def tell(self, waits_for: str) -> None:
        """Say what is waited for, or, with "", that it is over. Where Mistral is away nobody hears it."""
        batch = str(self._work.given("batch"))
        with contextlib.suppress(UpdateError):
            if waits_for:
                self._notes.beat(self._work.update, self._beat(batch, waits_for))
                self._told = True
            elif self._told:
                self._notes.drop_beat(self._work.update, batch)

    def _beat(self, batch: str, waits_for: str) -> Beat:
        return Beat(
            batch=batch, phase="gate_before", machine=platform.node(), pid=os.getpid(),
            attempt=int(self._work.request.get("attempt") or 1),
            action_execution=next(iter(self._work.job.pending()), ""),
            since=self._since, beat=time.time(), nodes=self._work.nodes[:10], waits_for=waits_for,
        )  # fmt: skip
