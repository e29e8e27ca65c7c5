"""What the catalogue drains and restores: real Ansible, stand-in commands, HAProxies that listen."""

import ast
import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import catalogue_playbooks
import pytest
import yaml
from standin_node import FakeHAProxy, StandInNode

from tripleo_update_plugin.adapters import ansible, extensions
from tripleo_update_plugin.overcloud.model import RUNNERS, Node, Overcloud
from tripleo_update_plugin.playbooks.plays import steps
from tripleo_update_plugin.rules.acceptance import parse

ADDRESS = "127.88.7.2"
CATALOGUE = extensions.load_catalogue()
LIBRARY = Path(ansible.__file__).parents[1] / "library"
NODES = ("ctl-0", "ctl-1")
PROXIES = {(p, f"{node}.internalapi"): (0, "UP") for p in ("keystone_public", "mysql", "other") for node in NODES}


class World:
    """Two controllers, a compute and a Ceph node, which all say what one stand-in says."""

    def __init__(self, folder, services, runner):
        self.folder, self.node = folder, StandInNode(folder / "n")
        self.node.puts("ids", "c0ffee\n").puts("containers", "rabbitmq-bundle-podman-0\tUp 2 h\nceph-mon-x\tUp 2 h\n")
        roles = {"ctl": frozenset({"haproxy", "pacemaker", "ceph_mon", *services}), "cmp": frozenset(services)}
        nodes = [Node(name=f"ctl-{i}", role="ctl", services=roles["ctl"]) for i in (0, 1)]
        nodes.append(Node(name="cmp-0", role="cmp", services=roles["cmp"]))
        self.overcloud = Overcloud(
            stack="o", release="zed", architecture="none", packaging="containers", digest="d", nodes=tuple(nodes),
            runners={role: dict.fromkeys(names, runner) for role, names in roles.items()},
            vips={"public": "192.0.2.5", "internal_api": "fd00::5", "redis": "192.0.2.6"},
        )  # fmt: skip
        self.variables, self.marks = {}, folder / "marks"

    def changes(self, host):
        path = self.marks / host / "changes.json"
        return json.loads(path.read_text()) if path.exists() else []

    def changes_by(self, node, name, argv, on):
        """As if *on* had noted a command that undoes something for *node*."""
        change = {"for": node, "kind": "command", "name": name, "argv": argv, "container": None, "unknown": []}
        (self.marks / on).mkdir(parents=True, exist_ok=True)
        (self.marks / on / "changes.json").write_text(json.dumps([*self.changes(on), change]))

    def run(self, phase, nodes=("ctl-0",), only=None, **more):
        done = steps(phase, self.overcloud, CATALOGUE, list(nodes), only, **more)
        plays = [{**play, "environment": {"PATH": self.node.path}} for play in done.plays]
        here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
        marks = {node.name: {"tripleo_update_marks": str(self.marks / node.name)} for node in self.overcloud.nodes}
        hosts = {name: {**here, **own, **self.variables} for name, own in marks.items()}
        (self.folder / "i.yaml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
        for play in plays:
            for task in play["tasks"]:
                task |= {"retries": 1, "delay": 0} if "until" in task else {}
        outcome, _ = ansible.run(
            ansible.write_playbook(plays, self.folder / "p.yaml"), self.folder / "i.yaml", done.hosts,
            ansible.Settings(binary=ansible.find_ansible()), timeout=100, silence=100, cancelled=lambda: False,
        )  # fmt: skip
        calls, _ = self.node.calls, self.node.puts("calls", "")
        return {name: node.error for name, node in outcome.nodes.items() if node.error}, calls


@pytest.fixture
def world(tmp_path):
    return lambda *services, runner="bundle": World(tmp_path, services, runner)


def test_virtual_addresses_leave_the_node_and_may_come_back(world):
    made = world()
    made.node.puts("resources/ip-192.0.2.5", "resource ip-192.0.2.5 is running on: ctl-0\n")
    made.node.puts("resources/ip-fd00..5", "resource ip-fd00..5 is running on: ctl-1\n")
    errors, calls = made.run("drain", only=["haproxy"])
    assert errors == {}
    assert [c for c in calls if "ban" in c] == ["pcs resource ban ip-192.0.2.5 ctl-0 --wait=300"]
    assert [change["resource"] for change in made.changes("ctl-0")] == ["ip-192.0.2.5"]
    assert made.run("restore", only=["haproxy"]) == ({}, ["pcs resource clear ip-192.0.2.5 ctl-0"])
    assert made.changes("ctl-0") == []


def test_a_ban_that_somebody_else_made_stays(world):
    made = world()
    made.node.puts("resources/ip-192.0.2.5", "resource ip-192.0.2.5 is running on: ctl-0\n")
    made.node.says("pcs", "  Resource: ip-192.0.2.5\n    Disabled on: ctl-0 (score:-INFINITY) (role: Started) "
                   "(id:cli-ban-ip-192.0.2.5-on-ctl-0)\n")  # fmt: skip
    assert made.run("drain", only=["haproxy"])[0] == {}
    assert made.run("restore", only=["haproxy"]) == ({}, [])


def test_addresses_stay_where_no_other_node_can_take_them(world):
    made = world()
    made.node.puts("resources/ip-192.0.2.5", "resource ip-192.0.2.5 is running on: ctl-0\n")
    assert made.run("drain", only=["haproxy"], skip=["ctl-1"]) == ({}, [])


def test_an_address_that_does_not_move_fails_the_drain(world):
    made = world()
    made.node.puts("resources/ip-192.0.2.5", "resource ip-192.0.2.5 is running on: ctl-0\n")
    made.node.says("pcs", code=1)
    errors, _ = made.run("drain", only=["haproxy"])
    assert "that could not be moved off ctl-0: ip-192.0.2.5: it has not moved within 300 s" in errors["ctl-0"]


def cluster(other="", bans=""):
    """What crm_mon prints of two controllers: what it says of the *other*, and its *bans*."""
    nodes = f'<node name="ctl-0" online="true"/><node name="ctl-1" online="true" {other}/>'.replace(
        'online="true" online', "online"
    )
    return f"<crm_mon><nodes>{nodes}</nodes><bans>{bans}</bans></crm_mon>\n"


BAN = '<ban id="b" resource="ip-192.0.2.5" node="ctl-1" weight="{}" master_only="false"/>'


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (cluster(bans=BAN.format(-1000000)), "ctl-1 is banned; 'pcs resource clear ip-192.0.2.5' takes bans away"),
        (cluster('standby="true"'), "ctl-1 is in standby"),
        (cluster('maintenance="true"'), "ctl-1 is in maintenance"),
        (cluster('pending="true"'), "ctl-1 is joining"),
        (cluster('online="false"'), "ctl-1 is offline"),
        ("<crm_mon><nodes/></crm_mon>", "ctl-1 is not in the cluster"),
        ("it is away", "crm_mon does not tell which nodes could have it"),
    ],
)
def test_an_address_that_no_other_node_may_have_is_not_moved(world, told, why):
    made = world()
    made.node.puts("resources/ip-192.0.2.5", "resource ip-192.0.2.5 is running on: ctl-0\n")
    made.node.says("crm_mon", told)
    errors, calls = made.run("drain", only=["haproxy"])
    assert "nothing was moved off ctl-0: ip-192.0.2.5: " in errors["ctl-0"] and why in errors["ctl-0"]
    assert not [call for call in calls if call.startswith("pcs resource")] and made.changes("ctl-0") == []


