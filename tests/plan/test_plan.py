import json
from dataclasses import replace

import pytest

from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan.plan import Batch, Impact, Plan, takes_down

PLAN = Plan(
    stack="overcloud",
    release="wallaby",
    architecture="pacemaker-bundles",
    packaging="containers",
    outputs_digest="0" * 64,
    outputs={"RoleData": "1" * 16},
    policy={"budgets": {}, "max_failed": 0},
    facts=Facts(down=frozenset({"c-9"}), leaders={"redis": "c-1"}),
    lower_bound=2,
    proved="bound",
    batches=(
        Batch(
            id="batch-1",
            nodes=("c-0",),
            roles=("Controller",),
            wave=1,
            closed_by="mysql: 1 of 3 may be down",
            impact={"mysql": Impact(down=1, of=3, allowed=1)},
        ),
        Batch(
            id="batch-2",
            nodes=("c-1", "c-2"),
            roles=("Compute",),
            wave=2,
            after=("batch-1",),
            because={"batch-1": "mysql: 1 of 3 may be down"},
            only=("mysql",),
        ),
    ),
    excluded={"c-9": "does not answer"},
    waivers=({"service": "redis", "reason": "night"},),
    warnings=("look twice",),
)


@pytest.mark.parametrize("plan", [PLAN, replace(PLAN, facts=None), replace(PLAN, batches=(), excluded={})])
def test_a_plan_survives_json(plan):
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


def test_the_text_an_operator_approves():
    assert str(PLAN) == (
        "overcloud: wallaby, pacemaker-bundles, containers\n"
        "3 nodes in 2 batches, 2 waves (the least possible)\n"
        "\n"
        "id       wave  nodes     roles                 comes after  takes down  closed by\n"
        "batch-1  1     c-0       Controller                         mysql 1/3   mysql: 1 of 3 may be down\n"
        "batch-2  2     c-1, c-2  Compute (only mysql)  batch-1\n"
        "critical path:\n"
        "  batch-1\n"
        "  batch-2: mysql: 1 of 3 may be down\n"
        "excluded: c-9: does not answer\n"
        "waived: redis: night\n"
        "warning: look twice\n"
    )


def test_the_text_owns_up_to_a_plan_that_may_be_too_long():
    assert "2 waves (at least 1 are needed)" in str(replace(PLAN, lower_bound=1, proved="no"))


@pytest.mark.parametrize(
    ("change", "bound"),
    [
        ({"outputs_digest": "2" * 64}, True),
        ({"policy": {"budgets": {}, "max_failed": 1}}, True),
        ({"facts": None}, True),
        ({"facts": Facts()}, True),
        ({"warnings": ()}, False),
        ({"batches": PLAN.batches[:1]}, False),
    ],
)
def test_the_digest_binds_outputs_policy_and_facts(change, bound):
    assert (replace(PLAN, **change).digest != PLAN.digest) is bound
    assert replace(PLAN, **change).key != PLAN.key


def test_nodes_and_batches():
    assert PLAN.nodes == ("c-0", "c-1", "c-2")
    assert PLAN.batch("batch-2").after == ("batch-1",)
    with pytest.raises(KeyError):
        PLAN.batch("batch-3")


def test_takes_down_names_what_is_hit_hardest_first():
    impact = {
        "agents": Impact(down=5, of=10, allowed=5),
        "api": Impact(down=1, of=3, allowed=2),
        "db": Impact(down=1, of=3, allowed=1),
        "ceph": Impact(down=1, of=10, allowed=1),
    }
    assert takes_down(impact) == "agents 5/10, db 1/3, api 1/3 and 1 more"
    assert takes_down({}) == ""


def chained(*batches):
    """A plan of batches (id, seconds, {batch before: reason})."""
    return replace(
        PLAN,
        batches=tuple(
            Batch(id=id, nodes=(f"n-{id}",), roles=("R",), wave=1, seconds=seconds, after=tuple(why), because=why)
            for id, seconds, why in batches
        ),
    )


def test_the_critical_path_is_the_chain_that_ends_last():
    plan = chained(("a", 60, {}), ("b", 90, {}), ("c", 30, {"a": "x", "b": "y"}), ("d", 10, {"a": "z"}))
    assert [batch.id for batch in plan.critical_path] == ["b", "c"]
    assert [batch.id for batch in plan.chain_to("d")] == ["a", "d"]
    assert plan.makespan == 120
    assert "critical path:\n  b\n  c: y\n" in str(plan)


def test_batches_of_a_path_that_wait_for_the_same_are_on_one_line():
    row = [(f"b{i}", 60, {f"b{i - 1}": "slow" if i < 8 else "slower"} if i else {}) for i in range(9)]
    assert "critical path:\n  b0\n  b1, b2, … b7 (7 batches): slow\n  b8: slower\n" in str(chained(*row))


def test_a_plan_without_batches_has_no_path():
    assert chained().critical_path == ()


def test_batches_in_a_circle_take_no_time():
    assert chained(("a", 60, {"b": "x"}), ("b", 60, {"a": "x"})).makespan == 0
