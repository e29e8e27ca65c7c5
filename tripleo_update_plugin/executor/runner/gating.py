"""The phase gate: are the nodes, and those that stand in for them, healthy?"""

from collections.abc import Callable, Iterable

from tripleo_update_plugin.adapters import keystone
from tripleo_update_plugin.executor.runner import other_batches
from tripleo_update_plugin.executor.runner.other_batches import Sibling
from tripleo_update_plugin.executor.runner.work import Output, Scene, Work
from tripleo_update_plugin.playbooks import plays


def gate(work: Work, scene: Scene) -> Output:
    """Look until everything is healthy, or until patience ends; refuse where too many nodes have failed already."""
    before = work.given("moment") == "before"
    others = _siblings(work)
    refusal = other_batches.over_budget(others, int(work.given("max_failed") or 0)) if before else ""
    if refusal:
        return work.output(error=refusal, not_started=True)
    busy = other_batches.in_flight(others)
    phase = _checks(work, scene, plays.gate_before if before else plays.gate_after, busy)
    if not phase.plays:
        return work.nothing_to_do(unchecked=[])
    outcome, results = work.run(phase, scene, results_of=[plays.HEALTH_TASK])
    late: frozenset[str] = frozenset()
    if before and outcome.status == "failed":
        # A batch that began while this one was looking is no sick peer.
        late = other_batches.in_flight(_siblings(work)) - busy
    return work.tell(outcome, ignore=late, unchecked=plays.unchecked(results))


def _checks(work: Work, scene: Scene, gate: Callable[..., plays.Phase], busy: Iterable[str]) -> plays.Phase:
    timeout = min(work.options.gate_timeout, int(work.seconds_left))
    patience = plays.Patience.of(timeout, work.options.gate_delay)
    skip = {*(work.given("down") or ()), *busy}
    return gate(scene.overcloud, work.catalogue(), work.nodes, patience, work.given("only"), skip)


def _siblings(work: Work) -> tuple[Sibling, ...]:
    execution = work.request.get("workflow")
    return other_batches.of(keystone.mistral_client(work.conf), execution) if execution else ()
