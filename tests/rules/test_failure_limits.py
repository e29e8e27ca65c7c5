import pytest

from tripleo_update_plugin.errors import BadPolicy
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.failure_limits import Cap, MaxFailed, caps_of, names_in
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import a_catalogue, an_overcloud

CLOUD = an_overcloud(Controller=(3, ["mysql", "keystone"]), Compute=(8, ["nova_compute"]))
LIMITS = {"update": 3, "roles": {"Compute": 2}, "services": {"mysql": 0}}


def planned(overcloud=CLOUD, **policy):
    return plan_update(overcloud, a_catalogue(), parse_policy(policy), Facts())


def test_a_plan_has_the_roles_that_have_the_services():
    kept = planned(max_failed=LIMITS).policy["max_failed"]
    assert kept == {
        "update": 3, "roles": {"Compute": 2}, "services": {"mysql": {"most": 0, "roles": ["Controller"]}}
    }  # fmt: skip
    assert caps_of(kept) == (
        Cap(most=2, roles=frozenset({"Compute"}), whose="of role Compute"),
        Cap(most=0, roles=frozenset({"Controller"}), whose="with mysql"),
        Cap(most=3, others=True),
    )
    assert set(names_in(kept)) == {"Compute", "mysql", "Controller"}


@pytest.mark.parametrize(("given", "kept"), [(None, 0), (0, 0), (2, 2), ({"update": 2}, 2), ({"roles": {}}, 0)])
def test_one_number_stays_one_number(given, kept):
    assert planned(max_failed=given).policy["max_failed"] == kept


def test_where_the_whole_has_no_limit_nodes_of_which_none_speaks_may_not_fail():
    assert MaxFailed.parse({"roles": {"Compute": 2}}).update is None
    [_, others] = caps_of({"roles": {"Compute": 2}})
    assert others.most == 0 and others.counts("Controller") and others.counts("") and not others.counts("Compute")


def test_only_where_roles_are_told_apart_a_plan_says_of_which_role_a_node_is():
    both = an_overcloud(Compute=(4, ["nova_compute"]), ComputeHCI=(4, ["nova_compute", "ceph_client"]))
    for limits in (2, {"update": 3, "roles": {"Compute": 2}}):
        plan = planned(both, max_failed=limits)
        mixed = [batch for batch in plan.batches if len(batch.roles) > 1]
        assert mixed and all(bool(batch.members) == isinstance(limits, dict) for batch in mixed)
        assert not any(batch.members for batch in plan.batches if batch not in mixed)
        assert Plan.from_dict(plan.to_dict()) == plan
    node = mixed[0].members["ComputeHCI"][0]
    assert mixed[0].role_of(node) == "ComputeHCI"
    assert sorted(sum(mixed[0].members.values(), ())) == sorted(mixed[0].nodes)


@pytest.mark.parametrize(
    "data",
    [
        None, True, -1, "1", 1.5, {"more": 1}, {"update": "1"}, {"update": None}, {"roles": [1]},
        {"roles": {"Compute": None}}, {"services": {"mysql": 1}}, {"services": {"mysql": {"most": 1}}},
        {"services": {"mysql": {"roles": ["Controller"]}}}, {"services": {"mysql": {"most": 1, "roles": [1]}}},
        {"services": {"mysql": {"most": 1, "roles": "Controller"}}},
    ],
)  # fmt: skip
def test_what_is_no_limit_is_refused(data):
    with pytest.raises(ValueError, match="max_failed"):
        caps_of(data)


@pytest.mark.parametrize(
    ("limits", "words"),
    [({"roles": {"Computer": 1}}, "no role 'Computer'"), ({"services": {"mysqld": 1}}, "no node has the service")],
)
def test_names_that_nothing_has_are_refused(limits, words):
    with pytest.raises(BadPolicy, match=words):
        planned(max_failed=limits)
