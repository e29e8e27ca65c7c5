"""The Ansible module that asks a node: its questions, its patience, and what it makes of the answers."""

import ast
import inspect
import socket
import tempfile
import threading
import time
from pathlib import Path

import pytest
from ansible.module_utils import tripleo_update_crm_mon as crm_mon

from tripleo_update_plugin.library import tripleo_update_facts as module

#: As crm_mon of Pacemaker 1.1 prints it: plain resources, a remote node.
PLAIN = """<?xml version="1.0"?>
<crm_mon version="1.1.15">
  <summary>
    <current_dc present="true" name="ctl-1" with_quorum="true"/>
    <cluster_options maintenance-mode="false"/>
  </summary>
  <nodes>
    <node name="ctl-0" online="true" standby="false" standby_onfail="false" maintenance="false" type="member"/>
    <node name="ctl-1" online="true" standby="true" standby_onfail="false" maintenance="false" type="member"/>
    <node name="ctl-2" online="false" standby="true" maintenance="false" type="member"/>
    <node name="ctl-3" online="true" pending="true" type="member"/>
    <node name="ctl-4" online="true" maintenance="true" type="member"/>
    <node name="compute-0" online="true" standby="false" type="remote"/>
  </nodes>
  <resources>
    <resource id="ip-10.0.0.5" resource_agent="ocf::heartbeat:IPaddr2" role="Started"><node name="ctl-0"/></resource>
    <clone id="redis-master" multi_state="true">
      <resource id="redis" resource_agent="ocf::heartbeat:redis" role="Master"><node name="ctl-1"/></resource>
      <resource id="redis" resource_agent="ocf::heartbeat:redis" role="Slave"><node name="ctl-0"/></resource>
      <resource id="redis" resource_agent="ocf::heartbeat:redis" role="Stopped"/>
    </clone>
    <clone id="openstack-core-clone" multi_state="false">
      <resource id="openstack-core:0" resource_agent="ocf::heartbeat:Dummy" role="Started">
        <node name="ctl-0"/></resource>
    </clone>
  </resources>
</crm_mon>
"""

#: As crm_mon of Pacemaker 2.1 prints it: bundles, whose insides are nodes of their own.
BUNDLED = """<pacemaker-result api-version="2.22" request="crm_mon --output-as=xml">
  <summary>
    <current_dc present="true" name="ctl-0" with_quorum="false"/>
    <cluster_options maintenance-mode="true"/>
  </summary>
  <nodes>
    <node name="ctl-0" online="true" standby="false" type="member"/>
    <node name="redis-bundle-0" online="true" type="remote" id_as_resource="redis-bundle-podman-0"/>
  </nodes>
  <resources>
    <bundle id="redis-bundle" type="podman">
      <replica id="0">
        <resource id="redis-bundle-ip-10.0.0.9" resource_agent="ocf:heartbeat:IPaddr2" role="Started">
          <node name="ctl-0"/></resource>
        <resource id="redis" resource_agent="ocf:heartbeat:redis" role="Promoted">
          <node name="redis-bundle-0"/></resource>
        <resource id="redis-bundle-podman-0" resource_agent="ocf:heartbeat:podman" role="Started">
          <node name="ctl-0"/></resource>
        <resource id="redis-bundle-0" resource_agent="ocf:pacemaker:remote" role="Started">
          <node name="ctl-0"/></resource>
      </replica>
      <replica id="1">
        <resource id="redis" resource_agent="ocf:heartbeat:redis" role="Stopped"/>
        <resource id="redis-bundle-podman-1" resource_agent="ocf:heartbeat:podman" role="Stopped"/>
      </replica>
    </bundle>
    <bundle id="haproxy-bundle" type="podman">
      <replica id="0">
        <resource id="haproxy-bundle-podman-0" resource_agent="ocf:heartbeat:podman" role="Started">
          <node name="ctl-0"/></resource>
      </replica>
    </bundle>
  </resources>
</pacemaker-result>
"""

