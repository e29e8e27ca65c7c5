"""People hold an update and let it go on, as often as they like, and nothing is left halfway unless they say so."""

import pytest

from tripleo_update_plugin.errors import HasEnded
from tripleo_update_plugin.outcome.control import AFTER_BATCH
from tripleo_update_plugin.testing import FakeMistral
from tripleo_update_plugin.verbs import holding

from .updates import plan, settled, standing, started

FIRST = plan().batches[0].id
COMPUTES_LATER = {"checkpoints": [{"before": "role:Compute", "reason": "look at the control plane"}]}


@pytest.fixture
def mistral():
    return FakeMistral()


@pytest.fixture
def id(mistral):
    return started(mistral)


def pause(id, mistral, **how):
    return holding.pause(standing(id, mistral), mistral, mistral.notes, "ann", **how)


def resume(id, mistral):
    return holding.resume(standing(id, mistral), mistral, mistral.notes, "ann")


def abort(id, mistral, **how):
    return holding.abort(standing(id, mistral), mistral, mistral.notes, "ann", **how)


def test_a_pause_lets_batches_come_to_their_end_and_holds_the_next(mistral, id):
    assert "no batch begins any more;" in pause(id, mistral)
    control = mistral.notes.load_control(id)
    assert (control.pause, control.by) == (AFTER_BATCH, "ann")
    resting = settled(id, mistral)
    assert resting.execution.state == "PAUSED"
    assert not resting.at_work and not resting.halfway
    assert resting.waiting and {run.phases[0].name for run in resting.waiting} == {"gate_before"}


def test_a_pause_at_once_leaves_batches_halfway(mistral, id):
    assert pause(id, mistral, at_once=True) == "no phase begins any more"
    resting = settled(id, mistral)
    assert resting.execution.state == "PAUSED" and resting.halfway and not resting.at_work


def test_pausing_twice_is_no_error_and_changes_nothing(mistral, id):
    pause(id, mistral)
    assert "already, by ann" in pause(id, mistral)
    pause(id, mistral, at_once=True)
    assert pause(id, mistral, at_once=True) == "it is paused already"


@pytest.mark.parametrize("at_once", [False, True])
def test_what_was_paused_goes_on_to_the_end(mistral, id, at_once):
    pause(id, mistral, at_once=at_once)
    settled(id, mistral)
    assert resume(id, mistral) == "it goes on"
    assert not mistral.notes.load_control(id).holds
    assert settled(id, mistral).execution.state == "SUCCESS"


def test_a_pause_is_taken_back_before_it_comes_to_anything(mistral, id):
    mistral.hung = {FIRST}
    pause(id, mistral)
    assert resume(id, mistral) == "batches begin again"
    assert resume(id, mistral) == "it was not held, so it just goes on"
    mistral.hung.clear()
    assert settled(id, mistral).execution.state == "SUCCESS"


def test_an_approval_is_given_without_taking_back_a_pause(mistral):
    id = started(mistral, **COMPUTES_LATER)
    waiting = settled(id, mistral)
    assert waiting.execution.approval == "approval-1"
    pause(id, mistral)
    assert holding.approve(waiting, mistral)
    held = settled(id, mistral)
    assert held.execution.state == "PAUSED" and held.waiting and not held.execution.approval
    assert not holding.approve(held, mistral), "it waits for no approval now"


def test_an_aborted_update_ends_when_all_that_is_under_way_has(mistral, id):
    assert "it ends with those under way" in abort(id, mistral)
    ended = settled(id, mistral)
    assert ended.execution.state == "CANCELLED"
    assert not ended.halfway and not ended.at_work
    assert {run.state for run in ended.execution.batches if len(run.phases) > 1} == {"SUCCESS"}


def test_aborted_at_once_it_says_what_is_left_halfway(mistral, id):
    assert abort(id, mistral, at_once=True) == "it has ended"
    ended = settled(id, mistral)
    assert ended.execution.state == "CANCELLED" and ended.halfway


def test_what_stands_halfway_in_a_pause_is_brought_to_its_end_by_an_abort(mistral, id):
    pause(id, mistral, at_once=True)
    assert "it ends with those under way" in abort(id, mistral)
    ended = settled(id, mistral)
    assert ended.execution.state == "CANCELLED" and not ended.halfway


def test_with_nothing_under_way_an_abort_ends_it_there_and_then(mistral):
    id = started(mistral, **COMPUTES_LATER)
    settled(id, mistral)
    assert abort(id, mistral) == "it has ended"
    assert settled(id, mistral).execution.state == "CANCELLED"


def test_aborting_twice_is_no_error(mistral, id):
    abort(id, mistral, at_once=True)
    assert abort(id, mistral) == "it was aborted already"


def test_an_abort_is_taken_back_while_it_has_not_come_to_its_end(mistral, id):
    mistral.hung = {FIRST}
    abort(id, mistral)
    resume(id, mistral)
    mistral.hung.clear()
    assert settled(id, mistral).execution.state == "SUCCESS"


def test_what_has_ended_is_not_held(mistral, id):
    settled(id, mistral)
    for verb in (pause, resume, abort):
        with pytest.raises(HasEnded, match="is SUCCESS"):
            verb(id, mistral)


def test_of_an_update_that_failed_the_remedy_is_to_retry():
    mistral = FakeMistral(failing={FIRST: "update"})
    id = started(mistral)
    settled(id, mistral)
    with pytest.raises(HasEnded, match="is ERROR") as refusal:
        resume(id, mistral)
    assert "overcloud update retry" in refusal.value.remedy
