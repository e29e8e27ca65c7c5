"""Nodes are asked again while their cluster is changing."""

import pytest

from tripleo_update_plugin.executor.runner.discovering import LOOKS, when_settled
from tripleo_update_plugin.overcloud.facts import Cluster, Facts

WHOLE = Cluster(seen_from="a", quorum=True, members={"a": "online", "b": "online"})
WITHOUT = Cluster(seen_from="b", quorum=True, members={"a": "online", "b": "offline"})
JOINING = Cluster(seen_from="a", quorum=True, members={"a": "online", "b": "pending"})

SETTLED, APART, PENDING = (
    Facts(clusters=views) for views in ((WHOLE,), (WHOLE, WITHOUT), (JOINING,))
)  # fmt: skip


def looked(*answers, no_time=False):
    """(what was told in the end, how long was waited between the looks)."""
    left, waited = list(answers), []
    _, found = when_settled(lambda: (None, left.pop(0)), lambda: no_time, waited.append)
    return found, len(waited)


@pytest.mark.parametrize(
    ("answers", "told", "waits"),
    [
        ([SETTLED], SETTLED, 0),
        ([Facts()], Facts(), 0),
        ([APART, SETTLED], SETTLED, 1),
        ([PENDING, APART, SETTLED], SETTLED, 2),
        ([APART] * LOOKS, APART, LOOKS - 1),
    ],
)
def test_a_cluster_that_is_changing_is_looked_at_again(answers, told, waits):
    assert looked(*answers) == (told, waits)


def test_without_time_the_first_answer_has_to_do():
    assert looked(APART, SETTLED, no_time=True) == (APART, 0)