STATISTICS = """# pxname,svname,qcur,qmax,scur,smax,
keystone,ctl-0.internalapi.localdomain,0,0,9,9,
mysql,FRONTEND,,,41,50,
mysql,ctl-0.internalapi.localdomain,0,0,0,3,
mysql,ctl-1.internalapi.localdomain,0,0,41,50,
mysql,ctl-2.internalapi.localdomain,0,0,,0,
mysql,BACKEND,0,0,41,50,
"""


def test_members_remote_nodes_and_their_states():
    view = module.cluster(0, PLAIN, {})
    assert view["quorum"]
    assert {node["name"]: node["state"] for node in view["nodes"]} == {
        "ctl-0": "online", "ctl-1": "standby", "ctl-2": "offline", "ctl-3": "pending", "ctl-4": "maintenance",
        "compute-0": "online",
    }  # fmt: skip
    unclean = PLAIN.replace('name="ctl-2"', 'name="ctl-2" unclean="true"').replace(
        'name="ctl-0" online="true"', 'name="ctl-0" online="true" unclean="true"'
    )
    states = {node["name"]: node["state"] for node in module.cluster(0, unclean, {})["nodes"]}
    assert (states["ctl-0"], states["ctl-2"]) == ("unclean", "unclean")
    assert [node["name"] for node in view["nodes"] if node["remote"]] == ["compute-0"]


@pytest.mark.parametrize(
    ("option", "fencing"), [('stonith-enabled="true"', True), ('stonith-enabled="false"', False), ("", None)]
)
def test_whether_fencing_is_on(option, fencing):
    text = PLAIN.replace('maintenance-mode="false"', f'maintenance-mode="false" {option}')
    assert module.cluster(0, text, {})["fencing"] is fencing


def test_bans_are_those_that_keep_a_resource_off_for_good():
    bans = "".join(
        f'<ban id="b" resource="ip-10.0.0.5" node="ctl-{i}" weight="{weight}"/>'
        for i, weight in enumerate([-1000000, -100, 100])
    )
    text = PLAIN.replace("</crm_mon>", f"<bans>{bans}</bans></crm_mon>")
    assert module.cluster(0, text, {})["bans"] == [{"resource": "ip-10.0.0.5", "node": "ctl-0"}]
    assert module.cluster(0, PLAIN, {})["bans"] == []


def test_properties_that_stop_everything_or_leave_it_alone():
    view = module.cluster(0, PLAIN, {})
    assert (view["maintenance"], view["all_stopped"]) == (False, False)
    stopped = PLAIN.replace("<cluster_options", '<cluster_options stop-all-resources="true"')
    assert module.cluster(0, stopped, {})["all_stopped"]
    view = module.cluster(0, PLAIN.replace('maintenance-mode="false"', 'maintenance-mode="true"'), {})
    assert view["maintenance"]
    assert [node["state"] for node in view["nodes"] if node["name"] == "ctl-4"] == ["online"], "it is the cluster's"


def troubles(text):
    return {(each["resource"], each["node"]): each["what"] for each in module.cluster(0, text, {})["troubles"]}


def test_what_is_wrong_with_a_resource_and_where():
    assert troubles(PLAIN) == {}
    failed = PLAIN.replace('role="Slave"', 'role="Slave" managed="true" failed="true"')
    assert troubles(failed) == {("redis-master", "ctl-0"): "failed"}
    blocked = PLAIN.replace('role="Slave"', 'role="Slave" managed="false" failed="true" blocked="true"')
    assert troubles(blocked) == {("redis-master", "ctl-0"): "blocked"}
    alone = PLAIN.replace('role="Master"', 'role="Master" managed="false" failed="false"')
    assert troubles(alone) == {("redis-master", "ctl-1"): "unmanaged"}
    assert troubles(alone.replace('maintenance-mode="false"', 'maintenance-mode="true"')) == {}
    stopped = PLAIN.replace('role="Stopped"', 'role="Stopped" managed="false"')
    assert troubles(stopped) == {}, "where nothing runs nothing is left alone"
    resting = PLAIN.replace('<clone id="openstack', '<resource id="x" managed="false"><node name="ctl-4"/></resource>'
                            '<clone id="openstack')  # fmt: skip
    assert troubles(resting) == {}, "its node is in maintenance"


