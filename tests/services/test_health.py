"""Every gate of the catalogue: it passes while its service is healthy, and fails, naming it, when it is sick."""

import importlib.util
import json
import os
import re
import sys
from copy import deepcopy
from pathlib import Path

import jinja2
import pytest
import yaml
from ansible.module_utils.tripleo_update_sickness import Acceptance
from standin_node import HEALTHY, FakeHAProxy, Servers, StandInNode

from tripleo_update_plugin.adapters import ansible, extensions
from tripleo_update_plugin.overcloud.model import RUNNERS, Node, Overcloud
from tripleo_update_plugin.playbooks.gates import HEALTH_TASK, Patience, gate_after
from tripleo_update_plugin.playbooks.health_checks import checks_of

#: Of this process alone: the ports of the services are fixed, and several workers may be at it.
ADDRESS = f"127.88.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
SHIFT = 20000  # to ports that need no privilege
LIBRARY = Path(ansible.__file__).parents[1] / "library"
CATALOGUE = extensions.load_catalogue()
GATED = {name: p for name, p in CATALOGUE.profiles.items() if p.is_bounded or p.gate or p.health}


def runners_of(profile):
    named = {r for part in (profile.units, profile.health, profile.gate) for r in part if r != "any"}
    return sorted(named) or ["container"]


COMBINATIONS = [(name, runner) for name, profile in GATED.items() for runner in runners_of(profile)]


