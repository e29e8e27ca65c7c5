import json
from dataclasses import replace

import pytest

from tripleo_update_plugin.outcome.execution import BatchRun, Execution, PhaseRun
from tripleo_update_plugin.outcome.report import report_of
from tripleo_update_plugin.outcome.track import Attempt, Track
from tripleo_update_plugin.outcome.verdicts import (
    COLUMNS,
    DOWNTIME,
    NO_DOWNTIME,
    NOT_PROVED,
    SILENCE,
    Breach,
    Watch,
    Watched,
    row,
    verdicts_of,
)
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.testing import a_catalogue, an_overcloud

PLAN = plan_update(an_overcloud(Compute=(5, ["nova_compute"])), a_catalogue(), facts=Facts())


def phase(name, started, finished):
    return PhaseRun(name=name, state="SUCCESS" if finished else "RUNNING", started=started, finished=finished)


#: Batch 1 from 100 to 140, its update from 110; batch 2 from 140 to 180.
FIRST = BatchRun(
    id="batch-1",
    state="SUCCESS",
    phases=(phase("gate_before", 90.0, 100.0), phase("drain", 100.0, 110.0), phase("update", 110.0, 140.0)),
)
SECOND = BatchRun(
    id="batch-2", state="SUCCESS", phases=(phase("gate_before", 140.0, 142.0), phase("update", 142.0, 180.0))
)
DONE = Execution(
    id="x", stack="s", workflow="w", state="SUCCESS", started=90.0, finished=180.0, batches=(FIRST, SECOND)
)


def track(failing=(), spoiled=(), start=95, end=182):
    made = Track(retry=5.0, period=1.0)
    for at in range(start, end):
        failed = at in failing or at in spoiled
        why = "starved" if at in spoiled else ""
        made.note(Attempt(sent=float(at), succeeded=not failed, seconds=0.02, error="refused", spoiled=why))
    return made


def watch(made, until=182.0, **more):
    return Watch(until=until, ended=True, probes=(Watched(name="web", kind="http", level="get", track=made),), **more)


def verdict(made, execution=DONE, now=200.0, **more):
    [found] = verdicts_of(PLAN, execution, watch(made, **more), now)
    return found


def test_all_answered_is_no_downtime_seen():
    found = verdict(track())
    assert (found.verdict, str(found), found.unproved) == (NO_DOWNTIME, "no downtime seen", 0)


@pytest.mark.parametrize(
    ("failing", "says"),
    [
        (range(120, 125), "downtime of 5.0 s in batch-1 (compute-0, compute-1), update (refused)"),
        (range(150, 151), "downtime of 1.0 s in batch-2 (compute-2, compute-3), update (refused)"),
        ([105, 150], "2.0 s in batch-1 (compute-0, compute-1), drain; batch-2 (compute-2, compute-3), update"),
        (range(183, 184), "in the time after batch-2 (compute-2, compute-3), update"),
    ],
)
def test_downtime_is_blamed_on_what_was_under_way(failing, says):
    found = verdict(track(failing=failing, end=190))
    assert found.verdict == DOWNTIME and says in str(found)


def test_what_still_fails_at_the_end_was_down_until_then():
    assert verdict(track(failing=range(181, 182))).seconds == 1.0


def test_what_failed_before_any_batch_is_blamed_on_none():
    early = replace(DONE, batches=())
    assert "the time before the first batch" in str(verdict(track(failing=[97]), early))


def test_batches_beside_one_another_are_all_named():
    beside = replace(SECOND, phases=(phase("update", 115.0, 180.0),))
    found = verdict(track(failing=[120]), replace(DONE, batches=(FIRST, beside)))
    assert found.places == ("batch-1 (compute-0, compute-1), update", "batch-2 (compute-2, compute-3), update")


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (track(spoiled=range(120, 123)), "not proved for 3.0 s: starved"),
        (track(start=115), "not proved for 14.0 s: the prober had not begun"),
        (Track(retry=5, period=1), "not proved: it was not asked"),
        (track(failing=range(95, 182)), "it had not answered yet"),
    ],
)
def test_what_was_not_seen_is_not_proved(made, says):
    found = verdict(made)
    assert found.verdict == NOT_PROVED and says in str(found)


