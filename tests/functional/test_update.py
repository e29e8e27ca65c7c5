"""Whole updates: Mistral runs a plan, Ansible changes the nodes, and the nodes' own notes are the judge."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Sandbox, a_sandbox
from test_plan import refused

pytestmark = pytest.mark.functional


def save_plan(sandbox: Sandbox, *options: object) -> Path:
    path = sandbox.home / "plan.json"
    done = sandbox.openstack("overcloud", "update", "plan", "--stack", "overcloud", "--save", path, *options)
    assert done.returncode == 0, done.stderr
    return path


def updates(sandbox: Sandbox, *options: object) -> list[dict]:
    return json.loads(sandbox.openstack("overcloud", "update", "list", "-f", "json", *options).stdout)


def report(sandbox: Sandbox, id: str) -> tuple[int, dict[str, dict]]:
    done = sandbox.openstack("overcloud", "update", "report", "-f", "json", id)
    return done.returncode, {row["node"]: row for row in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def updated(sandbox: Sandbox) -> tuple[Sandbox, dict, str, subprocess.CompletedProcess, float]:
    """The sandbox after one update of everything: (sandbox, plan, id of the update, the command, when it began)."""
    path = save_plan(sandbox)
    began = time.time()
    done = sandbox.openstack("overcloud", "update", "start", "--yes", "--wait", path)
    return sandbox, json.loads(path.read_text()), updates(sandbox)[0]["id"], done, began


def journal(sandbox: Sandbox, since: float) -> list[dict]:
    notes = [note for node in sandbox.nodes.values() for note in node.journal if note["time"] >= since]
    return sorted(notes, key=lambda note: note["time"])


def test_an_update_goes_well_and_shows_its_progress(updated):
    sandbox, plan, id, done, _ = updated
    assert done.returncode == 0, done.stderr
    assert "SUCCESS" in done.stdout
    for batch in plan["batches"]:
        assert f"{batch['id']}: went well" in done.stderr
    code, outcomes = report(sandbox, id)
    assert code == 0
    assert {row["outcome"] for row in outcomes.values()} == {"updated"}
    assert all(row["started"] and row["finished"] for row in outcomes.values())
    shown = json.loads(sandbox.openstack("overcloud", "update", "show", "-f", "json", id).stdout)
    assert {row["state"] for row in shown} == {"SUCCESS"}


def test_every_node_is_updated_once_and_in_the_order_of_the_plan(updated):
    sandbox, plan, _, _, began = updated
    spans: dict[str, tuple[float, float, list[str]]] = {}
    for note in journal(sandbox, began):
        if note["event"] == "update":
            first, _, seen = spans.get(note["node"], (note["time"], 0.0, []))
            spans[note["node"]] = (first, note["time"], [*seen, note["service"]])
    assert set(spans) == set(sandbox.nodes)
    for node, (_, _, services) in spans.items():
        assert len(services) == len(set(services)), f"{node} updated a service twice"
    of_batch = {
        b["id"]: (min(spans[n][0] for n in b["nodes"]), max(spans[n][1] for n in b["nodes"])) for b in plan["batches"]
    }
    for batch in plan["batches"]:
        for before in batch["after"]:
            assert of_batch[before][1] < of_batch[batch["id"]][0]


def test_the_budgets_of_all_services_hold_at_every_instant(updated):
    sandbox, plan, _, _, began = updated
    allowed = {service: b["max_unavailable"] for service, b in plan["policy"]["budgets"].items()}
    down: dict[str, set[str]] = {service: set() for service in allowed}
    stopped = set()
    for note in journal(sandbox, began):
        service = note["service"]
        if service not in down or note["event"] not in ("start", "stop"):
            continue
        (down[service].add if note["event"] == "stop" else down[service].discard)(note["node"])
        stopped.add(service)
        assert len(down[service]) <= allowed[service], f"{service}: {down[service]} at {note['time']}"
    assert {"mysql", "keystone", "nova_compute", "ceph_osd"} <= stopped
    assert not any(down.values())


def test_no_secret_is_left_behind(updated):
    from tripleo_update_sandbox.overcloud.containers import sample_outputs

    sandbox, _, _, done, _ = updated
    secret = sample_outputs()["AdminPassword"].encode()
    assert secret not in (done.stdout + done.stderr).encode()
    work = [path for path in (sandbox.state / "work").rglob("*") if path.is_file()]
    assert work
    for path in work:
        assert secret not in path.read_bytes(), path
        assert path.stat().st_mode & 0o077 == 0, path
    databases = list(sandbox.state.rglob("mistral*.sqlite*"))
    assert databases
    assert not any(secret in path.read_bytes() for path in databases)


@pytest.fixture
def own(tmp_path):
    """A small sandbox that a test may harm."""
    made = a_sandbox(tmp_path, "--controllers", 3, "--computes", 2, "--ceph", 0, "--pace", "0.2")
    yield made
    done = made.cli("down")
    assert done.returncode == 0, done.stderr
    made.assert_gone()


def test_ctrl_c_leaves_the_update_running_and_a_second_one_is_refused(own: Sandbox):
    path = save_plan(own)
    openstack = str(Path(sys.executable).parent / "openstack")
    command = [openstack, "overcloud", "update", "start", "--yes", "--wait", str(path)]
    process = subprocess.Popen(
        command, env=own.env, cwd=own.home, stderr=subprocess.PIPE, text=True,
        # As at a terminal: what a shell runs in the background ignores Ctrl-C, and so does all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    for line in process.stderr:
        if "batch-1: " in line:
            break
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    assert process.wait(timeout=30) == 130, rest
    assert "the update goes on" in rest
    running = updates(own)
    assert [row["state"] for row in running] == ["RUNNING"]
    refused(own.openstack("overcloud", "update", "start", "--yes", path), "RUNNING", running[0]["id"])
    followed = own.openstack("overcloud", "update", "follow", running[0]["id"], "-f", "json")
    assert followed.returncode == 0, followed.stderr
    assert len(updates(own)) == 1
    assert report(own, running[0]["id"])[0] == 0


def test_a_node_that_does_not_answer_fails_its_batch_and_no_other_begins(own: Sandbox):
    path = save_plan(own)
    own.cli("node", "overcloud-controller-0", "off")
    refused(own.openstack("overcloud", "update", "start", "--yes", path), "overcloud-controller-0")
    assert updates(own) == [], "a start asks the nodes again"
    done = own.openstack("overcloud", "update", "start", "--yes", "--wait", "--no-facts", path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    id = updates(own)[0]["id"]
    code, outcomes = report(own, id)
    assert code == 1
    assert {row["outcome"] for row in outcomes.values()} == {"not reached"}
    shown = json.loads(own.openstack("overcloud", "update", "show", "-f", "json", id).stdout)
    assert "overcloud-controller-0" in "".join(row["error"] for row in shown)
    assert [n for n in own.nodes.values() if any(e["event"] == "update" for e in n.journal)] == []


def test_a_service_that_does_not_come_back_holds_the_update(own: Sandbox):
    path = save_plan(own)
    plan = json.loads(path.read_text())
    first = plan["batches"][0]["nodes"][0]
    own.cli("node", first, "break", "keystone")
    done = own.openstack("overcloud", "update", "start", "--yes", "--wait", path)
    assert done.returncode == 1
    _, outcomes = report(own, updates(own)[0]["id"])
    assert "updated" not in {row["outcome"] for row in outcomes.values()}
    assert sum(any(e["event"] == "update" for e in n.journal) for n in own.nodes.values()) <= 1


def test_what_start_refuses(own: Sandbox, tmp_path):
    path = save_plan(own)
    edited = json.loads(path.read_text())
    edited["batches"][1]["after"] = []
    (tmp_path / "edited.json").write_text(json.dumps(edited))
    refused(own.openstack("overcloud", "update", "start", "--yes", tmp_path / "edited.json"), "may be")
    refused(own.openstack("overcloud", "update", "start", path), "--yes")
    dead = {
        "OS_CLOUD": "",
        "OS_AUTH_TYPE": "none",
        "OS_ENDPOINT": own.status["heat"]["url"],
        "OS_WORKFLOWV2_ENDPOINT_OVERRIDE": "http://127.0.0.1:9/v2",
    }
    refused(own.openstack("overcloud", "update", "start", "--yes", path, **dead), "Mistral does not answer", code=4)
    refused(own.openstack("overcloud", "update", "list", **dead), "Mistral does not answer", code=4)
    refused(own.openstack("overcloud", "update", "show", "nonsense"), "nonsense")
    template = tmp_path / "changed.json"
    outputs = {"EnabledServices": {"Controller": ["keystone"]}}
    template.write_text(
        json.dumps({"heat_template_version": "2016-10-14", "outputs": {k: {"value": v} for k, v in outputs.items()}})
    )
    changed = own.openstack("stack", "update", "--wait", "-t", template, "overcloud")
    assert changed.returncode == 0, changed.stderr
    refused(own.openstack("overcloud", "update", "start", "--yes", path), "has changed", "EnabledServices", "plan")
    assert updates(own) == []
