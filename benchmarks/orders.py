"""How long updates take by our plans, by the stock order, and role by role under the same budgets."""

from benchmarks.peers import role_by_role, stock
from benchmarks.table import Result, hours
from benchmarks.topologies import Topology, topologies
from tripleo_update_plugin.adapters import extensions
from tripleo_update_plugin.outcome.simulation import Assumptions, seconds_of, simulate
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan.safety import problems
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.catalogue import Catalogue
from tripleo_update_plugin.rules.policy import parse_policy

COLUMNS = (
    "overcloud", "nodes", "orders given up", "waves", "bound", "time", "bound", "batches", "bound",
    "stock: batches", "stock: time", "stock: budgets broken",
    "role by role: batches", "role by role: time", "stock / ours",
)  # fmt: skip


def measure() -> Result:
    catalogue = extensions.load_catalogue()
    rows, in_time, in_batches = [], 0, 0
    for make in topologies(catalogue):
        row, shortest, fewest = _row(make(), catalogue)
        rows.append(row)
        in_time += shortest
        in_batches += fewest
    return Result(
        title="Waves and time",
        columns=COLUMNS,
        rows=rows,
        targets=[
            (f"time equal to its lower bound in all {len(rows)} overclouds (it is in {in_time})", in_time == len(rows)),
            (f"no batch more than any plan needs (so it is in {in_batches})", in_batches == len(rows)),
        ],
        notes=[
            "Times are those of a simulation in which the update of a node takes ten minutes, unless the overcloud "
            "says otherwise. *Stock* is TripleO's own order: role after role, 25 computes at a time, one node of any "
            "other role. It knows no budgets and no failure domains; *budgets broken* counts the services of which it "
            "takes down more than may be. *Role by role* keeps the budgets and knows no order between services.",
            "*Orders given up* contradict others on these nodes. Which of them give way is a choice of the planner, "
            "and the bounds hold for the orders that are left: where there are many, another choice may allow a "
            "shorter plan.",
        ],
    )


def _row(topology: Topology, catalogue: Catalogue) -> tuple[list[object], bool, bool]:
    """The row of one overcloud, and whether its plan meets the bounds of time and of batches."""
    overcloud, policy = topology.overcloud, parse_policy(topology.policy)
    plan = plan_update(overcloud, catalogue, policy, Facts())
    if len(overcloud.nodes) <= 1200:  # the check compares all batches with one another
        for problem in problems(plan, overcloud):
            raise AssertionError(f"{topology.name}: {problem}")
    seconds = simulate(plan, Assumptions(seconds=seconds_of(plan))).finished or 0.0
    theirs, serial = stock(overcloud, plan, policy), role_by_role(overcloud, plan, policy)
    unmet = sum("cannot be met node by node" in warning for warning in plan.warnings)
    row = [
        topology.name, len(overcloud.nodes), unmet,
        plan.waves, plan.lower_bound, hours(seconds), hours(plan.makespan_bound), len(plan.batches), plan.batches_bound,
        theirs.batches, hours(theirs.seconds), theirs.broken, serial.batches, hours(serial.seconds),
        f"{theirs.seconds / seconds:.2f}",
    ]  # fmt: skip
    return row, seconds <= plan.makespan_bound, len(plan.batches) <= plan.batches_bound
