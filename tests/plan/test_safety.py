"""A good plan, broken in one way: the check names that way."""

from dataclasses import replace

import pytest

from tripleo_update_plugin.errors import BadPlan
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan import safety
from tripleo_update_plugin.plan.plan import Approval, Batch
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


def waived(overcloud, *services, down=()):
    """The plan for *overcloud* under waivers of these services."""
    policy = parse_policy({"waivers": [{"service": service, "reason": "maintenance"} for service in services]})
    return plan_update(overcloud, a_catalogue(), policy, Facts(down=frozenset(down)))


def one_after_another(plan, *groups):
    """*plan*, edited by hand: its batches are these groups of nodes, each after the one before."""
    ids = [f"batch-{i}" for i in range(len(groups) + 1)]
    batches = (
        Batch(id=ids[i + 1], nodes=tuple(nodes), roles=(), wave=i + 1, after=(ids[i],) if i else ())
        for i, nodes in enumerate(groups)
    )
    return replace(plan, batches=tuple(batches))


def test_a_waived_service_may_go_down():
    one = an_overcloud(Controller=(1, ["mysql"]))
    plan = waived(one, "mysql")
    assert problems(plan, one) == []
    assert problems(replace(plan, waivers=()), one) != []


@pytest.mark.parametrize("waiver", ["mysql", "*"])
@pytest.mark.parametrize(("count", "down"), [(2, ()), (3, ["controller-0"])], ids=["a pair", "one is down"])
def test_a_waived_service_goes_down_one_node_at_a_time(waiver, count, down):
    overcloud = an_overcloud(Controller=(count, ["mysql"]))
    plan = waived(overcloud, waiver, down=down)
    assert [len(batch.nodes) for batch in plan.batches] == [1, 1]
    assert problems(plan, overcloud) == []
    allowed = f"{count // 3} of {count} may be; waived, so one node at a time"
    takes = f"batches that may overlap take {count} of mysql down, {allowed}"
    assert problems(one_after_another(plan, plan.nodes), overcloud) == [takes]
    beside = [replace(batch, after=()) for batch in plan.batches]
    assert problems(replace(plan, batches=tuple(beside)), overcloud) == [takes]


def test_a_waiver_of_everything_covers_only_what_the_plan_needs_it_for():
    mixed = an_overcloud(Controller=(3, ["mysql"]), Compute=(4, ["nova_compute"]), Cache=(1, ["redis"]))
    plan = waived(mixed, "*")
    assert [waiver["services"] for waiver in plan.waivers] == [["redis"]]
    found = problems(one_after_another(plan, plan.nodes), mixed)
    assert "batches that may overlap take 3 of mysql down, 1 of 3 may be" in found
    assert not any("redis" in problem for problem in found)


def test_a_waiver_of_one_service_covers_no_other():
    pair = an_overcloud(Controller=(1, ["mysql", "redis"]))
    plan = waived(pair, "mysql", "redis")
    for left in plan.waivers:
        other = {"mysql": "redis", "redis": "mysql"}[left["service"]]
        claims = {**left, "services": ["mysql", "redis"]}
        found = problems(replace(plan, waivers=(claims,)), pair)
        assert found == [f"batches that may overlap take 1 of {other} down, 0 of 1 may be"]


def test_only_the_policy_waives():
    """The digest binds a plan to its policy, but not to the waivers the plan says it makes use of."""
    one = an_overcloud(Controller=(1, ["mysql"]))
    plan = waived(one, "mysql")
    stricter = replace(plan, policy={**plan.policy, "waivers": []})
    assert problems(stricter, one) == ["batches that may overlap take 1 of mysql down, 0 of 1 may be"]


