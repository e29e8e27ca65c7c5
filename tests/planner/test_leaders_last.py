"""Leaders go last, where that costs no time."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st
from laws import checker
from laws.worlds import overcloud_of, plan_of, worlds

from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan import safety
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.planner.preferences.leaders_last import moved_twice
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.rules.scope import parse_limit
from tripleo_update_plugin.testing import a_catalogue, an_overcloud

TWO_ROLES = an_overcloud(Controller=(2, ["redis", "haproxy"]), Telemetry=(2, ["redis"]))


def nodes(overcloud=TWO_ROLES, leaders=None, **policy):
    plan = plan_update(overcloud, a_catalogue(), parse_policy(policy), Facts(leaders=leaders or {}))
    return [" ".join(batch.nodes) for batch in plan.batches], plan


def test_a_leader_goes_after_other_roles_that_have_the_service_too():
    assert nodes()[0][0] == "controller-0"
    order, plan = nodes(leaders={"redis": "controller-0"})
    assert order[-1] == "controller-0"
    assert plan.makespan == nodes()[1].makespan


def test_an_update_of_single_services_has_no_leaders_to_put_last():
    limit = parse_limit(["service:haproxy"], TWO_ROLES)
    plan = plan_update(TWO_ROLES, a_catalogue(), facts=Facts(leaders={"redis": "controller-0"}), limit=limit)
    assert [batch.only for batch in plan.batches] == [("haproxy",)] * len(plan.batches)


def test_the_only_node_of_a_role_goes_last_as_well():
    overcloud = an_overcloud(Controller=(1, ["redis"]), Telemetry=(2, ["redis"]))
    order, plan = nodes(overcloud, {"redis": "controller-0"})
    assert order[-1] == "controller-0"
    assert "the leader of redis goes last" in " ".join(plan.batches[-1].because.values())


def test_two_leaders_go_after_all_others():
    overcloud = an_overcloud(Controller=(4, ["redis", "mysql"]))
    order, _ = nodes(overcloud, {"redis": "controller-0", "mysql": "controller-1"})
    assert set(order[:2]) == {"controller-2", "controller-3"}


def test_an_order_between_services_goes_before():
    order, _ = nodes(leaders={"redis": "controller-0"}, order=[{"first": "haproxy", "then": "redis"}])
    assert order[:2] == ["controller-1", "controller-0"]


def test_it_costs_no_time():
    """Half of them go at once: a leader alone at the end would be a third wave."""
    overcloud = an_overcloud(Compute=(4, ["keystone"]))
    order, _ = nodes(overcloud, {"keystone": "compute-0"})
    assert order == ["compute-1 compute-2", "compute-0 compute-3"]


@st.composite
def led_worlds(draw):
    """A world, and who leads some of its services."""
    world = replace(draw(worlds(timed=True)), waived=True)
    assume(world.wanted)
    leaders = {}
    for service in draw(st.sets(st.sampled_from(sorted(set().union(*world.services.values()))), max_size=3)):
        hosts = sorted(world.hosts(service) & world.wanted)
        if hosts:
            leaders[service] = draw(st.sampled_from(hosts))
    return world, leaders


@given(led_worlds())
def test_leaders_cost_no_time_and_break_nothing(led):
    world, leaders = led
    plan, without = plan_of(world, leaders=leaders), plan_of(world)
    assert plan.makespan <= without.makespan
    assert plan.makespan == plan.makespan_bound or plan.proved == "no"
    assert sorted(node for batch in plan.batches for node in batch.nodes) == sorted(world.wanted)
    assert checker.broken_instants(world, plan) == []
    assert checker.broken_order(world, plan) == []
    assert list(safety.problems(plan, overcloud_of(world))) == []


@given(led_worlds())
def test_a_leader_that_goes_one_at_a_time_with_its_service_is_the_last_of_it(led):
    """With a budget of one and no order, nothing is gained by another place."""
    world, leaders = led
    assume(leaders)
    service, leader = sorted(leaders.items())[0]
    world = replace(world, budgets={service: 1}, orders=(), domains={}, canary=False, seconds={})
    plan = plan_of(world, leaders={service: leader})
    before = checker.ancestors(plan)
    mine = next(batch for batch in plan.batches if leader in batch.nodes)
    others = world.hosts(service) & world.wanted - {leader}
    assert all(batch.id in before[mine.id] for batch in plan.batches if others & set(batch.nodes))


def test_a_leader_that_cannot_be_last_moves_twice_and_the_plan_says_so():
    """What its node has must come before what all others have, so the leader goes first."""
    overcloud = an_overcloud(Controller=(1, ["redis", "ntp"]), Telemetry=(2, ["redis", "keystone"]))
    _, plan = nodes(overcloud, {"redis": "controller-0"}, order=[{"first": "ntp", "then": "keystone"}])
    assert "redis moves more than once: its leader controller-0 goes before any other node that has it" in plan.warnings
    assert "moves more than once" not in str(nodes(TWO_ROLES, {"redis": "controller-0"})[1])


@given(worlds(), st.data())
def test_a_plan_says_of_every_leader_that_moves_twice(world, data):
    assume(world.waived or not world.short())
    services = sorted(service for service in world.budgets if world.hosts(service) & world.wanted)
    assume(services)
    service = data.draw(st.sampled_from(services))
    leader = data.draw(st.sampled_from(sorted(world.hosts(service) & world.wanted)))
    plan = plan_of(world, leaders={service: leader})
    own = next(batch.id for batch in plan.batches if leader in batch.nodes)
    earlier = {node for batch in plan.batches if batch.id in checker.ancestors(plan)[own] for node in batch.nodes}
    peers = world.hosts(service) & world.wanted - {leader}
    said = any(warning.startswith(f"{service} moves more than once") for warning in plan.warnings)
    assert said == bool(peers and not peers & earlier)


def test_where_the_greedy_schedule_gets_longer_a_search_finds_one_that_does_not():
    overcloud = an_overcloud(
        Ra=(1, ["redis", "mysql", "haproxy"]), Rb=(4, ["mysql"]), Rc=(1, ["redis", "ovn_dbs"]),
        Rd=(3, ["haproxy", "ovn_dbs", "mysql"]),
    )  # fmt: skip
    leaders = {"mysql": "rd-1", "ovn_dbs": "rc-0", "redis": "ra-0"}
    budgets = {"redis": 1, "mysql": 1, "haproxy": 1, "ovn_dbs": 2}
    policy = {"budgets": budgets, "waivers": [{"service": "*", "reason": "small"}]}
    greedy = nodes(overcloud, leaders, **policy, solver_time=0)[1]
    searched = nodes(overcloud, leaders, **policy)[1]
    assert greedy.makespan == searched.makespan
    services = {node.name: node.services for node in overcloud.nodes}
    assert [service for service, _ in moved_twice(greedy.batches, leaders, services)] == ["redis"]
    assert not list(moved_twice(searched.batches, leaders, services))
