"""Ansible's way to a node: as over ssh, what was begun there does not end with whoever began it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tripleo_update_sandbox.nodes import access, power

NODE = "t-novacompute-0"


@pytest.fixture
def playbook(state, compute, tmp_path):
    """Starts a playbook that runs one command on the node, as executors do; {variable: value} for Ansible itself."""
    access.write_ansible_config(state)
    access.write_inventory(state, [compute.name])

    def start(*argv, **variables):
        play = {"hosts": "all", "gather_facts": False, "tasks": [{"command": {"argv": list(argv)}}]}
        (tmp_path / "play.yaml").write_text(yaml.safe_dump([play]))
        return subprocess.Popen(
            [str(Path(sys.executable).with_name("ansible-playbook")), "-v", "-i", str(state.inventory), "play.yaml"],
            env=os.environ | {"ANSIBLE_CONFIG": str(state.ansible_config)} | variables, cwd=tmp_path, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    return start


def updates(node):
    return [note for note in node.journal if note["event"] == "update"]


def until(is_so, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.1)
    return is_so()


def is_at_work(node):
    commands = (path for path in Path("/proc").glob("[0-9]*/cmdline"))
    return any(f"{node.folder}/bin/sandbox-update".encode() in read(path) for path in commands)


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def slow(node, seconds):
    (node.folder.parent.parent / "pace").write_text(f"{seconds}\n")


@pytest.mark.parametrize("end", ["cut", "killed"])
def test_a_command_goes_on_when_its_connection_or_ansible_ends(playbook, compute, end):
    slow(compute, 4)
    with playbook("sandbox-update", "nova_compute") as ansible:
        assert until(lambda: is_at_work(compute))
        if end == "cut":
            power.connect(compute, "cut")
            said = ansible.communicate(timeout=30)[0]
            assert "UNREACHABLE" in said
            assert "is cut" in said
        else:
            os.killpg(ansible.pid, 9)
    assert updates(compute) == []
    assert until(lambda: updates(compute))


def test_a_node_that_is_switched_off_takes_its_commands_with_it(playbook, compute):
    slow(compute, 4)
    with playbook("sandbox-update", "nova_compute") as ansible:
        assert until(lambda: is_at_work(compute))
        power.power(compute, False)
        assert f"{NODE} is off" in ansible.communicate(timeout=30)[0]
    assert until(lambda: not is_at_work(compute), 5)
    assert updates(compute) == []


def test_no_answer_comes_from_a_node_that_hangs_until_it_does_no_longer(playbook, compute):
    power.connect(compute, "hang")
    with playbook("sandbox-update", "nova_compute") as ansible:
        time.sleep(4)
        assert ansible.poll() is None
        power.connect(compute)
        ansible.communicate(timeout=30)
        assert ansible.returncode == 0
    assert len(updates(compute)) == 1


def test_a_command_has_nothing_of_ansibles_environment_but_the_node_and_whose_job_it_is(playbook, compute):
    with playbook("env", TRIPLEO_UPDATE_JOB="/jobs/1/drain.batch-1", OS_PASSWORD="secret") as ansible:
        said = ansible.communicate(timeout=30)[0]
    assert f"SANDBOX_NODE={compute.folder}" in said
    assert "SANDBOX_JOB=/jobs/1/drain.batch-1" in said
    assert "OS_PASSWORD" not in said
    assert "TRIPLEO_UPDATE_JOB" not in said


def test_a_service_knows_nothing_of_the_job_that_started_it(playbook, compute):
    with playbook("systemctl", "restart", "nova_compute", TRIPLEO_UPDATE_JOB="/jobs/1/update.batch-1") as ansible:
        ansible.communicate(timeout=30)
    pid = (compute.folder / "services/nova_compute/pid").read_text().split()[0]
    assert b"/jobs/1" not in Path(f"/proc/{pid}/environ").read_bytes()
