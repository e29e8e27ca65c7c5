"""Who counts in a budget: full members of a cluster over all roles, and nodes that are down already."""

import pytest

from tripleo_update_plugin.errors import Infeasible
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.allowances import resolve
from tripleo_update_plugin.rules.policy import Policy
from tripleo_update_plugin.testing import a_catalogue, an_overcloud

#: Seven full members in three roles, and a hundred remote nodes.
SPREAD = an_overcloud(
    Controller=(3, ["pacemaker"]),
    Database=(3, ["pacemaker"]),
    Messaging=(1, ["pacemaker"]),
    Compute=(100, ["pacemaker_remote"]),
)
CATALOGUE = a_catalogue(pacemaker_remote={"kind": "agent"})


def allowance(*down):
    return resolve(Policy(), CATALOGUE, SPREAD, Facts(down=frozenset(down)))["pacemaker"]


def test_quorum_is_of_all_full_members_whatever_their_roles():
    assert (allowance().of, allowance().allowed) == (7, 3)


def test_remote_nodes_have_no_vote():
    found = allowance("compute-0", "compute-1", "compute-2")
    assert (found.of, found.down, found.free) == (7, 0, 3)


def test_members_that_are_down_count_whatever_their_role():
    found = allowance("controller-0", "database-0", "compute-0")
    assert (found.down, found.free) == (2, 1)


@pytest.mark.parametrize(("down", "at_once"), [((), 3), (("messaging-0",), 2), (("messaging-0", "database-0"), 1)])
def test_a_plan_takes_as_many_votes_at_once_as_are_left_to_take(down, at_once):
    plan = plan_update(SPREAD, CATALOGUE, facts=Facts(down=frozenset(down)))
    members = SPREAD.hosts_of("pacemaker")
    waves: dict[int, set[str]] = {}
    for batch in plan.batches:
        waves.setdefault(batch.wave, set()).update(members.intersection(batch.nodes))
    assert max(map(len, waves.values())) == at_once
    assert set().union(*waves.values()) == members - set(down)


def test_no_vote_is_taken_where_the_next_one_ends_the_quorum():
    down = frozenset({"messaging-0", "database-0", "controller-2"})
    with pytest.raises(Infeasible, match="pacemaker: 3 of 7 may be down, 3 down already"):
        plan_update(SPREAD, CATALOGUE, facts=Facts(down=down))
