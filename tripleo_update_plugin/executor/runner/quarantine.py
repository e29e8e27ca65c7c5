"""Which nodes does an update go on without? Those that people skipped, and those that failed within the budget."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from tripleo_update_plugin.adapters import keystone
from tripleo_update_plugin.adapters.update_state import UpdateState
from tripleo_update_plugin.executor.runner.patience import patiently
from tripleo_update_plugin.executor.runner.work import Output, Scene, Work
from tripleo_update_plugin.outcome import failure_budget
from tripleo_update_plugin.outcome.control import FAILED, Quarantine
from tripleo_update_plugin.outcome.failure_budget import Failed


def of(work: Work) -> Mapping[str, Quarantine]:
    """{node: why the update of *work* goes on without it}; nothing where the phase belongs to no update."""
    if not work.given("update"):
        return {}
    return patiently(work, lambda: UpdateState(keystone.mistral_client(work.conf)).quarantined(work.update))


def spent(work: Work, notes: UpdateState) -> str:
    """Which failures keep batches from beginning, as things are now; "" if none do. Raises MistralUnavailable."""
    return _excess(work, _failures(notes.quarantined(work.update)))


def refusal(work: Work) -> str:
    """Why the batch may not begin: more nodes have failed than may; "" if it may."""
    why = _excess(work, _failures(work.left_out))
    return f"not started: {why}" if why else ""


def settled(work: Work, scene: Scene, output: Output) -> Output:
    """*output*, where nodes that failed within the budget do not keep the others from going on.

    Each node that failed is noted, so that all other batches count it; the phase is done if all that failed are the
    batch's own nodes and no more have failed than may.
    """
    failed = {name: node for name, node in output["nodes"].items() if not node["ok"] and name in work.nodes}
    if not work.given("update") or not failed or output.get("not_started"):
        return output
    state = UpdateState(keystone.mistral_client(work.conf))
    records = {
        name: Quarantine(
            node=name, kind=FAILED, reason=node["error"], batch=str(work.given("batch")), phase=work.phase,
            role=scene.overcloud.node(name).role, time=time.time(),
        )
        for name, node in failed.items()
    }  # fmt: skip
    for record in records.values():
        patiently(work, partial(state.quarantine, work.update, record))
    return _excused(output, failed) if _may_go_on(work, output, records) else output


def _may_go_on(work: Work, output: Output, failed: Mapping[str, Quarantine]) -> bool:
    peers_are_well = all(peer["ok"] for peer in (output.get("peers") or {}).values())
    return peers_are_well and not _excess(work, _failures({**work.left_out, **failed}))


def _excused(output: Output, failed: Mapping[str, Any]) -> Output:
    return {**output, "ok": True, "error": "", "quarantined": sorted(failed)}


def _failures(left_out: Mapping[str, Quarantine]) -> dict[str, Failed]:
    """Those of *left_out* that failed; people may skip as many as they like."""
    return {node: Failed(batch=q.batch, role=q.role) for node, q in left_out.items() if q.kind == FAILED}


def _excess(work: Work, failed: Mapping[str, Failed]) -> str:
    return failure_budget.excess(failed, work.given("max_failed") or 0)
