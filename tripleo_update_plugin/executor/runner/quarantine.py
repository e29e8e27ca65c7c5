"""Which nodes does an update go on without? Those that people skipped, and those that failed within the budget."""

import time
from collections.abc import Mapping
from typing import Any

from tripleo_update_plugin.adapters import keystone
from tripleo_update_plugin.adapters.update_state import UpdateState
from tripleo_update_plugin.executor.runner.patience import patiently
from tripleo_update_plugin.executor.runner.work import Output, Work
from tripleo_update_plugin.outcome import failure_budget
from tripleo_update_plugin.outcome.control import FAILED, Quarantine


def of(work: Work) -> Mapping[str, Quarantine]:
    """{node: why the update of *work* goes on without it}; nothing where the phase belongs to no update."""
    if not work.given("update"):
        return {}
    return patiently(work, lambda: UpdateState(keystone.mistral_client(work.conf)).quarantined(work.update))


def spent(work: Work, notes: UpdateState) -> str:
    """Which failures keep batches from beginning, as things are now; "" if none do. Raises MistralUnavailable."""
    work.left_out = notes.quarantined(work.update)
    return refusal(work).removeprefix("not started: ")


def refusal(work: Work) -> str:
    """Why the batch may not begin: more nodes have failed than may; "" if it may."""
    failed = {node: record.batch for node, record in work.left_out.items() if record.kind == FAILED}
    return failure_budget.refusal(failed, _most(work))


def settled(work: Work, output: Output) -> Output:
    """*output*, where nodes that failed within the budget do not keep the others from going on.

    Each node that failed is noted, so that all other batches count it; the phase is done if all that failed are the
    batch's own nodes and no more have failed than may.
    """
    failed = {name: node for name, node in output["nodes"].items() if not node["ok"] and name in work.nodes}
    if not work.given("update") or not failed or output.get("not_started"):
        return output
    state = UpdateState(keystone.mistral_client(work.conf))
    for name, node in failed.items():
        record = Quarantine(
            node=name, kind=FAILED, reason=node["error"], batch=str(work.given("batch")), phase=work.phase,
            time=time.time(),
        )  # fmt: skip
        patiently(work, lambda record=record: state.quarantine(work.update, record))  # type: ignore[misc]
    return _excused(output, failed) if _may_go_on(work, output, failed) else output


def _may_go_on(work: Work, output: Output, failed: Mapping[str, Any]) -> bool:
    before = [node for node, record in work.left_out.items() if record.kind == FAILED]
    peers_are_well = all(peer["ok"] for peer in (output.get("peers") or {}).values())
    return peers_are_well and not failure_budget.is_spent([*before, *failed], _most(work))


def _excused(output: Output, failed: Mapping[str, Any]) -> Output:
    return {**output, "ok": True, "error": "", "quarantined": sorted(failed)}


def _most(work: Work) -> int:
    return int(work.given("max_failed") or 0)