def module(name):
    spec = importlib.util.spec_from_file_location(name, LIBRARY / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


health = module("tripleo_update_health")


def rendered(value):
    """As Ansible would, on the node "n"."""
    if isinstance(value, dict):
        return {key: rendered(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rendered(inner) for inner in value]
    if not isinstance(value, str) or "{{" not in value:
        return value
    environment = jinja2.Environment(autoescape=False)  # noqa: S701 - no HTML
    environment.filters["regex_escape"] = re.escape
    return environment.from_string(value).render(inventory_hostname="n")


def shifted(checks):
    checks = deepcopy(checks)
    for check in checks:
        for asked in (check.get("http"), check.get("tcp")):
            for key in ("port", "tls_port") if asked else ():
                if isinstance(asked.get(key), int):
                    asked[key] += SHIFT
    return checks


def all_checks(service, runner):
    return shifted(rendered(checks_of([(GATED[service], runner)], {service: 3})))


def ports():
    checks = [check for service, runner in COMBINATIONS for check in all_checks(service, runner)]
    plain = {int((check.get("http") or check.get("tcp"))["port"]) for check in checks if {"http", "tcp"} & set(check)}
    return plain | {80 + SHIFT}


def shifted_horizon(checks):
    for check in checks:
        if check.get("http", {}).get("port") == "80":
            check["http"]["port"] = 80 + SHIFT
    return checks


@pytest.fixture(scope="module")
def servers():
    made = Servers(ADDRESS, {port for port in ports() if port > 1024})
    yield made
    made.close()


@pytest.fixture
def balancer():
    made = FakeHAProxy(ADDRESS, {("keystone_public", "n.internalapi"): (0, "UP")})
    yield made
    made.close()


@pytest.fixture
def node(tmp_path, monkeypatch):
    made = StandInNode(tmp_path / "n")
    monkeypatch.setenv("PATH", made.path)
    return made


def look(checks, socket="", address=ADDRESS, folder="/nowhere"):
    given = {"checks": checks, "node": "n", "address": address, "vips": [], "haproxy_socket": socket}
    seen = health.look({**given, "folder": str(folder)}, Acceptance())
    return seen.reasons(), sorted(seen.unchecked)


def ways_to_be_sick(check, node, servers, balancer):
    """Makes what *check* looks at sick, in each way; yields in between, and mends it."""
    [kind] = set(check) - {"services"}
    value = check[kind]
    if kind in ("units", "containers"):
        for state in ("failed", "activating", "inactive"):
            for unit in value:
                node.puts(f"units/{unit}", f"{state}\n")
            yield state
    elif kind in ("here", "somewhere"):
        node.puts(f"resources/{value[0]}", None)
        yield "not located"
    elif kind == "master":
        line = f"resource {value} is running on: n"
        for text in (f"{line}\n", f"{line} Master\n{line} Promoted\n"):
            node.puts(f"resources/{value}", text)
            yield text
    elif kind in ("http", "tcp") and ("expect" in value or kind == "http"):
        servers.sick.add(value["port"])
        yield "a bad answer"
        servers.sick.clear()
    elif kind == "tcp":
        value["port"] = 1
        yield "a closed port"
    elif kind == "command":
        command = value["argv"][0]
        node.says(command, code=3)
        yield "a bad end"
        if "expect" in value:
            node.says(command, "something else\n")
            yield "other words"
        if "members" in value:
            node.says(command, HEALTHY[command].replace("3", "2"))
            yield "too few members"
        node.says(command)
    elif kind == "haproxy":
        balancer.servers = {("keystone_public", "n.internalapi"): (0, "DOWN")}
        yield "no server is up"
        balancer.close()
        yield "no answer"
    elif kind == "settled":
        name = {"routers": "qrouter-0", "networks": "qdhcp-0"}[value["what"]]
        before = {"runs": False, "written": None, "state": "", "agent": False}
        node.puts("notes.json", json.dumps({value["what"]: {name: before}}))
        yield "a namespace that was there is not"
        node.puts("notes.json", None)
    elif kind == "like":
        node.puts("listed", f"tripleo_{value}.service loaded failed failed x\n")
        yield "failed"
    node.run_all([check])


@pytest.mark.parametrize(("service", "runner"), COMBINATIONS)
def test_a_gate_knows_health_from_sickness(service, runner, node, servers, balancer):
    checks = shifted_horizon(all_checks(service, runner))
    if not checks:
        assert GATED[service].of_runner("gate", runner), "looked at by tasks of its own, tested below"
        return
    node.run_all(checks)
    node.puts("listed", f"tripleo_{service}.service loaded active running x\n")
    assert look(checks, balancer.socket) == ({}, [])
    for check in checks:
        for how in ways_to_be_sick(check, node, servers, balancer):
            sick, _ = look(checks, balancer.socket, folder=node.folder)
            assert set(sick) == {service}, how
            assert sick[service], how


def test_units_that_a_release_does_not_have_are_no_sickness(node):
    node.puts("units/libvirtd", "active\n")
    assert look([{"services": ["nova_libvirt"], "units": ["libvirtd", "virtqemud"]}])[0] == {}


@pytest.mark.parametrize(
    ("containers", "reason"),
    [
        ("nova_api\tUp 5 minutes (healthy)\nnova_db_sync\tExited (0)\n", ""),
        ("nova_api\tUp 5 minutes\n", ""),
        ("nova_api\tUp 5 minutes (unhealthy)\n", "unhealthy: tripleo_nova_api"),
        ("nova_api\tExited (1)\n", "not active: tripleo_nova_api (inactive)"),
        ("", "not active: tripleo_nova_api (inactive)"),
    ],
)
def test_containers_without_units_are_asked_of_their_engine(node, containers, reason):
    node.puts("containers", containers)
    sick, _ = look([{"services": ["nova_api"], "containers": ["tripleo_nova_api"]}])
    assert sick.get("nova_api", "") == reason


def test_a_container_whose_health_check_failed_is_sick(node):
    node.puts("units/tripleo_nova_api", "active\n").puts("units/tripleo_nova_api_healthcheck", "failed\n")
    sick, _ = look([{"services": ["nova_api"], "containers": ["tripleo_nova_api"]}])
    assert sick == {"nova_api": "unhealthy: tripleo_nova_api"}


def test_a_command_runs_in_its_container(node):
    node.puts("containers", "galera-bundle-podman-0\tUp 2 hours\nother\tUp 2 hours\n")
    check = {"services": ["mysql"], "command": {"argv": ["mysql", "-e", "x"], "container": "^galera-bundle-"}}
    assert look([check])[0] == {}
    assert "podman exec galera-bundle-podman-0 mysql -e x" in node.calls


def test_a_command_whose_container_is_gone(node):
    check = {"services": ["x"], "command": {"argv": ["no-such-tool"], "container": "^x$"}}
    assert look([check])[0] == {"x": "its container does not run"}


def test_what_an_old_release_does_not_know_is_no_sickness(node):
    node.says("ovs-appctl", '"connection-status" is not a valid command\n', code=2)
    [_, check] = checks_of([(GATED["ovn_controller"], "container")], {})
    assert look([check])[0] == {}


def test_what_a_command_prints_is_not_told(node):
    node.says("mysql", "s3cret\n", code=1)
    sick, _ = look(all_checks("mysql", "bundle")[-1:])
    assert sick == {"mysql": "mysql ended with 1"}


@pytest.mark.parametrize(
    ("listed", "containers", "answer"),
    [
        ("", "", ({}, ["novelty"])),
        ("tripleo_novelty.service loaded active running x\n", "", ({}, [])),
        ("\N{BLACK CIRCLE} openstack-novelty.service loaded failed failed x\n", "", "unhealthy: openstack-novelty"),
        ("novelty.service loaded inactive dead x\n", "", "none of its units and containers runs"),
        ("", "novelty_api\tUp 1 hour\nnovelty_db_sync\tExited (0)\n", ({}, [])),
        ("", "novelty_api\tUp 1 hour (unhealthy)\n", "unhealthy: novelty_api"),
        ("", "novelty_api\tExited (1)\n", "none of its units and containers runs"),
    ],
)
def test_a_service_that_nobody_described_is_looked_for_by_its_name(node, listed, containers, answer):
    node.puts("listed", listed).puts("containers", containers)
    checks = checks_of([(CATALOGUE.profile("novelty"), "container")], {})
    expected = ({"novelty": answer}, []) if isinstance(answer, str) else answer
    assert look(checks) == expected


def test_every_proxy_without_a_server_is_named(balancer):
    balancer.servers = {("keystone_public", "n"): (0, "UP"), ("old", "n"): (0, "DOWN"), ("redis", "n"): (0, "DOWN")}
    check = {"services": ["haproxy"], "haproxy": "stats"}
    assert look([check], balancer.socket)[0] == {"haproxy": "no server is up for old, redis"}


@pytest.mark.parametrize(
    ("allowed", "states", "missed"),
    [
        (1, ("UP", "UP", "UP", "UP"), ""),
        (1, ("UP", "no check", "UP", "UP"), ""),
        (1, ("DOWN", "UP", "UP", "UP"), ""),
        (1, ("UP", "DOWN", "UP", "UP"), "api/b.internalapi"),
        (2, ("UP", "DOWN 1/2", "UP", "UP"), ""),
        (2, ("UP", "MAINT", "DRAIN", "UP"), "api/b.internalapi, api/c.internalapi"),
        (2, ("UP", "UP", "UP", "DOWN"), ""),
        (2, ("UP", "MAINT", "UP", "DOWN"), "api/b.internalapi"),
    ],
)
def test_haproxy_has_as_many_servers_up_as_the_plan_counts_on(balancer, allowed, states, missed):
    """Of four, a goes and d is known to be down, if it is."""
    balancer.servers = {("api", f"{n}.internalapi"): (0, state) for n, state in zip("abcd", states, strict=True)}
    balancer.servers[("other", "b.internalapi")] = (0, "DOWN")
    away = ["d"] if states[3] == "DOWN" else []
    check = {"services": ["haproxy"], "servers": {"api": {"going": ["a"], "away": away, "allowed": allowed}}}
    told = look([check], balancer.socket)[0]
    assert told == ({"haproxy": f"HAProxy has too few servers up without {missed}"} if missed else {})


def test_a_haproxy_that_does_not_answer_counts_no_servers():
    check = {"services": ["haproxy"], "servers": {"api": {"going": ["a"], "away": [], "allowed": 1}}}
    assert "does not answer" in look([check], "127.0.0.1:9")[0]["haproxy"]


def test_without_an_address_all_of_the_node_are_asked_but_virtual_ones(tmp_path, monkeypatch):
    (tmp_path / "ip").write_text(
        "#!/bin/sh\necho '1: lo    inet 127.0.0.1/8 scope host lo'\n"
        "echo '2: eth0    inet 192.0.2.5/32 scope global eth0'\necho '2: eth0    inet 192.0.2.7/24 brd x eth0'\n"
        "echo '2: eth0    inet6 fd00::7/64 scope global'\necho '2: eth0    inet6 fe80::1/64 scope link'\n"
    )
    (tmp_path / "ip").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert health.Host({"address": None, "vips": ["192.0.2.5"]}).addresses() == ["192.0.2.7", "fd00::7"]
    assert health.Host({"address": None, "vips": ["192.0.2.5", "FD00:0:0::7"]}).addresses() == ["192.0.2.7"]


def run_gate(tmp_path, states, servers, balancer, part="all"):
    """Real Ansible: {node: its run}, {node: results}; a node for each runner, with all of its services."""
    services = {r: frozenset(s for s, of in COMBINATIONS if of == r) for r in RUNNERS}
    names = {r: f"{r}-{state}" for r in RUNNERS for state in states}
    nodes = tuple(Node(name=n, role=r, services=services[r]) for r, n in names.items())
    overcloud = Overcloud(
        stack="o", release="zed", architecture="none", packaging="containers", digest="d", nodes=nodes,
        runners={r: dict.fromkeys(services[r], r) for r in RUNNERS},
    )  # fmt: skip
    health_play, *plays = gate_after(overcloud, CATALOGUE, list(names.values()), Patience(retries=1, delay=1)).plays
    looks = health_play["vars"]["tripleo_update_looks"]
    health_play["vars"]["tripleo_update_looks"] = {host: shifted(checks) for host, checks in looks.items()}
    plays = [health_play, *plays] if part == "all" else plays
    for play in plays:
        play["environment"] = {"PATH": "{{ stand_ins }}"}
        for task in play["tasks"]:
            task |= {"ignore_errors": part == "steps", **({"delay": 0} if "delay" in task else {})}
    hosts = {n: {
        "ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False,
        "stand_ins": states[n.rpartition("-")[2]].path, "tripleo_update_internal_host": ADDRESS,
        "tripleo_update_haproxy_socket": balancer.socket, "tripleo_update_horizon_port": 80 + SHIFT,
    } for n in names.values()}  # fmt: skip
    (tmp_path / "i.yaml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    settings = ansible.Settings(binary=ansible.find_ansible())
    wanted = {task["name"] for play in plays for task in play["tasks"]}
    return ansible.run(
        ansible.write_playbook(plays, tmp_path / "plays.yaml"), tmp_path / "i.yaml", hosts, settings,
        timeout=150, silence=150, cancelled=lambda: False, results_of=wanted,
    )  # fmt: skip


@pytest.fixture
def well(tmp_path):
    """All four nodes of run_gate() in one: each finds itself in what the stand-ins say."""
    made = StandInNode(tmp_path / "well")
    made.run_all([check for combination in COMBINATIONS for check in all_checks(*combination)])
    names = [f"{runner}-well" for runner in RUNNERS]
    for command in ("mysql", "rabbitmqctl"):
        made.says(command, HEALTHY[command].replace("3", "4"))
    made.says("crm_mon", "\n".join(HEALTHY["crm_mon"].replace('"n"', f'"{name}"') for name in names))
    made.says("ceph", HEALTHY["ceph"].replace('"n"', ", ".join(f'"{name}"' for name in names)))
    for file in (made.folder / "resources").iterdir():
        *masters, line = file.read_text().splitlines()[::-1]
        file.write_text("\n".join([*masters, *(line.replace(": n", f": {name}") for name in names), ""]))
    for name in names:
        made.puts(f"resources/{name}", f"resource {name} is running on: {name}\n")
    return made


def test_all_gates_pass_in_ansible_on_healthy_nodes(tmp_path, well, servers, balancer):
    outcome, _ = run_gate(tmp_path, {"well": well}, servers, balancer)
    assert {name: node.error for name, node in outcome.nodes.items() if not node.ok} == {}


def test_all_gates_fail_in_ansible_on_sick_nodes_and_name_every_service(tmp_path, servers, balancer):
    ill = StandInNode(tmp_path / "ill")
    servers.sick |= ports()
    balancer.servers = {("keystone_public", "n"): (0, "DOWN")}
    for command in HEALTHY:
        ill.says(command, code=1)
    outcome, results = run_gate(tmp_path, {"ill": ill}, servers, balancer)
    servers.sick.clear()
    for runner in RUNNERS:
        looked_at = {s for s, r in COMBINATIONS if r == runner and checks_of([(GATED[s], r)], {})}
        result = results[f"{runner}-ill"][HEALTH_TASK]
        assert set(result["sick"]) | set(result["unchecked"]) == looked_at
        assert not outcome.nodes[f"{runner}-ill"].ok
        unlisted = {s for s in looked_at if "like" in checks_of([(GATED[s], runner)], {})[0]}
        assert set(result["unchecked"]) == unlisted


def test_tasks_of_gates_fail_on_sick_nodes(tmp_path, servers, balancer, capfd):
    ill = StandInNode(tmp_path / "ill")
    ill.says("ceph", "33 pgs: 22 active+clean, 11 active+undersized; 1 GB\n{}\ncephfs:0\n")
    run_gate(tmp_path, {"ill": ill}, servers, balancer, part="steps")
    told = capfd.readouterr().out.split("TASK [")[1:]
    failed = {(text.split("]")[0], host) for text in told for host in re.findall(r"fatal: \[(.*?)-ill", text)}
    tasks = {(task["name"], r) for s, r in COMBINATIONS for task in GATED[s].of_runner("gate", r)}
    assert tasks and failed == tasks
