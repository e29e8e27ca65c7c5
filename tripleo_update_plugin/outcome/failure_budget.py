"""Have more nodes failed than an update goes on without? The runner, the simulation and the report ask here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.outcome.execution import BatchRun
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.rules.failure_limits import Resolved, caps_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Where a node failed, and of which role it is; "" where a plan does not tell."""

    batch: str
    role: str = ""


def excess(failed: Mapping[str, Failed], max_failed: Resolved) -> str:
    """Why no batch may begin after the nodes that *failed*; "" if the update goes on without them.

    >>> excess({"a": Failed(batch="b-1")}, 0), excess({"a": Failed(batch="b-1")}, 1)
    ('batch b-1 failed (1 node, a; allowed: 0)', '')
    """
    for cap in caps_of(max_failed):
        nodes = naturally(node for node, each in failed.items() if cap.counts(each.role))
        if len(nodes) > cap.most:
            batches = naturally({failed[node].batch for node in nodes})
            what = f"{len(nodes)} node{'' if len(nodes) == 1 else 's'}{f' {cap.whose}' if cap.whose else ''}"
            plural = "" if len(batches) == 1 else "es"
            return f"batch{plural} {', '.join(batches)} failed ({what}, {', '.join(nodes[:5])}; allowed: {cap.most})"
    return ""


def failed_in(plan: Plan, runs: Iterable[BatchRun]) -> dict[str, Failed]:
    """The nodes that failed in the batches *runs* of *plan*, by what the last try of each phase says."""
    found = {}
    for run in runs:
        nodes = [node for phase in run.phases for node, result in phase.nodes.items() if not result.ok]
        found.update({node: Failed(batch=run.id, role=plan.batch(run.id).role_of(node)) for node in nodes})
    return found
