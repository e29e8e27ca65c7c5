"""What an update consists of beyond the nodes is told by the tags of the overcloud's external tasks."""

import pytest

from tripleo_update_plugin.overcloud.external import steps, tags_only


def tasks(*tags):
    return {"external_update_steps_tasks": [{"name": "x", "command": "y", "tags": each} for each in tags]}


def told(config, stack="cloud"):
    """[(when, tag)]; commands have to be whole."""
    found = steps({"RoleConfig": config}, stack)
    start = f"openstack overcloud external-update run --stack {stack} --tags "
    assert all(step.command.startswith(start) and step.why for step in found)
    return [(step.when, step.command.removeprefix(start)) for step in found]


def test_they_are_in_the_order_in_which_they_are_due():
    found = told(tasks("online_upgrade", "ceph", ["ovn"], "container_image_prepare"))
    before = [("before", "container_image_prepare"), ("before", "ovn")]
    assert found == [*before, ("after", "ceph"), ("after", "online_upgrade")]


@pytest.mark.parametrize(
    ("tags", "tag"),
    [(["online_upgrade_nova", "online_upgrade"], "online_upgrade"), ("ovn_image, ovn", "ovn"), (["my", "also"], "my")],
)
def test_of_a_task_s_tags_the_widest_is_named(tags, tag):
    assert [name for _, name in told(tasks(tags))] == [tag]


def test_tasks_in_blocks_count_and_have_the_tags_of_their_block():
    inner = [{"name": "x", "tags": "ovn"}, {"name": "y", "tags": ["always"]}]
    blocks = [{"block": inner, "when": "step|int == 1"}, {"block": [{"tags": "mine"}], "tags": ["ceph"]}]
    assert told({"external_update_steps_tasks": blocks}) == [("before", "ovn"), ("after", "ceph")]


@pytest.mark.parametrize(
    "config",
    [
        None, [], {}, {"external_update_steps_tasks": None}, {"external_update_steps_tasks": {"tags": "ovn"}},
        {"external_update_steps_tasks": "{{ not: [yaml"}, {"external_update_steps_tasks": ["ovn", 7, {"tags": 3}]},
        tasks("always", ["never"], "a; reboot", "--tags", "$(x)"),
    ],
)  # fmt: skip
def test_what_has_no_tags_to_go_by_is_no_step(config):
    assert told(config) == []


def test_tasks_as_text_are_read_as_well():
    assert told({"external_update_steps_tasks": "- {name: x, tags: [ovn]}\n"}) == [("before", "ovn")]


def test_others_see_the_known_tags_alone():
    config = tasks("ovn", ["mine", "ceph"])
    assert tags_only(tasks("ovn", ["mine", "ceph"], "secret")) == [{"tags": ["ceph"]}, {"tags": ["ovn"]}]
    assert told({"external_update_steps_tasks": tags_only(config)}) == told(config)
