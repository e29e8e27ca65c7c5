"""Mistral, through python-mistralclient: definitions, plans and executions, and its errors in our words."""

import json
from collections.abc import Mapping
from typing import Any

from keystoneauth1 import exceptions as auth_errors
from mistralclient.api.base import APIException

from tripleo_update_plugin.adapters.mistral_environments import Environments
from tripleo_update_plugin.adapters.mistral_errors import translated
from tripleo_update_plugin.adapters.mistral_executions import EXECUTION_FIELDS, Look, execution_of, result_of
from tripleo_update_plugin.adapters.mistral_pages import everything
from tripleo_update_plugin.adapters.retrying import until
from tripleo_update_plugin.errors import ActionsMissing, BadPlan, ExecutionNotFound, MistralUnavailable
from tripleo_update_plugin.outcome.execution import Execution, is_final
from tripleo_update_plugin.workflows.workbook import PREFIX

ACTIONS = frozenset(f"tripleo_update.{verb}" for verb in ("discover", "drain", "gate", "profiles", "restore", "update"))

_PAUSE = 0.3  # seconds between two looks at an action that runs

_PROBED = "What the probes of an update found"


class Mistral:
    """A view of Mistral that knows workbooks, plans kept beside them, and executions of updates."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._environments = Environments(client)
        self._looks: dict[str, Look] = {}

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
                sort_dirs="desc", fields=EXECUTION_FIELDS,
            ))  # fmt: skip
        return [e for e in map(execution_of, found) if e.stack and stack in ("", e.stack)]

    def execution(self, id: str, phases: bool = True, results: bool = True) -> Execution:
        """The update of that *id* and its batches, as they are now; as Look.snapshot() says."""
        with translated(f"read execution {id}", missing=f"there is no update {id!r}"):
            return self._looks.setdefault(id, Look(self._client, id)).snapshot(phases, results)

    def cancel(self, id: str) -> None:
        """End an update for good; what runs is not broken off."""
        with translated(f"cancel {id}", missing=f"there is no update {id!r}"):
            self._client.executions.update(id, "CANCELLED")

    def resume(self, id: str) -> None:
        """Let an update go on that is paused or waits for an approval."""
        with translated(f"resume {id}", missing=f"there is no update {id!r}"):
            self._client.executions.update(id, "RUNNING")

    def rerun(self, task: str) -> bool:
        """Begin a failed *task* anew, and with it all that it is part of; False if it is not failed (any more)."""
        return self._change(task, {"state": "RUNNING", "reset": True})

    def pass_over(self, task: str) -> bool:
        """Let a failed *task* count as skipped, so that what it is part of may go well; False if it is not failed."""
        return self._change(task, {"state": "SKIPPED"})

    def _change(self, task: str, change: Mapping[str, Any]) -> bool:
        with translated(f"change task {task}", missing=f"there is no task {task}"):
            try:
                self._client.tasks.http_client.put(f"/tasks/{task}", json.dumps({"id": task, **change}))
            except auth_errors.BadRequest as error:
                if "must be in ERROR" not in _fault(error.response):
                    raise
                return False
        return True

    def awaits(self, action: str) -> bool:
        """Whether Mistral waits for the result of an action execution; of one that is not there, it does not."""
        with translated(f"read action execution {action}"):
            try:
                return not is_final(self._client.action_executions.get(action).state)
            except APIException as error:
                if error.error_code != 404:
                    raise
                return False

    def fail_action(self, action: str, error: str) -> None:
        """Let an action execution count as failed whose process nobody hears of any more."""
        with translated(f"end action execution {action}", missing=f"there is no action execution {action}"):
            output = {"ok": False, "error": error, "nodes": {}}
            self._client.action_executions.update(action, state="ERROR", output=output)

    def run_action(self, name: str, input: Mapping[str, Any], timeout: float) -> Mapping[str, Any]:
        """Run one action by itself; what it reports. MistralUnavailable after *timeout* seconds."""
        with translated(f"run {name}"):
            actions = self._client.action_executions
            run = actions.create(name, dict(input), save_result=True)
            if not is_final(run.state):
                run = until(lambda: actions.get(run.id), lambda run: is_final(run.state), seconds=timeout, pause=_PAUSE)
        if not is_final(run.state):
            raise MistralUnavailable(f"action {name} has not ended within {timeout:.0f} s")
        return result_of(run.output)


def _watch_of(execution: str) -> str:
    return f"{PREFIX}probes.{execution}"


def _fault(answer: Any) -> str:
    """What Mistral has to say for itself in an answer."""
    try:
        return str(answer.json()["faultstring"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return str(getattr(answer, "text", "")) or "no answer"