def test_a_prober_that_was_gone_before_the_end_proves_nothing_of_the_rest():
    found = verdict(track(end=150), until=150.0)
    assert (found.verdict, found.unproved, found.why) == (NOT_PROVED, 30.0, "the prober had ended")


def test_while_nothing_is_touched_nothing_has_to_be_proved():
    """A gate before a batch and the time between two phases change nothing, so it costs nothing to miss them."""
    assert verdict(track(spoiled=[140])).verdict == NO_DOWNTIME
    assert verdict(track(spoiled=[139])).verdict == NOT_PROVED


def test_downtime_goes_before_what_is_not_proved_and_does_not_hide_it():
    found = verdict(track(failing=[120], spoiled=[150, 151]))
    assert found.verdict == DOWNTIME
    assert str(found).endswith("(refused); not proved for 2.0 s: starved")


def test_the_word_of_a_running_prober_may_be_some_seconds_old():
    running = replace(
        DONE, state="RUNNING", finished=None, batches=(FIRST, replace(SECOND, phases=(phase("update", 142.0, None),)))
    )
    fresh = watch(track(end=160), until=160.0)
    alive = replace(fresh, ended=False)
    [found] = verdicts_of(PLAN, running, alive, 160.0 + SILENCE)
    assert found.verdict == NO_DOWNTIME
    [found] = verdicts_of(PLAN, running, alive, 160.0 + SILENCE + 60)
    assert (found.verdict, found.unproved, found.why) == (NOT_PROVED, 60.0, "the prober was gone")


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (None, "no prober has reported"),
        (Watch(until=1.0), "there was nothing to ask"),
        (Watch(until=1.0, error="Heat is away"), "Heat is away"),
    ],
)
def test_without_data_there_is_no_claim(seen, says):
    [found] = verdicts_of(PLAN, DONE, seen, 200.0)
    assert (found.probe, found.verdict) == ("*", NOT_PROVED) and says in str(found)


def test_what_was_seen_before_the_prober_broke_is_not_forgotten():
    broken = replace(watch(track(failing=[120], end=150), until=150.0), ended=False, error="it broke")
    web, everything = verdicts_of(PLAN, DONE, broken, 200.0)
    assert (web.verdict, web.unproved, web.why) == (DOWNTIME, 30.0, "the prober was gone")
    assert (everything.probe, everything.why) == ("*", "it broke")


def test_a_watch_survives_mistral():
    before = watch(track(failing=[120]), breaches=(Breach(probe="web", time=120.0, text="too much", paused=True),))
    assert Watch.from_dict(json.loads(json.dumps(before.to_dict()))) == before


def test_a_row_has_the_figures():
    found = dict(zip(COLUMNS, row(verdict(track(failing=range(120, 130)))), strict=True))
    assert found["kind"] == "http: get" and found["verdict"] == DOWNTIME
    assert (found["requests"], found["failed first attempts"], found["failed in spite of retries"]) == (87, 10, 5)
    assert found["longest gap"] == 11.0 and 0.02 <= found["p99"] <= 0.025 and "batch-1" in found["detail"]
    assert dict(zip(COLUMNS, row(verdict(track())), strict=True))["detail"] == ""


def test_a_breach_is_no_success():
    nodes = [replace(FIRST, id=batch.id) for batch in PLAN.batches]
    well = replace(DONE, batches=tuple(nodes))
    assert report_of(PLAN, well, watch(track()), 200.0).went_well
    breach = Breach(probe="web", time=120.0, text="too much", paused=True)
    report = report_of(PLAN, well, watch(track(), breaches=(breach,), left_out=("SaharaPublic",)), 200.0)
    assert not report.went_well and report.unprobed == ("SaharaPublic",)
