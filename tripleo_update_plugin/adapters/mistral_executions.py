"""How far is an update? Mistral's executions, tasks and action executions of it, read as one snapshot.

Every listing is read once as a whole; later looks ask only for what has changed since. So a look at an update costs the
same however many batches it has, and however many of them have ended.
"""

import contextlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tripleo_update_plugin.adapters.mistral_pages import everything
from tripleo_update_plugin.errors import ExecutionNotFound, shortened
from tripleo_update_plugin.outcome.execution import SHOWN, BatchRun, Execution, NodeResult, PhaseRun, is_final
from tripleo_update_plugin.workflows.workbook import UPDATE_BATCH, is_batch, stack_of

#: What a listing needs of an execution; its input and parameters may be large.
EXECUTION_FIELDS = "id,workflow_name,state,state_info,created_at,updated_at"

_TASK_FIELDS = "id,name,state,workflow_execution_id,created_at,updated_at,started_at,finished_at"

#: Seconds by which what has changed may be told late: a row has the time at which its transaction began.
_LATE = timedelta(seconds=60)

#: After an update has ended, what it began may still tell its results.
_AFTERMATH = timedelta(days=2)


class Look:
    """The view of one update that gets better with every look."""

    def __init__(self, client: Any, id: str) -> None:
        self._client = client
        self._id = id
        self._listings: dict[str, _Listing] = {}

    def snapshot(self, phases: bool = True, results: bool = True) -> Execution:
        """The update as it is now, with the *phases* of its batches, and what these say of each node if *results*."""
        found = self._client.executions.get(self._id)
        execution = execution_of(found)
        if not execution.stack:
            raise ExecutionNotFound(f"{self._id} is an execution of {execution.workflow}, not an update")
        tasks = self._rows("tasks", self._client.tasks, f"/executions/{self._id}/tasks", fields=_TASK_FIELDS)
        inner = self._phases(found, results) if phases else {}
        return Execution(
            id=execution.id,
            stack=execution.stack,
            workflow=execution.workflow,
            state=execution.state,
            started=execution.started,
            finished=execution.finished,
            error=execution.error,
            batches=tuple(_batch(task, inner.get(task.id, {})) for task in tasks if is_batch(task.name)),
            approval=next((task.name for task in tasks if task.state == "IDLE" and not is_batch(task.name)), ""),
        )

    def _phases(self, root: Any, results: bool) -> dict[str, dict[str, PhaseRun]]:
        """{task of a batch: {phase: as it is}}; of a batch that was begun anew only the last time counts."""
        runs = self._rows(
            "runs", self._client.executions, "/executions", root_execution_id=self._id,
            fields="id,task_execution_id,created_at,updated_at",
        )  # fmt: skip
        span = _span(root)
        tasks = self._rows(
            "phases", self._client.tasks, "/tasks", workflow_name=UPDATE_BATCH, fields=_TASK_FIELDS, **span
        )
        actions = self._actions(span, results)
        last = {run.task_execution_id: run.id for run in runs}
        batch_of = {run: batch for batch, run in last.items()}
        phases: dict[str, dict[str, PhaseRun]] = {}
        for task in tasks:
            if task.workflow_execution_id in batch_of and task.name in SHOWN:
                phases.setdefault(batch_of[task.workflow_execution_id], {})[task.name] = _phase(task, actions)
        return phases

    def _actions(self, span: Mapping[str, str], results: bool) -> dict[str, Any]:
        """{task: its last action execution}; without *results* those that failed have an output, and no others."""
        given = {"workflow_name": UPDATE_BATCH, **span}
        fields = "id,state,task_execution_id,created_at,updated_at"
        manager, path = self._client.action_executions, "/action_executions"
        if results:
            rows = self._rows("results", manager, path, fields=f"{fields},output", **given)
        else:
            rows = self._rows("actions", manager, path, fields=fields, **given)
            told = self._rows("errors", manager, path, fields=f"{fields},output", state="ERROR", **given)
            output = {row.id: row for row in told}
            rows = [output.get(row.id, row) for row in rows]
        return {row.task_execution_id: row for row in rows}

    def _rows(self, name: str, manager: Any, path: str, **query: str) -> list[Any]:
        listing = self._listings.setdefault(name, _Listing())
        return listing.read(manager, path, query)


