"""The fakes behave as what they stand for."""

import pytest

from tripleo_update_plugin.errors import (
    ActionsMissing,
    BadPlan,
    ExecutionNotFound,
    HeatUnavailable,
    MistralUnavailable,
    StackNotFound,
)
from tripleo_update_plugin.outcome.report import report_of
from tripleo_update_plugin.overcloud import outputs
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import FakeHeat, FakeMistral, a_catalogue, an_overcloud, stack_outputs
from tripleo_update_plugin.workflows import workbook

OVERCLOUD = an_overcloud(Controller=(3, ["pacemaker", "mysql"]), Networker=(2, ["neutron_l3"]))


def planned(**policy):
    return plan_update(OVERCLOUD, a_catalogue(), parse_policy(policy), Facts())


def started(mistral, plan):
    mistral.upload(workbook.workbook_name(plan), workbook.to_yaml(workbook.render(plan)))
    mistral.save_plan(workbook.workbook_name(plan), plan.to_dict())
    return mistral.start(workbook.workflow_name(plan), "a test")


def looks(mistral, id, most=30):
    """Snapshots until the update ends or pauses."""
    seen = []
    for _ in range(most):
        seen.append(mistral.execution(id))
        if seen[-1].state != "RUNNING":
            return seen
    raise AssertionError("the update does not end")


def states(execution):
    return {batch.id: batch.state for batch in execution.batches}


def test_heat_has_the_stacks_it_was_given():
    heat = FakeHeat(overcloud=stack_outputs(OVERCLOUD))
    assert outputs.parse(heat.outputs("overcloud"), "overcloud") == OVERCLOUD
    with pytest.raises(StackNotFound):
        heat.outputs("other")
    heat.outage = "it sleeps"
    with pytest.raises(HeatUnavailable, match="it sleeps"):
        heat.outputs("overcloud")


def test_an_update_goes_on_by_a_step_with_every_look():
    plan, mistral = planned(), FakeMistral()
    seen = looks(mistral, started(mistral, plan))
    assert states(seen[0]) == {"batch-1": "RUNNING", "batch-2": "RUNNING"}
    assert states(seen[1]) == {
        **dict.fromkeys(("batch-1", "batch-2"), "SUCCESS"),
        "batch-3": "RUNNING",
        "batch-4": "RUNNING",
    }
    assert [execution.state for execution in seen] == ["RUNNING"] * plan.waves + ["SUCCESS"]
    assert report_of(plan, seen[-1]).went_well
    assert (seen[-1].started, seen[-1].finished) == (0.0, float(plan.waves))


def test_a_batch_never_begins_before_those_it_comes_after():
    plan, mistral = planned(canary=True), FakeMistral()
    for execution in looks(mistral, started(mistral, plan)):
        for batch in plan.batches:
            run = execution.run_of(batch.id)
            if run and run.state in ("RUNNING", "SUCCESS"):
                assert all(states(execution)[before] == "SUCCESS" for before in batch.after)


@pytest.mark.parametrize("phase", ["gate_before", "drain", "update", "restore", "gate_after"])
def test_a_failing_batch_ends_the_update(phase):
    plan, mistral = planned(), FakeMistral(failing={"batch-3": phase})
    last = looks(mistral, started(mistral, plan))[-1]
    assert last.state == "ERROR"
    assert last.run_of("batch-3").phases[-1].name == phase
    outcomes = {o.node: o.outcome for o in report_of(plan, last).outcomes}
    assert outcomes["controller-1"] == ("not reached" if phase == "gate_before" else "failed")
    assert (outcomes["controller-0"], outcomes["controller-2"]) == ("updated", "not reached")


def test_an_update_waits_for_approvals():
    plan, mistral = planned(approve="after-canary", canary=True), FakeMistral()
    id = started(mistral, plan)
    paused = looks(mistral, id)[-1]
    assert paused.state == "PAUSED"
    assert set(states(paused).values()) == {"SUCCESS"}
    assert paused.approval == "approval-1"
    assert mistral.execution(id) == paused
    mistral.resume(id)
    assert looks(mistral, id)[-1].state == "SUCCESS"


def test_a_cancelled_update_stays_where_it_is():
    plan, mistral = planned(), FakeMistral()
    id = started(mistral, plan)
    mistral.cancel(id)
    assert looks(mistral, id)[-1].state == "CANCELLED"
    assert {o.outcome for o in report_of(plan, mistral.execution(id)).outcomes} == {"failed", "not reached"}


def test_plans_are_kept():
    plan, mistral = planned(), FakeMistral()
    started(mistral, plan)
    assert Plan.from_dict(mistral.load_plan(workbook.workbook_name(plan))) == plan
    with pytest.raises(ExecutionNotFound):
        mistral.load_plan("other")


def test_updates_are_listed_newest_first_by_stack():
    plan, mistral = planned(), FakeMistral()
    ids = [started(mistral, plan), started(mistral, plan)]
    assert [update.id for update in mistral.updates("overcloud")] == ids[::-1]
    assert mistral.updates("other") == []
    assert all(update.batches == () for update in mistral.updates())


def test_discovery_tells_who_answers():
    mistral = FakeMistral(nodes=["a"], silent=["b"])
    answer = mistral.run_action("tripleo_update.discover", {"stack": "overcloud"}, 1.0)
    assert {name: result["ok"] for name, result in answer["nodes"].items()} == {"a": True, "b": False}
    assert mistral.calls == [("tripleo_update.discover", {"stack": "overcloud"})]


def test_what_mistral_refuses():
    mistral = FakeMistral(missing=["tripleo_update.gate"])
    with pytest.raises(ActionsMissing, match=r"tripleo_update\.gate"):
        mistral.require_actions()
    with pytest.raises(BadPlan):
        mistral.upload("x", "version: '2.0'")
    with pytest.raises(MistralUnavailable, match="Workflow not found"):
        mistral.start("tripleo-update.x.0.update", "")
    with pytest.raises(ExecutionNotFound):
        mistral.execution("x")
    mistral.outage = "it sleeps"
    with pytest.raises(MistralUnavailable, match="it sleeps"):
        mistral.updates()
