import pytest

from tripleo_update_plugin.errors import BadInput
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan.explanation import explain
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import a_catalogue, an_overcloud

CORE = ["pacemaker", "mysql", "nova_conductor"]
OVERCLOUD = an_overcloud(Controller=(3, CORE), Compute=(4, ["nova_compute"]), excluded=["compute-3"])


def explained(node, **policy):
    return explain(plan_update(OVERCLOUD, a_catalogue(), parse_policy(policy), Facts()), node).split("\n")


def test_why_a_node_is_where_it_is():
    assert explained("compute-0") == [
        "compute-0 is in batch-4, wave 4 of 5, together with compute-1",
        "It comes after batch-3 (controller-2): order: nova_conductor before nova_compute",
        "What kept it out of earlier waves, from the first:",
        "  batch-1",
        "  batch-2, batch-3: mysql: 1 of 3 may be down",
        "  batch-4: order: nova_conductor before nova_compute",
        "What kept more nodes out of batch-4: nova_compute: 2 of 4 may be down",
        "It takes down nova_compute 2/4",
    ]


def test_the_first_waits_for_nothing():
    assert explained("controller-0")[:2] == [
        "controller-0 is in batch-1, wave 1 of 5, alone",
        "It waits for nothing",
    ]


def test_with_durations_it_says_when():
    lines = explained("controller-1", durations={"default": 90})
    assert lines[1] == "It begins after 1 min 30 s and takes 1 min 30 s"


def test_a_node_that_is_not_updated():
    assert explained("compute-3") == ["compute-3 is not updated: excluded in the stack (BlacklistedHostnames)"]


def test_a_node_that_is_not_there():
    with pytest.raises(BadInput, match="no node 'compute-9'"):
        explained("compute-9")
