"""A batch waits at the door while something holds the update, and the last one to wait lets the update rest."""

import dataclasses

import pytest

from tripleo_update_plugin import rollout
from tripleo_update_plugin.executor import logs
from tripleo_update_plugin.executor.runner.door import PERIOD, Door
from tripleo_update_plugin.outcome.control import AFTER_BATCH, Control
from tripleo_update_plugin.outcome.execution import BatchRun
from tripleo_update_plugin.overcloud.snapshot import Snapshot
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import FakeMistral, an_overcloud, stack_outputs

OVERCLOUD = an_overcloud(Controller=(3, ["mysql"]), Compute=(2, ["nova_compute"]))
OUTPUTS = {**stack_outputs(OVERCLOUD), "RoleConfig": {"update_steps_playbook": "[]"}}

PAUSED = Control(pause=AFTER_BATCH, by="ann", since=0.0)
ABORTED = Control(abort=True, by="ann", since=0.0)


class Waiting:
    """Batch-1 at the door of an update in memory of which *begun* are under way; *then* is {look: what happens}."""

    def __init__(self, begun=("batch-1",), at_door=(), mistral=FakeMistral):
        self.mistral = mistral()
        plan = rollout.prepare(Snapshot.of("overcloud", OUTPUTS), parse_policy({}), [])
        self.root = rollout.start(plan, self.mistral)
        self.mistral.hung = set(begun)
        self.mistral.run(self.root).batches = {id: BatchRun(id=id, state="RUNNING") for id in begun}
        for batch in at_door:
            self.notes.beat(self.root, self.mistral.a_beat(batch, "gate_before", waits_for="people"))
        self.then = {}
        self.said, self.slept, self.ended = [], 0.0, False

    @property
    def notes(self):
        return self.mistral.notes

    @property
    def state(self):
        return self.mistral.run(self.root).state

    def want(self, control):
        self.notes.save_control(self.root, control)

    def sleep(self, seconds):
        self.slept += seconds
        looks = round(self.slept / PERIOD)
        self.then.get(looks, lambda: None)()
        assert looks < 50, "it waits for ever"

    def end(self):
        self.ended = True

    def wait(self, **more):
        return Door(
            root=self.root, batch="batch-1", mistral=self.mistral, notes=self.notes, log=logs.silent(),
            cancelled=lambda: self.ended, beat=self.said.append, clock=lambda: self.slept, sleep=self.sleep, **more,
        ).wait()  # fmt: skip


def test_a_door_that_nobody_holds_is_passed_at_once():
    waiting = Waiting()
    passage = waiting.wait()
    assert (passage.seconds, passage.refusal, waiting.said) == (0.0, "", [""])


def test_a_batch_waits_while_people_want_a_pause_and_the_update_rests():
    waiting = Waiting()
    states = []
    waiting.then = {
        1: lambda: states.append(waiting.state),
        3: lambda: (waiting.want(Control()), waiting.mistral.resume(waiting.root)),
    }
    waiting.want(PAUSED)
    passage = waiting.wait()
    assert (passage.seconds, passage.refusal) == (3 * PERIOD, "")
    assert states == ["PAUSED"]
    assert waiting.said == ["paused by ann since 1970-01-01T00:00:00Z"] * 3 + [""]


def test_the_update_does_not_rest_while_another_batch_is_at_work():
    waiting = Waiting(begun=("batch-1", "batch-2"))
    states = []

    def the_other_ends():
        states.append(waiting.state)
        run = waiting.mistral.run(waiting.root)
        run.batches["batch-2"] = dataclasses.replace(run.batches["batch-2"], state="SUCCESS")

    waiting.then = {3: the_other_ends, 5: lambda: states.append(waiting.state), 6: waiting.end}
    waiting.want(PAUSED)
    waiting.wait()
    assert states == ["RUNNING", "PAUSED"]


@pytest.mark.parametrize(("others", "rests"), [(("batch-0",), False), (("batch-2",), True)])
def test_of_several_that_wait_the_first_lets_it_rest(others, rests):
    waiting = Waiting(begun=("batch-1", *others), at_door=others)
    waiting.then = {3: waiting.end}
    waiting.want(PAUSED)
    waiting.wait()
    assert waiting.state == ("PAUSED" if rests else "RUNNING")


def test_a_sign_of_life_that_was_left_behind_keeps_no_update_from_resting():
    waiting = Waiting(at_door=("batch-0",))  # batch-0 has ended long ago
    waiting.then = {3: waiting.end}
    waiting.want(PAUSED)
    waiting.wait()
    assert waiting.state == "PAUSED"


def test_an_aborted_update_ends_with_the_last_batch_that_is_at_work():
    waiting = Waiting(begun=("batch-1", "batch-2"))
    states = []

    def the_other_ends():
        states.append(waiting.state)
        run = waiting.mistral.run(waiting.root)
        run.batches["batch-2"] = dataclasses.replace(run.batches["batch-2"], state="SUCCESS")

    waiting.then = {2: the_other_ends}
    waiting.want(ABORTED)
    passage = waiting.wait()
    assert states == ["RUNNING"] and waiting.state == "CANCELLED"
    assert passage.refusal == "not started: aborted"


def test_an_update_that_somebody_else_ended_lets_nobody_wait():
    waiting = Waiting(begun=("batch-1", "batch-2"))
    waiting.want(PAUSED)
    waiting.then = {2: lambda: waiting.mistral.cancel(waiting.root)}
    assert waiting.wait().refusal == "not started: the update is CANCELLED"


def test_too_many_failures_hold_it_as_people_do():
    waiting = Waiting()
    waiting.then = {3: waiting.end}
    passage = waiting.wait(spent=lambda: "batch-0 failed")
    assert waiting.state == "PAUSED"
    assert passage.refusal == "not started: its job was ended while batch-0 failed"


def test_too_many_jobs_are_waited_for_and_do_not_let_the_update_rest():
    waiting = Waiting()
    left = ["two others first", "one other first", ""]
    passage = waiting.wait(busy=lambda: left.pop(0))
    assert (passage.seconds, waiting.state) == (2 * PERIOD, "RUNNING")
    assert waiting.said == ["two others first", "one other first", ""]


def test_without_mistral_it_waits_for_nobody_knows_what_people_want():
    waiting = Waiting()
    waiting.mistral.outage = "away"
    waiting.then = {4: lambda: setattr(waiting.mistral, "outage", "")}
    passage = waiting.wait()
    assert (passage.seconds, passage.refusal) == (4 * PERIOD, "")
    assert waiting.said[0] == "Mistral does not answer: away"


def test_an_update_that_is_gone_lets_nobody_wait():
    waiting = Waiting()
    waiting.root = "gone"
    waiting.want(PAUSED)
    assert waiting.wait().refusal == "not started: there is no update 'gone'"


class Changed(FakeMistral):
    """Somebody takes the pause back in the moment in which the update is paused."""

    def pause(self, id):
        done = super().pause(id)
        self.notes.save_control(id, Control())
        return done


def test_a_pause_that_was_taken_back_meanwhile_does_not_stay():
    waiting = Waiting(mistral=Changed)
    waiting.want(PAUSED)
    assert waiting.wait().refusal == "" and waiting.state == "RUNNING"
