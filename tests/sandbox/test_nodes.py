"""What the stand-in commands of a node say and do."""

import os
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import pytest
import yaml

from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.nodes import access, making, power
from tripleo_update_sandbox.nodes.host import Host, Installed
from tripleo_update_sandbox.nodes.node import find_node
from tripleo_update_sandbox.overcloud.containers import roles
from tripleo_update_undercloud import processes


def states(node):
    return {s.name: s.state for s in node.services()}


def events(node, *names):
    return [(e["event"], e["service"]) for e in node.journal if e["event"] in names]


def says(node, command, *arguments):
    done = node.run(command, *arguments)
    return done.returncode, done.stdout.strip()


def process_of(node, service):
    return int((node.folder / "services" / service / "pid").read_text().split()[0])


def test_every_service_of_the_role_runs_after_boot(controller, compute):
    assert states(controller) == dict.fromkeys(roles()["Controller"].services, "running")
    assert states(compute) == dict.fromkeys(roles()["Compute"].services, "running")


def test_some_services_have_a_process_of_their_own(controller):
    own = {p.parent.name for p in controller.folder.glob("services/*/pid")}
    assert own == {"haproxy", "keystone", "mysql", "nova_api", "oslo_messaging_rpc"}


def test_the_journal_says_what_happened_and_when(compute):
    compute.run("systemctl", "stop", "tripleo_nova_compute.service")
    compute.run("sandbox-update", "nova_compute")
    compute.run("systemctl", "start", "tripleo_nova_compute.service")
    last = compute.journal[-3:]
    assert [(e["event"], e["service"], e["version"]) for e in last] == [
        ("stop", "nova_compute", "1"),
        ("update", "nova_compute", "2"),
        ("start", "nova_compute", "2"),
    ]
    assert all(e["node"] == "t-novacompute-0" for e in last)
    assert [e["time"] for e in compute.journal] == sorted(e["time"] for e in compute.journal)


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["is-active", "tripleo_nova_compute.service"], (0, "active")),
        (["is-active", "tripleo_nova_compute"], (0, "active")),
        (["is-active", "nova_compute"], (0, "active")),
        (["is-active", "chronyd", "no-such-unit"], (0, "active\ninactive")),
        (["is-active", "no-such-unit"], (3, "inactive")),
        (["is-active", "--quiet", "nova_compute"], (0, "")),
        (["is-failed", "nova_compute"], (3, "active")),
        (["is-active", "../../etc"], (3, "inactive")),
    ],
)
def test_systemctl_answers_like_systemd(compute, arguments, answer):
    assert says(compute, "systemctl", *arguments) == answer


def test_systemd_does_not_run_what_pacemaker_runs(controller):
    assert says(controller, "systemctl", "is-active", "tripleo_haproxy") == (3, "inactive")
    assert controller.run("systemctl", "stop", "tripleo_haproxy").returncode == 5
    assert states(controller)["haproxy"] == "running"


def test_starting_what_runs_changes_nothing(compute):
    before, pid = compute.journal, process_of(compute, "nova_compute")
    assert compute.run("systemctl", "start", "nova_compute").returncode == 0
    assert (compute.journal, process_of(compute, "nova_compute")) == (before, pid)


def test_restart_gives_a_new_process(compute):
    pid = process_of(compute, "nova_compute")
    assert compute.run("systemctl", "restart", "nova_compute").returncode == 0
    assert process_of(compute, "nova_compute") != pid
    assert states(compute)["nova_compute"] == "running"


def kill(pid):
    """End a process, and wait until it has ended: on a busy machine that takes a moment."""
    known = processes.identify(pid)
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while processes.is_alive(known) and time.monotonic() < deadline:
        time.sleep(0.01)


def test_the_death_of_a_process_shows(compute):
    kill(process_of(compute, "nova_compute"))
    assert says(compute, "systemctl", "is-active", "nova_compute") == (3, "failed")
    assert says(compute, "systemctl", "is-failed", "nova_compute") == (0, "failed")
    assert not compute.serves("nova_compute")


def test_a_process_of_another_boot_or_start_is_not_ours(compute):
    note = compute.folder / "services/nova_compute/pid"
    pid, started, boot = note.read_text().split()
    note.write_text(f"{os.getpid()} {started} {boot}\n")
    assert says(compute, "systemctl", "is-active", "nova_compute") == (3, "failed")
    note.write_text(f"{pid} {started} another-boot\n")
    assert says(compute, "systemctl", "is-active", "nova_compute") == (3, "failed")
    compute.run("systemctl", "stop", "nova_compute")
    assert processes.identify(os.getpid())
    os.kill(int(pid), signal.SIGKILL)