PCS = """#!/bin/sh
here=${0%/bin/*}
echo "pcs $*" >>"$here/calls"
case "$1 $2" in
    "resource ban") mv "$here/resources/$3" "$here/was" ;;
    "resource clear") mv "$here/was" "$here/resources/$3" ;;
esac
"""


def test_an_address_that_runs_nowhere_after_its_ban_is_back_at_once(world):
    made = world()
    made.node.puts("resources/ip-192.0.2.5", "resource ip-192.0.2.5 is running on: ctl-0\n")
    made.node.puts("bin/pcs", None).puts("bin/pcs", PCS)
    (made.node.folder / "bin/pcs").chmod(0o755)
    errors, calls = made.run("drain", only=["haproxy"])
    assert "ip-192.0.2.5: it ran nowhere any more, so it is back" in errors["ctl-0"]
    assert "pcs resource clear ip-192.0.2.5 ctl-0" in calls and made.changes("ctl-0") == []
    assert (made.node.folder / "resources/ip-192.0.2.5").exists()


@pytest.mark.parametrize("bans", [BAN.format(-100), BAN.format(-1000000).replace("ip-192.0.2.5", "ip-10.0.0.9")])
def test_what_is_no_ban_on_it_is_in_nobody_s_way(world, bans):
    made = world()
    made.node.puts("resources/ip-192.0.2.5", "resource ip-192.0.2.5 is running on: ctl-0\n")
    made.node.says("crm_mon", cluster(bans=bans))
    errors, calls = made.run("drain", only=["haproxy"])
    assert errors == {} and "pcs resource ban ip-192.0.2.5 ctl-0 --wait=300" in calls


