"""Facts from sandbox nodes, by real Ansible in a real Mistral: what a plan is made from, and what it refuses."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from conftest import Sandbox
from mistralclient.api import client

from tripleo_update_plugin.overcloud.facts import Facts

pytestmark = pytest.mark.functional

CONTROLLERS = [f"overcloud-controller-{i}" for i in range(3)]


def facts(sandbox: Sandbox) -> tuple[dict[str, dict], int, str]:
    """{node: its row}, the exit code, and what was said."""
    done = sandbox.openstack("overcloud", "update", "facts", "--stack", "overcloud", "-f", "json")
    return {row["node"]: row for row in json.loads(done.stdout)}, done.returncode, done.stderr


def plan(sandbox: Sandbox, *options: object):
    path = sandbox.home / "facts-plan.json"
    path.unlink(missing_ok=True)
    return sandbox.openstack("overcloud", "update", "plan", "--stack", "overcloud", "--save", path, *options), path


@contextmanager
def out_of_the_cluster(sandbox: Sandbox, name: str) -> Iterator[None]:
    sandbox.nodes[name].run("pcs", "cluster", "stop")
    try:
        yield
    finally:
        assert sandbox.nodes[name].run("pcs", "cluster", "start").returncode == 0


def test_a_plan_knows_leaders_and_members_and_updates_leaders_last(sandbox: Sandbox):
    done, path = plan(sandbox)
    assert done.returncode == 0, done.stderr
    made = json.loads(path.read_text())
    leaders = made["facts"]["leaders"]
    assert set(leaders) == {"haproxy", "redis", "ovn_dbs", "cinder_volume"}
    assert set(leaders.values()) <= set(CONTROLLERS)
    [cluster] = made["facts"]["clusters"]
    assert cluster["quorum"] and cluster["members"] == dict.fromkeys(CONTROLLERS, "online")
    assert cluster["resources"]["galera-bundle"] == "bundle"
    assert "unanswered" not in made["facts"] and "managed_by" not in made["facts"]
    last = [batch["nodes"] for batch in made["batches"] if set(batch["nodes"]) & set(CONTROLLERS)][-1]
    assert set(leaders.values()) <= set(last)


def test_nodes_and_heat_that_contradict_each_other_are_both_named_and_no_plan_is_made(sandbox: Sandbox):
    name = CONTROLLERS[1]
    with out_of_the_cluster(sandbox, name):
        done, path = plan(sandbox)
        assert done.returncode == 1 and "Traceback" not in done.stderr and not path.exists()
        assert f"Heat: {name} (Controller) has the service pacemaker; nodes: no cluster runs on {name}" in done.stderr
        assert "pcs cluster start" in done.stderr and "--no-facts" in done.stderr
        rows, code, said = facts(sandbox)
        assert (rows[name]["state"], rows[CONTROLLERS[0]]["state"], code) == ("cluster stopped", "online", 1)
        assert f"no cluster runs on {name}" in said
        done, path = plan(sandbox, "--no-facts")
        assert done.returncode == 0 and path.exists(), done.stderr
    assert plan(sandbox)[0].returncode == 0


def test_what_the_cluster_does_not_do_is_named_with_its_remedy_and_no_plan_touches_it(sandbox: Sandbox):
    name = CONTROLLERS[1]
    sandbox.cli("node", name, "break", "redis")
    try:
        done, _ = plan(sandbox)
        _, code, said = facts(sandbox)
        left_out, _ = plan(sandbox, "--limit", "role:Compute")
    finally:
        sandbox.cli("node", name, "mend", "redis")
    assert done.returncode == 1
    for text in (done.stderr, said):
        assert f"Heat: {name} (Controller) has the service pacemaker; nodes: the cluster, seen from" in text
        assert "does not run redis-bundle there" in text and "'pcs resource cleanup redis-bundle'" in text
    assert code == 1 and "3 of 3 members online, fencing on" in said
    assert left_out.returncode == 0, left_out.stderr
    assert f"counted as down, and left alone: {name}: the cluster" in left_out.stderr


def test_a_cluster_in_maintenance_keeps_out_only_updates_of_its_nodes(sandbox: Sandbox):
    node = sandbox.nodes[CONTROLLERS[0]]
    assert node.run("pcs", "property", "set", "maintenance-mode=true").returncode == 0
    try:
        done, _ = plan(sandbox)
        left_out, _ = plan(sandbox, "--limit", "role:Compute")
    finally:
        assert node.run("pcs", "property", "unset", "maintenance-mode").returncode == 0
    assert done.returncode == 1 and "'pcs property set maintenance-mode=false'" in done.stderr
    assert left_out.returncode == 0 and "is in maintenance: it neither starts nor stops" in left_out.stderr


def test_a_service_that_runs_from_a_package_is_no_container(sandbox: Sandbox):
    """As on a node where somebody has gone back to the package: its own unit is active, the container's is not."""
    node = sandbox.nodes[CONTROLLERS[2]]
    command = node.folder / "bin" / "systemctl"
    link = command.readlink()
    command.unlink()
    command.write_text(
        '#!/bin/sh\n[ "$1" = is-active ] || exit 64\nshift\n'
        'for unit; do case $unit in neutron-server) echo active ;; *) echo inactive ;; esac; done\nexit 3\n'
    )
    command.chmod(0o700)
    container = node.folder / "services" / "neutron_api" / "state"
    before = container.read_text()
    container.write_text("stopped\n")
    try:
        done, path = plan(sandbox)
    finally:
        command.unlink()
        command.symlink_to(link)
        container.write_text(before)
    assert done.returncode == 1 and not path.exists()
    assert "Heat: role Controller runs neutron_api by systemd, in a container; nodes: on overcloud-con" in done.stderr


