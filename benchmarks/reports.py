"""What it costs to look at an update of thousands of batches: ``report``, ``show``, and the next look of ``follow``.

The rows that a real Mistral would have of such an update, which would take it days, are written into its database; then
a real Mistral is asked for them over HTTP.
"""

import json
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.table import Result
from benchmarks.topologies import composable
from benchmarks.undercloud import undercloud
from tripleo_update_plugin import rollout
from tripleo_update_plugin.adapters import extensions
from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan.plan import Batch, Plan
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.deadlines import PHASES
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.workflows import workbook

BATCHES = 2_000
MOST_SECONDS = 10.0

#: What Mistral without Keystone calls the project of everything.
_PROJECT = "<default-project>"

#: What executions have that nobody asks for here.
_EMPTY = dict.fromkeys(("spec", "input", "output", "params", "context", "runtime_context"), "{}")


def measure() -> Result:
    plan = plan_update(composable(BATCHES), extensions.load_catalogue(), parse_policy({"budgets": {"nova_compute": 1}}),
                       Facts())  # fmt: skip
    with undercloud() as (client, database):
        rollout.upload(plan, Mistral(client))
        root = _Rows(plan, database).write()
        report, seconds = _timed(lambda: rollout.report(root, Mistral(client)))
        view = Mistral(client)
        _, first = _timed(lambda: view.execution(root, results=False))
        _, again = _timed(lambda: view.execution(root, results=False))
    reached = {outcome.outcome for outcome in report.outcomes}
    return Result(
        title="Reports",
        columns=("batches", "report", "first look of 'follow'", "every further look"),
        rows=[[len(plan.batches), f"{seconds:.1f} s", f"{first:.1f} s", f"{again:.2f} s"]],
        targets=[
            (f"{len(plan.batches)} batches are reported rightly", reached == {"updated"}),
            (f"in under {MOST_SECONDS:.0f} s ({seconds:.1f} s)", seconds < MOST_SECONDS),
        ],
        notes=["A real Mistral on loopback and SQLite; the rows of the update were written into its database."],
    )


def _timed(look: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    return look(), time.perf_counter() - began


class _Rows:
    """What Mistral has of an update that went well: the root, and a task, an execution and five phases a batch."""

    def __init__(self, plan: Plan, database: Path) -> None:
        self._plan, self._database = plan, database
        self._now = time.time() - 10 * len(plan.batches)
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def write(self) -> str:
        """The id of the update."""
        root, workflow = str(uuid.uuid4()), workbook.workflow_name(self._plan)
        begun = self._now
        for batch in self._plan.batches:
            self._batch(batch, root, workflow)
        self._add("workflow_executions_v2", root, workflow, begun, workflow_name=workflow, accepted=0, **_EMPTY)
        with closing(sqlite3.connect(self._database, timeout=60)) as connection, connection:
            for table, rows in self._rows.items():
                columns = dict.fromkeys(column for row in rows for column in row)
                marks = ", ".join(f":{column}" for column in columns)
                insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - our own names
                connection.executemany(insert, [{**columns, **row} for row in rows])
        return root

    def _batch(self, batch: Batch, root: str, workflow: str) -> None:
        task, run = str(uuid.uuid4()), str(uuid.uuid4())
        begun = self._now
        for phase in PHASES:
            self._phase(phase, batch, run)
        self._add("task_executions_v2", task, batch.id, begun, workflow_name=workflow, workflow_execution_id=root)
        self._add("workflow_executions_v2", run, workbook.UPDATE_BATCH, begun, workflow_name=workbook.UPDATE_BATCH,
                  accepted=1, task_execution_id=task, root_execution_id=root, **_EMPTY)  # fmt: skip

    def _phase(self, phase: str, batch: Batch, run: str) -> None:
        task, begun = str(uuid.uuid4()), self._now
        self._now += 1.0
        well = {"ok": True, "started": begun, "finished": self._now, "error": ""}
        output = {"result": {"ok": True, "error": "", "nodes": dict.fromkeys(batch.nodes, well)}}
        self._add("task_executions_v2", task, phase, begun, workflow_name=workbook.UPDATE_BATCH,
                  workflow_execution_id=run)  # fmt: skip
        self._add("action_executions_v2", str(uuid.uuid4()), f"tripleo_update.{phase}", begun, accepted=1,
                  workflow_name=workbook.UPDATE_BATCH, task_execution_id=task, output=json.dumps(output))  # fmt: skip

    def _add(self, table: str, id: str, name: str, begun: float, **more: Any) -> None:
        times = {"created_at": _at(begun), "updated_at": _at(self._now)}
        row = {"id": id, "name": name, "state": "SUCCESS", "project_id": _PROJECT, "scope": "private", **times, **more}
        self._rows.setdefault(table, []).append(row)


def _at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.000000")
