from dataclasses import replace

import pytest

from tripleo_update_plugin.outcome.execution import STATES, BatchRun, Execution, NodeResult, PhaseRun, is_final
from tripleo_update_plugin.outcome.report import COLUMNS, report_of, row
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.testing import a_catalogue, an_overcloud
from tripleo_update_plugin.times import iso

PLAN = plan_update(
    an_overcloud(excluded=["compute-4"], Compute=(5, ["nova_compute"])), a_catalogue(), facts=Facts()
)  # batch-1: compute-0, compute-1; batch-2: compute-2, compute-3
FIRST, SECOND = PLAN.batches


def phase(name, state, ok=True, error="", nodes=FIRST.nodes):
    errors = {node: "" if ok else f"{node} broke" for node in nodes}
    results = {node: NodeResult(ok=ok, started=10.0, finished=12.5, error=why) for node, why in errors.items()}
    return PhaseRun(name=name, state=state, error=error, nodes=results)


BEFORE = phase("gate_before", "SUCCESS")
DRAINED = phase("drain", "SUCCESS")


def run_of_first(state, *phases):
    return BatchRun(id=FIRST.id, state=state, started=1.0, phases=phases)


def reported(state, *batches):
    execution = Execution(id="x", stack="overcloud", workflow="w", state=state, batches=batches)
    return report_of(PLAN, execution)


def first_outcome(state, *batches):
    outcome = reported(state, *batches).outcomes[0]
    assert outcome.node == "compute-0"
    return outcome.outcome, outcome.detail


def test_the_plan_used_here_is_the_one_described():
    assert [batch.nodes for batch in PLAN.batches] == [("compute-0", "compute-1"), ("compute-2", "compute-3")]


BROKEN = phase("update", "ERROR", ok=False)
HELPLESS = PhaseRun(name="update", state="ERROR", error="no ansible")
SILENT = PhaseRun(name="gate_after", state="ERROR")
ILL = phase("gate_before", "ERROR", error="mysql is ill")
DRAINING = PhaseRun(name="drain", state="RUNNING")


@pytest.mark.parametrize(
    ("state", "run", "expected"),
    [
        ("SUCCESS", run_of_first("SUCCESS", BEFORE, DRAINED), ("updated", "")),
        ("RUNNING", run_of_first("SUCCESS", BEFORE, DRAINED), ("updated", "")),
        ("CANCELLED", run_of_first("SUCCESS", BEFORE, DRAINED), ("updated", "")),
        ("ERROR", run_of_first("ERROR", BEFORE, DRAINED, BROKEN), ("failed", "update: compute-0 broke")),
        ("ERROR", run_of_first("ERROR", BEFORE, DRAINED, HELPLESS), ("failed", "update: no ansible")),
        ("ERROR", run_of_first("ERROR", BEFORE, DRAINED, SILENT), ("failed", "gate_after")),
        ("ERROR", run_of_first("ERROR", ILL), ("not reached", "mysql is ill")),
        ("RUNNING", run_of_first("RUNNING", BEFORE), ("not reached", "")),
        ("RUNNING", run_of_first("RUNNING", BEFORE, DRAINING), ("under way", "drain")),
        ("PAUSED", run_of_first("RUNNING", BEFORE, DRAINED), ("under way", "drain")),
        ("CANCELLED", run_of_first("RUNNING", BEFORE, DRAINED), ("failed", "the update ended in drain")),
        ("RUNNING", run_of_first("CANCELLED", BEFORE, DRAINED), ("failed", "the update ended in drain")),
        ("RUNNING", run_of_first("WAITING"), ("not reached", "")),
        ("PAUSED", run_of_first("IDLE"), ("not reached", "")),
    ],
)
def test_outcomes(state, run, expected):
    assert first_outcome(state, run) == expected


@pytest.mark.parametrize("state", ["RUNNING", "ERROR", "CANCELLED", "PAUSED"])
def test_a_batch_that_did_not_begin_was_not_reached(state):
    assert first_outcome(state) == ("not reached", "")


