"""A good plan, broken in one way: the check names that way."""

from dataclasses import replace

import pytest

from tripleo_update_plugin.errors import BadPlan
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan import safety
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.rules.scope import parse_limit
from tripleo_update_plugin.testing import a_catalogue, an_overcloud

OVERCLOUD = an_overcloud(Controller=(3, ["pacemaker", "mysql"]), Compute=(4, ["nova_compute"]))
CIRCLE = "the batches wait for one another in a circle"
PLAN = plan_update(OVERCLOUD, a_catalogue(), facts=Facts())


def problems(plan, overcloud=OVERCLOUD):
    return list(safety.problems(plan, overcloud))


def changed(id, **change):
    return replace(PLAN, batches=tuple(replace(b, **change) if b.id == id else b for b in PLAN.batches))


def batch_of(node):
    return next(batch for batch in PLAN.batches if node in batch.nodes)


def test_the_good_plan_is_good():
    assert problems(PLAN) == []
    assert safety.check(PLAN, OVERCLOUD) is None


def test_a_lost_node():
    broken = replace(PLAN, batches=tuple(b for b in PLAN.batches if b is not batch_of("controller-2")))
    assert problems(broken) == ["node controller-2 is in no batch and not excluded"]


def test_a_node_twice():
    first, last = batch_of("controller-1").id, batch_of("controller-2").id
    broken = changed(last, nodes=("controller-2", "controller-1"))
    assert f"node controller-1 is in batch {first} and in batch {last}" in problems(broken)


def test_a_node_that_is_excluded():
    assert problems(replace(PLAN, excluded={"compute-0": "why"})) == [
        f"node compute-0 is in batch {batch_of('compute-0').id} and excluded"
    ]


def test_a_node_that_is_not_there():
    batch = batch_of("compute-0")
    assert problems(changed(batch.id, nodes=(*batch.nodes, "compute-9"))) == [
        f"batch {batch.id} has compute-9, which the overcloud has not"
    ]


def test_batches_in_a_circle():
    first = batch_of("controller-0")
    assert problems(changed(first.id, after=(batch_of("controller-2").id,))) == [CIRCLE]


def test_a_batch_after_one_that_is_not_there():
    assert problems(changed(PLAN.batches[0].id, after=("batch-99",))) == [CIRCLE]


def test_too_many_in_one_batch():
    broken = changed(batch_of("controller-0").id, nodes=("controller-0", "controller-1"))
    assert any("take 2 of mysql down, 1 of 3 may be" in problem for problem in problems(broken))


def test_too_many_at_the_same_time():
    broken = problems(changed(batch_of("controller-1").id, after=()))
    assert any("take 2 of mysql down, 1 of 3 may be" in problem for problem in broken)
    assert any("pacemaker" in problem for problem in broken)


def test_too_many_with_those_that_are_down_already():
    down = replace(PLAN, facts=Facts(down=frozenset({"controller-0"})))
    assert any("take 2 of mysql down" in problem for problem in problems(down))


def test_an_overcloud_that_has_grown():
    grown = an_overcloud(Controller=(3, ["pacemaker", "mysql"]), Compute=(5, ["nova_compute"]))
    assert problems(PLAN, grown) == ["node compute-4 is in no batch and not excluded"]


def test_check_raises_the_first():
    with pytest.raises(BadPlan, match="compute-9"):
        safety.check(changed(PLAN.batches[0].id, nodes=(*PLAN.batches[0].nodes, "compute-9")), OVERCLOUD)


def test_a_waived_service_may_go_down():
    one = an_overcloud(Controller=(1, ["mysql"]))
    plan = plan_update(one, a_catalogue(), parse_policy({"waivers": [{"service": "mysql", "reason": "x"}]}), Facts())
    assert problems(plan, one) == []
    assert problems(replace(plan, waivers=()), one) != []


def test_a_plan_for_one_service_is_judged_by_that_service():
    plan = plan_update(OVERCLOUD, a_catalogue(), facts=Facts(), limit=parse_limit(["service:mysql"], OVERCLOUD))
    assert problems(plan) == []
    loose = replace(plan, batches=tuple(replace(batch, after=()) for batch in plan.batches))
    assert {problem.split(" of ")[1].split()[0] for problem in problems(loose)} == {"mysql"}


REDIS_FIRST = {"first": "redis", "then": "keystone"}


@pytest.mark.parametrize("promise", ["role", "domain", "order"])
def test_other_promises(promise):
    """A plan edited by hand: half of each role of agents, one failure domain at a time, order between services."""
    roles, policy = {
        "role": ({"Networker": (3, ["neutron_ovs_agent"]), "Compute": (20, ["neutron_ovs_agent"])}, {}),
        "domain": ({"Compute": (2, ["ntp"])}, {"domains": {"east": ["compute-0"], "west": ["compute-1"]}}),
        "order": ({"Api": (2, ["keystone"]), "Database": (2, ["redis"])}, {"order": [REDIS_FIRST]}),
    }[promise]
    overcloud = an_overcloud(**roles)
    catalogue = a_catalogue(neutron_ovs_agent={"kind": "agent"})
    plan = plan_update(overcloud, catalogue, parse_policy(policy), Facts())
    if promise == "role":
        names = overcloud.nodes[20:] + overcloud.nodes[:20]  # all networkers at once
        parts = [names[:11], names[11:22], names[22:]]
        batches = [replace(b, nodes=tuple(n.name for n in part)) for b, part in zip(plan.batches, parts, strict=True)]
    else:
        batches = [
            replace(b, after=tuple(a for a in b.after if plan.batch(a).roles == b.roles and promise == "order"))
            for b in plan.batches
        ]
    assert problems(replace(plan, batches=tuple(batches)), overcloud) != []


def test_batches_beside_a_row_of_others_do_not_add_up():
    overcloud = an_overcloud(Slow=(1, ["keystone"]), Quick=(3, ["keystone"]))
    policy = parse_policy({"durations": {"roles": {"Slow": 900, "Quick": 300}}})
    plan = plan_update(overcloud, a_catalogue(), policy, Facts())
    assert len({batch.after for batch in plan.batches}) > 2
    assert problems(plan, overcloud) == []


def test_a_service_wave_comes_before_what_waits_for_it():
    """An order that a service updated alone meets, and that its nodes as a whole would not."""
    policy = parse_policy({"service_waves": ["nova_compute"], "order": [{"first": "nova_compute", "then": "mysql"}]})
    plan = plan_update(OVERCLOUD, a_catalogue(), policy, Facts())
    assert problems(plan) == []
    wave = {batch.id for batch in plan.batches if batch.only}
    hasty = [replace(b, after=tuple(a for a in b.after if a not in wave)) for b in plan.batches]
    found = problems(replace(plan, batches=tuple(hasty)))
    assert any("has mysql and does not come after" in problem for problem in found)
