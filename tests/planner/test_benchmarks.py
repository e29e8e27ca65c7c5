"""What the benchmarks compare with; what they measure is not for tests."""

import sys
from pathlib import Path

import pytest

from tripleo_update_plugin.adapters import extensions
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy


@pytest.fixture(scope="module")
def benchmarks():
    """The package beside the sources, which is not installed."""
    sys.path.append(str(Path(__file__).parents[2]))
    from benchmarks import peers, table, topologies

    yield peers, table, topologies
    sys.path.pop()


def test_the_composable_overcloud_takes_the_stock_order_26_batches_and_us_ten_waves(benchmarks):
    peers, _, topologies = benchmarks
    overcloud = topologies.roles(
        ControllerOpenstack=3, Database=3, Messaging=3, Networker=3, Compute=100, CephStorage=10
    )
    plan = plan_update(overcloud, extensions.load_catalogue(), facts=Facts())
    assert (plan.waves, plan.lower_bound) == (10, 10)
    assert peers.stock(overcloud, plan, parse_policy({})) == peers.Peer(batches=26, seconds=15600, broken=0)


def test_the_stock_order_knows_no_budgets_and_role_by_role_does(benchmarks):
    peers, _, topologies = benchmarks
    overcloud, policy = topologies.roles(Compute=50), parse_policy({"durations": {"roles": {"Compute": 60}}})
    strict = parse_policy({"budgets": {"nova_compute": 10}, "durations": {"roles": {"Compute": 60}}})
    plan = plan_update(overcloud, extensions.load_catalogue(), strict, Facts())
    assert peers.stock(overcloud, plan, policy) == peers.Peer(batches=2, seconds=120, broken=1)
    assert peers.role_by_role(overcloud, plan, policy) == peers.Peer(batches=5, seconds=300, broken=0)


def test_a_result_owns_up_to_a_target_that_is_missed(benchmarks):
    _, table, _ = benchmarks
    result = table.Result("Title", ("a", "b"), [(1, "x")], [("good", True), ("bad", False)], ["word " * 60])
    assert "good: met\nbad: NOT MET" in table.text(result)
    assert "* Target: bad: NOT MET" in table.rst(result)
    assert max(map(len, table.rst(result).splitlines())) < 120