def test_excluded_nodes_come_last_with_the_reason():
    outcomes = reported("SUCCESS").outcomes
    assert [o.node for o in outcomes] == [*PLAN.nodes, "compute-4"]
    assert (outcomes[-1].outcome, outcomes[-1].detail) == ("excluded", PLAN.excluded["compute-4"])


def test_only_the_nodes_of_the_failed_batch_have_failed():
    second = replace(run_of_first("ERROR", phase("drain", "ERROR")), id=SECOND.id)
    report = reported("ERROR", run_of_first("SUCCESS"), second)
    assert [o.outcome for o in report.outcomes] == ["updated", "updated", "failed", "failed", "excluded"]
    assert not report.went_well


def test_it_went_well_when_all_is_updated_and_mistral_says_so():
    both = [run_of_first("SUCCESS"), replace(run_of_first("SUCCESS"), id=SECOND.id)]
    assert reported("SUCCESS", *both).went_well
    assert not reported("RUNNING", *both).went_well
    assert not reported("SUCCESS", both[0]).went_well


def test_what_failed_is_counted_against_the_budget():
    one = NodeResult(ok=False, error="broke")
    broken = PhaseRun(name="update", state="SUCCESS", nodes={"compute-0": one, "compute-1": NodeResult(ok=True)})
    within = reported("SUCCESS", run_of_first("SUCCESS", BEFORE, DRAINED, broken))
    assert within.left_behind == ("compute-0",)
    assert within.excess == "batch batch-1 failed (1 node, compute-0; allowed: 0)", "by the plan, which allows none"
    assert report_of(replace(PLAN, policy={"max_failed": 1}), within.execution).excess == ""
    beyond = reported("ERROR", run_of_first("ERROR", BEFORE, DRAINED, BROKEN))
    assert beyond.left_behind == ()
    assert beyond.excess == "batch batch-1 failed (2 nodes, compute-0, compute-1; allowed: 0)"


def test_times_are_those_of_the_node():
    early = PhaseRun(name="drain", state="SUCCESS", nodes={"compute-0": NodeResult(ok=True, started=5.0, finished=6.0)})
    outcome = reported("SUCCESS", run_of_first("SUCCESS", BEFORE, early, phase("update", "SUCCESS"))).outcomes[0]
    assert (outcome.started, outcome.finished, outcome.seconds) == (5.0, 12.5, 7.5)
    assert dict(zip(COLUMNS, row(outcome), strict=True)) == {
        "node": "compute-0",
        "batch": "batch-1",
        "outcome": "updated",
        "started": "1970-01-01T00:00:05Z",
        "finished": "1970-01-01T00:00:12Z",
        "seconds": 7.5,
        "detail": "",
    }


def test_no_time_is_no_text():
    assert iso(None) == ""
    assert reported("RUNNING").outcomes[0].seconds is None


@pytest.mark.parametrize("state", STATES)
def test_an_execution_ends_where_mistral_s_do(state):
    assert is_final(state) == (state in {"SUCCESS", "ERROR", "CANCELLED", "SKIPPED"})


def test_a_state_of_the_future_is_not_the_end():
    assert not is_final("DREAMING")


def test_a_batch_knows_its_phase_and_its_error():
    run = run_of_first("ERROR", BEFORE, PhaseRun(name="drain", state="ERROR", error="why"))
    assert (run.phase, run.error) == ("drain", "why")
    assert (run_of_first("WAITING").phase, run_of_first("WAITING").error) == ("", "")


def test_an_execution_finds_its_batches():
    execution = Execution(id="x", stack="s", workflow="w", state="RUNNING", batches=(run_of_first("RUNNING"),))
    assert execution.run_of("batch-1").state == "RUNNING"
    assert execution.run_of("batch-2") is None
    assert not execution.is_final
