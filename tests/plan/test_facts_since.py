"""Facts of a plan and those of now: what makes the plan worthless, and what is only told."""

from dataclasses import replace

import pytest

from tripleo_update_plugin.overcloud.facts import Cluster, Facts, Fencing, Held
from tripleo_update_plugin.plan.facts_since import broken, changed

HELD = Held(state="out of use", update="12345678-9", batch="batch-2", since=0.0)
IN_WORDS = "out of use since 1970-01-01T00:00:00Z by update 12345678, batch-2"


FENCED = {"b": Fencing(action="reboot", status="success", completed="noon")}


def cluster(quorum=True, seen_from="a", **members):
    return Cluster(seen_from=seen_from, quorum=quorum, members=members)


def now_with(down=(), absent=None, **more):
    """As WHOLE, and something more that the cluster says."""
    return Facts(clusters=(replace(WHOLE.clusters[0], **more),), down=frozenset(down), absent=absent or {})


WHOLE = Facts(clusters=(cluster(a="online", b="online", c="online"),), leaders={"mysql": "a", "redis": "b"})


@pytest.mark.parametrize(
    ("now", "problems"),
    [
        (WHOLE, []),
        (Facts(), []),
        (Facts(down=frozenset({"b"})), ["b does not answer"]),
        (Facts(held={"c": HELD}), [f"c is {IN_WORDS}"]),
        (Facts(unclustered=frozenset({"a"})), ["no cluster runs on a"]),
        (Facts(clusters=(cluster(a="online", b="standby"),)), [
            "b is standby in the cluster, seen from a", "c is not a member in the cluster, seen from a"]),
        (Facts(clusters=(cluster(a="online", b="offline", c="online"),), down=frozenset({"b"})), ["b does not answer"]),
        (Facts(clusters=(cluster(quorum=False, a="online", b="online", c="online"),)),
         ["the cluster has no quorum, seen from a"]),
        (Facts(clusters=(cluster(a="online"), cluster(seen_from="b", b="online"))),
         ["the members of the cluster do not see the same: a, b"]),
        (lambda: now_with(maintenance=True), ["the cluster is in maintenance, seen from a"]),
        (lambda: now_with(all_stopped=True),
         ["the cluster keeps everything stopped (stop-all-resources), seen from a"]),
        (lambda: now_with(fenced=FENCED), ["b was fenced (reboot success, noon)"]),
        (lambda: now_with(fenced=FENCED, down=["b"]), ["b does not answer"]),
        (lambda: now_with(absent={"c": {"mysql": "galera-bundle"}}), ["Pacemaker does not run galera-bundle on c"]),
    ],
)  # fmt: skip
def test_what_breaks_a_plan(now, problems):
    assert list(broken(WHOLE, now() if callable(now) else now)) == problems


@pytest.mark.parametrize(
    "more", [{"maintenance": True}, {"all_stopped": True}, {"fenced": FENCED}, {"absent": {"c": {"mysql": "galera"}}}]
)
def test_what_was_so_when_the_plan_was_made_breaks_nothing(more):
    assert list(broken(now_with(**more), now_with(**more))) == []


def test_fencing_that_was_switched_off_since_is_told():
    on, off = now_with(fencing=True), now_with(fencing=False)
    assert list(changed(on, off, [])) == ["fencing is off now (stonith-enabled=false)"]
    assert list(changed(off, off, [])) == list(changed(off, on, [])) == []


def test_what_a_plan_counts_as_down_may_be_down_for_another_reason():
    then = Facts(down=frozenset({"a"}), held={"b": HELD})
    assert list(broken(then, Facts(down=frozenset({"b"}), held={"a": HELD}))) == []


def test_what_does_no_harm_is_told():
    now = Facts(leaders={"mysql": "c", "redis": "c", "ovn_dbs": "a"})
    assert list(changed(Facts(down=frozenset({"x"}), held={"y": HELD}, leaders=WHOLE.leaders), now, ["mysql"])) == [
        "x is back, and is left out all the same", "y is back, and is left out all the same",
        "mysql is led by c, not by a any more",
    ]  # fmt: skip
    assert list(changed(WHOLE, WHOLE, ["mysql", "redis"])) == []
