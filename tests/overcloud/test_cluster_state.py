"""What of a cluster's state refuses an update, counts as down or is a warning; each with the command that ends it."""

from dataclasses import replace

import pytest

from tripleo_update_plugin.overcloud import cluster_state, contradictions
from tripleo_update_plugin.overcloud.facts import Cluster, Facts, Fencing
from tripleo_update_plugin.testing import an_overcloud

CLOUD = an_overcloud(Controller=(3, ["pacemaker", "mysql", "haproxy"]), Compute=(2, ["nova_compute"]))
CONTROLLERS = {f"controller-{i}" for i in range(3)}
COMPUTES = {"compute-0", "compute-1"}
VIEW = Cluster(seen_from="controller-0", quorum=True, members=dict.fromkeys(CONTROLLERS, "online"), fencing=True)


def facts(absent=None, **view):
    return Facts(clusters=(replace(VIEW, **view),), absent=absent or {})


def said(known, touched):
    """(contradictions, warnings) of an update of *touched* nodes, and who counts as down for it."""
    known = contradictions.set_aside(CLOUD, known, touched)
    found = [str(each) for each in contradictions.contradictions_of(CLOUD, known, touched)]
    return found, list(contradictions.warnings_of(CLOUD, known, touched)), known.away


def test_a_cluster_that_is_well_says_nothing():
    assert said(facts(), CONTROLLERS | COMPUTES) == ([], [], frozenset())


@pytest.mark.parametrize(
    ("field", "remedy"),
    [
        ("maintenance", "'pcs property set maintenance-mode=false'"),
        ("all_stopped", "'pcs property unset stop-all-resources'"),
    ],
)
def test_what_keeps_the_whole_cluster_still_keeps_out_updates_of_its_nodes_and_no_others(field, remedy):
    [refusal], warnings, _ = said(facts(**{field: True}), {"controller-1"})
    assert refusal.startswith("Heat: Pacemaker looks after services of the nodes; nodes: the cluster, seen from")
    assert refusal.endswith(f"{remedy}.") and warnings == []
    found, [warning], away = said(facts(**{field: True}), COMPUTES)
    assert (found, away) == ([], frozenset()) and f"{remedy} ends that" in warning


def test_a_stopped_cluster_is_not_told_resource_by_resource():
    known = facts({name: {"mysql": "galera-bundle"} for name in CONTROLLERS}, all_stopped=True)
    assert len(said(known, CONTROLLERS)[0]) == 1


def test_an_unmanaged_resource_keeps_out_an_update_of_its_node_and_is_else_a_warning():
    known = facts(troubles={"galera-bundle": {"controller-1": "unmanaged", "controller-2": "unmanaged"}})
    [refusal], warnings, away = said(known, {"controller-0", "controller-1"})
    assert "Heat: controller-1 is to be updated; nodes: the cluster" in refusal
    assert refusal.endswith("'pcs resource manage galera-bundle'.") and away == frozenset()
    assert warnings == ["galera-bundle is unmanaged on controller-2; 'pcs resource manage galera-bundle' ends that"]


@pytest.mark.parametrize("what", ["failed", "blocked"])
def test_what_has_failed_keeps_out_an_update_of_its_node_and_counts_else_as_down(what):
    known = facts(troubles={"galera-bundle": {"controller-1": what}, "redis-bundle": {"controller-1": "unmanaged"}})
    broken, unmanaged = said(known, CONTROLLERS)[0]
    assert f"has galera-bundle {what} there" in broken and "'pcs resource cleanup galera-bundle'" in broken
    assert "'pcs resource manage redis-bundle'" in unmanaged
    found, [warning], away = said(known, COMPUTES)
    assert (found, away) == ([], {"controller-1"})
    assert "counted as down, and left alone: controller-1: the cluster" in warning


def test_a_missing_replica_does_the_same():
    known = facts({"controller-2": {"mysql": "galera-bundle", "haproxy": "haproxy-bundle"}})
    [refusal], _, _ = said(known, CONTROLLERS)
    assert "does not run galera-bundle, haproxy-bundle there" in refusal
    assert "'pcs resource cleanup galera-bundle'" in refusal and "'pcs resource enable galera-bundle'" in refusal
    found, _, away = said(known, {"controller-0", "compute-0"})
    assert (found, away) == ([], {"controller-2"})


def test_a_replica_that_a_ban_keeps_away_has_another_remedy():
    known = facts({"controller-2": {"mysql": "galera-bundle"}}, bans={"galera-bundle": ("controller-2",)})
    [refusal], _, _ = said(known, CONTROLLERS)
    assert refusal.endswith("'pcs resource clear galera-bundle' takes the ban on it away.")


def test_a_fencing_that_is_under_way_is_waited_for_and_one_that_failed_is_told():
    pending = facts(fenced={"controller-1": Fencing(action="reboot", status="pending")})
    [refusal], _, _ = said(pending, {"controller-0"})
    assert "is fencing it (reboot)" in refusal and "Wait" in refusal
    assert said(pending, COMPUTES)[0] == []
    failed = facts(fenced={"controller-1": Fencing(action="off", status="failed", completed="noon")})
    found, [warning], _ = said(failed, CONTROLLERS)
    assert found == [] and "fencing of controller-1 failed (off failed, noon)" in warning
    assert "'pcs stonith history cleanup controller-1'" in warning
    assert said(facts(fenced={"controller-1": Fencing(action="off", status="success")}), CONTROLLERS)[:2] == ([], [])


def test_failures_that_are_over_are_a_warning():
    _, warnings, _ = said(facts(failures={"galera": ("galera-bundle-2", "galera-bundle-10")}), CONTROLLERS)
    assert warnings == [
        "galera has failed on galera-bundle-2, galera-bundle-10 before; 'pcs resource cleanup galera' forgets it"
    ]


@pytest.mark.parametrize(("fencing", "words"), [(True, "on"), (False, "off"), (None, "not told")])
def test_the_cluster_in_a_line(fencing, words):
    cluster = replace(VIEW, fencing=fencing, members={**VIEW.members, "controller-2": "unclean"})
    assert cluster_state.in_words(cluster) == (
        f"the cluster, seen from controller-0: quorum, 2 of 3 members online, fencing {words}"
    )
    assert "no quorum" in cluster_state.in_words(replace(VIEW, quorum=False))