def test_of_agents_those_down_already_belong_to_the_half_of_their_role_that_may_be():
    overcloud = an_overcloud(Networker=(6, ["neutron_ovs_agent"]), Compute=(20, ["neutron_ovs_agent"]))
    catalogue = a_catalogue(neutron_ovs_agent={"kind": "agent"})
    for down, free in ((["networker-0"], 2), (["networker-0", "networker-1"], 1)):
        plan = plan_update(overcloud, catalogue, facts=Facts(down=frozenset(down)))
        assert problems(plan, overcloud) == []
        networkers = sorted(node for node in plan.nodes if node.startswith("networker"))
        enough, too_many = (
            one_after_another(plan, networkers[:n], *([node] for node in plan.nodes if node not in networkers[:n]))
            for n in (free, free + 1)
        )
        assert problems(enough, overcloud) == []
        says = f"take {free + 1} of neutron_ovs_agent of role Networker down, {free} may be"
        assert problems(too_many, overcloud) == [f"batches that may overlap {says}"]


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


def test_a_plan_without_facts_counts_nobody_as_down():
    plan = plan_update(OVERCLOUD, a_catalogue())
    assert plan.facts is None and problems(plan) == []
    assert problems(one_after_another(plan, plan.nodes)) != []


CONTRADICTION = [{"first": "redis", "then": "keystone"}, {"first": "keystone", "then": "redis"}]


def test_an_order_that_the_plan_says_it_cannot_keep_is_not_asked_for():
    overcloud = an_overcloud(Api=(2, ["keystone"]), Database=(2, ["redis"]))
    plan = plan_update(overcloud, a_catalogue(), parse_policy({"order": CONTRADICTION}), Facts())
    assert problems(plan, overcloud) == []
    assert problems(replace(plan, warnings=()), overcloud) != []


def test_nodes_of_one_batch_are_in_no_order():
    overcloud = an_overcloud(Api=(1, ["keystone"]), Database=(1, ["redis", "ntp"]), Both=(1, ["keystone", "redis"]))
    policy = {"order": [{"first": "redis", "then": "keystone"}], "waivers": [{"service": "*", "reason": "few nodes"}]}
    plan = plan_update(overcloud, a_catalogue(), parse_policy(policy), Facts())
    assert problems(plan, overcloud) == []
    says = "batch batch-1 has nodes with redis and others with keystone, which come later"
    assert says in problems(one_after_another(plan, ["database-0", "api-0"], ["both-0"]), overcloud)
    assert says not in problems(one_after_another(plan, ["both-0"], ["database-0"], ["api-0"]), overcloud)


def test_a_service_wave_wins_against_an_order_that_puts_something_before_it():
    policy = parse_policy({"service_waves": ["mysql"], "order": [{"first": "nova_compute", "then": "mysql"}]})
    plan = plan_update(OVERCLOUD, a_catalogue(), policy, Facts())
    assert problems(plan) == []
    whole = replace(plan, batches=tuple(replace(batch, only=()) for batch in plan.batches))
    assert any("has mysql and does not come after" in problem for problem in problems(whole))


HOSTS = an_overcloud(Api=(3, ["ntp"]), Compute=(8, ["ntp"]), excluded=["compute-6", "compute-7"])
COMPUTES = [f"compute-{i}" for i in range(6)]


def under(policy, *groups, **more):
    """Problems of a plan for HOSTS under *policy* whose computes are updated in groups of these sizes, one by one."""
    plan = plan_update(HOSTS, a_catalogue(), parse_policy(policy), Facts())
    assert problems(plan, HOSTS) == []
    ends = [sum(groups[: i + 1]) for i in range(len(groups))]
    chain = [COMPUTES[end - size : end] for end, size in zip(ends, groups, strict=True)]
    return problems(replace(one_after_another(plan, *chain, *([f"api-{i}"] for i in range(3))), **more), HOSTS)


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ((1, 2, 3), []),
        ((1, 1, 1, 3), []),
        ((2, 1, 3), ["2 nodes of role Compute may begin before 1 are updated, which the ramp forbids"]),
        ((1, 3, 2), ["4 nodes of role Compute may begin before 3 are updated, which the ramp forbids"]),
        ((1, 1, 2, 2), ["4 nodes of role Compute may begin before 3 are updated, which the ramp forbids"]),
    ],
)
def test_no_more_nodes_begin_than_a_ramp_has_come_to(groups, says):
    assert under({"ramp": [1, 2, "50%"]}, *groups) == says


