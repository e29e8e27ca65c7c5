"""Probes of whole updates: what a good one, a broken one and a wounded one let us claim."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Sandbox, a_sandbox
from test_update import save_plan, updates

pytestmark = pytest.mark.functional

_ASKED = {"Cinder", "Glance", "Heat", "Horizon", "Keystone", "Neutron", "Nova", "Placement", "database", "messaging"}


@pytest.fixture
def own(tmp_path):
    """A small sandbox that a test may harm."""
    made = a_sandbox(tmp_path, "--controllers", 3, "--computes", 1, "--ceph", 0, "--pace", "0.2")
    yield made
    done = made.cli("down")
    assert done.returncode == 0, done.stderr
    made.assert_gone()


def begin(sandbox: Sandbox, **policy: object) -> tuple[str, subprocess.Popen]:
    """(id, the command that follows it) of an update that has begun; clients try again for five seconds."""
    path = sandbox.home / "policy.json"
    path.write_text(json.dumps({"probes": {"retry": 5}, **policy}))
    plan = save_plan(sandbox, "--policy", path)
    openstack = str(Path(sys.executable).parent / "openstack")
    command = [openstack, "overcloud", "update", "start", "--yes", "--wait", str(plan)]
    process = subprocess.Popen(command, env=sandbox.env, cwd=sandbox.home, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if ": drain" in line or ": update" in line:
            return updates(sandbox)[0]["id"], process
    raise AssertionError("the update did not begin")


def availability(sandbox: Sandbox, id: str) -> tuple[int, dict[str, dict], str]:
    """(exit code, the rows by probe, what is said) of the report."""
    done = sandbox.openstack("overcloud", "update", "report", "--availability", "-f", "json", id)
    return done.returncode, {row["probe"]: row for row in json.loads(done.stdout)}, done.stderr


def prober(sandbox: Sandbox, id: str) -> int:
    return int((sandbox.state / "work/jobs" / id / "probes/pid").read_text())


def wait(condition, seconds=90):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")


@pytest.mark.slow
def test_a_good_update_is_proved_though_its_executor_is_killed(own: Sandbox):
    id, process = begin(own)
    pid = prober(own, id)
    os.kill(own.status["mistral"]["pid"], signal.SIGKILL)
    assert own.cli("up").returncode == 0
    process.kill()
    followed = own.openstack("overcloud", "update", "follow", id)
    assert followed.returncode == 0, followed.stderr
    code, rows, said = availability(own, id)
    assert code == 0, said
    pooled = rows.pop("database (pooled)")
    assert (pooled["verdict"], pooled["requests"]) == ("not proved", 0) and "needs credentials" in pooled["detail"]
    assert {name.removesuffix("Public") for name in rows} == _ASKED
    assert {row["verdict"] for row in rows.values()} == {"no downtime seen"}, said
    assert all(row["requests"] > 30 and not row["failed first attempts"] for row in rows.values())
    log = (own.state / "work/jobs" / id / "probes/log").read_text()
    assert log.count("probing") == 1 and not Path(f"/proc/{pid}").exists()


def test_an_outage_pauses_the_update_and_is_blamed(own: Sandbox):
    id, process = begin(own)
    os.kill(own.status["endpoints"]["pid"], signal.SIGKILL)
    said = process.stderr.read()
    assert process.wait(120) == 3, "it waits for a person"
    assert re.search(r"\w+: \d+ requests? failed in spite of 5 s of retries \(connection refused\); ", said), said
    assert "is paused" in said
    assert [row["state"] for row in updates(own)] == ["PAUSED"]
    notes = journals(own)
    time.sleep(8)
    assert journals(own) == notes, "no new phase begins"
    code, rows, said = availability(own, id)
    assert code == 1
    assert rows["KeystonePublic"]["verdict"] == rows["database"]["verdict"] == "downtime"
    assert rows["KeystonePublic"]["failed in spite of retries"] >= 1
    assert "in batch-1 (overcloud-controller-1), " in rows["KeystonePublic"]["detail"]

    assert own.cli("up").returncode == 0
    resumed = own.openstack("workflow", "execution", "update", "-s", "RUNNING", id)
    assert resumed.returncode == 0, resumed.stderr
    followed = own.openstack("overcloud", "update", "follow", id)
    assert followed.returncode == 0, followed.stderr
    code, rows, said = availability(own, id)
    assert code == 1 and "4 updated" in said, "all is updated, but more failed than the policy allows"
    assert rows["KeystonePublic"]["verdict"] == "downtime" and "batch-1" in rows["KeystonePublic"]["detail"]


def journals(sandbox: Sandbox) -> dict[str, list[dict]]:
    return {name: node.journal for name, node in sandbox.nodes.items()}


@pytest.mark.slow
def test_a_prober_that_is_killed_leaves_a_gap_and_the_next_phase_starts_another(own: Sandbox):
    id, process = begin(own)
    first = prober(own, id)
    os.kill(first, signal.SIGKILL)
    wait(lambda: prober(own, id) != first)
    process.communicate()
    assert process.returncode == 0
    code, rows, said = availability(own, id)
    assert code == 0
    assert rows["KeystonePublic"]["verdict"] == "not proved"
    assert "the prober was not running" in rows["KeystonePublic"]["detail"], said


@pytest.mark.slow
def test_a_prober_that_cannot_ask_stops_no_update(own: Sandbox):
    secret = own.state / "logins.yaml"
    secret.write_text("sql: {user: a, password: b}\n")
    secret.chmod(0o644)
    config = own.state / "mistral.conf"
    head = "[tripleo_update]\n"
    config.write_text(config.read_text().replace(head, f"{head}probe_credentials = {secret}\n"))
    _, process = begin(own)
    process.communicate()
    assert process.returncode == 0
    code, rows, _ = availability(own, updates(own)[0]["id"])
    assert code == 0 and list(rows) == ["*"]
    assert rows["*"]["verdict"] == "not proved" and "can be read by others" in rows["*"]["detail"]
