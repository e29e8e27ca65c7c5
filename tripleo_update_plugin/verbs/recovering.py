"""Go on after a failure: retry the batches that failed, revive those whose job died, or leave a node out.

Mistral's engine sets the rules: it begins only tasks anew that failed; it does so for nothing inside an execution that
is paused; and whoever begins one anew in a paused update leaves the batches beside it paused for ever. So a paused
update goes on first, until Mistral calls its batches failed.
"""

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.adapters.update_state import UpdateState
from tripleo_update_plugin.errors import BadInput, HasEnded
from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.outcome.control import FAILED, SKIPPED, Quarantine
from tripleo_update_plugin.outcome.execution import BatchRun
from tripleo_update_plugin.outcome.standing import Standing, Vigil
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.verbs.burying import SILENCE, bury, tend
from tripleo_update_plugin.verbs.looking import look, nodes_of

#: Seconds that a batch may need until Mistral calls it failed: its drain may have to be undone.
_PATIENCE = 900.0

_PAUSE = 2.0  # seconds between two looks


@dataclass(kw_only=True)
class Recovery:
    """Somebody at work on one update; *say* hears what is waited for, *clock* is steady and in seconds."""

    id: str
    plan: Plan
    mistral: Mistral
    notes: UpdateState
    say: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    _vigil: Vigil = field(default_factory=Vigil)

    def look(self) -> Standing:
        return look(self.id, self.mistral, self.notes)

    def retry(self) -> tuple[str, ...]:
        """Begin the failed phases of all failed batches anew, those of dead jobs too; the batches. Raises HasEnded."""
        standing = self.look()
        if standing.execution.state in ("SUCCESS", "CANCELLED"):
            raise HasEnded(f"the update {self.id} of {self.plan.stack} is {standing.execution.state}")
        dead = self._bury_the_dead(standing)
        wanted = {*dead, *(run.id for run in standing.failed)}
        return self._begin_anew(wanted)

    def skip(self, node: str, reason: str) -> tuple[str, ...]:
        """Leave *node* out from now on; the batches that are begun anew without it. Raises BadInput, HasEnded."""
        standing = self.look()
        state = standing.execution.state
        if state in ("SUCCESS", "CANCELLED"):
            raise HasEnded(f"the update {self.id} of {self.plan.stack} is {state}")
        batches = {batch.id for batch in self.plan.batches if node in batch.nodes}
        if not batches:
            raise BadInput(f"{node} is not in the plan of this update", "'openstack overcloud update report' has them.")
        self.notes.quarantine(self.id, Quarantine(node=node, kind=SKIPPED, reason=reason, time=self.now()))
        return self._begin_anew({run.id for run in standing.failed if run.id in batches}, release=False)

    def take_in(self, node: str) -> str:
        """Let *node* take part again in what has not begun; in words, what that comes to."""
        if node not in self.notes.quarantined(self.id):
            return f"{node} was not left out"
        self.notes.release(self.id, [node])
        return f"{node} takes part again"

    def _bury_the_dead(self, standing: Standing) -> tuple[str, ...]:
        """Let phases count as failed whose process gives no sign of life any more; their batches.

        An old sign is no proof, for clocks differ: it has to stay the same for as long as Mistral is looked at.
        """
        suspects = {beat.batch for beat in standing.beats if self.now() - beat.beat > SILENCE}
        if not suspects:
            return ()
        tend(self.mistral)
        self.say(f"No sign of life from {', '.join(naturally(suspects))} lately; looking for one for {SILENCE:.0f} s.")
        began = now = self.clock()
        self._vigil.look(standing.beats, began)
        while suspects and now - began < SILENCE:
            self.sleep(_PAUSE)
            now = self.clock()
            silent = self._vigil.look(self.notes.beats(self.id), now)
            suspects = {batch for batch in suspects if silent.get(batch, 0.0) >= now - began}
        return bury(self.look(), suspects, self.mistral, self.notes)

    def _begin_anew(self, batches: Collection[str], release: bool = True) -> tuple[str, ...]:
        if not batches:
            return ()
        if release:
            self._release(batches)
        return tuple(run.id for run in self._failed_for_good(batches) if self._rerun(run))

    def _release(self, batches: Iterable[str]) -> None:
        """Nodes that failed there take part again; those that people left out do not."""
        nodes = {node for batch in batches for node in nodes_of(batch, self.plan)}
        kept = self.notes.quarantined(self.id)
        self.notes.release(self.id, [node for node in nodes if node in kept and kept[node].kind == FAILED])

    def _failed_for_good(self, batches: Collection[str]) -> list[BatchRun]:
        """The *batches* as soon as Mistral calls them failed; an update that is paused goes on for that."""
        if self.look().execution.state == "PAUSED":
            self.mistral.resume(self.id)
        deadline = self.clock() + _PATIENCE
        while True:
            runs = [run for run in self.look().execution.batches if run.id in batches]
            if all(run.state == "ERROR" for run in runs) or self.clock() > deadline:
                return [run for run in runs if run.state == "ERROR"]
            self.sleep(_PAUSE)

    def _rerun(self, run: BatchRun) -> bool:
        """Begin a failed batch anew where it failed: from its beginning if nothing that it did is still there."""
        failed = {phase.name: phase for phase in run.phases if phase.state == "ERROR"}
        was_undone = any(phase.name == "undo_drain" and phase.state == "SUCCESS" for phase in run.phases)
        if not failed or ("drain" in failed and was_undone):
            return self.mistral.rerun(run.task)
        if undoing := failed.pop("undo_drain", None):
            self.mistral.pass_over(undoing.task)
        return sum(self.mistral.rerun(phase.task) for phase in failed.values()) > 0
