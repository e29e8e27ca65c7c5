"""May a phase begin at all? A batch passes the door first; what was begun before and died may be wanted no more."""

from tripleo_update_plugin.adapters import keystone
from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.adapters.update_state import UpdateState
from tripleo_update_plugin.executor.runner import quarantine
from tripleo_update_plugin.executor.runner.door import Door, Hold
from tripleo_update_plugin.executor.runner.patience import patiently
from tripleo_update_plugin.executor.runner.work import Work
from tripleo_update_plugin.outcome.execution import is_final


def enter(work: Work, busy: Hold) -> str:
    """Wait until *work* may begin; why it may not, "" if it may. The phase has its whole time then.

    *busy* says why there is no place for a batch, "" as soon as it has one.
    """
    if work.request.get("revived") and (refusal := _unwanted(work)):
        return refusal
    return _at_door(work, busy)


def _unwanted(work: Work) -> str:
    """Why a phase whose process died is not begun anew; "" if somebody still waits for it.

    A person may have let it count as failed, or ended the update. What puts back is wanted all the same.
    """
    mistral = Mistral(patiently(work, lambda: keystone.mistral_client(work.conf)))
    waiting = patiently(work, lambda: [each for each in work.job.pending() if mistral.awaits(each)])
    if not waiting:
        return "not begun anew after its process died: nobody waits for it any more"
    if work.only_undoes or not work.given("update"):
        return ""
    state = patiently(work, lambda: mistral.state_of(work.update))
    return f"not begun anew after its process died: the update is {state}" if is_final(state) else ""


def _at_door(work: Work, busy: Hold) -> str:
    if work.phase != "gate" or work.given("moment") != "before" or not work.given("update"):
        return ""
    client = patiently(work, lambda: keystone.mistral_client(work.conf))
    notes = UpdateState(client)
    door = Door(
        root=work.update, batch=str(work.given("batch")), mistral=Mistral(client), notes=notes, log=work.log,
        cancelled=work.cancelled, beat=work.wait_for, spent=lambda: quarantine.spent(work, notes),
        busy=busy,
    )  # fmt: skip
    passage = door.wait()
    work.deadline += passage.seconds
    return passage.refusal
