"""Plays that update single services of containerized overclouds."""

from dataclasses import replace

import pytest
import yaml

from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.errors import BadOutputs
from tripleo_update_plugin.playbooks import method
from tripleo_update_plugin.playbooks.single_services import refusal, update
from tripleo_update_plugin.testing import an_overcloud

CATALOGUE = load_catalogue()

PLAYBOOK = """
- import_playbook: common_deploy_steps_playbooks.yaml
  vars: {deploy_target_host: overcloud}
- hosts: Controller
  become: true
  gather_facts: "{{ gather_facts | default(false) }}"
  serial: "{{ update_serial | default(1) }}"
  vars: {container_cli: podman, enable_debug: false}
  tasks:
  - import_tasks: Controller/update_tasks_step0.yaml
"""
START = """
- name: something before
  debug: {msg: ""}
- block:
  - include_role: {name: tripleo_container_manage}
    vars:
      tripleo_container_manage_config: "/var/lib/step_{{ step }}"
      tripleo_container_manage_config_patterns: '*.json'
"""
CONFIG = {"update_steps_playbook": PLAYBOOK, "common_deploy_steps_tasks": START}
RETAG = {"name": "retag", "command": {"argv": ["podman", "tag"]}, "when": "step|int == 2"}
DATA = {
    "Controller": {
        "mysql": {"update_tasks": [RETAG], "docker_config": {"step_2": {"mysql_wait_bundle": {"image": "db:1"}}}},
        "keystone": {
            "docker_config": {
                "step_4": {"keystone_refresh": {"action": "exec"}},
                "step_3": {
                    "keystone": {"image": "registry:5000/keystone:2", "start_order": 2},
                    "keystone_db_sync": {"image": "registry:5000/keystone:2", "start_order": 1},
                },
            },
            "post_update_tasks": [{"name": "after", "debug": {"msg": ""}, "when": "step|int == 1"}],
        },
        "chrony": {"update_tasks": [RETAG]},
    }
}


def overcloud():
    made = an_overcloud(Controller=(3, ["mysql", "keystone", "chrony"]))
    runners = {"Controller": {"mysql": "bundle", "keystone": "container", "chrony": "container"}}
    return replace(made, runners=runners, packaging="containers", architecture="pacemaker-bundles")


def plays(*only, data=DATA, config=CONFIG):
    found = overcloud()
    return update(found, CATALOGUE, config, data, [found.nodes[0].name], only).plays


def names(play):
    return [task["name"] for task in play["tasks"]]


def test_a_play_has_what_the_overcloud_s_own_has_and_what_prepares_it():
    prepare, play = plays("keystone")
    assert prepare == {
        "import_playbook": "common_deploy_steps_playbooks.yaml", "vars": {"deploy_target_host": "overcloud"}
    }  # fmt: skip
    assert play["vars"] == {"container_cli": "podman", "enable_debug": False}
    assert (play["become"], play["any_errors_fatal"]) == (True, True) and "serial" not in play
    assert play["hosts"] == [overcloud().nodes[0].name]


def test_containers_are_made_anew_one_by_one_in_their_order():
    _, play = plays("keystone")
    assert names(play)[:4] == [
        "Pull the images of keystone", "The container keystone_db_sync", "The container keystone",
        "The container keystone_refresh",
    ]  # fmt: skip
    assert play["tasks"][0]["command"]["argv"][1:] == ["pull", "registry:5000/keystone:2"]
    [made] = next(task for task in play["tasks"] if task["name"] == "The container keystone")["block"]
    assert made["include_role"] == {"name": "tripleo_container_manage"}
    assert made["vars"] == {
        "tripleo_container_manage_config": "/var/lib/step_{{ step }}",
        "tripleo_container_manage_config_patterns": "keystone.json",
        "tripleo_container_manage_clean_orphans": False,
        "tripleo_container_manage_config_overrides": {"keystone": {"image": "registry:5000/keystone:2"}},
        "step": "3",
    }


