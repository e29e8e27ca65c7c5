"""What does a plan look like as a workbook of Mistral? One task per batch, joined on the batches it comes after.

An approval is a task of its own that does nothing, and that Mistral pauses before. It must not be a join: before those
Mistral does not pause, whatever the definition says. So where it comes after several batches, one more task joins them.

Only the order is generated. What happens inside a batch is the hand-written workflow ``update_batch`` of the workbook
``tripleo_update``. Everything in a definition is a number, a checked name or text of this module: the definition is
built as data and dumped, never pasted together.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import yaml

from tripleo_update_plugin.errors import BadPlan
from tripleo_update_plugin.names import is_digest, is_safe_name
from tripleo_update_plugin.plan.plan import Approval, Batch, Plan
from tripleo_update_plugin.rules import acceptance, failure_limits, variables
from tripleo_update_plugin.rules.deadlines import PHASES

#: The hand-written workbook, and the workflow of it that every task calls.
STATIC = "tripleo_update"
UPDATE_BATCH = f"{STATIC}.update_batch"

PREFIX = "tripleo-update."
WORKFLOW = "update"

#: Tasks that are no batch: approvals, and what joins the batches before one.
APPROVAL = "approval-"
DUE = "-due"

#: Mistral's engine commands, which no task may be called after.
COMMANDS = frozenset({"fail", "noop", "pause", "succeed"})

#: The input of the generated workflow that says how much may be down at once, {service: number}, and what each batch is
#: given of it and of the execution it belongs to. These are the only expressions in a definition.
ALLOWED = "allowed"
THE_ALLOWED = f"<% $.{ALLOWED} %>"
THIS_UPDATE = "<% execution().id %>"

#: The keys of a definition's parts: shapes by which task_shapes knows them.
BOOK_KEYS = frozenset({"version", "name", "description", "workflows"})
FLOW_KEYS = frozenset({"type", "description", "input", "tasks"})
TASK_KEYS, MORE_TASK_KEYS = frozenset({"workflow", "input"}), frozenset({"join", "on-success"})
INPUT_KEYS = frozenset({"stack", "digest", "update", "batch", "nodes", "only", "down", ALLOWED, "max_failed"})
MORE_INPUT_KEYS = frozenset({"accept", "extra_vars", "deadlines", "silence"})
ASKED_KEYS = frozenset({"action", "pause-before", "on-success"})
JOINED_KEYS = frozenset({"action", "join", "on-success"})



def workbook_name(plan: Plan) -> str:
    """``tripleo-update.<stack>.<key of the plan>``; with WORKFLOW at most 255 characters."""
    return f"{PREFIX}{plan.stack[:200]}.{plan.key}"


def workflow_name(plan: Plan) -> str:
    """The full name of the workflow that runs the plan, as Mistral knows it."""
    return f"{workbook_name(plan)}.{WORKFLOW}"


def stack_of(workflow: str) -> str:
    """The stack that a generated workflow updates, from its full name; "" for any other workflow.

    >>> stack_of("tripleo-update.overcloud.0123456789ab.update")
    'overcloud'
    """
    parts = workflow.removeprefix(PREFIX).rsplit(".", 2)
    return parts[0] if workflow.startswith(PREFIX) and len(parts) == 3 and parts[2] == WORKFLOW else ""


def are_deadlines(given: object) -> bool:
    """Whether *given* is {phase: whole seconds}."""
    if not isinstance(given, Mapping):
        return False
    return given.keys() <= frozenset(PHASES) and all(map(are_seconds, given.values()))


def are_seconds(given: object) -> bool:
    """Whether *given* is a whole number of seconds, at least one."""
    return type(given) is int and given > 0


def render(plan: Plan) -> dict[str, Any]:
    """The workbook of *plan*, as data. Raises BadPlan for a name that could be more than a name.

    BadPolicy for variables, and names of what is accepted, that a policy could not have either.
    """
    _check(plan)
    followers = _followers(plan)
    tasks = {batch.id: _task(plan, batch, followers.get(batch.id, [])) for batch in plan.batches}
    for approval in plan.approvals:
        tasks |= _approval(plan, approval)
    return {
        "version": "2.0",
        "name": workbook_name(plan),
        "description": f"Rolling update of {len(plan.nodes)} nodes in {len(plan.batches)} batches",
        "workflows": {
            WORKFLOW: {
                "type": "direct",
                "description": "One task per batch; each waits for the batches it comes after",
                "input": [{ALLOWED: _allowed(plan)}],
                "tasks": tasks,
            }
        },
    }


def to_yaml(workbook: dict[str, Any]) -> str:
    """The definition as Mistral takes it; ASCII only, whatever characters the values have."""
    return yaml.safe_dump(workbook, sort_keys=False, default_flow_style=False, width=120)


def _followers(plan: Plan) -> dict[str, list[str]]:
    """{batch: what comes after it}: other batches, or the approval that lets them begin."""
    approval_of = {batch: approval for approval in plan.approvals for batch in approval.before}
    followers: dict[str, list[str]] = {}
    for batch in plan.batches:
        approval = approval_of.get(batch.id)
        name = approval.id + (DUE if len(batch.after) > 1 else "") if approval else batch.id
        for before in batch.after:
            if name not in followers.setdefault(before, []):
                followers[before].append(name)
    return followers


def _approval(plan: Plan, approval: Approval) -> dict[str, dict[str, Any]]:
    """The tasks of an approval: what its batches come after is joined first, where it is more than one."""
    asked = {"action": "std.noop", "pause-before": True, "on-success": list(approval.before)}
    if len(plan.batch(approval.before[0]).after) < 2:
        return {approval.id: asked}
    joined = {"action": "std.noop", "join": "all", "on-success": [approval.id]}
    return {approval.id + DUE: joined, approval.id: asked}


def is_batch(task: str) -> bool:
    """Whether a task of a generated workflow is a batch, by its name."""
    return not task.startswith(APPROVAL)


def _task(plan: Plan, batch: Batch, followers: list[str]) -> dict[str, Any]:
    task: dict[str, Any] = {
        "workflow": UPDATE_BATCH,
        "input": {
            "stack": plan.stack,
            "digest": plan.outputs_digest,
            "update": THIS_UPDATE,
            "batch": batch.id,
            "nodes": list(batch.nodes),
            "only": list(batch.only) or None,
            "down": sorted(plan.facts.away) if plan.facts else [],
            ALLOWED: THE_ALLOWED,
            "max_failed": deepcopy(plan.policy.get("max_failed", 0)),  # the same object twice would be a YAML alias
        },
    }
    if extra := variables.checked(plan.policy.get("extra_vars") or {}):
        task["input"]["extra_vars"] = extra
    if batch.deadlines:
        task["input"]["deadlines"] = dict(batch.deadlines)
    if silence := plan.policy.get("silence"):
        task["input"]["silence"] = silence
    if accept := acceptance.without_reasons(plan.policy.get("accept") or ()):
        task["input"]["accept"] = accept
    if batch.after or any(batch.id in approval.before for approval in plan.approvals):
        task["join"] = "all"
    if followers:
        task["on-success"] = followers
    return task


def _allowed(plan: Plan) -> dict[str, int]:
    """How many nodes may be without a service at once, those that are down already among them.

    A waiver lets one more go than there are down.
    """
    waived = {service for waiver in plan.waivers for service in (waiver.get("services") or [waiver["service"]])}
    down = len(plan.facts.away) if plan.facts else 0
    budgets = plan.policy.get("budgets") or {}
    hit = sorted({service for batch in plan.batches for service in batch.impact} & set(budgets))
    numbers = {service: int(budgets[service]["max_unavailable"]) for service in hit}
    return {service: max(number, 1 + down) if service in waived else number for service, number in numbers.items()}


def _names_in_limits(max_failed: object) -> tuple[str, ...]:
    """The names in a policy's ``max_failed``, once it is known that the rest is numbers."""
    try:
        failure_limits.caps_of(max_failed)
    except ValueError as error:
        raise BadPlan(f"policy: {error}") from error
    return failure_limits.names_in(max_failed)


def _check(plan: Plan) -> None:
    if not are_seconds(silence := plan.policy.get("silence", 1)):
        raise BadPlan(f"policy: silence: {silence!r:.50} is not a number of seconds")
    names = [*_names_in_limits(plan.policy.get("max_failed", 0))]
    names += [*_allowed(plan), plan.stack, *plan.nodes, *(plan.facts.away if plan.facts else ())]
    for batch in plan.batches:
        names += [batch.id, *batch.after, *batch.only]
        if batch.id.isdigit() or batch.id in COMMANDS:
            raise BadPlan(f"batch id {batch.id!r} means something else to Mistral: no numbers, no engine commands")
        if not is_batch(batch.id):
            raise BadPlan(f"batch id {batch.id!r} is that of an approval")
        if not are_deadlines(batch.deadlines):
            raise BadPlan(f"batch {batch.id}: its deadlines are not seconds for phases")
    for name in names:
        if not is_safe_name(name):
            raise BadPlan(f"{name!r} is not a name that may stand in a workflow")
    if not is_digest(plan.outputs_digest):
        raise BadPlan("outputs_digest is not a SHA-256")