def test_a_replica_is_left_alone(world):
    made = world("redis", runner="pacemaker")
    here, there = ("resource redis is running on: ctl-{} {}\n".format(*each) for each in ((0, ""), (1, "Master")))
    made.node.puts("resources/redis", here + there)
    errors, calls = made.run("drain", only=["redis"])
    assert errors == {} and not [call for call in calls if call.startswith("pcs resource")]


@pytest.mark.parametrize(
    ("service", "runner", "resource"),
    [
        ("redis", "bundle", "redis-bundle"), ("redis", "pacemaker", "redis"),
        ("ovn_dbs", "bundle", "ovn-dbs-bundle"), ("ovn_dbs", "pacemaker", "ovndbs_servers"),
    ],
)  # fmt: skip
def test_masters_leave_the_node_and_may_come_back(world, service, runner, resource):
    made = world(service, runner=runner)
    made.node.puts(f"resources/{resource}", f"resource {resource} is running on: ctl-0 Master\n")
    errors, calls = made.run("drain", only=[service])
    assert errors == {} and f"pcs resource ban {resource} ctl-0 --wait=300" in calls
    assert made.run("restore", only=[service]) == ({}, [f"pcs resource clear {resource} ctl-0"])
    assert made.run("restore", only=[service]) == ({}, [])


QUESTIONS = ["check_if_node_is_mirror_sync_critical", "check_if_node_is_quorum_critical"]


@pytest.mark.parametrize("runner", ["bundle", "container", "pacemaker", "systemd"])
def test_a_broker_is_drained_when_no_queue_needs_it(world, runner):
    made = world("oslo_messaging_rpc", runner=runner)
    errors, calls = made.run("drain", only=["oslo_messaging_rpc"])
    assert errors == {}
    asked = [c for c in calls if c.startswith("rabbitmq-")]
    assert asked == [*(f"rabbitmq-diagnostics {q}" for q in QUESTIONS), "rabbitmq-upgrade drain"]
    assert any(c.startswith("podman exec c0ffee") for c in calls) == (runner in ("bundle", "container"))
    errors, calls = made.run("restore", only=["oslo_messaging_rpc"])
    assert errors == {} and "rabbitmq-upgrade revive" in calls
    assert made.run("restore", only=["oslo_messaging_rpc"]) == ({}, [])


@pytest.mark.parametrize("release", ["stein", "wallaby"])
@pytest.mark.parametrize("engine", ["podman", "docker"])
def test_the_broker_is_drained_by_the_engine_that_runs_it_whatever_the_release(world, engine, release):
    made = world("rabbitmq", runner="container")
    made.overcloud = dataclasses.replace(made.overcloud, release=release)
    made.node.puts("engine", f"{engine}\n")
    errors, calls = made.run("drain", only=["rabbitmq"])
    assert errors == {} and f"{engine} exec c0ffee rabbitmq-diagnostics {QUESTIONS[0]}" in calls
    assert "rabbitmq-upgrade drain" in calls


def test_a_broker_whose_container_does_not_run_is_not_drained(world):
    made = world("rabbitmq", runner="bundle")
    made.node.puts("ids", "")
    errors, calls = made.run("drain", only=["rabbitmq"])
    assert "no single container called rabbitmq runs here" in errors["ctl-0"]
    assert not [call for call in calls if call.startswith("rabbitmq")]