def test_stopping_the_cluster_stops_only_its_bundles_on_this_node(controller, state):
    assert controller.run("pcs", "cluster", "stop").returncode == 0
    stopped = {name for name, word in states(controller).items() if word == "stopped"}
    assert stopped == {"cinder_volume", "haproxy", "mysql", "oslo_messaging_rpc", "ovn_dbs", "pacemaker", "redis"}
    assert set(states(find_node(state, "t-controller-1")).values()) == {"running"}
    assert controller.run("pcs", "cluster", "start").returncode == 0
    assert set(states(controller).values()) == {"running"}


def test_a_resource_is_where_its_nodes_are(controller, state):
    everywhere = [f"resource galera is running on: t-controller-{i}" for i in range(3)]
    assert says(controller, "crm_resource", "--resource", "galera", "--locate") == (0, "\n".join(everywhere))
    find_node(state, "t-controller-1").run("pcs", "cluster", "stop")
    assert says(controller, "crm_resource", "--resource", "galera", "--locate")[1].split("\n") == everywhere[::2]


def test_the_leader_moves_when_its_node_stops(controller, state):
    other = find_node(state, "t-controller-2")
    assert (
        says(other, "crm_resource", "-r", "ip-10.0.0.5", "-W")[1]
        == "resource ip-10.0.0.5 is running on: t-controller-0"
    )
    assert "10.0.0.5/32" in controller.run("ip", "-o", "address", "show").stdout
    controller.run("pcs", "cluster", "stop")
    assert "10.0.0.5/32" not in controller.run("ip", "-o", "address", "show").stdout
    assert (
        says(other, "crm_resource", "-r", "ip-10.0.0.5", "-W")[1]
        == "resource ip-10.0.0.5 is running on: t-controller-1"
    )
    assert "t-controller-1 Master" in says(other, "crm_resource", "-r", "redis", "-W")[1]


def test_a_ban_drains_and_clearing_it_restores(controller, state):
    assert controller.run("pcs", "resource", "ban", "ip-10.0.0.5", "t-controller-0", "--wait=300").returncode == 0
    assert says(controller, "crm_resource", "-r", "ip-10.0.0.5", "-W")[1].endswith("t-controller-1")
    assert controller.run("pcs", "resource", "clear", "ip-10.0.0.5").returncode == 0
    assert events(controller, "drain", "restore") == [("drain", "haproxy"), ("restore", "haproxy")]


def test_the_cluster_knows_its_quorum(controller, state):
    def quorum():
        found = ElementTree.fromstring(controller.run("crm_mon", "--as-xml").stdout).find("summary/current_dc")  # noqa: S314
        return found.get("with_quorum")

    assert quorum() == "true"
    find_node(state, "t-controller-1").run("pcs", "cluster", "stop")
    assert quorum() == "true"
    power.power(find_node(state, "t-controller-2"), on=False)
    assert quorum() == "false"


def test_outside_the_cluster_nothing_is_known_of_it(controller):
    controller.run("pcs", "cluster", "stop")
    assert controller.run("crm_resource", "--resource", "galera", "--locate").returncode == 102
    assert controller.run("pcs", "status").returncode == 1
    assert controller.run("crm_mon", "--as-xml").returncode == 102


def test_galera_and_rabbitmq_answer_by_their_state(controller):
    assert controller.run("clustercheck").returncode == 0
    assert "(none)" in controller.run("rabbitmqctl", "cluster_status").stdout
    question = "{rabbit:is_running(), length(rabbit_mnesia:cluster_nodes(running)), rabbit_node_monitor:partitions()}."
    assert says(controller, "rabbitmqctl", "eval", question) == (0, "{true,3,[]}")
    assert "wsrep_cluster_size\t3" in controller.run("mysql", "--execute", "SHOW STATUS").stdout
    controller.run("pcs", "cluster", "stop")
    assert controller.run("clustercheck").returncode == 1
    assert controller.run("rabbitmqctl", "cluster_status").returncode == 69


def test_commands_run_in_containers_that_run(controller):
    assert says(controller, "podman", "ps", "--quiet", "--filter", "name=galera") == (0, "galera-bundle-podman-0")
    assert controller.run("podman", "exec", "-u", "root", "galera-bundle-podman-0", "clustercheck").returncode == 0
    assert says(controller, "podman", "healthcheck", "run", "keystone") == (0, "healthy")
    controller.run("systemctl", "stop", "tripleo_keystone")
    assert controller.run("podman", "exec", "keystone", "systemctl", "is-active", "x").returncode == 125
    assert says(controller, "podman", "healthcheck", "run", "keystone") == (1, "unhealthy")


