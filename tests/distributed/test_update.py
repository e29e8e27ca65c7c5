"""An update that the parts of Mistral carry out while each is killed in turn; the nodes' own notes are the judge."""

import json
import time

import pytest

from distributed.undercloud import Undercloud
from faults import judge
from faults.witness import Witness

pytestmark = [pytest.mark.functional, pytest.mark.slow, pytest.mark.distributed]

_LONGEST = 900.0  # seconds; an update takes 100 on an idle machine

#: Two of each lane: what is done after the kill has to be right as well.
_NODES = [f"overcloud-{role}-{number}" for role in ("controller", "cephstorage") for number in (0, 1)]

#: What is killed, and for how many seconds it stays away.
KILLS = [
    ("nothing", 0.0), ("executor-1", 2.0), ("executor-2", 2.0), ("engine-1", 2.0), ("engine-2", 2.0), ("api", 10.0),
    ("rabbitmq", 10.0), ("mariadb", 15.0),
]  # fmt: skip


def update(cloud: Undercloud, name: str, seconds_away: float) -> tuple[str, dict, list, list]:
    """(how it ended, its plan, what the nodes noted, who was at work where) of an update in which *name* is killed.

    The kill comes when nodes of two lanes are at work, which is what has most to lose.
    """
    plan, began = planned(cloud)
    with Witness(cloud.operator.state.nodes) as witness:
        id = cloud.operator.start("plan.json")
        if name != "nothing":
            _wait_for_lanes(cloud, began)
            cloud.restart(name, seconds_away)
        state = cloud.operator.wait_while(id, ("RUNNING",), _LONGEST)
    return state, plan, noted(cloud, began), witness.spans


def planned(cloud: Undercloud) -> tuple[dict, float]:
    """A saved plan of two nodes of each lane, and when it was made. Nobody is asked who leads."""
    limits = [f"--limit=node:{node}" for node in _NODES]
    return cloud.operator.plan("plan.json", "--no-facts", *limits), time.time()


def noted(cloud: Undercloud, since: float) -> list:
    return [note for note in cloud.operator.notes() if note["time"] >= since]


def judged(plan: dict, notes: list, spans: list, again: tuple[str, ...] = ()) -> list[str]:
    """All that is wrong with an update of all nodes."""
    budgets = judge.budgets_of(plan)
    return [
        *judge.once(notes, _NODES, again), *judge.beyond_budget(notes, budgets), *judge.left_out(notes),
        *judge.at_once(spans, plan),
    ]  # fmt: skip


def _wait_for_lanes(cloud: Undercloud, began: float) -> None:
    """Returns when nodes of both lanes have something out of use at once."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        complaints = " ".join(judge.left_out(noted(cloud, began)))
        if all(role in complaints for role in ("on overcloud-controller", "on overcloud-cephstorage")):
            return
        time.sleep(0.1)
    raise AssertionError("the two lanes were not at work at once")


@pytest.mark.parametrize(("name", "seconds_away"), KILLS)
def test_each_node_is_updated_once_whoever_is_killed(whole: Undercloud, name, seconds_away):
    state, plan, notes, spans = update(whole, name, seconds_away)
    assert state == "SUCCESS"
    assert judged(plan, notes, spans) == []
    assert {node for node, *_ in spans} >= set(_NODES)


def test_lanes_go_beside_one_another(whole: Undercloud):
    plan = json.loads((whole.operator.state.folder / "plan.json").read_text())
    firsts = [batch["nodes"] for batch in plan["batches"] if not batch["after"]]
    assert len(firsts) == 2, firsts


def test_both_executors_had_work_and_neither_knows_of_the_others_folder(whole: Undercloud):
    for name, work in whole.work.items():
        requests = [json.loads(path.read_text()) for path in work.glob("jobs/*/*.batch-*/request.json")]
        assert requests, f"{name} had nothing to do"
        assert {tuple(each["config_files"]) for each in requests} == {(str(work.parent / "mistral.conf"),)}


def test_one_executor_probes_an_update(whole: Undercloud):
    newest = json.loads(whole.operator.must("list", "-f", "json"))[0]
    probers = [work for work in whole.work.values() if (work / "jobs" / newest["id"] / "probes").exists()]
    assert len(probers) == 1


def test_the_report_is_of_the_whole_update(whole: Undercloud):
    newest = json.loads(whole.operator.must("list", "-f", "json"))[0]
    shown = json.loads(whole.operator.must("report", "-f", "json", newest["id"]))
    updated = {row["node"] for row in shown if row["outcome"] == "updated" and row["started"] and row["finished"]}
    assert updated == set(_NODES)


def test_an_executors_machine_that_dies_with_all_it_does_costs_one_command_at_most(whole: Undercloud):
    plan, began = planned(whole)
    with Witness(whole.operator.state.nodes) as witness:
        id = whole.operator.start("plan.json")
        _wait_for_lanes(whole, began)
        whole.lose("executor-1")
        try:
            state = whole.operator.wait_while(id, ("RUNNING",), 300)
            if state != "SUCCESS":
                done = whole.operator.update("retry", "--yes", id)
                assert done.returncode == 0, done.stderr
                state = whole.operator.wait_while(id, ("RUNNING",), _LONGEST)
        finally:
            whole.servers["executor-1"].start()
    assert state == "SUCCESS"
    assert judged(plan, noted(whole, began), witness.spans, again=tuple(_NODES)) == []
