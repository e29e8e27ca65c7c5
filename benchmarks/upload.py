"""A large plan's workbook on its way into a real Mistral: generated, validated, uploaded, and started."""

import time
from itertools import pairwise
from typing import Any

from benchmarks.table import Result
from benchmarks.topologies import composable
from benchmarks.undercloud import undercloud
from tripleo_update_plugin import rollout
from tripleo_update_plugin.adapters import extensions, mistral_parser, workbook_files
from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.workflows import task_shapes, workbook

NODES = 1_000
MOST_SECONDS = 10.0
_SAMPLE = 10  # tasks that Mistral's parser is timed on

#: (what it is, policy): as it is planned by default, and the worst there can be.
PLANS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("budgets of the catalogue", {}),
    ("one compute at a time", {"budgets": {"nova_compute": 1}}),
)


def measure() -> Result:
    catalogue = extensions.load_catalogue()
    rows, targets = [], []
    with undercloud() as (client, _):
        mistral = Mistral(client)
        for name, policy in PLANS:
            plan = plan_update(composable(NODES), catalogue, parse_policy(policy), Facts())
            times = _upload(plan, mistral)
            total = sum(times.values())
            rows.append([name, len(plan.batches), *(f"{t:.2f} s" for t in times.values()), f"{total:.2f} s"])
            rows[-1].append(f"{_full_validation(plan):.0f} s")
            targets.append((f"{len(plan.batches)} batches in under {MOST_SECONDS:.0f} s ({total:.1f} s)", total < 10))
    columns = (
        f"plan of {NODES:,} nodes", "batches", "generate and check", "Mistral validates a task of each shape",
        "upload both workbooks and the plan", "together", "for comparison: Mistral's parser on every task",
    )  # fmt: skip
    return Result(
        title="Workbooks",
        columns=columns,
        rows=rows,
        targets=targets,
        notes=[
            "A real Mistral on loopback and SQLite, freshly set up, ``[api] validation_mode = enabled``. The last "
            f"column is the time its parser takes for {_SAMPLE} tasks of the same workbook, times all of its tasks.",
        ],
    )


def _upload(plan: Plan, mistral: Mistral) -> dict[str, float]:
    """The steps of ``rollout.upload`` by themselves, and then that it starts."""
    times, began = {}, time.perf_counter()
    book = workbook.render(plan)
    small: list[str] = []
    text = workbook_files.checked_definition(book, small.append)
    times["generate"], began = time.perf_counter() - began, time.perf_counter()
    mistral.validate(small[0])
    times["validate"], began = time.perf_counter() - began, time.perf_counter()
    mistral.upload(workbook.STATIC, workbook_files.static_definition())
    mistral.upload(workbook.workbook_name(plan), text, validated=True)
    mistral.save_plan(workbook.workbook_name(plan), plan.to_dict())
    times["upload"] = time.perf_counter() - began
    assert rollout.start(plan, mistral)
    return times


def _full_validation(plan: Plan) -> float:
    """What Mistral's parser would take for the whole, from what it takes for some."""
    book = workbook.render(plan)
    tasks = list(book["workflows"][workbook.WORKFLOW]["tasks"].items())
    # A lone task has no followers to refer to, and nothing to join.
    some = {name: {k: v for k, v in task.items() if k not in ("on-success", "join")} for name, task in tasks[:_SAMPLE]}
    names = list(some)
    for one, other in pairwise(names):
        some[one]["on-success"], some[other]["join"] = [other], "all"
    book["workflows"][workbook.WORKFLOW]["tasks"] = some
    task_shapes.check(book)
    mistral_parser.validate(workbook.to_yaml(task_shapes.representative(book)))  # loads what is loaded once
    began = time.perf_counter()
    mistral_parser.validate(workbook.to_yaml(book))
    return (time.perf_counter() - began) / len(some) * len(tasks)
