"""Facts in a plan: written, read back, bound by the digest, and as old plans have them."""

from dataclasses import replace

import pytest

from tripleo_update_plugin.adapters import documents
from tripleo_update_plugin.errors import BadPlan
from tripleo_update_plugin.overcloud.facts import Cluster, Facts, Fencing, Held
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.testing import a_catalogue, an_overcloud

FULL = Facts(
    down=frozenset({"compute-1"}),
    leaders={"mysql": "controller-0"},
    managed_by={"controller-0": {"mysql": "pacemaker"}},
    clusters=(
        Cluster(
            seen_from="controller-0",
            quorum=True,
            members={"controller-0": "online", "controller-1": "standby"},
            remotes={"compute-0": "online"},
            resources={"galera-bundle": "bundle"},
            fencing=False,
            bans={"ip-10.0.0.5": ("controller-1",)},
            maintenance=True,
            all_stopped=True,
            troubles={"galera-bundle": {"controller-1": "unmanaged"}, "redis-bundle": {"controller-0": "blocked"}},
            failures={"galera": ("galera-bundle-0",)},
            fenced={"controller-1": Fencing(action="reboot", status="success", completed="2026-01-01 10:00:00 +01:00")},
        ),
    ),
    unclustered=frozenset({"controller-2"}),
    failed={"controller-0": ("httpd",)},
    pending_reboot=frozenset({"compute-0"}),
    updates={"compute-0": 12, "compute-2": 0},
    cutting={"compute-0": ("openvswitch",)},
    unanswered={"compute-0": {"reboot": "exit code 3"}},
    aside={"controller-1": "the cluster calls it standby"},
    absent={"controller-0": {"mysql": "galera-bundle"}},
    held={
        "compute-3": Held(
            state="out of use", stack="overcloud", update="1234abcd-9", batch="batch-2", phase="update", since=60.0,
            until=120.0, machine="director", changes=2, processes=("yum (12)",), why="no disk",
        )
    },
)
SEEN = {"seen_from": "controller-0", "quorum": True, "members": {}, "remotes": {}, "resources": {}}
PLAN = plan_update(an_overcloud(Compute=(7, ["nova_compute"])), a_catalogue(), facts=FULL)


def test_facts_are_read_back_as_they_were_written():
    assert Facts.from_dict(FULL.to_dict()) == FULL
    assert Facts.from_dict({}) == Facts()


def test_a_plan_file_holds_them(tmp_path):
    for name in ("plan.json", "plan.yaml"):
        documents.write_plan(PLAN, str(tmp_path / name))
        assert documents.read_plan(str(tmp_path / name)) == PLAN


def test_facts_nobody_knows_of_are_left_out_so_that_older_plans_keep_their_digests():
    assert Facts(down=frozenset({"a"})).to_dict() == {"down": ["a"], "leaders": {}}


@pytest.mark.parametrize(
    "change",
    [
        {"pending_reboot": frozenset()},
        {"managed_by": {}},
        {"updates": {"compute-0": 13, "compute-2": 0}},
        {"unclustered": frozenset({"controller-1"})},
        {"held": {}},
        {"absent": {}},
        {"clusters": (replace(FULL.clusters[0], quorum=False),)},
        *({"clusters": (replace(FULL.clusters[0], **{key: {}}),)} for key in ("troubles", "failures", "fenced")),
        *({"clusters": (replace(FULL.clusters[0], **{key: False}),)} for key in ("maintenance", "all_stopped")),
    ],
)
def test_the_digest_binds_every_fact(change):
    assert replace(PLAN, facts=replace(FULL, **change)).digest != PLAN.digest


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("managed_by", {"controller-0": {"mysql": "nobody"}}),
        ("clusters", [{"seen_from": "controller-0"}]),
        ("clusters", [SEEN | {"maintenance": "true"}]),
        ("clusters", [SEEN | {"troubles": {"galera": {"controller-0": "sad"}}}]),
        ("clusters", [SEEN | {"troubles": {"{{ x }}": {"controller-0": "failed"}}}]),
        ("clusters", [SEEN | {"failures": {"galera": [1]}}]),
        ("clusters", [SEEN | {"fenced": {"controller-0": {"action": "reboot"}}}]),
        ("clusters", [SEEN | {"fenced": {"controller-0": {"action": "a b", "status": "failed"}}}]),
        ("clusters", [SEEN | {"members": {"controller-0": "odd"}}]),
        ("absent", {"controller-0": ["mysql"]}),
        ("updates", {"compute-0": -1}),
        ("pending_reboot", ["<% $ %>"]),
        ("more", 1),
    ],
)
def test_facts_of_another_shape_are_refused(key, value):
    data = PLAN.to_dict()
    data["facts"][key] = value
    with pytest.raises(BadPlan, match="facts"):
        documents.plan_of(data, "plan")


def test_facts_that_say_little_are_written_short():
    facts = Facts(down=frozenset({"b-10", "b-2"}), leaders={"redis": "b-1"})
    assert facts.to_dict() == {"down": ["b-2", "b-10"], "leaders": {"redis": "b-1"}}
    assert Facts.from_dict(facts.to_dict()) == facts
    assert Facts.from_dict({"down": None}) == Facts()


def test_a_node_that_is_held_is_as_good_as_down():
    assert Facts(down=frozenset({"a"}), held={"b": FULL.held["compute-3"]}).away == {"a", "b"}


def test_a_record_says_more_than_a_plan_keeps():
    told = {"state": "failed", "update": None, "services": ["x"], "for_others": [], "since": 60.0, "undercloud": "u"}
    told |= {"batch": 7, "until": "soon", "processes": "yum"}
    assert Held.from_dict(told) == Held(state="failed", since=60.0)
    assert str(Held.from_dict(told)) == "failed since 1970-01-01T00:01:00Z by an update that is not known"


def test_what_a_held_node_sees_and_how_it_is_seen_contradicts_nobody():
    members = {"a": "online", "b": "offline", "c": "online"}
    views = (
        Cluster(seen_from="a", quorum=True, members=members),
        Cluster(seen_from="b", quorum=False, members={"b": "online"}),
        Cluster(seen_from="c", quorum=True, members={**members, "b": "online"}),
    )
    held = {"b": FULL.held["compute-3"]}
    assert [each.seen_from for each in Facts(clusters=views).views] == ["a", "c", "b"], "with quorum first"
    [view] = Facts(clusters=views, held=held).views
    assert (view.seen_from, dict(view.members)) == ("a", {"a": "online", "c": "online"})
