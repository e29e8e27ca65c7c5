"""Mistral, through python-mistralclient: definitions, plans and executions, and its errors in our words."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from keystoneauth1 import exceptions as auth_errors
from mistralclient.api.base import APIException

from tripleo_update_plugin.adapters.mistral_environments import Environments
from tripleo_update_plugin.adapters.mistral_errors import translated
from tripleo_update_plugin.adapters.mistral_pages import everything
from tripleo_update_plugin.adapters.retrying import until
from tripleo_update_plugin.errors import ActionsMissing, BadPlan, ExecutionNotFound, MistralUnavailable
from tripleo_update_plugin.outcome.execution import PHASES, BatchRun, Execution, NodeResult, PhaseRun, is_final
from tripleo_update_plugin.workflows.workbook import PREFIX, is_batch, stack_of

ACTIONS = frozenset(f"tripleo_update.{verb}" for verb in ("discover", "drain", "gate", "profiles", "restore", "update"))

#: What a listing needs of an execution; its input and parameters may be large.
_FIELDS = ["id", "workflow_name", "state", "state_info", "created_at", "updated_at"]

_PAUSE = 0.3  # seconds between two looks at an action that runs

_PROBED = "What the probes of an update found"


class Mistral:
    """A view of Mistral that knows workbooks, plans kept beside them, and executions of updates."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._environments = Environments(client)
        self._settled: dict[str, BatchRun] = {}  # batches that have ended do not change any more

    def require_actions(self) -> None:
        """Raise ActionsMissing unless this package's actions are loaded: Mistral drops those that fail to import."""
        with translated("list actions"):
            found = {action.name for action in self._client.actions.list(name="has:tripleo_update.")}
        if missing := sorted(ACTIONS - found):
            raise ActionsMissing(f"Mistral does not know the actions {', '.join(missing)}")

    def validate(self, definition: str) -> None:
        """Raise BadPlan with the parser's words unless *definition* is a workbook."""
        with translated("validate a workbook"):
            answer = self._client.workbooks.validate(definition)
        if not answer.get("valid"):
            raise BadPlan(f"Mistral refuses the workbook: {answer.get('error')}")

    def upload(self, name: str, definition: str, validated: bool = False) -> None:
        """Create or replace the workbook called *name*.

        Where it is *validated* already, or there word for word, Mistral need not do that again, if its configuration
        lets us say so ([api] validation_mode = enabled).
        """
        with translated(f"upload workbook {name}"):
            skip = "?skip_validation" if validated or self._definition(name) == definition else ""
            try:
                self._send("post", f"/workbooks{skip}", definition)
            except APIException as error:
                if error.error_code != 409:
                    raise
                self._send("put", f"/workbooks{skip}", definition)

    def _definition(self, name: str) -> str:
        try:
            return str(self._client.workbooks.get(name).definition)
        except APIException as error:
            if error.error_code != 404:
                raise
            return ""

    def _send(self, method: str, url: str, definition: str) -> None:
        """What ``workbooks.create`` and ``update`` do, which know no query."""
        http = self._client.workbooks.http_client
        try:
            answer = getattr(http, method)(url, definition.encode(), headers={"content-type": "text/plain"})
        except auth_errors.HttpError as error:
            answer = error.response
        if answer is None or answer.status_code >= 400:
            raise APIException(getattr(answer, "status_code", None), _fault(answer))

    def save_plan(self, name: str, plan: Mapping[str, Any]) -> None:
        """Keep a plan in Mistral as the environment *name*, so that every operator can see and report on it."""
        self._environments.keep(name, "A plan of tripleo-update-plugin", {"plan": plan})

    def load_plan(self, name: str) -> Any:
        """The plan kept as *name*, as data. ExecutionNotFound if there is none."""
        kept = self._environments.kept(name)
        if kept is None:
            raise ExecutionNotFound(f"Mistral has no plan {name}")
        return kept.get("plan")

    def save_watch(self, execution: str, watch: Mapping[str, Any], by: str = "", told: float = 0.0) -> None:
        """Keep what the prober of *execution* knows, as an environment of its own: it is there while it runs, too."""
        self._environments.keep(_watch_of(execution), _PROBED, {"watch": watch, "by": by, "told": told})

    def begin_watch(self, execution: str, by: str, watch: Mapping[str, Any], told: float) -> bool:
        """As save_watch(), but False if something was kept already, which stays."""
        kept = {"watch": watch, "by": by, "told": told}
        return self._environments.create(_watch_of(execution), _PROBED, kept)

    def load_watch(self, execution: str) -> Any:
        """What save_watch() kept last; None if there is nothing."""
        return self._watched(execution).get("watch")

    def watcher(self, execution: str) -> tuple[str, float]:
        """(whose word load_watch() is, when it was told in Unix seconds); ("", 0.0) if there is nothing."""
        kept = self._watched(execution)
        return str(kept.get("by") or ""), float(kept.get("told") or 0.0)

    def _watched(self, execution: str) -> dict[str, Any]:
        return self._environments.kept(_watch_of(execution)) or {}

    def pause(self, execution: str) -> bool:
        """Pause an update, its batches with it, before the next phase of each; False if it was not running."""
        with translated(f"pause {execution}"):
            if self._client.executions.get(execution).state != "RUNNING":
                return False
            self._client.executions.update(execution, "PAUSED")
        return True

    def root_of(self, execution: str) -> tuple[str, str]:
        """(id, name of the workflow) of the execution that called *execution*, or of itself if nobody did."""
        with translated(f"read execution {execution}"):
            found = self._client.executions.get(execution)
            if root := getattr(found, "root_execution_id", None):
                found = self._client.executions.get(root)
        return str(found.id), str(found.workflow_name)

    def state_of(self, execution: str) -> str:
        """The state of an execution, and nothing else of it."""
        with translated(f"read execution {execution}", missing=f"there is no execution {execution}"):
            return str(self._client.executions.get(execution).state)

    def start(self, workflow: str, description: str) -> str:
        """Start *workflow*; the id of its execution."""
        with translated(f"start {workflow}"):
            return str(self._client.executions.create(workflow, description=description).id)

    def updates(self, stack: str = "") -> list[Execution]:
        """All updates, of one *stack* if it is given, newest first, without their batches."""
        with translated("list executions"):
            found = list(everything(
                self._client.executions, "/executions", workflow_name=f"has:{PREFIX}", sort_keys="created_at",
                sort_dirs="desc", fields=",".join(_FIELDS),
            ))  # fmt: skip
        return [e for e in map(_execution, found) if e.stack and stack in ("", e.stack)]

    def execution(self, id: str, phases: bool = True) -> Execution:
        """The update of that *id* and its batches, as they are now. Batches that have ended are read once only.

        Without *phases* it takes two requests, however many batches there are.
        """
        missing = f"there is no update {id!r}"
        with translated(f"read execution {id}", missing=missing):
            found = self._client.executions.get(id)
            execution = _execution(found)
            if not execution.stack:
                raise ExecutionNotFound(f"{id} is an execution of {execution.workflow}, not an update")
            tasks = self._tasks(id)
            batches = tuple(self._batch(task, phases) for task in tasks if is_batch(task.name))
        return Execution(
            id=execution.id,
            stack=execution.stack,
            workflow=execution.workflow,
            state=execution.state,
            started=execution.started,
            finished=execution.finished,
            error=execution.error,
            batches=batches,
            approval=next((task.name for task in tasks if task.state == "IDLE" and not is_batch(task.name)), ""),
        )

    def cancel(self, id: str) -> None:
        """End an update for good; what runs is not broken off."""
        with translated(f"cancel {id}", missing=f"there is no update {id!r}"):
            self._client.executions.update(id, "CANCELLED")

    def resume(self, id: str) -> None:
        """Let an update go on that is paused or waits for an approval."""
        with translated(f"resume {id}", missing=f"there is no update {id!r}"):
            self._client.executions.update(id, "RUNNING")

    def run_action(self, name: str, input: Mapping[str, Any], timeout: float) -> Mapping[str, Any]:
        """Run one action by itself; what it reports. MistralUnavailable after *timeout* seconds."""
        with translated(f"run {name}"):
            actions = self._client.action_executions
            run = actions.create(name, dict(input), save_result=True)
            if not is_final(run.state):
                run = until(lambda: actions.get(run.id), lambda run: is_final(run.state), seconds=timeout, pause=_PAUSE)
        if not is_final(run.state):
            raise MistralUnavailable(f"action {name} has not ended within {timeout:.0f} s")
        return _result(run.output)

    def _tasks(self, execution: str) -> list[Any]:
        fields = ["id", "name", "state", "state_info", "created_at", "updated_at", "started_at", "finished_at"]
        return list(everything(self._client.tasks, f"/executions/{execution}/tasks", fields=",".join(fields)))

    def _batch(self, task: Any, phases: bool) -> BatchRun:
        known = self._settled.get(task.id)
        if known and known.state == task.state:
            return known
        run = BatchRun(
            id=task.name,
            state=task.state,
            started=_seconds(getattr(task, "started_at", None) or task.created_at),
            finished=_seconds(task.updated_at) if is_final(task.state) else None,
            phases=tuple(self._phases(task)) if phases and task.state not in ("IDLE", "WAITING") else (),
        )
        if phases and is_final(task.state):
            self._settled[task.id] = run
        return run

    def _phases(self, task: Any) -> Iterator[PhaseRun]:
        runs = sorted(self._client.tasks.get_task_sub_executions(task.id, max_depth=1), key=lambda e: e.created_at)
        phases: dict[str, PhaseRun] = {}
        for execution in runs:
            for inner in self._tasks(execution.id):
                if inner.name in PHASES:
                    phases[inner.name] = self._phase(inner)
        yield from (phases[name] for name in PHASES if name in phases)

    def _phase(self, task: Any) -> PhaseRun:
        actions = sorted(self._client.action_executions.list(task_execution_id=task.id), key=lambda a: a.created_at)
        result = _result(self._client.action_executions.get(actions[-1].id).output) if actions else {}
        return PhaseRun(
            name=task.name,
            state=task.state,
            error=str(result.get("error") or "") if task.state == "ERROR" else "",
            started=_seconds(getattr(task, "started_at", None) or task.created_at),
            finished=_seconds(task.updated_at) if is_final(task.state) else None,
            nodes={name: _node_result(data) for name, data in (result.get("nodes") or {}).items()},
        )


