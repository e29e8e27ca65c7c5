"""Facts in a plan: written, read back, bound by the digest, and as old plans have them."""

from dataclasses import replace

import pytest

from tripleo_update_plugin.adapters import documents
from tripleo_update_plugin.errors import BadPlan
from tripleo_update_plugin.overcloud.facts import Cluster, Facts
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
        ),
    ),
    unclustered=frozenset({"controller-2"}),
    failed={"controller-0": ("httpd",)},
    pending_reboot=frozenset({"compute-0"}),
    updates={"compute-0": 12, "compute-2": 0},
    unanswered={"compute-0": {"reboot": "exit code 3"}},
)
PLAN = plan_update(an_overcloud(Compute=(5, ["nova_compute"])), a_catalogue(), facts=FULL)


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
        {"clusters": (replace(FULL.clusters[0], quorum=False),)},
    ],
)
def test_the_digest_binds_every_fact(change):
    assert replace(PLAN, facts=replace(FULL, **change)).digest != PLAN.digest


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("managed_by", {"controller-0": {"mysql": "nobody"}}),
        ("clusters", [{"seen_from": "controller-0"}]),
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