@pytest.mark.parametrize(
    "command",
    [
        ["systemctl", "isolate", "rescue.target"],
        ["podman", "rm", "keystone"],
        ["podman", "exec", "keystone", "sh"],
        ["pcs", "stonith", "fence", "x"],
        ["crm_resource", "--resource", "galera", "--ban"],
        ["rabbitmqctl", "stop_app"],
        ["rabbitmqctl", "eval", "init:stop()."],
        ["sandbox-update"],
        ["sandbox-update", "no_such_service"],
        ["sandbox-update", "../../../x"],
        ["ip", "link", "set", "lo", "down"],
    ],
)
def test_what_a_stand_in_does_not_know_it_refuses(controller, command):
    done = controller.run(*command)
    assert done.returncode == 64
    assert "does not know" in done.stderr


def test_a_broken_service_fails_until_it_is_mended(controller):
    power.fault(controller, "keystone", broken=True)
    assert states(controller)["keystone"] == "failed"
    assert says(controller, "systemctl", "is-active", "tripleo_keystone") == (3, "failed")
    assert controller.run("systemctl", "start", "tripleo_keystone").returncode == 1
    power.fault(controller, "keystone", broken=False)
    assert states(controller)["keystone"] == "running"


def test_a_broken_bundle_leaves_its_node(controller):
    power.fault(controller, "mysql", broken=True)
    assert "t-controller-0" not in controller.run("crm_resource", "-r", "galera", "-W").stdout
    assert controller.run("pcs", "cluster", "stop").returncode == 0
    assert controller.run("pcs", "cluster", "start").returncode == 1


def test_a_node_that_is_off_runs_nothing_and_comes_back_as_it_was(compute):
    compute.run("systemctl", "stop", "ovn_controller")
    pid = process_of(compute, "nova_compute")
    power.power(compute, on=False)
    assert processes.identify(pid) is None
    assert not compute.serves("nova_compute")
    assert compute.run("systemctl", "is-active", "nova_compute").returncode == 255
    power.power(compute, on=True)
    assert [name for name, word in states(compute).items() if word != "running"] == ["ovn_controller"]
    assert events(compute, "boot", "shutdown") == [("boot", ""), ("shutdown", ""), ("boot", "")]


def test_a_node_switched_on_twice_boots_once(compute):
    power.power(compute, on=True)
    assert events(compute, "boot") == [("boot", "")]


def test_unknown_nodes_and_services_are_refused(state, compute):
    with pytest.raises(SandboxError, match="no node"):
        find_node(state, "t-controller-9")
    with pytest.raises(SandboxError, match="no service"):
        power.fault(compute, "keystone", broken=True)


def test_processes_that_a_crash_took_come_back(state, compute):
    processes.stop(processes.members(state.folder), grace=0.1)
    assert states(compute)["nova_compute"] == "failed"
    power.switch_on(state)
    assert set(states(compute).values()) == {"running"}


def test_a_node_works_without_any_environment(compute):
    done = subprocess.run(
        ["bin/systemctl", "restart", "nova_compute"],  # noqa: S607 - relative on purpose
        cwd=compute.folder,
        env={"PATH": os.defpath},
        check=False,
    )
    assert done.returncode == 0
    deadline = time.monotonic() + 10  # a process that is just being replaced shows no environment
    while process_of(compute, "nova_compute") not in {p.pid for p in processes.members(compute.folder.parent.parent)}:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_names_that_would_leave_the_folder_are_refused(state):
    with pytest.raises(SandboxError, match="name"):
        making.create(state, [Host(name="../x", services=(Installed(name="keystone"),))], {}, pace=0)
    with pytest.raises(SandboxError, match="name"):
        making.create(state, [Host(name="x", services=(Installed(name="../keystone"),))], {}, pace=0)


def test_the_inventory_sends_every_host_to_the_sandbox(state):
    access.write_inventory(state, ["t-controller-0", "elsewhere"])
    hosts = yaml.safe_load(state.inventory.read_text())["all"]["hosts"]
    assert {h["ansible_connection"] for h in hosts.values()} == {"tripleo_update_sandbox"}
    assert hosts["t-controller-0"]["tripleo_update_internal_host"].startswith("127.")
    assert "tripleo_update_internal_host" not in hosts["elsewhere"]
