from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws.worlds import plan_of, worlds

from tripleo_update_plugin.errors import BadInput
from tripleo_update_plugin.outcome.execution import BatchRun, Execution
from tripleo_update_plugin.outcome.report import report_of
from tripleo_update_plugin.outcome.simulation import (
    Assumptions,
    approvals,
    estimate,
    parse_durations,
    seconds_of,
    simulate,
    timeline,
    troubles,
)
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan.plan import Batch, Impact, Plan
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import a_catalogue, an_overcloud


def batch(id, nodes, after=(), role="Controller", services=(), wave=1):
    impact = {service: Impact(down=1, of=3, allowed=1) for service in services}
    return Batch(id=id, nodes=tuple(nodes), roles=(role,), wave=wave, after=tuple(after), impact=impact)


def plan(*batches, **policy):
    return Plan(
        stack="overcloud", release="wallaby", architecture="none", packaging="containers", outputs_digest="0" * 64,
        outputs={}, policy=policy, facts=Facts(), lower_bound=1, batches=batches, excluded={"x-9": "does not answer"},
    )  # fmt: skip


#: Two lanes: a-1 → a-2 → a-3 of a hundred seconds each, and b-1 → b-2 of a hundred and fifty.
LANES = (
    batch("a-1", ["a-1"], services=["mysql"]),
    batch("b-1", ["b-1", "b-2"], role="Compute"),
    batch("a-2", ["a-2"], after=["a-1"], services=["mysql"]),
    batch("b-2", ["b-3"], after=["b-1"], role="Compute"),
    batch("a-3", ["a-3"], after=["a-2"], services=["mysql"]),
)
PLAN = plan(*LANES)
SECONDS = {each.id: 100.0 if each.id.startswith("a") else 150.0 for each in LANES}


def simulated(plan_=PLAN, fail=(), lost=(), at=(), **more):
    assumed = Assumptions(seconds=SECONDS, failing=troubles(plan_, fail, at), lost=troubles(plan_, lost, at), **more)
    return {step.batch: (step.start, step.end, step.outcome) for step in timeline(plan_, simulate(plan_, assumed))}


def detail(of, plan_=PLAN, fail=(), lost=(), **more):
    assumed = Assumptions(seconds=SECONDS, failing=troubles(plan_, fail), lost=troubles(plan_, lost), **more)
    return next(step.detail for step in timeline(plan_, simulate(plan_, assumed)) if step.batch == of)


def test_batches_that_nothing_orders_run_side_by_side():
    assert simulated() == {
        "a-1": (0, 100, "updated"),
        "b-1": (0, 150, "updated"),
        "a-2": (100, 200, "updated"),
        "b-2": (150, 300, "updated"),
        "a-3": (200, 300, "updated"),
    }


def test_after_a_failure_what_is_under_way_ends_and_nothing_begins():
    assert simulated(fail=["a-1"]) == {
        "a-1": (0, 100, "failed"),
        "b-1": (0, 150, "updated"),
        "b-2": (150, 150, "not reached"),
        "a-2": (None, None, "not reached"),
        "a-3": (None, None, "not reached"),
    }
    assert detail("a-1", fail=["a-1"]) == "the update of a-1 fails"
    assert detail("b-2", fail=["a-1"]) == "not started: batch a-1 failed (1 node, a-1; allowed: 0)"
    assert detail("a-3", fail=["a-1"]) == "comes after batches that did not go well"


def test_a_node_that_fails_beyond_the_budget_ends_its_batch_and_begins_no_other():
    execution = simulate(PLAN, Assumptions(seconds=SECONDS, failing={"b-2": "b-1"}))
    outcomes = {o.node: (o.outcome, o.detail) for o in report_of(PLAN, execution).outcomes}
    assert outcomes["b-2"] == ("failed", "update: the update of b-2 fails")
    assert outcomes["b-3"][0] == "not reached" and outcomes["x-9"] == ("excluded", "does not answer")
    assert execution.state == "ERROR"
    assert detail("a-3", fail=["b-2"]) == "not started: batch b-1 failed (1 node, b-2; allowed: 0)"


def test_an_update_goes_on_without_a_node_that_fails_within_the_budget():
    one = replace(PLAN, policy={"max_failed": 1})
    execution = simulate(one, Assumptions(seconds=SECONDS, failing={"b-2": "b-1"}))
    outcomes = {o.node: o.outcome for o in report_of(one, execution).outcomes}
    assert execution.state == "SUCCESS" and not report_of(one, execution).went_well
    assert {node for node, outcome in outcomes.items() if outcome == "updated"} == {"a-1", "a-2", "a-3", "b-1", "b-3"}
    assert outcomes["b-2"] == "failed"
    assert detail("b-1", one, fail=["b-2"]) == "without b-2: update: the update of b-2 fails"


