from dataclasses import replace

import pytest
from hypothesis import given
from laws.worlds import plan_of, worlds

from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan.comparison import Change, compare, summary
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import a_catalogue, an_overcloud


def planned(controllers=3, computes=4, excluded=(), facts=Facts(), outputs=None, **policy):  # noqa: B008
    overcloud = an_overcloud(
        excluded=excluded,
        Controller=(controllers, ["pacemaker", "mysql"]),
        Compute=(computes, ["nova_compute"]),
    )
    return plan_update(overcloud, a_catalogue(), parse_policy(policy), facts, outputs=outputs)


def changes(before, after):
    return {(change.what, change.names): (change.before, change.after) for change in compare(before, after)}


def test_a_node_that_is_new_and_one_that_is_gone():
    more = changes(planned(), planned(computes=5))
    assert more["nodes new", ("compute-4",)] == ("", "batch-5 (wave 3)")
    fewer = changes(planned(computes=5), planned())
    assert fewer["nodes gone", ("compute-4",)] == ("batch-5 (wave 3)", "")


def test_nodes_that_moved_alike_are_one_change():
    found = changes(planned(computes=40), planned(computes=40, budgets={"nova_compute": 10}))
    moved = {names: places for (what, names), places in found.items() if what == "nodes moved"}
    assert moved[tuple(f"compute-{i}" for i in range(10, 20))] == ("batch-1 (wave 1)", "batch-3 (wave 2)")


def test_a_node_that_is_excluded_now_and_one_that_takes_part_again():
    reason = "excluded: excluded in the stack (BlacklistedHostnames)"
    found = changes(planned(), planned(excluded=["compute-3"]))
    assert found["nodes excluded now", ("compute-3",)][1] == reason
    found = changes(planned(excluded=["compute-3"]), planned())
    assert found["nodes no longer excluded", ("compute-3",)][0] == reason


def test_budgets_tell_their_numbers_and_where_they_are_from():
    found = changes(planned(), planned(budgets={"nova_compute": 1}))
    assert found["budget", ("nova_compute",)] == ("2 of 4 (catalogue: agents)", "1 of 4 (policy: 1)")
    assert found["waves", ()] == ("3", "4")
    assert found["lower_bound", ()] == ("3", "4")


def test_the_rest_of_the_policy_facts_waivers_outputs_and_warnings():
    before = planned(outputs={"RoleData": "1" * 64, "VipMap": "2" * 64}, order=[])
    after = planned(
        facts=Facts(leaders={"mysql": "controller-1"}),
        outputs={"RoleData": "3" * 64, "New": "4" * 64},
        max_failed=2,
        domains={"east": ["compute-0"]},
        order=[{"first": "mysql", "then": "nova_compute"}],
    )
    after = replace(after, warnings=("look twice",), waivers=({"service": "mysql", "reason": "night"},))
    found = changes(before, after)
    assert found["policy max_failed", ()] == ("0", "2")
    assert found["policy order", ()] == ("", "(first: mysql, then: nova_compute)")
    assert found["domain", ("compute-0",)] == ("", "east")
    assert found["leader", ("mysql",)] == ("", "controller-1")
    assert found["output", ("RoleData",)] == ("1" * 12, "3" * 12)
    assert found["output", ("New",)] == ("", "4" * 12)
    assert found["output", ("VipMap",)] == ("2" * 12, "")
    assert found["waiver", ("mysql",)] == ("", "night")
    assert found["warning", ("look twice",)] == ("", "yes")


def test_whether_the_nodes_were_asked():
    assert changes(planned(facts=None), planned())["nodes' facts", ()] == ("not asked", "asked")


def test_batches_with_the_same_nodes_tell_what_else_changed():
    before = planned()
    first, second, *rest = before.batches
    after = replace(before, batches=(first, replace(second, after=(first.id,), closed_by="a whim"), *rest))
    found = changes(before, after)
    assert found == {
        ("comes after", (second.id,)): (", ".join(second.after), first.id),
        ("closed by", (second.id,)): (second.closed_by, "a whim"),
        ("makespan", ()): (str(before.makespan), str(after.makespan)),
    }


def test_a_node_in_several_batches_has_them_all_as_its_place():
    before = planned()
    early = replace(before.batches[0], id="early", nodes=("compute-0",), only=("nova_compute",))
    after = replace(before, batches=(early, *before.batches))
    (change,) = compare(before, after)
    assert change.after == f"early (wave 1, only nova_compute) and {change.before}"


@given(worlds(), worlds())
def test_only_plans_that_do_the_same_have_no_changes(one, other):
    before, after = plan_of(replace(one, waived=True)), plan_of(replace(other, waived=True))
    assert compare(before, before) == ()
    same = [replace(plan, outputs_digest="", outputs={}) for plan in (before, after)]
    assert (compare(before, after) == ()) == (same[0].to_dict() == same[1].to_dict())


@given(worlds(), worlds())
def test_the_other_way_round_it_is_the_same_changes(one, other):
    before, after = plan_of(replace(one, waived=True)), plan_of(replace(other, waived=True))
    there = {(c.names, c.before, c.after) for c in compare(before, after)}
    assert {(c.names, c.after, c.before) for c in compare(after, before)} == there


@pytest.mark.parametrize(
    ("found", "identical", "text"),
    [
        ((), True, "The plans are identical."),
        ((), False, "The plans do the same; what they were made from differs."),
        ((Change(what="budget", names=("mysql",)),), False, "No node is updated at another time."),
        (
            (Change(what="waves", before="1", after="2"), Change(what="nodes new", names=("a", "b"))),
            False,
            "2 nodes new, waves 1 → 2",
        ),
    ],
)
def test_the_summary(found, identical, text):
    assert summary(found, identical) == text
