"""The actions inside a real Mistral, with real Ansible on nodes that are this machine."""

import json
import os
from pathlib import Path

import fake_undercloud
import pytest
from mistral_process import CONFIG, Mistral, free_port

from tripleo_update_plugin.adapters import extensions
from tripleo_update_plugin.adapters.mistral_executions import result_of
from tripleo_update_plugin.executor.jobs import job as jobs
from tripleo_update_plugin.executor.jobs import leftovers
from tripleo_update_plugin.overcloud.outputs import digest

pytestmark = pytest.mark.functional

WORKBOOK = Path(__file__).parents[2] / "workbooks" / "tripleo_update.yaml"

#: Batches one after the other under one root, whatever becomes of them; as a plan's workbook, but written by hand.
TWO_BATCHES = """
version: '2.0'
two_batches:
  input: [digest, max_failed: 0]
  tasks:
    b-1:
      workflow: tripleo_update.update_batch
      input:
        stack: overcloud
        digest: <% $.digest %>
        batch: b-1
        nodes: [ctl-0]
        update: <% execution().id %>
        allowed: {web: 3}
        max_failed: <% $.max_failed %>
        timeout: 60
      on-complete: [b-2]
    b-2:
      workflow: tripleo_update.update_batch
      input:
        stack: overcloud
        digest: <% $.digest %>
        batch: b-2
        nodes: [ctl-1]
        update: <% execution().id %>
        allowed: {web: 3}
        max_failed: <% $.max_failed %>
        timeout: 60
"""


@pytest.fixture
def mistral(tmp_path, nodes, undercloud):
    port = free_port()
    path = fake_undercloud.configuration(
        tmp_path / "mistral.conf", tmp_path / "work", nodes, f"{undercloud.url}/heat", f"http://127.0.0.1:{port}/v2"
    )
    path.write_text(path.read_text() + CONFIG.format(folder=tmp_path, port=port, max_limit=1000))
    server = Mistral(tmp_path, path)
    server.start()
    server.client.workbooks.create(WORKBOOK.read_text())
    server.client.workflows.create(TWO_BATCHES)
    yield server
    server.kill()
    for folder in (tmp_path / "work" / "jobs").glob("*/*"):
        leftovers.end(folder)


@pytest.fixture
def given(undercloud):
    return {"stack": "overcloud", "digest": digest(undercloud.outputs), "batch": "b-1", "nodes": ["ctl-0"]}


def test_an_ad_hoc_discover(mistral):
    state, output = mistral.run_action("tripleo_update.discover", stack="overcloud")
    assert state == "SUCCESS"
    assert (output["facts"]["down"], output["facts"]["leaders"]) == ([], {})
    # This machine is no node of an overcloud, so it cannot answer everything; and that is no failure.
    assert set(output["facts"]) <= {"down", "leaders", "unanswered", "pending_reboot"}
    assert set(output["nodes"]) == set(fake_undercloud.NODES)


def test_probes_can_be_tried(mistral, undercloud):
    port = int(undercloud.url.rsplit(":", 1)[1])
    probes = {"more": [{"name": "heat", "kind": "tcp", "host": "127.0.0.1", "port": port}]}
    state, output = mistral.run_action("tripleo_update.probe", stack="overcloud", seconds=3, probes=probes)
    assert state == "SUCCESS"
    assert output["probes"]["heat"]["answered"] == output["probes"]["heat"]["requests"] >= 2


def test_executors_tell_which_profiles_they_go_by(mistral):
    state, output = mistral.run_action("tripleo_update.profiles", services=["mysql", "nobody-knows-it"])
    catalogue = extensions.load_catalogue()
    assert state == "SUCCESS"
    assert output["profiles"] == {name: catalogue.profile(name).digest for name in ("mysql", "nobody-knows-it")}
    assert output["projects"]["own"] is None, "here is no Keystone"


def test_discover_as_a_workflow(mistral):
    execution = mistral.run_workflow("tripleo_update.discover", stack="overcloud")
    assert execution.state == "SUCCESS" and json.loads(execution.output)["facts"]["down"] == []


def test_parameters_that_are_no_names_are_refused(mistral, given):
    state, output = mistral.run_action("tripleo_update.drain", **{**given, "nodes": ["../etc"]})
    assert state == "ERROR"
    assert result_of(output) == {"error": "'../etc' is not a name of a stack, an update, a batch, a node or a service"}


