"""Ramps, checkpoints and approvals: they hold at every instant, cost what they say, and no plan is shorter."""

import random
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tripleo_update_plugin.errors import BadPolicy
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan import safety
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import a_catalogue, an_overcloud

from . import checker
from .worlds import overcloud_of, plan_of, worlds

OVERCLOUD = an_overcloud(
    Controller=(3, ["mysql", "keystone"]),
    Compute=(40, ["nova_compute"]),
    Networker=(2, ["neutron_l3"]),
)

steps = st.lists(st.one_of(st.integers(1, 3), st.sampled_from(["10%", "25%", "50%"])), min_size=1, max_size=3)


def planned(overcloud=OVERCLOUD, **policy):
    return plan_update(overcloud, a_catalogue(), parse_policy(policy), Facts())


def nodes_of(plan, role):
    """How many nodes of *role* are in each of its batches, in the order of the plan."""
    return [sum(name.startswith(role) for name in batch.nodes) for batch in plan.batches if role in str(batch.nodes)]


def parsed(**policy):
    made = parse_policy(policy)
    return {key: getattr(made, key) for key in policy}


# Ramps


def test_a_role_begins_with_one_node_and_goes_on_with_more():
    plan = planned(ramp=[1, "10%", "25%"], budgets={"nova_compute": "50%"})
    assert nodes_of(plan, "compute") == [1, 4, 9, 9, 9, 8]
    assert "ramp: 4 of 40 Compute in this step" in plan.batch("batch-4").closed_by
    assert "ramp: 10 of 40 Compute at a time" in " ".join(b.closed_by + str(b.because) for b in plan.batches)


def test_a_ramp_lets_no_more_go_than_budgets_do():
    assert max(nodes_of(planned(ramp=[1, "50%"], budgets={"nova_compute": 3}), "compute")) == 3


def test_a_ramp_says_what_it_costs():
    plan, plain = planned(ramp=[1, "10%"]), planned()
    assert f"the ramp costs {plan.waves - plain.waves} waves: {plan.waves} instead of {plain.waves}" in plan.warnings


@pytest.mark.parametrize("ramp", [[0], ["0%"], ["half"], [], "1", [1.5]])
def test_what_is_no_ramp_is_refused(ramp, tmp_path):
    from tripleo_update_plugin.adapters import documents

    with pytest.raises(BadPolicy, match="ramp"):
        documents.check("policy.json", {"ramp": ramp}, "policy", BadPolicy)


