import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml

from tripleo_update_plugin.adapters import ansible, tripleo_common
from tripleo_update_plugin.errors import PhaseFailed
from tripleo_update_plugin.playbooks import pike

PLAYBOOK = """
- hosts: Compute
  serial: "{{ update_serial | default(1) }}"
  tasks:
  - import_tasks: Compute/update_tasks_step0.yaml
"""


def stack_outputs(**more):
    names = ["Cmp-0.ctlplane.localdomain", "cmp-1.ctlplane.localdomain"]
    return {
        "EnabledServices": {"Compute": ["nova_compute"]},
        "RoleData": {"Compute": {"update_tasks": [{"name": "step 0", "command": "true", "when": "step|int == 0"}]}},
        "RoleConfig": {"update_steps_playbook": PLAYBOOK},
        "RoleNetHostnameMap": {"Compute": {"ctlplane": names}},
        "RoleNetIpMap": {"Compute": {"ctlplane": ["192.0.2.1", "192.0.2.2"]}},
        "ServerIdData": {"server_ids": {"Compute": ["id-0", "id-1"]}, "bootstrap_server_id": "id-0"},
        **more,
    }


class HeatWithOneStack:
    """A heatclient that knows one stack without software deployments; nobody may read its outputs a second time."""

    def __init__(self):
        self.stacks = SimpleNamespace(environment=lambda name: {"parameter_defaults": {}})
        self.resources = SimpleNamespace(list=lambda *_, **__: [])


def download(outputs, folder):
    return tripleo_common.download(HeatWithOneStack(), "overcloud", outputs, folder, "admin")


@pytest.mark.parametrize("more", [{"RoleGroupVars": {"Compute": {"x": 1}}}, {}], ids=["rocky and later", "queens"])
def test_the_playbook_finds_its_files_and_the_nodes(tmp_path, more):
    folder = tmp_path / "with.a.dot"
    folder.mkdir(mode=0o700)
    playbook, inventory = download(stack_outputs(**more), folder)
    shown = subprocess.run(
        [ansible.find_ansible(), "-i", inventory, "--list-hosts", "--list-tasks", "--limit", "cmp-0", playbook],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "cmp-0" in shown and "cmp-1" not in shown and "step 0" in shown
    compute = yaml.safe_load(inventory.read_text())["Compute"]
    assert compute["hosts"]["cmp-1"]["ansible_host"] == "192.0.2.2"
    assert compute["vars"]["ansible_ssh_user"] == "admin"


@pytest.mark.parametrize("empty", [None, {"ctlplane": []}, {"ctlplane": None}])
def test_a_role_without_nodes_is_in_nobody_s_way(tmp_path, empty):
    outputs = stack_outputs()
    for key in ("RoleNetHostnameMap", "RoleNetIpMap"):
        outputs[key] = {**outputs[key], "CephStorage": empty}
    outputs["ServerIdData"]["server_ids"]["CephStorage"] = []
    outputs["RoleData"]["CephStorage"] = {"update_tasks": []}
    _, inventory = download(outputs, tmp_path)
    assert set(yaml.safe_load(inventory.read_text())["Compute"]["hosts"]) == {"cmp-0", "cmp-1"}


def test_outputs_that_cannot_be_written_are_told_without_them(tmp_path):
    broken = stack_outputs(RoleNetIpMap={})
    with pytest.raises(PhaseFailed, match="configuration of stack overcloud could not be written: KeyError"):
        download(broken, tmp_path)


def test_pike_s_tasks_are_run_step_by_step_on_the_nodes_asked_for(tmp_path):
    """Really run: its tasks ask for step and role_name, and write down what they were given."""
    note = {"name": "note", "lineinfile": {"path": str(tmp_path / "notes"), "create": True,
            "line": "{{ inventory_hostname }} {{ role_name }} update {{ step }}"}}  # fmt: skip
    deploy = yaml.safe_dump(
        [{**note, "lineinfile": {**note["lineinfile"], "line": "{{ inventory_hostname }} deploy {{ step }}"}}]
    )
    outputs = stack_outputs(
        RoleData={"Compute": {"update_tasks": [{**note, "when": "step|int in [0, 5]"}]}},
        RoleConfig={"deploy_steps_tasks": deploy},
    )
    playbook, inventory = download(outputs, tmp_path)
    own = ansible.write_playbook(pike.plays_of_tasks(["Compute"]), playbook.with_name("own.yaml"))
    subprocess.run(
        [ansible.find_ansible(), "-i", inventory, "-e", "update_serial=1", "-e", "ansible_connection=local",
         "-e", f"ansible_python_interpreter={sys.executable}", "--limit", "cmp-1", own],
        capture_output=True, check=True,
    )  # fmt: skip
    lines = (tmp_path / "notes").read_text().splitlines()
    assert lines == ["cmp-1 Compute update 0", "cmp-1 Compute update 5", *(f"cmp-1 deploy {i}" for i in range(1, 6))]
