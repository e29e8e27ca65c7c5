"""Hold an update, or let it go on: pause, resume, approve, abort.

What people want is kept in Mistral beside the update (Control), and batches that are about to begin go by it (see
``executor.runner.door``). Mistral's own states come in where nothing is under way, or where a person will not wait.
"""

import time
from dataclasses import replace

from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.adapters.update_state import UpdateState
from tripleo_update_plugin.errors import HasEnded
from tripleo_update_plugin.outcome.control import AFTER_BATCH, Control
from tripleo_update_plugin.outcome.execution import Execution
from tripleo_update_plugin.outcome.standing import Standing
from tripleo_update_plugin.verbs.looking import look

_RETRY = "'openstack overcloud update retry' goes on from where it failed, once the cause is mended."


def refuse_ended(execution: Execution) -> None:
    """Raise HasEnded for an update that nothing more happens to."""
    if execution.is_final:
        remedy = _RETRY if execution.state == "ERROR" else ""
        raise HasEnded(f"the update {execution.id} of {execution.stack} is {execution.state}", remedy)


def pause(standing: Standing, mistral: Mistral, notes: UpdateState, by: str, at_once: bool = False) -> str:
    """Let no batch begin any more, or *at_once* no phase either; in words, what that comes to."""
    refuse_ended(standing.execution)
    id = standing.execution.id
    if at_once:
        return "no phase begins any more" if mistral.pause(id) else "it is paused already"
    control = notes.load_control(id)
    if control.pause:
        return f"no batch begins any more already, by {control.by or 'somebody'}"
    notes.save_control(id, replace(control, pause=AFTER_BATCH, by=by, since=time.time()))
    return "no batch begins any more; those under way go on to their end"


def resume(standing: Standing, mistral: Mistral, notes: UpdateState, by: str) -> str:
    """Let an update go on, whoever held it; in words, what was the matter."""
    refuse_ended(standing.execution)
    id = standing.execution.id
    control = notes.load_control(id)
    # In this order: a batch that waits at the door must not find the wish to wait again.
    if control.holds:
        notes.save_control(id, Control(by=by, since=time.time()))
    if standing.execution.state == "PAUSED":
        mistral.resume(id)
        return "it goes on"
    return "batches begin again" if control.holds else "it was not held, so it just goes on"


def approve(standing: Standing, mistral: Mistral) -> bool:
    """Give the approval that an update waits for, and nothing else; whether it waited for one."""
    refuse_ended(standing.execution)
    if standing.execution.state != "PAUSED" or not standing.execution.approval:
        return False
    mistral.resume(standing.execution.id)
    return True


def abort(standing: Standing, mistral: Mistral, notes: UpdateState, by: str, at_once: bool = False) -> str:
    """End an update for good, *at_once* or when what is under way has come to its end; in words, what that comes to."""
    if standing.execution.state == "CANCELLED":
        return "it was aborted already"
    refuse_ended(standing.execution)
    id = standing.execution.id
    notes.save_control(id, Control(abort=True, by=by, since=time.time()))
    if at_once or not _under_way(look(id, mistral, notes)):
        mistral.cancel(id)
        return "it has ended"
    if standing.execution.state == "PAUSED":
        mistral.resume(id)  # what stands between two phases has to come to its end
    return "no batch begins any more; it ends with those under way"


def _under_way(standing: Standing) -> bool:
    """Whether a batch has begun and can still come to its end: of one that waits at the door nothing was touched."""
    others = {run.id for run in (*standing.waiting, *standing.failed)}
    begun = [run for run in standing.execution.batches if run.state in ("RUNNING", "DELAYED", "PAUSED")]
    return any(run.id not in others for run in begun)
