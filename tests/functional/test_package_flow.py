"""The package flow of both of its architectures, with real servers and Ansible; the nodes' notes are the judge."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Sandbox, a_sandbox
from test_update import journal, report, save_plan, updates

from tripleo_update_sandbox.overcloud.packages import unchanged

pytestmark = pytest.mark.functional


def a_sandbox_that_goes(folder: Path, *options: object) -> Iterator[Sandbox]:
    made = a_sandbox(folder, "--pace", "0.1", *options)
    yield made
    done = made.cli("down")
    assert done.returncode == 0, done.stderr
    made.assert_gone()


@pytest.fixture(scope="module")
def newton(tmp_path_factory):
    options = ("--sample", "packages", "--computes", 1)
    yield from a_sandbox_that_goes(tmp_path_factory.mktemp("newton"), *options)


@pytest.fixture
def old(tmp_path):
    yield from a_sandbox_that_goes(tmp_path, "--sample", "old-packages", "--computes", 0)


def run(sandbox: Sandbox, *options: object) -> tuple[dict, list[dict]]:
    """The plan with *options*, run to its good end, and what the nodes noted meanwhile."""
    path, began = save_plan(sandbox, *options), time.time()
    done = sandbox.openstack("overcloud", "update", "start", "--yes", "--wait", path)
    assert done.returncode == 0, done.stderr
    code, _ = report(sandbox, updates(sandbox)[0]["id"])
    assert code == 0
    return json.loads(path.read_text()), journal(sandbox, began)


def services(notes: list[dict], event: str, node: str = "") -> list[str]:
    return [note["service"] for note in notes if note["event"] == event and note["node"].startswith(node)]


def package_of(sandbox: Sandbox, node: str, service: str) -> str:
    return (sandbox.nodes[node].folder / "services" / service / "package").read_text().strip()


def test_packages_are_updated_and_each_unit_is_restarted_only_if_its_package_changed(newton: Sandbox):
    plan, notes = run(newton)
    assert plan["architecture"] == "pacemaker-core" and len(plan["batches"]) == 4
    for name, node in newton.nodes.items():
        own = {service.name: service for service in node.services()}
        changed = {s for s in own if package_of(newton, name, s) not in unchanged()}
        assert {s for s in own if own[s].version == 2} == changed == set(services(notes, "update", name))
        # keystone's unit is httpd, whose own package has no new version
        assert set(services(notes, "stop", name)) == set(services(notes, "start", name)) == changed
        assert {service.state for service in own.values()} == {"running"}
        # The node's record lies beside the marks.
        done = sorted(path.suffix for path in (node.folder / "marks").iterdir() if path.name != "lock")
        assert done == [".begun", ".done", ".json"]
        updated = json.loads((node.folder / "marks/updated.json").read_text())
        assert updated["outputs"] == plan["outputs_digest"], "nodes know what they were brought to"
    cluster = [n["event"] for n in notes if n["service"] == "pacemaker" and n["event"] in ("stop", "start")]
    assert cluster == ["stop", "start"] * 3, "one member at a time"
    _, notes = run(newton, "--limit", "role:Compute")
    assert not any(n["event"] in ("update", "stop", "start") for n in notes), "there was nothing new any more"


def test_in_the_old_architecture_a_controller_leaves_the_cluster_as_a_whole(old: Sandbox):
    name = "overcloud-controller-1"
    plan, notes = run(old, "--limit", f"node:{name}", "--no-facts")
    assert plan["architecture"] == "pacemaker"
    assert {note["node"] for note in notes if note["event"] == "update"} == {name}
    stopped = services(notes, "stop", name)
    assert {"keystone", "nova_api", "mysql", "neutron_api", "pacemaker"} <= set(stopped)
    assert not {"sshd", "ntp"} & set(stopped)
    assert sorted(stopped) == sorted(services(notes, "start", name))
    first_update = next(i for i, note in enumerate(notes) if note["event"] == "update")
    before = [note["event"] for note in notes[:first_update]]
    assert before == ["drain"] * before.count("drain") + ["stop"] * before.count("stop"), "drained, then stopped"
