"""What failed begins anew from where it failed, and nothing else does."""

import dataclasses

import pytest

from tripleo_update_plugin.errors import BadInput, HasEnded
from tripleo_update_plugin.outcome.control import FAILED, SKIPPED, Quarantine
from tripleo_update_plugin.outcome.execution import BatchRun, PhaseRun
from tripleo_update_plugin.testing import FakeMistral
from tripleo_update_plugin.verbs import holding
from tripleo_update_plugin.verbs.recovering import Recovery

from .updates import Clock, plan, settled, standing, started

PLAN = plan()
FIRST = PLAN.batches[0]
NODE = FIRST.nodes[0]


def recovery(id, mistral, clock=None, **more):
    clock, said = clock or Clock(), []
    made = Recovery(
        id=id, plan=PLAN, mistral=mistral, notes=mistral.notes, say=said.append, sleep=clock.sleep, clock=clock,
        now=lambda: mistral.now, **more,
    )  # fmt: skip
    return made, said


def failed_in(phase):
    """(Mistral, id) of an update whose first batch failed in *phase*, and whose cause is mended."""
    mistral = FakeMistral(failing={FIRST.id: phase})
    id = started(mistral)
    assert settled(id, mistral).execution.state == "ERROR"
    mistral.failing.clear()
    return mistral, id


@pytest.mark.parametrize("phase", ["gate_before", "drain", "update", "restore", "gate_after"])
def test_a_failed_batch_begins_anew_in_the_phase_that_failed(phase):
    mistral, id = failed_in(phase)
    assert recovery(id, mistral)[0].retry() == (FIRST.id,)
    run = standing(id, mistral).execution.run_of(FIRST.id)
    assert (run.state, run.phase) == ("RUNNING", phase)
    assert settled(id, mistral).execution.state == "SUCCESS"


def test_retrying_twice_is_no_error_and_begins_nothing_twice():
    mistral, id = failed_in("update")
    mistral.hung = {FIRST.id}  # so that it is still at work when somebody asks again
    assert recovery(id, mistral)[0].retry() == (FIRST.id,)
    assert recovery(id, mistral)[0].retry() == ()


def test_nodes_that_failed_take_part_again_and_those_that_people_left_out_do_not():
    mistral, id = failed_in("update")
    others = [node for batch in PLAN.batches[1:] for node in batch.nodes]
    notes = {
        NODE: Quarantine(node=NODE, kind=FAILED, reason="x", time=1.0),
        others[0]: Quarantine(node=others[0], kind=FAILED, reason="failed elsewhere", time=1.0),
        others[1]: Quarantine(node=others[1], kind=SKIPPED, reason="by hand", time=1.0),
    }
    for note in notes.values():
        mistral.notes.quarantine(id, note)
    recovery(id, mistral)[0].retry()
    assert mistral.notes.quarantined(id) == {name: notes[name] for name in others[:2]}


def test_an_update_that_is_paused_goes_on_first():
    mistral, id = failed_in("update")
    other = PLAN.batches[1].id
    run = mistral.run(id)
    run.state = "PAUSED"
    run.batches[other] = BatchRun(id=other, state="PAUSED", phases=(PhaseRun(name="drain", state="SUCCESS"),))
    assert recovery(id, mistral)[0].retry() == (FIRST.id,)
    assert settled(id, mistral).execution.state == "SUCCESS"


def test_a_pause_that_people_want_outlives_a_retry():
    mistral, id = failed_in("update")
    mistral.notes.save_control(id, dataclasses.replace(mistral.notes.load_control(id), pause="after-batch"))
    recovery(id, mistral)[0].retry()
    resting = settled(id, mistral)
    assert resting.execution.state == "PAUSED" and resting.execution.run_of(FIRST.id).state == "SUCCESS"


@pytest.mark.parametrize("state", ["SUCCESS", "CANCELLED"])
def test_what_has_ended_for_good_is_not_retried(state):
    mistral = FakeMistral()
    id = started(mistral)
    if state == "CANCELLED":
        holding.abort(standing(id, mistral), mistral, mistral.notes, "ann", at_once=True)
    settled(id, mistral)
    made, _ = recovery(id, mistral)
    for act in (made.retry, lambda: made.skip(NODE, "x")):
        with pytest.raises(HasEnded, match=f"is {state}"):
            act()