def test_a_batch_from_gate_to_gate(mistral, nodes, given):
    execution = mistral.run_workflow("tripleo_update.update_batch", **given, timeout=60)
    assert execution.state == "SUCCESS", execution.state_info
    phases = ["gate", "drain", "update", "restore", "gate"]
    assert [line.split()[0] for line in nodes.asked if line.endswith("ctl-0")] == phases
    tasks = mistral.tasks(execution.id)
    assert mistral.output_of(tasks["update"])["nodes"]["ctl-0"]["ok"]
    assert set(mistral.output_of(tasks["gate_before"])["peers"]) == {"ctl-1", "ctl-2"}
    assert mistral.output_of(tasks["gate_after"])["moment"] == "after"


def test_a_drain_that_fails_is_undone(mistral, nodes, given):
    nodes.sick("drain", "ctl-0")
    execution = mistral.run_workflow("tripleo_update.update_batch", **given, timeout=60)
    assert execution.state == "ERROR" and "the drain failed" in execution.state_info
    assert nodes.asked[-1] == "restore ctl-0" and "update ctl-0" not in nodes.asked


def test_after_a_failed_update_the_node_stays_drained_and_a_rerun_goes_on(mistral, nodes, given):
    nodes.sick("update", "ctl-0")
    execution = mistral.run_workflow("tripleo_update.update_batch", **given, timeout=60)
    assert execution.state == "ERROR" and nodes.asked[-1] == "update ctl-0"
    nodes.well("update", "ctl-0")
    mistral.client.tasks.rerun(mistral.tasks(execution.id)["update"].id)
    mistral.wait(lambda: mistral.client.executions.get(execution.id).state == "SUCCESS")
    assert nodes.asked[-2:] == ["restore ctl-0", "gate ctl-0"]


def test_a_phase_ends_at_its_own_deadline(mistral, nodes, given):
    nodes.slow("drain", 4)
    nodes.slow("update", 300)
    execution = mistral.run_workflow("tripleo_update.update_batch", **given, timeout=60, deadlines={"update": 4})
    told = mistral.output_of(mistral.tasks(execution.id)["update"])
    assert execution.state == "ERROR" and told["error"] == "ended after 3 s, its deadline"


def test_an_update_goes_on_without_a_node_that_fails_within_the_budget(mistral, nodes, undercloud):
    nodes.sick("update", "ctl-0")
    execution = mistral.run_workflow("two_batches", digest=digest(undercloud.outputs), max_failed=1)
    tasks = mistral.tasks(execution.id)
    assert (tasks["b-1"].state, tasks["b-2"].state) == ("SUCCESS", "SUCCESS")
    assert nodes.asked.count("update ctl-1") == 1 and "restore ctl-0" not in nodes.asked


def test_beyond_the_budget_no_batch_begins(mistral, nodes, undercloud):
    """A workflow of somebody's own is no update that could be paused: its batch ends before anything is touched."""
    nodes.sick("update", "ctl-0")
    execution = mistral.run_workflow("two_batches", digest=digest(undercloud.outputs), max_failed=0)
    tasks = mistral.tasks(execution.id)
    assert (tasks["b-1"].state, tasks["b-2"].state) == ("ERROR", "ERROR")
    [batch] = mistral.client.executions.list(task=tasks["b-2"].id)
    told = mistral.output_of(mistral.tasks(batch.id)["gate_before"])
    assert told["error"].startswith("not started: ") and "drain ctl-1" not in nodes.asked


def test_work_outlives_mistral(mistral, nodes, given):
    nodes.slow("drain", 6)
    action = mistral.client.action_executions.create("tripleo_update.drain", given, save_result=True)
    mistral.wait(lambda: nodes.asked)
    mistral.kill()
    [job] = [jobs.Job(folder) for folder in (mistral.folder / "work" / "jobs").glob("*/*")]
    os.kill(int((job.folder / "pid").read_text()), 0)
    mistral.wait(job.result)
    mistral.start()
    assert mistral.action(action.id)[0] == "SUCCESS"
    assert nodes.asked == ["drain ctl-0"]


def test_two_executions_of_one_phase_share_the_work(mistral, nodes, given):
    """As when a task is rerun because nobody knew that its work goes on."""
    nodes.slow("drain", 300)
    execution = mistral.client.executions.create(
        "tripleo_update.update_batch", workflow_input={**given, "timeout": 600}
    )
    mistral.wait(lambda: "drain ctl-0" in nodes.asked)
    nodes.slow("drain", 0)
    task = mistral.tasks(execution.id)["drain"]
    [first] = mistral.client.action_executions.list(task_execution_id=task.id)
    mistral.client.action_executions.update(first.id, state="ERROR", output={"error": "lost"})
    mistral.wait(lambda: mistral.client.executions.get(execution.id).state == "ERROR")
    mistral.client.tasks.rerun(task.id)
    mistral.wait(lambda: len(mistral.client.action_executions.list(task_execution_id=task.id)) == 2)
    assert nodes.asked.count("drain ctl-0") == 1
