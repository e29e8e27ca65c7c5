"""The judge of faults: what nodes noted, and what is wrong with it."""

import pytest

from faults import judge

PLAN = {
    "policy": {"budgets": {"mysql": {"max_unavailable": 1}, "oslo_messaging_rpc": {"max_unavailable": 1}}},
    "batches": [{"id": "batch-1", "nodes": ["c-0"]}, {"id": "batch-2", "nodes": ["c-1"]}],
}


def notes(text):
    """Notes from lines "node event service [more]", one second apart."""
    lines = [line.split(maxsplit=3) for line in text.strip().splitlines()]
    return [
        {"time": second, "node": node, "event": event, "service": service, "version": more[0] if more else ""}
        for second, (node, event, service, *more) in enumerate(lines)
    ]


def test_a_node_is_updated_once_service_by_service():
    once = notes("c-0 update mysql\nc-0 update haproxy")
    assert judge.once(once, ["c-0"]) == []
    assert judge.once(once, ["c-0", "c-1"]) == ["c-1 was not updated"]
    assert judge.once(once, []) == ["c-0 was updated, though nobody asked for it"]
    twice = [*once, *notes("c-0 update mysql")]
    assert judge.once(twice, ["c-0"]) == ["c-0: mysql was updated 2 times"]


def test_what_was_broken_off_may_be_done_once_more_but_no_more():
    twice = notes("c-0 update mysql\nc-0 update mysql")
    assert judge.once(twice, ["c-0"], again=["c-0"]) == []
    assert judge.once([*twice, *notes("c-0 update mysql")], ["c-0"], again=["c-0"])


@pytest.mark.parametrize("out", ["stop", "drain"])
def test_a_budget_is_broken_at_the_instant_when_one_more_is_down(out):
    budgets = judge.budgets_of(PLAN)
    kept = notes(f"c-0 {out} mysql\nc-0 start mysql\nc-1 {out} mysql\nc-1 start mysql")
    assert judge.beyond_budget(kept, budgets) == []
    broken = notes(f"c-0 {out} mysql\nc-1 {out} mysql\nc-0 start mysql\nc-1 start mysql")
    assert judge.beyond_budget(broken, budgets) == ["mysql was down on c-0, c-1 at 1 (1 allowed)"]


def test_a_node_that_is_drained_and_stopped_is_down_once_and_what_has_no_budget_is_free():
    fine = notes("c-0 drain oslo_messaging_rpc\nc-0 stop oslo_messaging_rpc\nc-0 stop cron\nc-1 stop cron")
    assert judge.beyond_budget(fine, judge.budgets_of(PLAN)) == []


def test_a_resource_that_is_sent_away_leaves_the_others_of_its_service():
    moved = notes("c-0 drain mysql ip-10 away from c-0\nc-1 stop mysql")
    assert judge.beyond_budget(moved, judge.budgets_of(PLAN)) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("c-0 stop mysql", ["on c-0 still stopped: mysql"]),
        ("c-0 stop mysql\nc-0 start mysql", []),
        ("c-0 stop mysql\nc-1 start mysql", ["on c-0 still stopped: mysql"]),
        ("c-0 drain rabbitmq", ["on c-0 still drained: rabbitmq"]),
        ("c-0 drain rabbitmq\nc-0 revive rabbitmq", []),
        ("c-0 drain rabbitmq\nc-0 stop rabbitmq\nc-0 start rabbitmq", []),
        ("c-1 drain haproxy ip-10 away from c-0", ["on c-0 still without ip-10: haproxy"]),
        ("c-0 drain haproxy ip-10 away from c-0\nc-2 restore haproxy ip-10", []),
        ("c-0 drain haproxy ip-10 away from c-0\nc-0 start haproxy", ["on c-0 still without ip-10: haproxy"]),
        ("c-0 drain haproxy ip-10 away from c-0\nc-0 restore haproxy ip-11", ["on c-0 still without ip-10: haproxy"]),
        ("c-0 drain haproxy ip-10 to c-1", []),
        ("c-0 set ceph_osd noout", ["on Ceph still held by noout: ceph_osd"]),
        ("c-0 set ceph_osd noout\nc-1 unset ceph_osd noout", []),
    ],
)
def test_what_was_taken_out_has_to_be_put_back(text, left):
    assert judge.left_out(notes(text)) == left


def test_two_jobs_of_a_nodes_own_batch_may_not_be_at_work_at_once():
    first, second = ("c-0", "update.batch-1 100", 10.0, 20.0), ("c-0", "update.batch-1 200", 19.0, 30.0)
    assert judge.at_once([first, second], PLAN) == [
        "two jobs were at work on c-0 at 19.0: update.batch-1 100 and update.batch-1 200"
    ]
    after = ("c-0", "restore.batch-1 200", 20.5, 30.0)
    asked_by_another = ("c-0", "drain.batch-2 300", 10.0, 30.0)
    assert judge.at_once([first, after, asked_by_another], PLAN) == []