def test_what_is_wrong_inside_a_bundle_is_told_of_the_node_of_its_container():
    text = BUNDLED.replace('maintenance-mode="true"', 'maintenance-mode="false"')
    assert troubles(text) == {}
    assert troubles(text.replace('role="Promoted"', 'role="Promoted" failed="true"')) == {
        ("redis-bundle", "ctl-0"): "failed"
    }
    assert troubles(text.replace('role="Stopped"', 'role="Stopped" failed="true"')) == {}, "it is absent there"


def test_replicas_are_counted_whether_or_not_they_run():
    count = {each["name"]: each["replicas"] for each in module.cluster(0, BUNDLED, {})["resources"]}
    assert count == {"redis-bundle": 2, "haproxy-bundle": 1}
    count = {each["name"]: each["replicas"] for each in module.cluster(0, PLAIN, {})["resources"]}
    assert count == {"ip-10.0.0.5": 1, "redis-master": 3, "openstack-core-clone": 1}


FAILURES = """<failures>
  <failure op_key="galera_monitor_10000" node="galera-bundle-1" exitstatus="error" exitreason="a secret"/>
  <failure op_key="ip-10.0.0.5_migrate_to_0" node="ctl-0"/> <failure id="without_a_key" node="ctl-0"/>
</failures>
<fence_history>
  <fence_event action="reboot" target="ctl-2" client="c" origin="ctl-0" status="pending" extended-status="0"/>
  <fence_event action="reboot" target="ctl-1" status="failed" completed="2026-01-02 10:00:00Z" exit-reason="a secret"/>
  <fence_event action="off" target="ctl-1" status="success" completed="2026-01-01 10:00:00Z"/>
  <fence_event action="on" target="compute-0" status="success" completed="2026-01-01 10:00:00Z"/>
</fence_history>
</crm_mon>"""


def test_failures_and_the_last_fencing_of_each_node_without_the_text_of_errors():
    assert module.cluster(0, PLAIN, {})["failures"] == module.cluster(0, PLAIN, {})["fenced"] == []
    view = module.cluster(0, PLAIN.replace("</crm_mon>", FAILURES), {})
    assert view["failures"] == [
        {"resource": "galera", "node": "galera-bundle-1"}, {"resource": "ip-10.0.0.5", "node": "ctl-0"},
    ]  # fmt: skip
    assert view["fenced"] == [
        {"node": "ctl-2", "action": "reboot", "status": "pending", "completed": ""},
        {"node": "ctl-1", "action": "reboot", "status": "failed", "completed": "2026-01-02 10:00:00Z"},
    ]
    assert "secret" not in str(view)


def copies(text):
    return {
        resource["name"]: [(copy["names"], copy["node"], copy["promoted"]) for copy in resource["instances"]]
        for resource in module.cluster(0, text, {})["resources"]
    }


def test_resources_and_who_is_promoted():
    assert copies(PLAIN) == {
        "ip-10.0.0.5": [(["ip-10.0.0.5"], "ctl-0", False)],
        "redis-master": [(["redis", "redis-master"], "ctl-1", True), (["redis", "redis-master"], "ctl-0", False)],
        "openstack-core-clone": [(["openstack-core", "openstack-core-clone"], "ctl-0", False)],
    }


def test_bundles_are_on_the_nodes_of_their_containers():
    assert copies(BUNDLED) == {
        "redis-bundle": [(["redis", "redis-bundle"], "ctl-0", True)],
        "haproxy-bundle": [(["haproxy-bundle"], "ctl-0", False)],
    }
    view = module.cluster(0, BUNDLED, {})
    assert view["nodes"] == [{"name": "ctl-0", "remote": False, "state": "online"}]
    assert not view["quorum"] and view["maintenance"]


