"""People in control of an update: a real Mistral, real Ansible, and what the nodes themselves noted."""

import json
import time

import pytest
from conftest import Sandbox, a_sandbox
from test_update import report, save_plan, updates

pytestmark = pytest.mark.functional

FIRST = "overcloud-controller-0"


@pytest.fixture
def own(tmp_path):
    made = a_sandbox(tmp_path, "--controllers", 3, "--computes", 1, "--ceph", 0, "--pace", "1")
    yield made
    done = made.cli("down")
    assert done.returncode == 0, done.stderr


def update(sandbox: Sandbox, verb: str, *arguments: object):
    return sandbox.openstack("overcloud", "update", verb, *arguments)


def events(sandbox: Sandbox, node: str, kind: str) -> list[dict]:
    return [note for note in sandbox.nodes[node].journal if note["event"] == kind]


def wait(condition, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)


def started(sandbox: Sandbox, *options: object) -> list[str]:
    """Start an update; its first nodes."""
    path = save_plan(sandbox, *options)
    done = update(sandbox, "start", "--yes", path)
    assert done.returncode == 0, done.stderr
    return json.loads(path.read_text())["batches"][0]["nodes"]


def records(sandbox: Sandbox) -> list[str]:
    return [str(path) for path in sandbox.state.glob("nodes/*/marks/owner.json")]


def test_a_failed_update_is_recovered_with_two_commands_and_no_uuid(own: Sandbox):
    [first] = started(own, "--limit", "role:Controller")
    own.cli("node", first, "break", "keystone")
    followed = update(own, "follow")
    assert followed.returncode in (1, 3), followed.stderr
    own.cli("node", first, "mend", "keystone")
    shown = update(own, "show", "-f", "json")
    assert "keystone" in json.dumps(json.loads(shown.stdout))
    done = update(own, "retry", "--yes", "--wait")
    assert done.returncode == 0, done.stderr
    code, outcomes = report(own, updates(own)[0]["id"])
    assert code == 0, outcomes
    assert records(own) == [], "nobody has a node any more"


def test_a_pause_leaves_nothing_drained_and_resume_goes_on(own: Sandbox):
    [first] = started(own, "--limit", "role:Controller")
    wait(lambda: events(own, first, "update"))
    assert update(own, "pause", "--yes").returncode == 0
    wait(lambda: updates(own)[0]["state"] == "PAUSED")
    touched = [name for name in own.nodes if events(own, name, "update")]
    assert touched == [first], "no other batch has begun"
    assert all(own.nodes[first].serves(service) for service in ("keystone", "haproxy"))
    assert update(own, "follow").returncode == 3
    assert update(own, "pause", "--yes").returncode == 0, "once more is no error"
    done = update(own, "resume", "--yes", "--wait")
    assert done.returncode == 0, done.stderr


def test_an_abort_ends_at_a_safe_point(own: Sandbox):
    [first] = started(own, "--limit", "role:Controller")
    wait(lambda: events(own, first, "update"))
    done = update(own, "abort", "--yes", "--wait")
    assert done.returncode == 0, "it did what was asked"
    assert update(own, "follow", "latest").returncode == 1
    assert updates(own)[0]["state"] == "CANCELLED"
    assert [name for name in own.nodes if events(own, name, "update")] == [first]
    assert records(own) == [] and own.nodes[first].serves("keystone")


def test_a_node_left_drained_is_put_back_by_its_record_and_holds_others_up_until_then(own: Sandbox):
    [first] = started(own, "--limit", "role:Controller")
    wait(lambda: events(own, first, "drain"))
    assert update(own, "abort", "--now", "--yes").returncode == 0
    told = update(own, "report", "latest")
    assert first in told.stderr, "a report names what is at work still, or was left"
    wait(lambda: "working\": false" in "".join(path.read_text() for path in own.state.glob("nodes/*/marks/owner.json")))
    assert update(own, "follow", "latest").returncode, "it was cancelled"
    told = update(own, "report", "latest")
    assert f"update restore --stack overcloud {first}" in told.stderr, "a report names what was left, and the remedy"
    second = next(name for name in sorted(own.nodes) if "controller" in name and name != first)
    impossible = update(own, "plan", "--stack", "overcloud", "--limit", f"node:{second}")
    assert impossible.returncode == 1 and "1 down already" in impossible.stderr, "a plan counts it as down"
    facts = json.loads(update(own, "facts", "--stack", "overcloud", "-f", "json").stdout)
    assert {row["node"] for row in facts if "by update" in row["state"]} == {first}
    path = save_plan(own, "--limit", f"node:{second}", "--no-facts")
    refused = update(own, "start", "--yes", "--wait", path)
    shown = json.loads(update(own, "show", "latest", "-f", "json").stdout)
    assert refused.returncode == 1 and first in json.dumps(shown), "its gate names who is in the way"
    assert not events(own, second, "update")
    put_back = update(own, "restore", first, "--yes", "-f", "json")
    assert put_back.returncode == 0, put_back.stderr
    assert records(own) == []
    done = update(own, "start", "--yes", "--wait", save_plan(own, "--limit", f"node:{second}"))
    assert done.returncode == 0, done.stderr
