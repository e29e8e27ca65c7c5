"""Facts of a plan and those of now: what makes the plan worthless, and what is only told."""

import pytest

from tripleo_update_plugin.overcloud.facts import Cluster, Facts, Held
from tripleo_update_plugin.plan.facts_since import broken, changed

HELD = Held(state="out of use", update="12345678-9", batch="batch-2", since=0.0)
IN_WORDS = "out of use since 1970-01-01T00:00:00Z by update 12345678, batch-2"


def cluster(quorum=True, seen_from="a", **members):
    return Cluster(seen_from=seen_from, quorum=quorum, members=members)


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
    ],
)  # fmt: skip
def test_what_breaks_a_plan(now, problems):
    assert list(broken(WHOLE, now)) == problems


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