def test_a_broker_that_somebody_put_into_maintenance_stays_there(world):
    made = world("oslo_messaging_rpc", runner="systemd")
    made.node.says("rabbitmqctl", "true\n")
    errors, calls = made.run("drain", only=["oslo_messaging_rpc"])
    assert errors == {} and "rabbitmq-upgrade drain" not in calls
    assert made.run("restore", only=["oslo_messaging_rpc"]) == ({}, [])


@pytest.mark.parametrize("runner", ["bundle", "systemd"])
@pytest.mark.parametrize(("code", "drained"), [(64, True), (127, True), (69, False)])
def test_an_old_broker_knows_no_drain_and_a_critical_one_is_not_drained(world, runner, code, drained):
    made = world("rabbitmq", runner=runner)
    made.node.says("rabbitmq-diagnostics", code=code)
    made.node.says("rabbitmq-upgrade", code=64)
    errors, _ = made.run("drain", only=["rabbitmq"])
    assert (errors == {}) == drained
    assert drained or "No queue is lost with the broker" in errors["ctl-0"]


def ceph_calls(calls):
    """What Ceph was asked and told; how it is asked is looked at elsewhere."""
    asked = [call.split() for call in calls if call.startswith("ceph ")]
    assert all(words[:3] == ["ceph", "--cluster", "ceph"] for words in asked)
    return [" ".join(words[4 if words[3] == "osd" else 3 :]) for words in asked]


def test_ceph_keeps_its_data_in_place_while_osds_are_away(world):
    made = world("ceph_osd", runner="container")
    made.node.puts("osds", '{"cmp-0": [4, 7], "ctl-0": [1], "cmp-1": [2]}')
    errors, calls = made.run("drain", ["cmp-0"], only=["ceph_osd"])
    assert errors == {}
    assert [call for call in ceph_calls(calls) if call != "dump"] == [
        "node ls osd", "ok-to-stop 4 7", "set noout", "set norebalance"
    ]  # fmt: skip
    assert {change["for"] for change in made.changes("ctl-0")} == {"cmp-0"}
    errors, calls = made.run("restore", ["cmp-0"], only=["ceph_osd"])
    assert errors == {} and ceph_calls(calls) == ["unset noout", "unset norebalance"]


def test_flags_that_an_operator_had_set_stay(world):
    made = world("ceph_osd", runner="container")
    made.node.says("ceph", "flags sortbitwise,noout,recovery_deletes\n")
    errors, calls = made.run("drain", ["cmp-0"], only=["ceph_osd"])
    assert errors == {} and ceph_calls(calls)[-1] == "set norebalance" and "set noout" not in ceph_calls(calls)
    errors, calls = made.run("restore", ["cmp-0"], only=["ceph_osd"])
    assert errors == {} and ceph_calls(calls) == ["unset norebalance"]


def test_a_flag_that_two_nodes_need_goes_with_the_last(world):
    made = world("ceph_osd", runner="container")
    for node in ("cmp-0", "ctl-1"):
        made.run("drain", [node], only=["ceph_osd"])
        made.node.says("ceph", "flags noout,norebalance\n")
    assert ceph_calls(made.run("restore", ["cmp-0"], only=["ceph_osd"])[1]) == []
    assert ceph_calls(made.run("restore", ["ctl-1"], only=["ceph_osd"])[1]) == ["unset noout", "unset norebalance"]


def test_osds_that_ceph_cannot_spare_are_not_drained(world):
    made = world("ceph_osd", runner="container")
    made.node.puts("osds", '{"cmp-0": [4]}').says("ceph", "", code=13)
    errors, calls = made.run("drain", ["cmp-0"], only=["ceph_osd"])
    assert "ceph_osd is sick: ceph has no key that the cluster accepts" in errors["cmp-0"]
    assert not [c for c in calls if "osd set" in c]


def test_instances_of_a_compute_that_is_updated_are_not_evacuated(world):
    made = world("compute_instanceha", runner="systemd")
    errors, calls = made.run("drain", ["cmp-0"], only=["compute_instanceha"])
    assert errors == {} and [c for c in calls if c.startswith("pcs")] == ["pcs resource disable cmp-0 --wait=300"]
    assert made.run("restore", ["cmp-0"], only=["compute_instanceha"]) == ({}, ["pcs resource enable cmp-0 --wait=300"])


