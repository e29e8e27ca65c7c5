"""The sample overcloud has TripleO's shape and is always the same."""

import json
from collections import Counter

import pytest
import yaml

from tripleo_update_plugin.overcloud import outputs as parser
from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.overcloud.captured import hosts_of, is_updatable, made_harmless, vips_of
from tripleo_update_sandbox.overcloud.containers import roles, sample_outputs, secret
from tripleo_update_sandbox.overcloud.services import service
from tripleo_update_sandbox.overcloud.stacks import template

LISTS = ("RoleNetHostnameMap", "RoleNetIpMap")


def test_the_same_arguments_give_the_same_outputs():
    assert sample_outputs() == sample_outputs()
    assert sample_outputs("one") != sample_outputs("two")


def test_outputs_survive_json():
    outputs = sample_outputs()
    assert json.loads(json.dumps(outputs)) == outputs


def test_the_usual_overcloud_has_three_of_each():
    overcloud = parser.parse(sample_outputs(), "overcloud")
    assert [n.name for n in overcloud.nodes if n.role == "Controller"] == [
        f"overcloud-controller-{i}" for i in range(3)
    ]
    assert Counter(node.role for node in overcloud.nodes) == dict.fromkeys(roles(), 3)


def test_it_is_an_overcloud_of_bundles_and_containers():
    overcloud = parser.parse(sample_outputs(), "overcloud")
    assert (overcloud.architecture, overcloud.packaging) == ("pacemaker-bundles", "containers")
    bundles = {s for s, runner in overcloud.runners["Controller"].items() if runner == "bundle"}
    known = {name for name in roles()["Controller"].services if service(name).bundle}
    assert bundles == {*known, "oslo_messaging_notify"}  # which is the broker for RPC by another name


@pytest.mark.parametrize("counts", [(0, 0, 0), (1, 0, 0), (3, 300, 12)])
def test_lists_of_a_role_are_as_long_as_the_role(counts):
    outputs = sample_outputs("x", *counts)
    for role, count in zip(roles(), counts, strict=True):
        for key in LISTS:
            assert {len(values) for values in outputs[key][role].values()} == {count}
        assert len(outputs["ServerIdData"]["server_ids"][role]) == count
        assert len(outputs["AnsibleHostVarsMap"][role]) == count


def test_no_two_nodes_share_an_address():
    addresses = [
        a for role in sample_outputs("x", 9, 170, 40)["RoleNetIpMap"].values() for ips in role.values() for a in ips
    ]
    assert len(addresses) == len(set(addresses))


def test_there_is_a_secret_to_look_for():
    outputs = sample_outputs("overcloud")
    assert outputs["AdminPassword"] == secret("overcloud")
    assert secret("overcloud") in json.dumps(outputs["RoleData"]["Controller"])


def test_every_task_of_an_update_belongs_to_one_step():
    for role in sample_outputs()["RoleData"].values():
        for task in role["update_tasks"] + role["post_update_tasks"]:
            assert task["when"].startswith("step|int == ")


def test_commands_get_names_as_arguments():
    for role in sample_outputs()["RoleData"].values():
        for task in role["update_tasks"] + role["post_update_tasks"]:
            assert "shell" not in task and isinstance(task["command"]["argv"], list)


def test_an_update_is_noted_for_every_service_of_the_role():
    outputs = sample_outputs()
    for name, role in roles().items():
        updates = [t["command"]["argv"] for t in outputs["RoleData"][name]["update_tasks"] if "Update" in t["name"]]
        assert updates == [["sandbox-update", *role.services]]


def test_playbooks_are_yaml_with_a_play_for_each_role():
    plays = yaml.safe_load(sample_outputs()["RoleConfig"]["update_steps_playbook"])
    assert [play["hosts"] for play in plays[1:]] == list(roles())
    assert all(play["any_errors_fatal"] for play in plays[1:])


def test_hosts_come_from_the_outputs():
    hosts = hosts_of(sample_outputs("cloud", 1, 0, 1))
    assert [h.name for h in hosts] == ["cloud-controller-0", "cloud-cephstorage-0"]
    assert "192.168.24.10" in hosts[0].addresses


def test_virtual_addresses_belong_to_leaders():
    assert vips_of(sample_outputs()) == {
        "192.168.24.5": "haproxy",
        "10.0.0.5": "haproxy",
        "172.16.2.5": "haproxy",
        "172.16.1.5": "haproxy",
        "172.16.3.5": "haproxy",
        "172.16.2.6": "redis",
        "172.16.2.7": "ovn_dbs",
    }
    assert vips_of({"VipMap": {"tenant": "", "ctlplane_subnet": "192.168.24.5/24", "v6": "fd00::5"}}) == {
        "fd00::5": "haproxy"
    }


def test_a_template_is_nothing_but_outputs():
    assert template({"a": 1})["outputs"] == {"a": {"value": 1}}


def test_captured_update_tasks_are_replaced():
    captured = sample_outputs()
    captured["RoleData"]["Compute"]["update_tasks"] = [{"command": "reboot"}]
    captured["RoleConfig"]["update_steps_playbook"] = "- hosts: all"
    harmless = made_harmless(captured)
    assert "reboot" not in json.dumps(harmless)
    assert harmless["RoleData"]["Compute"]["docker_config"] == captured["RoleData"]["Compute"]["docker_config"]
    assert "hosts: all" not in harmless["RoleConfig"]["update_steps_playbook"]


@pytest.mark.parametrize("name", ["x\n- hosts: localhost", "{{ lookup('pipe', 'id') }}", "a b", ""])
def test_names_that_would_be_more_in_a_playbook_are_refused(name):
    """These playbooks run on this machine, and captured outputs come from anywhere."""
    captured = sample_outputs()
    as_role = captured | {"RoleData": {name: captured["RoleData"]["Compute"]}}
    with pytest.raises(SandboxError, match="cannot be a name"):
        made_harmless(as_role)
    if name:
        with pytest.raises(SandboxError, match="cannot be a name"):
            made_harmless(captured | {"ServerIdData": {"bootstrap_server_id": name}})


def test_outputs_without_playbooks_can_only_be_planned():
    assert is_updatable(sample_outputs())
    assert not is_updatable({"EnabledServices": {"Controller": ["keystone"]}, "RoleData": {"Controller": {}}})
