"""Nodes that hang, and an update that goes on without them, or does not: by the policy, through a real Mistral."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Sandbox, a_sandbox
from test_update import report, save_plan, updates

pytestmark = pytest.mark.functional

COMPUTES = [f"overcloud-novacompute-{i}" for i in range(4)]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """One controller and four computes, of which two may be down at once."""
    made = a_sandbox(tmp_path, "--controllers", 1, "--computes", 4, "--ceph", 0, "--pace", "0.1")
    yield made
    done = made.cli("down")
    assert done.returncode == 0, done.stderr


def planned(sandbox: Sandbox, **policy: object) -> Path:
    """A plan for the computes, one after the other, so that there is room beside one that failed."""
    path = sandbox.home / "policy.json"
    path.write_text(json.dumps({"ramp": [1], **policy}))
    plan = save_plan(sandbox, "--limit", "role:Compute", "--policy", path)
    assert [batch["nodes"] for batch in json.loads(plan.read_text())["batches"]] == [[name] for name in COMPUTES]
    return plan


def start(sandbox: Sandbox, plan: Path) -> subprocess.CompletedProcess[str]:
    return sandbox.openstack("overcloud", "update", "start", "--yes", "--wait", plan)


def hang(sandbox: Sandbox, node: str) -> None:
    """Have the update of *node* hang."""
    command = sandbox.nodes[node].folder / "bin" / "sandbox-update"
    command.unlink()
    command.write_text("#!/bin/sh\nexec sleep 900\n")
    command.chmod(0o755)


def outcomes_and_words(sandbox: Sandbox) -> tuple[dict[str, dict], str]:
    """What a report says of the computes, and in words."""
    id = updates(sandbox)[0]["id"]
    code, outcomes = report(sandbox, id)
    assert code == 1
    said = sandbox.openstack("overcloud", "update", "report", id).stderr
    return {name: outcomes[name] for name in COMPUTES}, said


def test_a_node_that_hangs_ends_at_the_deadline_of_its_role_and_the_update_goes_on(sandbox: Sandbox):
    deadlines = {"default": 1800, "roles": {"Compute": {"update": 45}}}
    plan = planned(sandbox, deadlines=deadlines, max_failed={"roles": {"Compute": 1}})
    foretold = sandbox.openstack("overcloud", "update", "simulate", "-f", "json", "--fail", COMPUTES[0], plan)
    hang(sandbox, COMPUTES[0])
    done = start(sandbox, plan)
    assert done.returncode == 1, done.stderr
    found, said = outcomes_and_words(sandbox)
    assert [row["outcome"] for row in found.values()] == ["failed", "updated", "updated", "updated"]
    assert found[COMPUTES[0]]["detail"].startswith("update: ") and "its deadline" in found[COMPUTES[0]]["detail"]
    assert f"failed within the budget, so the update went on without: {COMPUTES[0]}" in said
    assert "more failed than may" not in said
    assert [row["outcome"] for row in json.loads(foretold.stdout)] == [row["outcome"] for row in found.values()]


def test_a_node_that_hangs_is_found_by_silence_and_beyond_the_budget_nothing_begins(sandbox: Sandbox):
    plan = planned(sandbox, silence=120, max_failed={"update": 3, "services": {"nova_compute": 0}})
    hang(sandbox, COMPUTES[0])
    done = start(sandbox, plan)
    assert done.returncode == 1, done.stderr
    found, said = outcomes_and_words(sandbox)
    assert [row["outcome"] for row in found.values()] == ["failed", *["not reached"] * 3]
    assert f"after 120 s without a result: {COMPUTES[0]} at " in found[COMPUTES[0]]["detail"]
    assert f"more failed than may: batch batch-1 failed (1 node with nova_compute, {COMPUTES[0]}; allowed: 0)" in said