def test_a_service_s_tasks_run_in_every_step_and_no_other_s():
    _, play = plays("keystone")
    assert names(play)[4:] == [f"post_update_tasks of keystone, step {step}" for step in range(4)]
    assert not any("mysql" in name for name in names(play))
    _, play = plays("mysql")
    assert names(play)[:6] == [f"update_tasks of mysql, step {step}" for step in range(6)]
    assert play["tasks"][2]["block"] == [RETAG] and play["tasks"][2]["vars"] == {"step": "2"}


def test_a_bundle_is_restarted_on_the_node_after_it_got_its_image_and_none_of_its_helpers_is_started():
    _, play = plays("mysql")
    assert names(play)[6:] == [
        "Where the bundles run", "Restart the bundles on this node", "The cluster has nothing left to do"
    ]  # fmt: skip
    where, restart, _ = play["tasks"][6:]
    assert where["loop"] == ["galera-bundle"]
    argv = ["crm_resource", "--restart", "--resource", "{{ item.item }}", "--node", "{{ inventory_hostname }}"]
    assert restart["command"]["argv"] == argv and restart["throttle"] == 1


@pytest.mark.parametrize("name", ["../x", "{{ x }}", "*"])
def test_names_that_are_none_are_refused(name):
    bad = {"Controller": {"keystone": {"docker_config": {"step_3": {name: {"image": "a"}}}}}}
    with pytest.raises(BadOutputs, match="none"):
        plays("keystone", data=bad)


@pytest.mark.parametrize("image", ["{{ x }}", "a b", "-v", "{% x %}"])
def test_images_that_are_none_are_refused(image):
    bad = {"Controller": {"keystone": {"docker_config": {"step_3": {"keystone": {"image": image}}}}}}
    with pytest.raises(BadOutputs, match="none"):
        plays("keystone", data=bad)


def paunch():
    [first, play] = yaml.safe_load(PLAYBOOK)
    return {**CONFIG, "update_steps_playbook": yaml.safe_dump([first, {**play, "vars": {"enable_paunch": True}}])}


def test_what_cannot_be_updated_alone_has_a_reason():
    def why(service, config=CONFIG, data=DATA):
        return refusal(overcloud(), config, data, "Controller", service)

    assert why("keystone") == why("mysql") == why("mysql", paunch()) == ""
    assert "cannot start keystone's containers alone" in why("keystone", paunch())
    assert "cannot start keystone's" in why("keystone", {**CONFIG, "common_deploy_steps_tasks": "[]"})
    assert "no container of its own" in why("chrony")
    assert "no data of keystone by itself on role Controller" in why("keystone", data={})
    assert "bundle without update tasks" in why("mysql", data={"Controller": {"mysql": {"docker_config": {}}}})


@pytest.mark.parametrize(
    ("outputs", "more", "expected"),
    [
        ({"RoleConfig": CONFIG}, {"release": "zed"}, method.PLAYBOOK),
        ({"RoleConfig": {**CONFIG, "deploy_steps_tasks": ""}, "RoleData": {"Controller": {"update_tasks": []}}},
         {"release": "pike"}, method.TASKS),
        ({"RoleConfig": {"deploy_steps_tasks": ""}, "RoleData": {"Controller": {}}},
         {"release": "pike", "has_update_tasks": False}, ""),
        ({}, {"release": "newton", "packaging": "packages", "has_update_tasks": False}, method.PACKAGES),
        ({}, {"release": "ocata", "packaging": "containers", "has_update_tasks": False}, ""),
    ],
)  # fmt: skip
def test_each_release_has_its_means(outputs, more, expected):
    assert method.means_of(outputs, replace(overcloud(), **more)) == expected


def test_per_service_data_is_read_only_where_it_is_needed():
    newton = {"EnabledServices": {"Controller": [], "Compute": []}}
    zed = {**newton, "RoleData": {}, "RoleConfig": CONFIG}
    assert method.roles_to_read(newton, ["Controller"]) == []
    assert method.roles_to_read(zed, ["Controller"]) == ["Controller"]