def begun_too_early(world, plan, ramp):
    """Where more nodes of a role may be under way, at some instant, than the ramp lets go, or nodes of two steps."""
    before = checker.ancestors(plan)
    for role in world.roles:
        members = {node for node in world.wanted if node.startswith(f"{role.lower()}-")}
        sizes = [max(1, len(members) * int(size[:-1]) // 100) if isinstance(size, str) else size for size in ramp]
        counts = {batch.id: len(members & set(batch.nodes)) for batch in plan.batches}
        steps_of = {}
        for batch in plan.batches:
            done = sum(counts[id] for id in before[batch.id])
            steps_of[batch.id] = next((k for k in range(len(sizes) - 1) if done < sum(sizes[: k + 1])), len(sizes) - 1)
        for together in checker.antichains(plan):
            going = [batch.id for batch in together if counts[batch.id]]
            taken = {steps_of[id] for id in going}
            if len(taken) > 1 or (taken and sum(counts[id] for id in going) > sizes[taken.pop()]):
                yield f"{role}: {going}"


@given(worlds(), steps)
def test_no_instant_breaks_a_ramp(world, ramp):
    assume(world.waived or not world.short())
    plan = plan_of(world, **parsed(ramp=ramp))
    assert list(begun_too_early(world, plan, ramp)) == []
    assert checker.broken_instants(world, plan) == []
    assert checker.broken_order(world, plan) == []
    assert list(safety.problems(plan, overcloud_of(world))) == []
    assert sorted(plan.nodes) == sorted(world.wanted)
    assert plan.waves >= plan.lower_bound


@given(worlds(), steps, st.data())
def test_safety_sees_a_broken_ramp(world, ramp, data):
    assume(world.waived or not world.short())
    plan = plan_of(world, **parsed(ramp=ramp))
    assume(len(plan.batches) > 1)
    batch = data.draw(st.sampled_from(plan.batches[1:]))
    loose = replace(plan, batches=tuple(replace(b, after=()) if b is batch else b for b in plan.batches))
    assert bool(list(begun_too_early(world, loose, ramp))) <= bool(list(safety.problems(loose, overcloud_of(world))))


# Checkpoints and approvals


def separates(plan: Plan) -> bool:
    """Whether at each approval all batches are before all of its batches, or after some of them."""
    before = checker.ancestors(plan)
    for approval in plan.approvals:
        for batch in plan.batches:
            earlier = all(batch.id in before[id] for id in approval.before)
            later = batch.id in approval.before or any(id in before[batch.id] for id in approval.before)
            if not earlier and not later:
                return False
    return True


def test_a_checkpoint_holds_back_a_role_until_all_others_are_done():
    plan = planned(checkpoints=[{"before": "role:Compute", "reason": "look at the control plane"}])
    (approval,) = plan.approvals
    first = next(i for i, batch in enumerate(plan.batches) if "Compute" in batch.roles)
    assert approval.before == (plan.batches[first].id,)
    assert approval.why == "before role:Compute: look at the control plane"
    assert all(batch.roles == ("Compute",) for batch in plan.batches[first:])
    assert "waits at approval-1, before role:Compute: look at the control plane (batch-" in str(plan)


def test_checkpoints_come_in_the_order_in_which_they_are_given():
    names = ["role:Networker", "role:Compute"]
    for order in (names, names[::-1]):
        plan = planned(checkpoints=[{"before": name} for name in order])
        assert [approval.why for approval in plan.approvals] == [f"before {name}" for name in order]


def test_nodes_of_two_checkpoints_begin_at_neither_before_the_person_was_asked_for_both():
    """The first holds back one of the nodes that the second one does: the other does not begin while it waits."""
    overcloud = an_overcloud(Api=(1, ["keystone"]), Bus=(1, ["rabbitmq"]), Database=(1, ["mysql", "rabbitmq"]))
    waivers = [{"service": "*", "reason": "few nodes"}]
    policy = {"budgets": {"rabbitmq": "100%"}, "waivers": waivers}
    checkpoints = [{"before": "role:Bus"}, {"before": "service:rabbitmq"}]
    plan = planned(overcloud, **policy, checkpoints=checkpoints)
    assert separates(plan) and list(safety.problems(plan, overcloud)) == []
    assert [approval.why for approval in plan.approvals] == ["before role:Bus; before service:rabbitmq"]


def test_a_checkpoint_before_nodes_that_are_not_updated_is_not_asked():
    overcloud = an_overcloud(Api=(1, ["ntp"]), Bus=(1, ["ntp"]), Compute=(1, ["ntp"]), excluded=["bus-0"])
    plan = planned(overcloud, checkpoints=[{"before": "role:Bus"}, {"before": "role:Compute"}])
    assert [approval.why for approval in plan.approvals] == ["before role:Compute"]


def test_where_waves_are_approved_batches_are_in_the_order_of_their_waves():
    """Nodes that may begin at once and are spread over later waves: they would be listed behind what waits for them."""
    overcloud = an_overcloud(Api=(2, ["keystone"]), Bus=(1, ["keystone", "ntp"]), Compute=(4, ["ntp"]))
    domains = {"east": ["api-1", "bus-0", "compute-0", "compute-1", "compute-3"]}
    plan = planned(overcloud, budgets={"keystone": 1}, domains=domains, approve="every-wave")
    assert [batch.wave for batch in plan.batches] == sorted(batch.wave for batch in plan.batches)
    assert [batch.id for batch in plan.batches] == [f"batch-{i + 1}" for i in range(len(plan.batches))]
    assert separates(plan)


def test_a_checkpoint_before_everything_is_asked_at_once():
    plan = planned(an_overcloud(Compute=(2, ["nova_compute"])), checkpoints=[{"before": "service:nova_compute"}])
    assert [approval.before for approval in plan.approvals] == [("batch-1",)]


@pytest.mark.parametrize("name", ["role:Compute-2", "service:nova_api"])
def test_a_checkpoint_before_what_is_not_there_is_refused(name):
    with pytest.raises(BadPolicy, match=name.partition(":")[2]):
        planned(checkpoints=[{"before": name}])


@given(worlds(), st.data())
def test_nothing_begins_while_a_person_is_asked(world, data):
    assume(world.waived or not world.short())
    names = [f"role:{role}" for role in world.roles]
    names += [f"service:{service}" for service in sorted(set().union(*world.services.values()))]
    chosen = data.draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    approve = data.draw(st.sampled_from(["never", "every-wave", *(["after-canary"] if world.canary else [])]))
    plan = plan_of(world, **parsed(checkpoints=[{"before": name} for name in chosen]), approve=approve)
    assert separates(plan)
    assert checker.broken_instants(world, plan) == []
    assert checker.broken_order(world, plan) == []
    assert list(safety.problems(plan, overcloud_of(world))) == []
    waits = {id for approval in plan.approvals for id in approval.before}
    if approve == "every-wave":
        assert {b.wave for b in plan.batches if b.id in waits} >= set(range(2, plan.waves + 1))
    if approve == "after-canary" and len(plan.batches) > 1:
        assert {b.id for b in plan.batches if b.wave == 2} <= waits


@given(worlds(), st.data())
def test_safety_sees_an_approval_that_does_not_part_the_batches(world, data):
    assume(world.waived or not world.short())
    plan = plan_of(world, approve="every-wave")
    assume(plan.approvals)
    batch = data.draw(st.sampled_from(plan.batches[1:]))
    loose = replace(plan, batches=tuple(replace(b, after=b.after[1:]) if b is batch else b for b in plan.batches))
    assert separates(loose) or list(safety.problems(loose, overcloud_of(world)))


@settings(max_examples=30)
@given(worlds(orders=5), st.integers(0, 2**16).map(random.Random))
def test_wishes_do_not_depend_on_the_order_of_what_heat_says(world, shuffle):
    wishes = parsed(ramp=[1, "50%"], checkpoints=[{"before": f"role:{sorted(world.roles)[-1]}"}])
    world = replace(world, waived=True)
    assert plan_of(world, shuffle, **wishes) == plan_of(world, **wishes)


# Extra variables


@pytest.mark.parametrize("value", ["{{ lookup('pipe', 'id') }}", "<% $.x %>", ["a", {"b": "{% if %}"}], {"{# c": 1}])
def test_extra_variables_are_no_expressions(value):
    with pytest.raises(BadPolicy, match="looks like an expression"):
        parse_policy({"extra_vars": {"ok": "plain", "bad": value}})


def test_extra_variables_are_bound_by_the_plan():
    plan = planned(extra_vars={"reboot": True})
    assert plan.policy["extra_vars"] == {"reboot": True}
    assert plan.digest != planned().digest
