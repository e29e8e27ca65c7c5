"""The embedded undercloud itself: what it costs, that it serves everybody, that nothing of it stays."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time

import pytest
from conftest import Sandbox, a_sandbox

from tripleo_update_sandbox.overcloud.containers import sample_outputs
from tripleo_update_undercloud import processes

pytestmark = pytest.mark.functional

_DOWNLOAD = """
import sys
from heatclient import client
from tripleo_common.inventory import TripleoInventory
from tripleo_common.utils.config import Config
heat = client.Client("1", endpoint=sys.argv[1], token="any")
Config(heat).download_config("overcloud", sys.argv[2])
inventory = TripleoInventory(hclient=heat, plan_name="overcloud", ansible_ssh_user="sandbox")
inventory.write_static_inventory(sys.argv[2] + "/generated.yaml")
"""


@pytest.fixture
def own(tmp_path):
    """A small sandbox that a test may harm."""
    made = a_sandbox(tmp_path, "--controllers", 1, "--computes", 1, "--ceph", 0)
    yield made
    made.cli("down")
    made.assert_gone()


@pytest.fixture(scope="module")
def downloaded(sandbox: Sandbox, tmp_path_factory):
    """The overcloud's playbooks and inventory, fetched by TripleO's own library."""
    folder = tmp_path_factory.mktemp("download") / "config"
    command = [sys.executable, "-c", _DOWNLOAD, sandbox.status["heat"]["url"], str(folder)]
    subprocess.run(command, check=True, env=sandbox.env, capture_output=True)
    return folder


def updates(sandbox: Sandbox) -> dict[str, int]:
    return {name: sum(e["event"] == "update" for e in node.journal) for name, node in sandbox.nodes.items()}


def update(sandbox: Sandbox, downloaded, limit: str):
    return sandbox.playbook(
        "-i", downloaded / "generated.yaml", "--limit", limit, "update_steps_playbook.yaml", cwd=downloaded
    )


def test_it_is_up_soon_and_small(tmp_path):
    began = time.monotonic()
    made = a_sandbox(tmp_path)
    seconds = time.monotonic() - began
    try:
        memory = made.status["memory_mb"]
        print(f"up after {seconds:.1f} s, {memory:.0f} MB")
        assert seconds < 30
        assert memory < 600
    finally:
        assert made.cli("down").returncode == 0
    made.assert_gone()


def test_it_serves_every_command_of_one_shell(sandbox: Sandbox):
    environ = {"OS_CLIENT_CONFIG_FILE": ""}  # the link in HOME is enough
    stacks = sandbox.openstack("stack", "list", "-f", "json", **environ)
    # Other tests have stacks there, too.
    assert "overcloud" in [row["Stack Name"] for row in json.loads(stacks.stdout)], stacks.stderr
    workbooks = sandbox.openstack("workbook", "list", "-f", "json", **environ)
    assert workbooks.returncode == 0, workbooks.stderr


def test_the_commands_that_its_help_shows_work(sandbox: Sandbox):
    shown = re.findall(r"^  openstack (.*)$", sandbox.cli("--help").stdout, re.MULTILINE)
    assert len(shown) == 3
    *before, start = [sandbox.openstack(*shlex.split(command)) for command in shown]
    assert [done.returncode for done in before] == [0, 0], [done.stderr for done in before]
    assert "nobody is there to confirm it" in start.stderr  # it takes the plan, and would start it


def test_heat_gives_back_the_outputs_as_they_were(sandbox: Sandbox):
    shown = sandbox.openstack("stack", "show", "-f", "json", "overcloud")
    outputs = {o["output_key"]: o["output_value"] for o in json.loads(shown.stdout)["outputs"]}
    assert outputs == sample_outputs()


def test_the_plugins_actions_are_there(sandbox: Sandbox):
    shown = sandbox.openstack("action", "definition", "list", "-f", "json")
    names = {row["Name"] for row in json.loads(shown.stdout)}
    wanted = {f"tripleo_update.{name}" for name in ("discover", "gate", "drain", "update", "restore", "probe")}
    assert wanted <= names, shown.stderr


def test_status_says_that_all_is_well(sandbox: Sandbox):
    assert sandbox.cli("status").returncode == 0
    assert sandbox.status["stack"] == {"name": "overcloud", "state": "CREATE_COMPLETE"}
    assert len(sandbox.status["nodes"]) == 9


def test_up_twice_is_up_once(sandbox: Sandbox):
    before = sandbox.status
    done = sandbox.cli("up")
    assert done.returncode == 0
    assert "up already" in done.stdout
    assert [sandbox.status[name]["pid"] for name in ("heat", "mistral")] == [
        before[n]["pid"] for n in ("heat", "mistral")
    ]


def test_another_overcloud_is_refused(sandbox: Sandbox):
    done = sandbox.cli("up", "--computes", 7)
    assert done.returncode == 1
    assert "another overcloud" in done.stderr
    assert sandbox.status["up"]


def test_real_ansible_updates_exactly_the_node_it_is_limited_to(sandbox: Sandbox, downloaded):
    before = updates(sandbox)
    began = time.monotonic()
    done = update(sandbox, downloaded, "overcloud-controller-1")
    print(f"one controller in {time.monotonic() - began:.1f} s")
    assert done.returncode == 0, done.stdout
    changed = {name for name, count in updates(sandbox).items() if count > before[name]}
    assert changed == {"overcloud-controller-1"}
    assert sandbox.cli("status").returncode == 0


def test_keystone_answers_all_the_while(sandbox: Sandbox, downloaded):
    script = (
        "import sys, time, urllib.request\n"
        "bad = n = 0\n"
        "while True:\n"
        "    try: urllib.request.urlopen(sys.argv[1], timeout=2).read()\n"
        "    except OSError: bad += 1\n"
        "    n += 1; print(n, bad, flush=True); time.sleep(0.02)\n"
    )
    url = sandbox.status["endpoints"]["url"]
    with subprocess.Popen([sys.executable, "-c", script, url], stdout=subprocess.PIPE, text=True) as probe:
        assert update(sandbox, downloaded, "overcloud-controller-0").returncode == 0
        probe.kill()
        requests, failures = map(int, probe.stdout.read().splitlines()[-2].split())
    assert requests > 20
    assert failures == 0


def test_a_node_that_is_off_is_unreachable(sandbox: Sandbox, downloaded):
    node = "overcloud-novacompute-1"
    before = updates(sandbox)
    assert sandbox.cli("node", node, "off").returncode == 0
    try:
        assert sandbox.cli("status").returncode == 1
        done = update(sandbox, downloaded, node)
        assert done.returncode != 0
        assert "UNREACHABLE" in done.stdout
        assert f"{node} is off" in done.stdout
    finally:
        assert sandbox.cli("node", node, "on").returncode == 0
    assert updates(sandbox) == before
    assert sandbox.cli("status").returncode == 0


def test_a_broken_service_fails_its_update(sandbox: Sandbox, downloaded):
    node = "overcloud-novacompute-2"
    assert sandbox.cli("node", node, "break", "nova_compute").returncode == 0
    try:
        done = update(sandbox, downloaded, node)
        assert done.returncode == 2
        assert "nova_compute" in done.stdout
    finally:
        assert sandbox.cli("node", node, "mend", "nova_compute").returncode == 0
        sandbox.nodes[node].run("systemctl", "start", *(s.name for s in sandbox.nodes[node].services()))
    assert sandbox.cli("status").returncode == 0


def test_ansible_does_not_leave_the_sandbox(sandbox: Sandbox, tmp_path):
    (tmp_path / "hosts").write_text("overcloud-controller-9 ansible_connection=tripleo_update_sandbox\n")
    (tmp_path / "play.yaml").write_text(
        "- {hosts: overcloud-controller-9, gather_facts: false, tasks: [{command: id}]}\n"
    )
    done = sandbox.playbook("-i", tmp_path / "hosts", "play.yaml", cwd=tmp_path)
    assert done.returncode == 4
    assert "no such node" in done.stdout


def test_down_after_a_crash(own: Sandbox):
    for name in ("heat", "mistral", "endpoints"):
        os.kill(own.status[name]["pid"], signal.SIGKILL)
    assert own.cli("status").returncode == 1
    (own.state / "run/heat.json").write_text("{")
    (own.state / "work/job").mkdir()
    (own.state / "work/job/pid").write_text(str(os.getpid()))
    assert own.cli("down").returncode == 0
    own.assert_gone()


def test_up_after_a_crash_goes_on_where_it_was(own: Sandbox):
    before = own.status
    for process in processes.members(own.state):
        os.kill(process.pid, signal.SIGKILL)
    done = own.cli("up")
    assert done.returncode == 0, done.stderr
    after = own.status
    assert after["up"]
    assert after["heat"]["url"] == before["heat"]["url"]
    assert len(after["nodes"]) == 2


def test_down_ends_what_the_executors_started(own: Sandbox):
    env = os.environ | {processes.MEMBER: str(own.state)}
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(command, env=env, start_new_session=True) as runner:
        (own.state / "work/job").mkdir()
        (own.state / "work/job/pid").write_text(str(runner.pid))
        assert own.cli("down").returncode == 0
        assert runner.wait(10) == -signal.SIGTERM


def test_a_failed_up_leaves_nothing_running(tmp_path):
    (tmp_path / "home").mkdir()
    made = Sandbox(state=tmp_path / "state", home=tmp_path / "home")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = made.cli("up", "--mistral-port", taken.getsockname()[1])
    assert done.returncode == 1
    assert "is taken" in done.stderr
    assert "Traceback" not in done.stderr
    assert processes.members(made.state) == []
    assert made.cli("down").returncode == 0
    made.assert_gone()


def test_captured_outputs_become_an_overcloud_too(tmp_path):
    outputs = sample_outputs("captured", 1, 0, 0)
    outputs["RoleData"]["Controller"]["update_tasks"] = [{"name": "harm", "command": "false"}]
    (tmp_path / "outputs.json").write_text(json.dumps(outputs))
    made = a_sandbox(tmp_path, "--stack", "captured", "--outputs", tmp_path / "outputs.json")
    try:
        assert list(made.nodes) == ["captured-controller-0"]
        shown = made.openstack("stack", "output", "show", "-f", "json", "captured", "RoleData")
        assert "harm" not in shown.stdout
    finally:
        made.cli("down")
    made.assert_gone()
