"""Real Ansible, on nodes that are this machine or nobody."""

import socket
import sys
import time

import pytest
import yaml

from tripleo_update_plugin.adapters import ansible
from tripleo_update_plugin.overcloud.model import Node, Overcloud
from tripleo_update_plugin.playbooks.gates import HEALTH_TASK, Patience, gate_after
from tripleo_update_plugin.rules.catalogue import Catalogue, parse_profile

HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}


@pytest.fixture
def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def run(tmp_path, closed_port):
    hosts = {"a": HERE, "b": HERE, "gone": {"ansible_host": "127.0.0.1", "ansible_port": closed_port}}
    inventory = tmp_path / "inventory.yaml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}))

    def run(tasks, nodes, hosts=None, plays=(), timeout=60, silence=60, cancelled=lambda: False, results_of=()):
        play = {"name": "Test", "hosts": hosts or list(nodes), "gather_facts": False, "tasks": tasks}
        playbook = ansible.write_playbook([*plays, play], tmp_path / "plays.yaml")
        settings = ansible.Settings(binary=ansible.find_ansible())
        return ansible.run(
            playbook, inventory, nodes, settings, timeout=timeout, silence=silence, cancelled=cancelled,
            results_of=results_of,
        )  # fmt: skip

    return run


def command(*argv, **more):
    return {"name": "Do it", "command": {"argv": list(argv)}, **more}


def test_each_node_has_its_own_outcome(run):
    outcome, results = run([command("test", "{{ inventory_hostname }}", "=", "a")], ["a", "b"], results_of=["Do it"])
    assert outcome.status == "failed" and outcome.error == ""
    assert outcome.nodes["a"].ok and outcome.nodes["a"].finished >= outcome.nodes["a"].started
    assert outcome.nodes["b"].error == "Do it: non-zero return code (1)"
    assert results["a"]["Do it"]["rc"] == 0


def test_a_node_that_does_not_answer_is_named(run):
    outcome, _ = run([command("true")], ["a", "gone"])
    assert outcome.nodes["a"].ok
    assert outcome.nodes["gone"].unreachable
    assert outcome.nodes["gone"].error.startswith("node gone does not answer over ssh: ")
    assert "Connection refused" in outcome.nodes["gone"].error


def test_a_node_that_nothing_was_run_on_is_no_success(run):
    outcome, _ = run([command("true")], ["a", "b"], hosts=["a"])
    assert outcome.nodes["b"].error == "nothing was run on node b"


def test_failures_that_the_playbook_deals_with_do_not_count(run):
    block = {"block": [command("false")], "rescue": [command("true")]}
    outcome, _ = run([command("false", ignore_errors=True), block], ["a"])
    assert outcome.status == "successful" and outcome.nodes["a"].ok


def test_no_log_is_respected(run):
    outcome, _ = run([command("sh", "-c", "echo s3cret; exit 1", no_log=True)], ["a"])
    assert outcome.nodes["a"].error == "Do it: its output is hidden (no_log)"


def test_a_failure_on_another_host_is_the_error_of_the_run(run):
    other = {"hosts": ["b"], "gather_facts": False, "any_errors_fatal": True, "tasks": [command("false")]}
    outcome, _ = run([command("true")], ["a"], plays=[other])
    assert "b: Do it: non-zero return code (1)" in outcome.error
    assert not outcome.nodes["a"].ok


def test_a_playbook_that_is_none(run):
    outcome, _ = run([{"name": "Do it", "no_such_module": {}}], ["a"])
    assert outcome.status == "failed" and "no_such_module" in outcome.error


SYSTEMCTL = """#!/bin/sh
shift
for unit; do cat "$(dirname "$0")/$unit" 2>/dev/null || echo inactive; done
exit 3
"""


@pytest.mark.parametrize(
    ("states", "error"),
    [
        ({"web": "active", "db": "active"}, ""),
        ({"web-of-old": "active", "db": "active"}, ""),
        ({"web": "active"}, "db is sick: not active: db (inactive)"),
        (
            {"web": "active", "web-of-old": "failed", "db": "failed"},
            "db, web are sick: db: not active: db (failed); web: not active: web-of-old (failed)",
        ),
        ({"web": "activating", "db": "active"}, "web is sick: not active: web (activating)"),
    ],
)
def test_a_gate_tells_units_that_are_sick_from_those_of_other_releases(run, tmp_path, states, error):
    (tmp_path / "systemctl").write_text(SYSTEMCTL)
    (tmp_path / "systemctl").chmod(0o755)
    for unit, state in states.items():
        (tmp_path / unit).write_text(state + "\n")
    profiles = {
        name: parse_profile(name, {"kind": "stateless", "units": {"systemd": units}}, "here")
        for name, units in {"web": ["web", "web-of-old"], "db": ["db"]}.items()
    }
    overcloud = Overcloud(
        stack="o", release="zed", architecture="none", packaging="packages", digest="d",
        nodes=(Node(name="a", role="R", services=frozenset(profiles)),),
        runners={"R": dict.fromkeys(profiles, "systemd")},
    )  # fmt: skip
    [play] = gate_after(overcloud, Catalogue(profiles), ["a"], Patience(retries=1, delay=1)).plays
    play["environment"] = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    outcome, _ = run([command("true")], ["a"], plays=[play])
    assert outcome.nodes["a"].error == (f"{HEALTH_TASK}: {error}" if error else "")


