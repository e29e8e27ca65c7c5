"""Where Mistral waits for a person: the real one, and the one in memory, pause there, once, and nowhere else."""

import time

import pytest
from conftest import Sandbox
from mistralclient.api.client import client as mistral_client

from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import FakeMistral, a_catalogue, an_overcloud
from tripleo_update_plugin.workflows import workbook

pytestmark = pytest.mark.functional

#: Takes what update_batch takes, and does nothing.
INSTANT = """
version: '2.0'
name: instant
workflows:
  batch:
    input: [stack, digest, update, batch, nodes, only, down, allowed, max_failed, extra_vars: null]
    tasks:
      nothing: {action: std.noop}
"""

OVERCLOUD = an_overcloud(
    stack="approvals",
    Controller=(3, ["mysql", "keystone"]),
    Networker=(2, ["neutron_l3"]),
    Compute=(4, ["nova_compute"]),
)


@pytest.fixture(params=["real", "in memory"])
def mistral(request, sandbox: Sandbox):
    if request.param == "in memory":
        return FakeMistral()
    client = mistral_client(mistral_url=sandbox.status["mistral"]["url"], auth_type="none", project_id="admin")
    made = Mistral(client)
    made.upload("instant", INSTANT)
    return made


def started(mistral, plan) -> str:
    book = workbook.render(plan)
    for name, task in book["workflows"][workbook.WORKFLOW]["tasks"].items():
        if workbook.is_batch(name):
            task["workflow"] = "instant.batch"
    mistral.upload(workbook.workbook_name(plan), workbook.to_yaml(book))
    return mistral.start(workbook.workflow_name(plan), "a test")


def at_rest(mistral, id: str):
    """The execution when it has ended or waits for a person."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        execution = mistral.execution(id, phases=False)
        if execution.is_final or execution.state == "PAUSED":
            return execution
        time.sleep(0.2)
    raise AssertionError(f"{execution.state}: {[(b.id, b.state) for b in execution.batches]}")


@pytest.mark.parametrize(
    "policy",
    [
        {"approve": "after-canary"},
        {"approve": "every-wave"},
        {"checkpoints": [{"before": "role:Networker"}, {"before": "role:Compute"}]},
        {"checkpoints": [{"before": "role:Controller"}], "budgets": {"nova_compute": 4}},
    ],
    ids=["canary", "waves", "checkpoints", "at once"],
)
def test_the_update_waits_at_every_approval(mistral, policy):
    plan = plan_update(OVERCLOUD, a_catalogue(), parse_policy(policy), Facts())
    id = started(mistral, plan)
    assert plan.approvals
    for approval in plan.approvals:
        execution = at_rest(mistral, id)
        assert (execution.state, execution.approval) == ("PAUSED", approval.id)
        time.sleep(1)  # for anything to begin that should not
        begun = {batch.id: batch.state for batch in mistral.execution(id, phases=False).batches}
        assert {state for state in begun.values() if state not in ("WAITING", "IDLE")} <= {"SUCCESS"}
        assert {name for name, state in begun.items() if state == "SUCCESS"} == ancestors(plan, approval.before[0])
        mistral.resume(id)
    execution = at_rest(mistral, id)
    assert execution.state == "SUCCESS"
    assert {batch.id for batch in execution.batches} == {batch.id for batch in plan.batches}


def ancestors(plan, id: str) -> set[str]:
    before = set(plan.batch(id).after)
    return before.union(*(ancestors(plan, each) for each in before))