class Recorded(FakeMistral):
    """Notes which tasks are begun anew or passed over."""

    def __init__(self, **more):
        super().__init__(**more)
        self.did = []

    def rerun(self, task):
        self.did.append(("rerun", task.split("/", 1)[1]))
        return super().rerun(task)

    def pass_over(self, task):
        self.did.append(("pass over", task.split("/", 1)[1]))
        return True


def with_undo(state):
    """An update whose drain failed; undoing it ended in *state*."""
    mistral = Recorded(failing={FIRST.id: "drain"})
    id = started(mistral)
    settled(id, mistral)
    run = mistral.run(id)
    batch = run.batches[FIRST.id]
    undo = PhaseRun(name="undo_drain", state=state, task=f"{id}/{FIRST.id}/undo_drain")
    run.batches[FIRST.id] = dataclasses.replace(batch, phases=(*batch.phases, undo))
    return mistral, id


def test_a_batch_of_which_all_was_undone_passes_its_gate_again():
    mistral, id = with_undo("SUCCESS")
    recovery(id, mistral)[0].retry()
    assert mistral.did == [("rerun", FIRST.id)]


def test_what_could_not_be_undone_is_passed_over_so_that_the_batch_can_go_well():
    mistral, id = with_undo("ERROR")
    recovery(id, mistral)[0].retry()
    assert mistral.did == [("pass over", f"{FIRST.id}/undo_drain"), ("rerun", f"{FIRST.id}/drain")]


def hanging():
    """An update whose first batch hangs, with a sign of life that is 300 s old."""
    mistral = FakeMistral()
    mistral.hung = {FIRST.id}
    id = started(mistral)
    mistral.notes.beat(id, mistral.a_beat(FIRST.id, "update"))
    mistral.now = 300.0
    return mistral, id


def test_a_phase_of_which_nobody_hears_any_more_is_given_up_and_begins_anew():
    mistral, id = hanging()
    clock = Clock()
    made, said = recovery(id, mistral, clock)
    assert made.retry() == (FIRST.id,)
    assert clock.now >= 1060.0, "an old sign of life is no proof"
    assert FIRST.id in said[0]
    assert ("tripleo_update.tend", {}) in mistral.calls
    assert not mistral.notes.beats(id)
    assert settled(id, mistral).execution.state == "SUCCESS"


def test_a_phase_that_gives_a_sign_of_life_goes_on():
    mistral, id = hanging()
    clock = Clock(lambda now: mistral.notes.beat(id, mistral.a_beat(FIRST.id, "update", doing=str(now // 10))))
    assert recovery(id, mistral, clock)[0].retry() == ()
    assert standing(id, mistral).execution.run_of(FIRST.id).state == "RUNNING"


def test_a_node_is_left_out_and_its_failed_batch_goes_on_without_it():
    mistral, id = failed_in("update")
    assert recovery(id, mistral)[0].skip(NODE, "no disk") == (FIRST.id,)
    note = mistral.notes.quarantined(id)[NODE]
    assert (note.kind, note.reason) == (SKIPPED, "no disk")
    assert settled(id, mistral).execution.state == "SUCCESS"


def test_a_node_whose_turn_has_not_come_is_only_noted():
    mistral, id = failed_in("update")
    last = PLAN.batches[-1].nodes[-1]
    assert recovery(id, mistral)[0].skip(last, "later") == ()
    assert recovery(id, mistral)[0].skip(last, "later") == (), "doing it twice is no error"
    assert standing(id, mistral).execution.state == "ERROR"
    made, _ = recovery(id, mistral)
    assert made.take_in(last) == f"{last} takes part again" and not mistral.notes.quarantined(id)
    assert made.take_in(last) == f"{last} was not left out"


def test_a_node_that_is_not_in_the_plan_is_refused():
    mistral, id = failed_in("update")
    with pytest.raises(BadInput, match="not in the plan"):
        recovery(id, mistral)[0].skip("nobody-0", "x")
    assert not mistral.notes.quarantined(id)