def test_the_deadline(run):
    begun = time.monotonic()
    outcome, _ = run([command("sleep", "100")], ["a"], timeout=3)
    assert outcome.status == "timeout" and outcome.error == "ended after 3 s, its deadline"
    assert "its deadline" in outcome.nodes["a"].error
    assert time.monotonic() - begun < 30


def test_a_task_that_hangs_on_one_of_two_nodes_is_found_by_silence(run):
    begun = time.monotonic()
    tasks = [command("true"), {**command("sh", "-c", "[ {{ inventory_hostname }} = a ] || sleep 100"), "name": "Hang"}]
    outcome, _ = run(tasks, ["a", "b"], silence=3)
    assert outcome.status == "silent" and outcome.error == "ended after 3 s without a result: b at 'Hang'"
    assert outcome.nodes["b"].error == f"Hang: {outcome.error}"
    assert outcome.nodes["a"].error == f"node a: {outcome.error}"
    assert time.monotonic() - begun < 30


def test_tasks_that_have_results_now_and_then_are_not_silent(run):
    again = {**command("test", "-e", "/nowhere"), "retries": 5, "delay": 1, "until": "false", "ignore_errors": True}
    outcome, _ = run([again, command("sleep", "2"), command("sleep", "2")], ["a", "b"], silence=3.5)
    assert outcome.status == "successful" and outcome.error == ""


def test_on_request(run):
    outcome, _ = run([command("sleep", "100")], ["a"], cancelled=lambda: True)
    assert outcome.status == "canceled" and not outcome.nodes["a"].ok


def test_an_ansible_that_is_not_there(tmp_path):
    playbook = ansible.write_playbook([{"hosts": ["a"], "tasks": []}], tmp_path / "plays.yaml")
    settings = ansible.Settings(binary=str(tmp_path / "nothing"))
    outcome, _ = ansible.run(
        playbook, tmp_path / "i.yaml", ["a"], settings, timeout=9, silence=9, cancelled=lambda: False
    )
    assert outcome.status == "failed" and outcome.error


@pytest.mark.parametrize(("release", "engine"), [("queens", "docker"), ("stein", "docker"), ("train", "podman")])
def test_drains_go_by_the_container_engine_of_the_release(tmp_path, release, engine):
    overcloud = Overcloud(
        stack="o", release=release, architecture="none", packaging="containers", nodes=(), digest="d"
    )  # fmt: skip
    path = ansible.write_inventory(overcloud, tmp_path / "inventory.yaml", "")
    assert yaml.safe_load(path.read_text())["all"]["vars"] == {"container_cli": engine}


def test_the_inventory_groups_nodes_by_role(tmp_path):
    nodes = (
        Node(name="ctl-0", role="Controller", services=frozenset(), address="192.0.2.1"),
        Node(name="cmp-0", role="Compute", services=frozenset()),
    )
    overcloud = Overcloud(
        stack="o", release="zed", architecture="none", packaging="containers", nodes=nodes, digest="d"
    )  # fmt: skip
    path = ansible.write_inventory(overcloud, tmp_path / "inventory.yaml", "tripleo-admin")
    assert yaml.safe_load(path.read_text().replace("!unsafe ", "")) == {
        "all": {
            "children": {
                "Compute": {"hosts": {"cmp-0": {}}},
                "Controller": {"hosts": {"ctl-0": {"ansible_host": "192.0.2.1"}}},
            },
            "vars": {"ansible_user": "tripleo-admin", "container_cli": "podman"},
        }
    }


def test_nothing_in_the_inventory_is_evaluated(tmp_path):
    """Addresses are checked where they are read; even one that had not been would be text."""
    hostile = "{{ lookup('pipe', 'touch " + str(tmp_path / "evaluated") + "') }}"
    node = Node(name="a", role="R", services=frozenset(), address=hostile)
    overcloud = Overcloud(
        stack="s", release="train", architecture="none", packaging="packages", nodes=(node,), digest=""
    )
    inventory = ansible.write_inventory(overcloud, tmp_path / "inventory.yaml", "")
    playbook = ansible.write_playbook(
        [{"hosts": ["a"], "gather_facts": False, "tasks": [command("true")]}], tmp_path / "plays.yaml"
    )
    settings = ansible.Settings(binary=ansible.find_ansible())
    outcome, _ = ansible.run(
        playbook, inventory, ["a"], settings, timeout=60, silence=60, cancelled=lambda: False
    )  # fmt: skip
    assert outcome.nodes["a"].unreachable
    assert not (tmp_path / "evaluated").exists()