def test_a_cluster_that_is_stopped_is_not_one_that_does_not_answer():
    assert module.cluster(102, "", {"httpd": "active"}) is None
    for code, text, states in [
        (102, "", {"pacemaker": "active"}),
        (None, "", {"pacemaker_remote": "active"}),
        (1, "", None),
        (0, "<crm_mon", {}),
    ]:
        with pytest.raises(module.Unanswered):
            module.cluster(code, text, states)


def test_states_of_units_keep_to_the_order_they_were_asked_in():
    said = "active\ninactive\nfailed\nunknown\nactivating\n"
    assert module.units(3, said, ["a", "b", "c", "d", "e"]) == {"a": "active", "c": "failed", "e": "activating"}
    with pytest.raises(module.Unanswered, match="no answer in time"):
        module.units(None, "active\n", ["a", "b"])


def test_addresses_of_both_kinds():
    text = "2: eth2    inet 172.16.2.10/24 brd +\n3: eth3    inet6 fd00::5/128 scope global\n"
    assert module.addresses(0, text) == ["172.16.2.10", "fd00::5"]
    with pytest.raises(module.Unanswered, match="exit code 1"):
        module.addresses(1, text)


@pytest.mark.parametrize(
    ("code", "text", "answer"),
    [(0, "Reboot should not be necessary.", False), (1, "Core libraries…\nReboot is required to …", True)],
)
def test_a_reboot(code, text, answer):
    assert module.reboot(code, text) is answer


def test_a_command_that_fails_is_no_pending_reboot():
    with pytest.raises(module.Unanswered, match="exit code 1"):
        module.reboot(1, "No such command: needs-restarting")


def test_updates_are_counted_by_name_even_where_lines_are_broken():
    listed = (
        "\nhttpd.x86_64          2.4.6-97.el7  updates\n"
        "a-package-with-quite-a-long-name.noarch\n                      1-2.el7       updates\n"
        "Security: kernel-3.10.0-1160.el7.x86_64 is an installed security update\n"
        "Obsoleting Packages\nnew.noarch  1  updates\n    old.noarch  0  @anaconda\n"
    )
    assert module.updates(100, listed) == 2
    assert module.cutting(100, listed) == []
    assert module.cutting(100, "openvswitch2.11.x86_64 1 u\nkernel.x86_64 1 u\npython-openvswitch.noarch 1 u\n") == [
        "openvswitch2.11"
    ]
    assert module.updates(0, "") == 0
    with pytest.raises(module.Unanswered, match="exit code 1"):
        module.updates(1, "")


def test_containers_and_their_images():
    text = "keystone r:8787/x/keystone:1\nnova_api r:8787/x/nova-api:2\n"
    assert module.containers(0, text) == {"keystone": "r:8787/x/keystone:1", "nova_api": "r:8787/x/nova-api:2"}
    assert module.containers(0, "") == {}


def served(path, answer):
    """A statistics socket as HAProxy has: one command, one answer, and the connection is closed."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    heard = []

    def serve():
        connection, _ = server.accept()
        with connection:
            heard.append(connection.recv(100))
            connection.sendall(answer.encode())

    threading.Thread(target=serve, daemon=True).start()
    return heard


@pytest.fixture
def short_folder():
    """The path of a socket may have a hundred letters only."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_haproxy_tells_where_the_sessions_of_the_database_go(short_folder):
    heard = served(short_folder / "stats", STATISTICS)
    servers = ["ctl-0.internalapi.localdomain", "ctl-1.internalapi.localdomain", "ctl-2.internalapi.localdomain"]
    assert module.sessions(str(short_folder / "stats")) == dict(zip(servers, (0, 41, 0), strict=True))
    assert heard == [b"show stat\n"]


def test_without_haproxy_there_are_no_sessions(short_folder):
    assert module.sessions(str(short_folder / "nothing")) == {}