@pytest.mark.parametrize(
    ("limits", "ends"),
    [({"roles": {"Controller": 1, "Compute": 0}}, "ERROR"), ({"update": 2, "roles": {"Controller": 1}}, "SUCCESS")],
)
def test_a_budget_of_a_role_is_that_of_its_nodes(limits, ends):
    one = replace(PLAN, policy={"max_failed": limits})
    execution = simulate(one, Assumptions(seconds=SECONDS, failing={"a-1": "a-1", "b-2": "b-1"}))
    assert execution.state == ends
    beyond = "not started: batch b-1 failed (1 node of role Compute, b-2; allowed: 0)"
    assert execution.run_of("a-3").error == (beyond if ends == "ERROR" else "")


def test_which_node_of_a_batch_of_several_roles_failed_decides():
    members = {"Controller": ("a-1",), "Compute": ("b-1",)}
    both = Batch(id="a-1", nodes=("a-1", "b-1"), roles=("Controller", "Compute"), wave=1, members=members)
    limits = {"roles": {"Compute": 1}, "services": {"mysql": {"most": 0, "roles": ["Controller"]}}}
    found = {
        node: simulate(plan(both, max_failed=limits), Assumptions(seconds=SECONDS, failing={node: "a-1"})).state
        for node in both.nodes
    }
    assert found == {"a-1": "ERROR", "b-1": "SUCCESS"}


def test_a_lost_node_holds_its_batch_until_the_gate_gives_up():
    found = simulated(lost=["a-1"], patience=1000.0)
    assert found["a-1"] == (0, 1100, "failed")
    assert found["b-2"] == (150, 300, "updated")  # nothing has failed yet
    assert detail("a-1", lost=["a-1"]) == "a-1 does not come back"


def test_other_lanes_go_on_while_fewer_have_failed_than_allowed():
    found = simulated(replace(PLAN, policy={"max_failed": 1}), fail=["a-1"])
    assert found["b-2"] == (150, 300, "updated")
    assert found["a-1"][2] == "failed" and found["a-2"] == (100, 200, "updated")


def test_a_gate_waits_in_vain_for_room_beside_a_node_that_failed():
    lanes = plan(
        batch("a-1", ["a-1"], services=["mysql"]),
        batch("b-1", ["b-1"]),
        batch("b-2", ["b-2"], after=["b-1"], services=["mysql", "redis"]),
        batch("b-3", ["b-3"]),
        batch("b-4", ["b-4"], after=["b-3"], services=["redis"]),
        max_failed=1,
    )
    seconds = {"a-1": 50.0, "b-1": 100.0, "b-2": 100.0, "b-3": 500.0, "b-4": 100.0}
    assumed = Assumptions(
        seconds=seconds, failing={"a-1": "a-1"}, shared=frozenset({"mysql", "redis"}), patience=300.0
    )
    steps = {step.batch: step for step in timeline(lanes, simulate(lanes, assumed))}
    assert (steps["b-2"].start, steps["b-2"].end, steps["b-2"].outcome) == (100, 400, "not reached")
    assert steps["b-2"].detail == "mysql: with the nodes that failed 2 of 3 would be down, 1 may be"
    assert steps["b-4"].outcome == "updated", "there is room for it, and a batch that was never begun has not failed"
    careless = timeline(lanes, simulate(lanes, replace(assumed, shared=frozenset())))
    assert {step.outcome for step in careless} == {"failed", "updated"}


def test_a_node_of_several_batches_fails_where_it_is_said_to():
    twice = plan(batch("a-1", ["a-1"]), batch("a-2", ["a-1", "a-2"], after=["a-1"]), batch("a-3", ["a-3"], ["a-2"]))
    assert simulated(twice, fail=["a-1"])["a-1"][2] == "failed"
    later = simulated(twice, fail=["a-1"], at=["a-2"])
    assert [later[id][2] for id in ("a-1", "a-2", "a-3")] == ["updated", "failed", "not reached"]


def test_a_later_batch_leaves_out_a_node_that_failed():
    twice = plan(batch("a-1", ["a-1"]), batch("b-1", ["b-1"]), batch("a-2", ["a-1"], after=["b-1"]), max_failed=1)
    start, end, outcome = simulated(twice, fail=["a-1"])["a-2"]
    assert start == end and outcome == "updated", "nothing is left to do there"


@pytest.mark.parametrize(("node", "words"), [("a-9", "does not update a-9"), ("x-9", "x-9: does not answer")])
def test_only_nodes_of_the_plan_can_fail(node, words):
    with pytest.raises(BadInput, match=words):
        troubles(PLAN, [node])
    with pytest.raises(BadInput, match="no batch a-7"):
        troubles(PLAN, [], ["a-7"])


@given(worlds())
def test_without_trouble_every_batch_begins_when_the_last_one_before_it_ends(world):
    plan_ = plan_of(replace(world, waived=True))
    seconds = {each.id: 10.0 * (1 + i % 3) for i, each in enumerate(plan_.batches)}
    execution = simulate(plan_, Assumptions(seconds=seconds))
    runs = {run.id: run for run in execution.batches}
    assert execution.state == "SUCCESS"
    assert report_of(plan_, execution).went_well
    assert execution.finished == max((run.finished for run in runs.values()), default=0.0)
    for each in plan_.batches:
        run = runs[each.id]
        assert run.started == max((runs[before].finished for before in each.after), default=0.0)
        assert run.finished == run.started + seconds[each.id]


