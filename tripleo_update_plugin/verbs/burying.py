"""What of a phase whose process gives no sign of life any more? It counts as failed, so that it can be retried."""

import time
from collections.abc import Collection

from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.adapters.update_state import UpdateState
from tripleo_update_plugin.errors import UpdateError
from tripleo_update_plugin.outcome.control import Beat
from tripleo_update_plugin.outcome.standing import Standing

#: Seconds without a sign of life after which a process counts as dead: one that is well gives one every ten.
SILENCE = 60.0

_TEND_TIMEOUT = 20.0  # seconds for an executor to look after its machine


def tend(mistral: Mistral) -> bool:
    """Let an executor look after the jobs that died on its machine; whether one could be asked."""
    try:
        mistral.run_action("tripleo_update.tend", {}, _TEND_TIMEOUT)
    except UpdateError:
        return False
    return True


def tend_if_silent(standing: Standing, mistral: Mistral) -> None:
    """Have an executor look after its jobs if one of *standing* gave no sign of life lately, as far as clocks agree."""
    if any(time.time() - beat.beat > SILENCE for beat in standing.beats):
        tend(mistral)


def bury(standing: Standing, batches: Collection[str], mistral: Mistral, notes: UpdateState) -> tuple[str, ...]:
    """Let what Mistral believes to be at work for these *batches* count as failed; those of which something was."""
    buried = []
    for run in standing.execution.batches:
        beat = standing.beat_of(run.id)
        if run.id not in batches or beat is None:
            continue
        working = [phase.action for phase in run.phases if phase.state == "RUNNING" and phase.action]
        for action in working:
            mistral.fail_action(action, _epitaph(beat))
        notes.drop_beat(standing.execution.id, run.id)
        if working:
            buried.append(run.id)
    return tuple(buried)


def _epitaph(beat: Beat) -> str:
    return (
        f"the process on {beat.machine} (pid {beat.pid}) gave no sign of life for more than {SILENCE:.0f} s, so it was "
        "given up: 'openstack overcloud update retry' goes on from there"
    )
