"""What nodes say, as a command shows it and as a plan takes it."""

import pytest
from test_commands import NODES, Cloud

from tripleo_update_plugin.commands.facts import COLUMNS, ListFacts
from tripleo_update_plugin.commands.plan import PlanUpdate
from tripleo_update_plugin.errors import ContradictingFacts, FactsMissing, Infeasible
from tripleo_update_plugin.testing import FakeMistral

STRANGER = {"seen_from": NODES[-1], "quorum": True, "members": {"x-0": "online"}, "remotes": {}, "resources": {}}


@pytest.fixture
def cloud():
    return Cloud()


def rows(table):
    columns, lines = table
    assert columns == COLUMNS
    return {line[0]: dict(zip(columns, line, strict=True)) for line in lines}


def test_every_node_has_a_row(cloud):
    cloud.mistral = FakeMistral(
        nodes=NODES[1:],
        silent=NODES[:1],
        facts={
            "leaders": {"mysql": "controller-1"},
            "pending_reboot": ["compute-1"],
            "updates": {"compute-1": 3},
            "failed": {"controller-0": ["httpd"]},
            "unanswered": {"controller-0": {"updates": "no answer in time"}},
        },
    )
    table, said = cloud(ListFacts, "--stack", "overcloud")
    found = rows(table)
    assert (said, cloud.command.exit_code) == ("", 0)
    assert {name: row["state"] for name, row in found.items()} == {
        name: "does not answer" if name == NODES[0] else "up" for name in NODES
    }
    assert found["controller-1"]["leads"].human_readable() == "mysql"
    assert (found["compute-1"]["reboot pending"], found["compute-1"]["updates"]) == ("yes", 3)
    assert found["controller-0"]["failed"].machine_readable() == ["httpd"]
    assert found["controller-0"]["did not tell"].human_readable() == "updates (no answer in time)"


def test_the_states_are_those_of_the_cluster(cloud):
    view = {**STRANGER, "members": {"controller-0": "standby", "controller-1": "online"}}
    cloud.mistral = FakeMistral(nodes=NODES, facts={"clusters": [view], "unclustered": ["controller-2"]})
    found = rows(cloud(ListFacts, "--stack", "overcloud")[0])
    assert [found[f"controller-{i}"]["state"] for i in range(3)] == ["standby", "online", "cluster stopped"]


def test_the_cluster_is_told_in_a_line_and_what_is_wrong_with_it_with_its_remedy(cloud):
    view = {
        **STRANGER, "members": {"controller-0": "online", "controller-1": "offline"}, "fencing": True,
        "fenced": {"controller-1": {"action": "reboot", "status": "success", "completed": "noon"}},
        "failures": {"galera": ["galera-bundle-1"]},
    }  # fmt: skip
    cloud.mistral = FakeMistral(nodes=NODES, facts={"clusters": [view]})
    _, said = cloud(ListFacts, "--stack", "overcloud")
    assert (
        f"the cluster, seen from {NODES[-1]}: quorum, 1 of 2 members online, fencing on; "
        "last fenced: controller-1 (reboot success, noon)" in said
    )
    assert "'pcs resource cleanup galera' forgets it" in said


def test_a_contradiction_is_shown_and_stops_a_plan_unless_facts_are_left_out(cloud):
    cloud.mistral = FakeMistral(nodes=NODES, facts={"clusters": [STRANGER]})
    _, said = cloud(ListFacts, "--stack", "overcloud")
    assert "Heat: overcloud has no node x-0; nodes: it is a full member of the cluster" in said
    assert cloud.command.exit_code == 1
    with pytest.raises(ContradictingFacts, match="has no node x-0"):
        cloud(PlanUpdate, "--stack", "overcloud")
    (_, batches), said = cloud(PlanUpdate, "--stack", "overcloud", "--no-facts")
    assert batches and "without live facts" in said


def test_a_plan_repeats_what_the_operator_should_know_of_the_nodes(cloud):
    cloud.mistral = FakeMistral(nodes=NODES, facts={"pending_reboot": ["compute-1"]})
    _, said = cloud(PlanUpdate, "--stack", "overcloud")
    assert "warning: a reboot is pending on compute-1" in said


def test_without_an_answer_there_is_nothing_to_show(cloud):
    cloud.mistral = FakeMistral(silent=NODES)
    with pytest.raises(FactsMissing):
        cloud(ListFacts, "--stack", "overcloud")


def test_what_an_update_holds_is_shown_by_facts_and_by_plan(cloud):
    held = {"controller-1": {"state": "out of use", "update": "1234abcd-9", "batch": "batch-2", "since": 0.0}}
    cloud.mistral = FakeMistral(nodes=NODES, facts={"held": held})
    table, _ = cloud(ListFacts, "--stack", "overcloud")
    words = "out of use since 1970-01-01T00:00:00Z by update 1234abcd, batch-2"
    assert rows(table)["controller-1"]["state"] == words
    with pytest.raises(Infeasible, match="mysql: 1 of 3 may be down, 1 down already"):
        cloud(PlanUpdate, "--stack", "overcloud")
    _, said = cloud(PlanUpdate, "--stack", "overcloud", "--limit", "role:Compute")
    assert f"excluded: controller-1: {words}" in said
    assert f"'openstack overcloud update restore' puts back what is out of use: controller-1 is {words}" in said
