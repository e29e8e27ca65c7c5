"""Whose are the nodes? What a phase writes into the records on them before it begins and after it has ended."""

import platform
from collections.abc import Mapping

from tripleo_update_plugin.adapters import ansible
from tripleo_update_plugin.executor.runner.work import Scene, Work
from tripleo_update_plugin.playbooks import records
from tripleo_update_plugin.playbooks.plays import Phase

#: Seconds that a claim outlives the deadline of its phase: a job that was ended has to say so.
_GRACE = 300

#: Seconds that a batch keeps its nodes between two phases if nothing was changed on them.
_BETWEEN = 7200

_LONGEST_REASON = 300


def owner_of(work: Work) -> records.Owner:
    """The batch of *work*, as the records on its nodes name it."""
    only = work.given("only")
    return records.Owner(
        undercloud=work.options.undercloud or platform.node(),
        stack=str(work.given("stack")),
        update=work.update,
        batch=str(work.given("batch") or ""),
        phase=work.phase,
        attempt=int(work.request.get("attempt") or 1),
        machine=platform.node(),
        job=work.job.folder.name,
        services=None if only is None else tuple(only),
    )


def framed(work: Work, phase: Phase, drained: bool | None = None) -> Phase:
    """*phase* on nodes that are claimed first; afterwards *drained* says whether services are out of use."""
    # A claim that waits is one task, and must not be taken for one that hangs.
    wait = max(0, int(min(work.options.gate_timeout, work.seconds_left - _GRACE, work.silence / 2)))
    return records.framed(phase, owner_of(work), work.nodes, seconds=lease(work), wait=wait, drained=drained)


def lease(work: Work) -> int:
    """Seconds for which a claim made now holds by itself."""
    return int(work.seconds_left) + _GRACE


def note_failures(work: Work, scene: Scene, outcome: ansible.Outcome, drained: bool | None = None) -> None:
    """Tell the nodes on which a phase failed why; what cannot be told now lapses with the claim, or is told by hand."""
    failed = {name: node.error for name, node in outcome.nodes.items() if name in work.nodes and not node.ok}
    reasons = {
        name: work.redact(error or outcome.error or f"the phase {work.phase} did not end")[:_LONGEST_REASON]
        for name, error in failed.items() if not outcome.nodes[name].unreachable
    }  # fmt: skip
    if reasons:
        work.run(records.left(owner_of(work), reasons, seconds=_BETWEEN, drained=drained), scene, late=True)


def let_go(
    work: Work, scene: Scene, owner: records.Owner | None, forget: bool = False
) -> Mapping[str, ansible.NodeRun]:
    """Free the nodes of *work*, whoever's they are if *owner* is None; what became of each. *forget* as in freed()."""
    outcome, _ = work.run(records.freed(work.nodes, owner, forget), scene, late=True)
    return outcome.nodes