def _node_result(data: Mapping[str, Any]) -> NodeResult:
    return NodeResult(
        ok=bool(data.get("ok")),
        started=data.get("started"),
        finished=data.get("finished"),
        error=str(data.get("error") or ""),
    )


def _execution(found: Any) -> Execution:
    return Execution(
        id=found.id,
        stack=stack_of(found.workflow_name),
        workflow=found.workflow_name,
        state=found.state,
        started=_seconds(found.created_at),
        finished=_seconds(found.updated_at) if is_final(found.state) else None,
        error=str(getattr(found, "state_info", None) or ""),
    )


def _seconds(text: str | None) -> float | None:
    """Mistral's times are UTC without saying so."""
    if not text:
        return None
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _result(output: Any) -> dict[str, Any]:
    """What an action reported, out of the wrapping that Mistral puts around it."""
    data = json.loads(output) if isinstance(output, str) and output else output
    if isinstance(data, Mapping) and isinstance(data.get("result"), Mapping):
        data = data["result"]
    return dict(data) if isinstance(data, Mapping) else {}


def _watch_of(execution: str) -> str:
    return f"{PREFIX}probes.{execution}"


def _fault(answer: Any) -> str:
    """What Mistral has to say for itself in an answer."""
    try:
        return str(answer.json()["faultstring"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return str(getattr(answer, "text", "")) or "no answer"