def test_the_last_step_of_a_ramp_is_for_all_that_follow_and_of_the_nodes_that_are_updated():
    assert under({"ramp": [1, "50%"]}, 1, 3, 2) == []
    says = "4 nodes of role Compute may be updated at the same time, the ramp allows 50%"
    assert under({"ramp": [1, "50%"]}, 1, 4, 1) == [says]


def test_services_updated_alone_are_no_step_of_a_ramp():
    policy = parse_policy({"service_waves": ["ntp"], "ramp": [1, 2, "50%"]})
    plan = plan_update(HOSTS, a_catalogue(), policy, Facts())
    assert any(batch.only and len(batch.nodes) > 1 for batch in plan.batches)
    assert problems(plan, HOSTS) == []


NOT_PARTED = "approval-1 does not part the batches: others may begin while it waits"


@pytest.mark.parametrize(
    ("before", "says"),
    [
        (("batch-3",), []),
        (("batch-3", "batch-4"), [NOT_PARTED]),
        (("batch-3", "batch-99"), ["approval-1 is before batch-99, which the plan has not"]),
    ],
)
def test_an_approval_is_before_all_batches_that_are_next(before, says):
    assert under({}, 2, 2, 2, approvals=(Approval(id="approval-1", before=before, why="look"),)) == says


def test_while_a_person_is_asked_nothing_else_may_begin():
    plan = plan_update(HOSTS, a_catalogue(), parse_policy({"approve": "after-canary"}), Facts())
    assert plan.approvals and problems(plan, HOSTS) == []
    loose = replace(plan.batches[-1], after=())
    assert NOT_PARTED in problems(replace(plan, batches=(*plan.batches[:-1], loose)), HOSTS)


@pytest.mark.parametrize("before", ["role:Compute", "service:nova_compute"])
def test_what_a_checkpoint_holds_back_comes_after_an_approval_that_names_it(before):
    plan = plan_update(OVERCLOUD, a_catalogue(), parse_policy({"checkpoints": [{"before": before}]}), Facts())
    assert problems(plan) == []
    held = [f"batch {batch.id} does not wait for the checkpoint before {before}" for batch in plan.batches
            if "Compute" in batch.roles]  # fmt: skip
    assert len(held) == 2
    assert problems(replace(plan, approvals=())) == held
    other = tuple(replace(approval, why="before role:Controller") for approval in plan.approvals)
    assert problems(replace(plan, approvals=other)) == held


RACKS = an_overcloud(Compute=(4, ["ntp"]))
IN_RACKS = {"domains": {"east": ["compute-0", "compute-1"], "west": ["compute-2"]}}


@pytest.mark.parametrize(
    ("overcloud", "policy"),
    [
        (RACKS, IN_RACKS),
        (OVERCLOUD, {"service_waves": ["mysql"]}),
        (OVERCLOUD, {"order": [{"first": "mysql", "then": "nova_compute"}], "ramp": [1, "50%"]}),
    ],
    ids=["domains", "service waves", "order and ramp"],
)
def test_where_a_batch_stands_in_the_list_means_nothing(overcloud, policy):
    plan = plan_update(overcloud, a_catalogue(), parse_policy(policy), Facts())
    assert len(plan.batches) > 1
    assert problems(plan, overcloud) == problems(replace(plan, batches=plan.batches[::-1]), overcloud) == []


def test_batches_of_one_failure_domain_may_overlap_and_of_two_may_not():
    plan = plan_update(RACKS, a_catalogue(), parse_policy(IN_RACKS), Facts())
    beside = one_after_another(plan, ["compute-0"], ["compute-1"], ["compute-2", "compute-3"])
    east, more_east, west = beside.batches
    east_beside_east = (east, replace(more_east, after=()), replace(west, after=(east.id, more_east.id)))
    assert problems(replace(beside, batches=east_beside_east), RACKS) == []
    west_beside_east = (east, more_east, replace(west, after=(east.id,)))
    assert problems(replace(beside, batches=west_beside_east), RACKS) == [
        "batches batch-2 and batch-3 may overlap, in the domains east, west"
    ]


def test_of_nodes_that_are_down_those_without_a_service_are_none_of_its_replicas():
    facts = Facts(down=frozenset({"compute-0"}))
    assert problems(plan_update(OVERCLOUD, a_catalogue(), facts=facts)) == []