def test_a_remote_comes_back_from_whichever_member_has_the_note(world):
    made = world("compute_instanceha", runner="systemd")
    assert made.run("drain", ["cmp-0"], only=["compute_instanceha"])[0] == {}
    assert [change["name"] for change in made.changes("ctl-0")] == ["remote cmp-0"]
    (made.marks / "ctl-1").mkdir()
    (made.marks / "ctl-0" / "changes.json").rename(made.marks / "ctl-1" / "changes.json")
    assert made.run("restore", ["cmp-0"], only=["compute_instanceha"]) == ({}, ["pcs resource enable cmp-0 --wait=300"])
    assert made.changes("ctl-1") == []


DEVICES = " fence-a\n fence_ipmilan-525400aa\n2 devices found\n"


def fencing_off(world, devices=DEVICES):
    made = world()
    made.variables["tripleo_update_fencing_off"] = True
    made.node.says("stonith_admin", devices)
    return made


def of_devices(calls):
    return [" ".join(call.split()[2:]) for call in calls if "crm_resource --resource" in call and "--get" not in call]


def test_fencing_stays_on_unless_an_operator_wants_it_off(world):
    made = world()
    made.node.says("stonith_admin", DEVICES)
    assert made.run("drain", only=["pacemaker"]) == ({}, [])
    assert made.run("restore", only=["pacemaker"]) == ({}, [])


def test_only_devices_that_can_fence_the_node_are_disabled_and_come_back(world):
    made = fencing_off(world)
    made.node.puts("roles/fence-a", "Stopped\n")
    errors, calls = made.run("drain", only=["pacemaker"])
    assert errors == {} and "stonith_admin --list ctl-0" in calls
    assert of_devices(calls) == ["fence_ipmilan-525400aa --meta --set-parameter target-role --parameter-value Stopped"]
    assert (made.changes("ctl-0"), [each["name"] for each in made.changes("ctl-1")]) == (
        [], ["fence fence_ipmilan-525400aa"],
    )  # fmt: skip
    made.variables.clear()
    errors, calls = made.run("restore", only=["pacemaker"])
    assert (errors, of_devices(calls)) == ({}, ["fence_ipmilan-525400aa --meta --delete-parameter target-role"])
    assert made.changes("ctl-1") == []


def test_a_device_of_several_nodes_comes_back_with_the_last_of_them(world):
    made = fencing_off(world, " fence-a\n1 fence device found\n")
    for name in ("ctl-0", "cmp-0"):
        made.changes_by(name, "fence fence-a", ["crm_resource", "--resource", "fence-a"], on="ctl-1")
    assert of_devices(made.run("restore", ["ctl-0"], only=["pacemaker"])[1]) == []
    assert [change["for"] for change in made.changes("ctl-1")] == ["cmp-0"]


def test_where_nothing_can_fence_the_node_there_is_nothing_to_do_and_no_answer_is_a_failure(world):
    made = fencing_off(world, "No devices found\n")
    errors, calls = made.run("drain", only=["pacemaker"])
    assert (errors, of_devices(calls)) == ({}, [])
    made.node.says("stonith_admin", "", code=102)
    assert "It is known which devices can fence the node" in made.run("drain", only=["pacemaker"])[0]["ctl-0"]


def test_without_another_member_nobody_could_fence_the_node(world):
    made = fencing_off(world)
    assert made.run("drain", only=["pacemaker"], skip=["ctl-1"]) == ({}, [])


@pytest.fixture
def haproxy():
    made = []

    def haproxy(level="admin", servers=PROXIES):
        made.append(FakeHAProxy(ADDRESS, servers, level))
        return made[-1]

    yield haproxy
    for each in made:
        each.close()


def balanced(world, haproxy, **variables):
    made = world("keystone", "mysql", runner="container")
    made.variables = {"tripleo_update_haproxy_socket": haproxy.socket, "tripleo_update_haproxy_seconds": 1, **variables}
    return made


def states(haproxy, node="ctl-0"):
    return {proxy: status for (proxy, server), (_, status) in haproxy.servers.items() if server.startswith(node)}