class _Listing:
    """Rows of one listing, kept up to date."""

    def __init__(self) -> None:
        self._rows: dict[str, Any] = {}
        self._newest = ""

    def read(self, manager: Any, path: str, query: Mapping[str, str]) -> list[Any]:
        """All rows, the oldest first."""
        since = {"updated_at": f"gte:{_shifted(self._newest, -_LATE)}"} if self._newest else {}
        for row in everything(manager, path, **{**query, **since}):
            self._rows[row.id] = row
            self._newest = max(self._newest, row.updated_at or "")
        return sorted(self._rows.values(), key=lambda row: str(row.created_at))


def _span(root: Any) -> dict[str, str]:
    """Filters that leave out what was done before and long after an update: Mistral cannot list what is inside it."""
    began = {"created_at": f"gte:{root.created_at}"}
    return began | ({"updated_at": f"lte:{_shifted(root.updated_at, _AFTERMATH)}"} if is_final(root.state) else {})


def _batch(task: Any, phases: Mapping[str, PhaseRun]) -> BatchRun:
    return BatchRun(
        id=task.name,
        state=task.state,
        started=seconds_of(getattr(task, "started_at", None) or task.created_at),
        finished=seconds_of(task.updated_at) if is_final(task.state) else None,
        phases=tuple(phases[name] for name in SHOWN if name in phases),
        task=task.id,
    )


def _phase(task: Any, actions: Mapping[str, Any]) -> PhaseRun:
    action = actions.get(task.id)
    result = result_of(getattr(action, "output", None))
    return PhaseRun(
        name=task.name,
        state=task.state,
        error=str(result.get("error") or "") if task.state == "ERROR" else "",
        started=seconds_of(getattr(task, "started_at", None) or task.created_at),
        finished=seconds_of(task.updated_at) if is_final(task.state) else None,
        nodes={name: _node_result(data) for name, data in _mapping(result.get("nodes")).items()},
        task=task.id,
        action=action.id if action else "",
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _node_result(said: Any) -> NodeResult:
    data = _mapping(said)
    return NodeResult(
        ok=bool(data.get("ok")),
        started=data.get("started"),
        finished=data.get("finished"),
        error=str(data.get("error") or ""),
    )


def execution_of(found: Any) -> Execution:
    """An execution as Mistral lists it, without its batches."""
    return Execution(
        id=found.id,
        stack=stack_of(found.workflow_name),
        workflow=found.workflow_name,
        state=found.state,
        started=seconds_of(found.created_at),
        finished=seconds_of(found.updated_at) if is_final(found.state) else None,
        error=str(getattr(found, "state_info", None) or ""),
    )


def result_of(output: Any) -> dict[str, Any]:
    """What an action reported, out of the wrapping that Mistral puts around it.

    Of one that raised, or refused what it was given, Mistral has text: {"error": that text}.
    """
    data = output
    if isinstance(output, str):
        with contextlib.suppress(ValueError):  # it is text already
            data = json.loads(output or "null")
    if isinstance(data, Mapping) and isinstance(data.get("result"), Mapping | str):
        data = data["result"]
    if isinstance(data, str):
        return {"error": _raised(data)}
    return dict(data) if isinstance(data, Mapping) else {}


def _raised(text: str) -> str:
    """What an exception said, without what Mistral says around it: "… [action=…, msg='…']"."""
    found = re.search(r"msg='(.*)'\]\Z|\]\n(.+)\Z", text.strip(), re.DOTALL)
    return shortened(" ".join(next(filter(None, found.groups()), "").split()) if found else text)


def _time(text: str) -> datetime:
    """Mistral's times are UTC without saying so."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def seconds_of(text: str | None) -> float | None:
    """A time of Mistral's as Unix seconds."""
    return _time(text).timestamp() if text else None


def _shifted(text: str, by: timedelta) -> str:
    """A time of Mistral's, later or earlier, as it writes times."""
    return (_time(text) + by).strftime("%Y-%m-%d %H:%M:%S")