def test_a_slow_command_does_not_hold_up_the_others():
    began = time.monotonic()
    slow, fast = ["sh", "-c", "sleep 60 & wait"], ["sh", "-c", "echo yes; exit 3"]
    commands = {"slow": slow, "fast": fast, "wide": ["seq", "99999"]}
    said = module.ask(commands, {"slow": 0.5, "fast": 20, "wide": 20})
    assert said["slow"] == (None, "") and said["fast"] == (3, "yes\n")
    assert len(said["wide"][1].splitlines()) == 99999
    assert time.monotonic() - began < 15


def command(folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)


def test_one_question_without_an_answer_leaves_the_others(tmp_path):
    command(tmp_path, "ip", "echo '1: lo    inet 10.0.0.5/32'")
    command(tmp_path, "crm_mon", "exit 102")
    command(tmp_path, "systemctl", "shift; for unit; do echo inactive; done; exit 3")
    command(tmp_path, "podman", "echo secret >&2; exit 125")
    command(tmp_path, "needs-restarting", "exit 0")
    command(tmp_path, "yum", "exit 1")
    given = {"units": ["httpd"], "packages": True, "haproxy_socket": str(tmp_path / "none")}
    answers, unanswered = module.facts(given, [str(tmp_path)])
    assert answers == {"addresses": ["10.0.0.5"], "units": {}, "cluster": None, "reboot": False, "sessions": {}}
    assert unanswered == {"containers": "exit code 125", "updates": "exit code 1"}


@pytest.mark.parametrize(
    ("podman", "docker", "found", "missing"),
    [
        ("true", "echo keystone img", {"keystone": "img"}, {}),
        ("echo a i", "echo b j", {"a": "i", "b": "j"}, {}),
        ("echo a i", "exit 1", {"a": "i"}, {}),
        ("exit 125", "echo b j", {"b": "j"}, {}),
        ("true", "exit 1", {}, {"docker": "exit code 1"}),
    ],
)
def test_a_node_with_both_engines_tells_the_containers_of_both(tmp_path, podman, docker, found, missing):
    command(tmp_path, "podman", podman)
    command(tmp_path, "docker", docker)
    given = {"units": [], "packages": False, "haproxy_socket": "/nowhere/stats"}
    answers, unanswered = module.facts(given, [str(tmp_path)])
    assert answers["containers"] == found and "docker" not in answers
    assert {question: why for question, why in unanswered.items() if question in ("containers", "docker")} == missing


def test_what_is_not_installed_is_an_answer_or_told(tmp_path):
    given = {"units": [], "packages": True, "haproxy_socket": "/nowhere/stats"}
    answers, unanswered = module.facts(given, [str(tmp_path)])
    assert answers == {"cluster": None, "containers": {}, "sessions": {}}
    assert unanswered == {
        "addresses": "no ip on the node",
        "units": "no systemctl on the node",
        "reboot": "no needs-restarting on the node",
        "updates": "no dnf or yum on the node",
    }


@pytest.mark.parametrize("module", [module, crm_mon])
def test_the_module_is_one_for_python_2_7_too(module):
    """Newton to Stein run on CentOS 7, where Ansible's modules run under Python 2.7."""
    tree = ast.parse(inspect.getsource(module))
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.YieldFrom, ast.AsyncFunctionDef)
    displays = [node for node in ast.walk(tree) if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict)]
    assert not any(part is None or isinstance(part, ast.Starred) for node in displays for part in _parts(node))
    assert [type(node).__name__ for node in ast.walk(tree) if isinstance(node, newer)] == []
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert functions and not any(each.returns or each.args.kwonlyargs for each in functions)
    assert not any(argument.annotation for each in functions for argument in each.args.args)
    assert not any(isinstance(node, ast.Raise) and node.cause for node in ast.walk(tree))


def _parts(display):
    """What a display is made of; in a dict, None stands for the key of what is unpacked."""
    return display.keys if isinstance(display, ast.Dict) else display.elts