def test_servers_of_the_node_leave_haproxy_and_come_back(world, haproxy):
    own = haproxy()
    made = balanced(world, own)
    assert made.run("drain", only=["keystone", "mysql"])[0] == {}
    assert states(own) == {"keystone_public": "DRAIN", "mysql": "MAINT", "other": "UP"}
    assert set(states(own, "ctl-1").values()) == {"UP"}
    assert made.run("restore", only=["keystone", "mysql"])[0] == {}
    assert set(states(own).values()) == {"UP"}


@pytest.mark.parametrize("status", ["MAINT", "DOWN", "DRAIN"])
@pytest.mark.parametrize("level", ["admin", "user"])
def test_the_last_server_that_is_up_is_not_taken_out(world, haproxy, status, level):
    own = haproxy(level, {**PROXIES, ("mysql", "ctl-1.internalapi"): (0, status)})
    errors, _ = balanced(world, own).run("drain", only=["keystone", "mysql"])
    assert f"no other server is up for mysql (ctl-1.internalapi {status}), so nothing was taken out" in errors["ctl-0"]
    assert states(own) == {"keystone_public": "UP", "mysql": "UP", "other": "UP"}


def test_a_proxy_without_another_server_keeps_the_one_it_has(world, haproxy):
    own = haproxy(servers={**PROXIES, ("keystone_admin", "ctl-0.internalapi"): (0, "UP")})
    assert balanced(world, own).run("drain", only=["keystone"])[0] == {}
    assert states(own)["keystone_admin"] == "UP" and states(own)["keystone_public"] == "DRAIN"


def test_where_nothing_is_up_there_is_nothing_to_keep(world, haproxy):
    own = haproxy(servers=dict.fromkeys(PROXIES, (0, "DOWN")))
    assert balanced(world, own).run("drain", only=["keystone"])[0] == {}


def test_a_server_that_somebody_took_out_stays_out(world, haproxy):
    own = haproxy(servers={**PROXIES, ("mysql", "ctl-0.internalapi"): (0, "MAINT")})
    made = balanced(world, own)
    assert made.run("drain", only=["keystone", "mysql"])[0] == {}
    assert states(own) == {"keystone_public": "DRAIN", "mysql": "MAINT", "other": "UP"}
    assert made.run("restore", only=["keystone", "mysql"])[0] == {}
    assert states(own) == {"keystone_public": "UP", "mysql": "MAINT", "other": "UP"}


def test_a_server_that_somebody_took_out_meanwhile_stays_out(world, haproxy):
    own = haproxy()
    made = balanced(world, own)
    assert made.run("drain", only=["keystone", "mysql"])[0] == {}
    own.servers["keystone_public", "ctl-0.internalapi"] = (0, "MAINT")
    assert made.run("restore", only=["keystone", "mysql"])[0] == {}
    assert states(own) == {"keystone_public": "MAINT", "mysql": "UP", "other": "UP"}
    assert made.changes("ctl-0") == []


def test_a_drain_that_is_repeated_still_knows_what_was_before(world, haproxy):
    own = haproxy()
    made = balanced(world, own)
    for _ in range(2):
        assert made.run("drain", only=["keystone"])[0] == {}
    assert made.run("restore", only=["keystone"])[0] == {}
    assert states(own)["keystone_public"] == "UP"


def test_sessions_that_do_not_end_hold_a_drain_up_for_a_while_only(world, haproxy):
    own = haproxy(servers={("keystone_public", "ctl-0"): (3, "UP"), ("keystone_public", "ctl-1"): (3, "UP")})
    assert balanced(world, own).run("drain", only=["keystone"])[0] == {}
    assert own.heard.count("show stat") >= 2


@pytest.mark.parametrize(("mode", "fails"), [("auto", False), ("require", True), ("off", False)])
def test_a_socket_that_takes_no_orders(world, haproxy, mode, fails, capfd):
    own = haproxy(level="user")
    made = balanced(world, own, tripleo_update_haproxy_drain=mode)
    errors, _ = made.run("drain", only=["keystone"])
    assert bool(errors) == fails
    assert (own.heard == []) == (mode == "off")
    assert not fails or "Permission denied. Its stats socket needs the level admin." in errors["ctl-0"]


def test_off_may_be_written_without_quotes(world, haproxy):
    own = haproxy()
    assert balanced(world, own, tripleo_update_haproxy_drain=False).run("drain", only=["keystone"])[0] == {}
    assert own.heard == []