def test_a_pending_reboot_and_new_images_are_shown(sandbox: Sandbox):
    node = sandbox.nodes["overcloud-novacompute-1"]
    (node.folder / "reboot").touch()
    images = (node.folder / "images").read_text()
    (node.folder / "images").write_text(images.replace("nova-compute:current-tripleo", "nova-compute:old"))
    try:
        rows, code, said = facts(sandbox)
        done, _ = plan(sandbox)
    finally:
        (node.folder / "reboot").unlink()
        (node.folder / "images").write_text(images)
    assert code == 0, said
    assert {name for name, row in rows.items() if row["reboot pending"]} == {node.name}
    assert {name: row["updates"] for name, row in rows.items()} == {name: int(name == node.name) for name in rows}
    assert rows[CONTROLLERS[0]]["leads"] and rows[node.name]["state"] == "up"
    assert "warning: a reboot is pending on overcloud-novacompute-1" in done.stderr


def test_a_node_that_is_off_is_down_without_being_a_contradiction(sandbox: Sandbox):
    name = CONTROLLERS[2]
    sandbox.cli("node", name, "off")
    try:
        rows, code, said = facts(sandbox)
        done, _ = plan(sandbox)
    finally:
        sandbox.cli("node", name, "on")
    assert (rows[name]["state"], code) == ("does not answer", 0), said
    assert done.returncode == 1 and "ceph_mon: 1 of 3 may be down, 1 down already" in done.stderr


def test_the_workflow_gives_the_same_facts(sandbox: Sandbox):
    mistral = client.client(mistral_url=sandbox.status["mistral"]["url"], auth_type="none")
    _, path = plan(sandbox)
    sandbox.openstack("overcloud", "update", "workbook", "--upload", path)  # and with it the static workbook
    execution = mistral.executions.create("tripleo_update.discover", workflow_input={"stack": "overcloud"})
    deadline = time.monotonic() + 120
    while execution.state in ("RUNNING", "IDLE") and time.monotonic() < deadline:
        time.sleep(0.2)
        execution = mistral.executions.get(execution.id)
    assert execution.state == "SUCCESS", execution.state_info
    told = Facts.from_dict(json.loads(execution.output)["facts"])
    assert told == Facts.from_dict(json.loads(path.read_text())["facts"])