@given(worlds(), st.data())
def test_no_batch_touches_a_node_once_too_many_have_failed(world, data):
    plan_ = plan_of(replace(world, waived=True))
    if not plan_.nodes:
        return
    nodes = st.lists(st.sampled_from(plan_.nodes), min_size=1, max_size=3)
    plan_ = replace(plan_, policy={**plan_.policy, "max_failed": data.draw(st.integers(0, 3))})
    assumed = Assumptions(
        seconds=seconds_of(plan_),
        failing=troubles(plan_, data.draw(nodes)),
        lost=troubles(plan_, data.draw(nodes)),
        shared=frozenset(data.draw(st.sets(st.sampled_from(["api", "bus", "core", "db", "edge"])))),
    )
    execution = simulate(plan_, assumed)
    results = [(run, each) for run in execution.batches for phase in run.phases for each in phase.nodes.items()]
    failures = [(run.finished, node) for run, (node, result) in results if not result.ok]
    within = len({node for _, node in failures}) <= plan_.policy["max_failed"]
    assert within or execution.state == "ERROR"
    assert not report_of(plan_, execution).went_well
    for run in execution.batches:
        failed = {node for end, node in failures if end <= run.started}
        touched = any(phase.name != "gate_before" for phase in run.phases)
        assert not touched or len(failed) <= plan_.policy["max_failed"]
        for before in plan_.batch(run.id).after:
            assert execution.run_of(before).state == "SUCCESS"
    outcomes = report_of(plan_, execution).outcomes
    assert sorted(o.node for o in outcomes) == sorted([*plan_.nodes, *plan_.excluded])


def test_approvals_on_the_way_are_counted():
    overcloud = an_overcloud(Compute=(4, ["nova_compute"]))
    made = plan_update(overcloud, a_catalogue(), parse_policy({"approve": "every-wave"}), Facts())
    assert approvals(made, simulate(made, Assumptions(seconds=seconds_of(made)))) == made.waves - 1 > 0


def test_durations_of_nodes_go_before_those_of_roles():
    durations = {"default": 7, "roles": {"Controller": 100}, "nodes": {"b-1": 10, "b-2": 20, "a-3": 50}}
    assert seconds_of(PLAN, durations) == {"a-1": 100, "b-1": 20, "a-2": 100, "b-2": 7, "a-3": 50}
    assert seconds_of(replace(PLAN, policy={"durations": durations})) == seconds_of(PLAN, durations)
    assert set(seconds_of(PLAN).values()) == {600.0}


def test_a_batch_takes_as_long_as_its_slowest_node():
    both = plan(replace(LANES[1], roles=("Compute", "Controller")))
    assert seconds_of(both, {"roles": {"Compute": 100, "Controller": 300}, "nodes": {"b-1": 5}}) == {"b-1": 300}


@pytest.mark.parametrize("data", [{"default": 60.5}, {"durations": {"roles": {"A": 1}}}, {"nodes": {"a": 2}}, {}])
def test_durations_that_can_be_read(data):
    assert set(parse_durations(data, "f")) == {"default", "roles", "nodes"}


@pytest.mark.parametrize(
    "data",
    [None, 5, [], {"role": {}}, {"roles": [1]}, {"roles": {"A": 0}}, {"nodes": {"a": -1}}, {"default": "x"},
     {"default": True}, {"default": float("nan")}, {"default": float("inf")}, {"durations": 3}],
)  # fmt: skip
def test_durations_that_cannot(data):
    with pytest.raises(BadInput, match=r"^f: "):
        parse_durations(data, "f")


def ended(*runs):
    batches = tuple(BatchRun(id=id, state=state, started=s, finished=f) for id, state, s, f in runs)
    return Execution(id="x", stack="overcloud", workflow="w", state="SUCCESS", batches=batches)


def test_estimates_are_medians_over_what_went_well():
    first = ended(("a-1", "SUCCESS", 10.0, 40.0), ("a-2", "SUCCESS", 40.0, 90.0), ("b-1", "ERROR", 10.0, 900.0))
    second = ended(("a-1", "SUCCESS", 0.0, 400.0), ("b-2", "SUCCESS", 0.0, 7.0), ("a-3", "RUNNING", 9.0, None))
    assert estimate([(PLAN, first), (PLAN, second)]) == {"Compute": 7.0, "Controller": 50.0}
    assert estimate([(PLAN, first)]) == {"Controller": 40.0}
    assert estimate([]) == {}


def test_a_batch_of_several_roles_counts_only_where_nothing_better_is_known():
    mixed = plan(replace(LANES[0], roles=("Controller", "Database")), LANES[2])
    execution = ended(("a-1", "SUCCESS", 0.0, 500.0), ("a-2", "SUCCESS", 500.0, 530.0))
    assert estimate([(mixed, execution)]) == {"Controller": 30.0, "Database": 500.0}