def test_a_server_that_haproxy_does_not_find_up_fails_the_restore(world, haproxy):
    own = haproxy(level="user", servers={**PROXIES, ("keystone_public", "ctl-0.internalapi"): (0, "DOWN")})
    errors, _ = balanced(world, own).run("restore", only=["keystone"])
    assert "HAProxy does not find up: keystone_public/ctl-0.internalapi." in errors["ctl-0"]
    assert errors["ctl-0"].endswith("accept it in the policy: haproxy:keystone_public/ctl-0.internalapi")


DOWN = {**PROXIES, ("keystone_public", "ctl-0.internalapi"): (0, "DOWN")}
ACCEPTED = parse([{"name": "haproxy:keystone_public/ctl-0.internalapi"}])


@pytest.mark.parametrize("level", ["admin", "user"])
def test_a_server_that_was_not_up_before_need_not_be_afterwards_if_that_is_accepted(world, haproxy, level):
    own = haproxy(level, DOWN)
    made = balanced(world, own)
    for attempt in range(2):
        assert made.run("drain", only=["keystone"], accept=ACCEPTED)[0] == {}, attempt
    own.servers = dict(DOWN)
    assert "keystone_public/ctl-0" in made.run("restore", only=["keystone"])[0]["ctl-0"], "without the name"
    assert made.run("restore", only=["keystone"], accept=ACCEPTED)[0] == {}
    assert not list(made.marks.glob("*/before.json"))


def test_a_server_that_was_up_before_has_to_be_again_though_it_is_accepted(world, haproxy):
    own = haproxy("user")
    made = balanced(world, own)
    assert made.run("drain", only=["keystone"], accept=ACCEPTED)[0] == {}
    own.servers = dict(DOWN)
    for attempt in range(2):
        errors, _ = made.run("restore", only=["keystone"], accept=ACCEPTED)
        assert "does not find up: keystone_public/ctl-0.internalapi" in errors["ctl-0"], attempt


def test_an_haproxy_that_is_away_holds_nothing_up(world, haproxy):
    own = haproxy()
    made = balanced(world, own)
    own.close()
    assert made.run("drain", only=["keystone"])[0] == {}


def test_the_steps_of_all_profiles_are_playbooks(tmp_path):
    files = [file.name for file in catalogue_playbooks.write(tmp_path / "catalogue")]
    assert {f"{phase}-{runner}.yaml" for phase in ("drain", "restore", "gate") for runner in RUNNERS} == set(files)
    command = [ansible.find_ansible(), "--syntax-check", "--inventory", "localhost,", *files]
    done = subprocess.run(command, cwd=tmp_path / "catalogue", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


SHARED = LIBRARY.with_name("module_utils")
TRAVELLING = sorted([*LIBRARY.glob("tripleo_*.py"), *SHARED.glob("tripleo_*.py")])


@pytest.mark.parametrize("file", TRAVELLING, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_what_runs_on_nodes_runs_with_the_pythons_of_old_ones(file):
    """Python 2.7 and 3.5 have no f-strings, no annotations of variables and no keyword-only parameters.

    Python 2.7 knows ``*names`` in calls only, and reads nothing but ASCII.
    """
    assert file.read_text().isascii()
    tree = ast.parse(file.read_text(), feature_version=(3, 5))
    new = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.AsyncFunctionDef)
    assert [ast.dump(each) for each in ast.walk(tree) if isinstance(each, new)] == []
    calls = {id(each) for node in ast.walk(tree) if isinstance(node, ast.Call) for each in node.args}
    assert [s.lineno for s in ast.walk(tree) if isinstance(s, ast.Starred) and id(s) not in calls] == []
    assert [a.arg for each in ast.walk(tree) if isinstance(each, ast.arguments) for a in each.kwonlyargs] == []


@pytest.mark.parametrize("file", sorted(LIBRARY.glob("tripleo_*.py")), ids=lambda file: file.stem)
def test_modules_are_documented(file):
    tree = ast.parse(file.read_text())
    assert yaml.safe_load(next(
        node.value.value for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "DOCUMENTATION"
    ))["module"] == file.stem  # fmt: skip
