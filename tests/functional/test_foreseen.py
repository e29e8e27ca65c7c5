"""What a simulation says, against what then really happens."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Sandbox, a_sandbox

pytestmark = pytest.mark.functional


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A small sandbox that a test may harm."""
    made = a_sandbox(
        tmp_path_factory.mktemp("own"), "--controllers", 1, "--computes", 4, "--ceph", 0, "--pace", "1"
    )  # fmt: skip
    yield made
    done = made.cli("down")
    assert done.returncode == 0, done.stderr


def switched_off_during(sandbox: Sandbox, plan: Path, node: str) -> int:
    """Start the update of *plan*, and switch *node* off once its batch has begun; the exit code."""
    openstack = str(Path(sys.executable).with_name("openstack"))
    command = [openstack, "overcloud", "update", "start", "--yes", "--wait", str(plan)]
    process = subprocess.Popen(command, env=sandbox.env, cwd=sandbox.home, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "batch-1: drain" in line or "batch-1: update" in line:
            assert sandbox.cli("node", node, "off").returncode == 0
            break
    process.stderr.read()
    return process.wait(timeout=300)


def rows(done) -> list[dict]:
    return json.loads(done.stdout)


def test_an_update_whose_node_dies_ends_as_simulated(own: Sandbox):
    path = own.home / "plan.json"
    planned = own.openstack(
        "overcloud", "update", "plan", "--stack", "overcloud", "--limit", "role:Compute", "--save", path
    )
    assert planned.returncode == 0, planned.stderr
    plan = json.loads(path.read_text())
    assert own.openstack("overcloud", "update", "start", "--yes", "--wait", path).returncode == 0
    node = plan["batches"][0]["nodes"][0]
    assert switched_off_during(own, path, node) == 1
    simulated = own.openstack("overcloud", "update", "simulate", path, "--fail", node, "--from-history", "-f", "json")
    assert simulated.returncode == 0, simulated.stderr
    assert "From earlier updates: Compute " in simulated.stderr
    steps = rows(simulated)
    assert all(step["takes"] is None or step["takes"] < 600 for step in steps)
    said = {n: step["outcome"] for step in steps for n in step["nodes"]}
    update = rows(own.openstack("overcloud", "update", "list", "-f", "json"))[0]["id"]
    report = rows(own.openstack("overcloud", "update", "report", update, "-f", "json"))
    assert said == {row["node"]: row["outcome"] for row in report if row["outcome"] != "excluded"}
    assert set(said.values()) == {"failed", "not reached"}
