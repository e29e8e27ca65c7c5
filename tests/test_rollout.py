"""The story of an update, with Heat and Mistral in memory; tests/functional tells it with real ones."""

import time
from dataclasses import replace

import pytest

from tripleo_update_plugin import outputs, rollout
from tripleo_update_plugin.errors import AlreadyRunning, BadPlan, CannotUpdate, FactsMissing, StalePlan
from tripleo_update_plugin.policy import parse_policy
from tripleo_update_plugin.testing import FakeHeat, FakeMistral, an_overcloud, stack_outputs
from tripleo_update_plugin.verdicts import Watch

OVERCLOUD = an_overcloud(Controller=(3, ["mysql", "keystone"]), Compute=(2, ["nova_compute"]))
OUTPUTS = {**stack_outputs(OVERCLOUD), "RoleConfig": {"update_steps_playbook": "[]"}}


def plan(stack=OUTPUTS, limits=(), **policy):
    return rollout.prepare(stack, "overcloud", parse_policy(policy), list(limits), None)


def test_a_plan_that_fits_may_start():
    rollout.check(plan(), FakeHeat(overcloud=OUTPUTS))


def test_a_stale_plan_says_what_changed():
    changed = {**OUTPUTS, "RoleConfig": {"update_steps_playbook": "other"}, "New": 1}
    with pytest.raises(StalePlan, match=r"changed: RoleConfig; new: New"):
        rollout.check(plan(), FakeHeat(overcloud=changed))


def test_a_plan_edited_beyond_its_budgets_is_refused():
    made = plan()
    loose = replace(made, batches=tuple(replace(batch, after=()) for batch in made.batches))
    with pytest.raises(BadPlan, match="may be"):
        rollout.check(loose, FakeHeat(overcloud=OUTPUTS))


def test_what_the_actions_cannot_do_is_refused_before_anything_starts():
    old = {key: value for key, value in OUTPUTS.items() if key != "RoleConfig"}
    with pytest.raises(CannotUpdate, match="no update playbook"):
        rollout.check(plan(old), FakeHeat(overcloud=old))
    with pytest.raises(CannotUpdate, match="some services"):
        rollout.check(plan(limits=["service:mysql"]), FakeHeat(overcloud=OUTPUTS))


def test_one_update_of_a_stack_at_a_time():
    mistral = FakeMistral()
    id = rollout.start(plan(), mistral)
    with pytest.raises(AlreadyRunning, match=id):
        rollout.start(plan(), mistral)
    assert [execution.state for execution in rollout.follow(id, mistral, 0, sleep=lambda _: None)][-1] == "SUCCESS"
    assert rollout.start(plan(), mistral) != id


def test_the_report_is_made_of_the_plan_that_mistral_keeps():
    mistral = FakeMistral()
    id = rollout.start(plan(), mistral)
    for _ in rollout.follow(id, mistral, 0, sleep=lambda _: None):
        pass
    report = rollout.report(id, mistral)
    assert report.went_well
    assert report.plan == plan()


def test_the_report_waits_for_the_last_word_of_the_prober():
    mistral = FakeMistral()
    mistral.now = time.time()
    id = rollout.start(plan(), mistral)
    for _ in rollout.follow(id, mistral, 0, sleep=lambda _: None):
        pass
    # The last word of a prober that ended before a batch was rerun is not the last one.
    mistral.save_watch(id, Watch(until=1.0, ended=True, left_out=("first",)).to_dict())
    last = Watch(until=mistral.now, ended=True, left_out=("last",)).to_dict()
    assert rollout.report(id, mistral, sleep=lambda _: mistral.save_watch(id, last)).unprobed == ("last",)


def test_the_report_does_not_wait_for_a_prober_that_is_gone():
    mistral = FakeMistral()  # whose updates ended long ago
    id = rollout.start(plan(), mistral)
    for _ in rollout.follow(id, mistral, 0, sleep=lambda _: None):
        pass
    mistral.save_watch(id, Watch(until=1.0, left_out=("first",)).to_dict())
    slept = []
    assert rollout.report(id, mistral, sleep=slept.append).unprobed == ("first",) and slept == []


def test_nodes_that_all_keep_silent_are_no_facts():
    names = [node.name for node in OVERCLOUD.nodes]
    with pytest.raises(FactsMissing, match="no node answered"):
        rollout.discover("overcloud", FakeMistral(silent=names))
    assert rollout.discover("overcloud", FakeMistral(nodes=names[1:], silent=names[:1])).down == {names[0]}


def test_the_digest_is_of_all_outputs():
    assert plan().outputs_digest == outputs.digest(OUTPUTS)
