"""The other batches of the same update, as Mistral knows them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tripleo_update_plugin.names import naturally

_UNDER_WAY = ("RUNNING", "PAUSED", "IDLE", "DELAYED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """``failed`` are the nodes on which the batch failed; none of a batch that was never begun."""

    batch: str
    state: str
    nodes: tuple[str, ...]
    failed: tuple[str, ...] = ()


def of(client: Any, workflow_execution: str | None) -> tuple[Sibling, ...]:
    """The other batches under the root of *workflow_execution*; none if it has no root."""
    if not workflow_execution:
        return ()
    own = client.executions.get(workflow_execution).to_dict()
    root = own.get("root_execution_id")
    if not root:
        return ()
    found = [execution.to_dict() for execution in client.executions.list(root_execution_id=root)]
    return tuple(_siblings(client, found, _mapping(own.get("input")).get("batch")))


def _siblings(client: Any, executions: Iterable[Mapping[str, Any]], own: object) -> Iterator[Sibling]:
    # A batch that was rerun has several executions: the last one counts.
    last: dict[str, tuple[Mapping[str, Any], dict[str, Any]]] = {}
    for execution in sorted(executions, key=lambda each: str(each.get("created_at"))):
        given = _mapping(execution.get("input"))
        if given.keys() >= {"batch", "nodes", "digest"} and given["batch"] != own:
            last[given["batch"]] = execution, given
    for batch, (execution, given) in last.items():
        nodes = tuple(given["nodes"])
        failed = _failed_nodes(client, execution["id"], nodes) if execution["state"] == "ERROR" else ()
        yield Sibling(batch=batch, state=execution["state"], nodes=nodes, failed=failed)


def _failed_nodes(client: Any, execution: str, nodes: tuple[str, ...]) -> tuple[str, ...]:
    """What the failed phase told; all *nodes* where it could not tell."""
    failed: set[str] = set()
    for task in client.tasks.list(workflow_execution_id=execution, state="ERROR"):
        outputs = [
            _mapping(_mapping(action.to_dict().get("output")).get("result"))
            for action in client.action_executions.list(task_execution_id=task.id, include_output=True)
        ]
        told = outputs[-1] if outputs else {}
        if told.get("not_started"):
            continue
        sick = {name for name, node in told.get("nodes", {}).items() if not node.get("ok")}
        failed |= sick or set(nodes)
    return naturally(failed)


def in_flight(siblings: tuple[Sibling, ...]) -> frozenset[str]:
    """Nodes being updated right now; the plan has already counted them as down."""
    return frozenset(node for each in siblings if each.state in _UNDER_WAY for node in each.nodes)


def over_budget(siblings: tuple[Sibling, ...], max_failed: int) -> str:
    """Why no batch may begin any more; empty while fewer nodes have failed than allowed.

    >>> over_budget((Sibling(batch="b-1", state="ERROR", nodes=("a", "b"), failed=("a",)),), 0)
    'not started: batch b-1 failed (1 node, a; allowed: 0)'
    """
    failed = naturally(node for each in siblings for node in each.failed)
    if len(failed) <= max_failed:
        return ""
    batches = naturally(each.batch for each in siblings if each.failed)
    plural = "" if len(batches) == 1 else "es"
    counted = f"{len(failed)} node{'' if len(failed) == 1 else 's'}, {', '.join(failed[:5])}"
    return f"not started: batch{plural} {', '.join(batches)} failed ({counted}; allowed: {max_failed})"


def _mapping(value: Any) -> dict[str, Any]:
    """Mistral's API gives JSON as text or as data, by field and release."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return dict(value) if isinstance(value, Mapping) else {}
