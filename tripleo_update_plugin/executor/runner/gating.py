"""The phase gate: are the nodes healthy, and those that stand in for them, and is there room for them to go down?"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from tripleo_update_plugin.adapters import ansible
from tripleo_update_plugin.executor.runner import ownership, quarantine
from tripleo_update_plugin.executor.runner.work import Output, Results, Scene, Work
from tripleo_update_plugin.playbooks import gates, plays, records
from tripleo_update_plugin.rules import room


def gate(work: Work, scene: Scene) -> Output:
    """Look until everything is healthy, or until patience ends."""
    return _before(work, scene) if work.given("moment") == "before" else _after(work, scene)


def _before(work: Work, scene: Scene) -> Output:
    """Claim the nodes, then look at them and at their peers; a peer that is out of use counts as down.

    Whoever claims first and looks then cannot miss another who does the same. Of two that are in each other's way, the
    younger lets go and asks again.
    """
    if refusal := quarantine.refusal(work):
        return work.output(error=refusal, nodes=work.untouched(), not_started=True)
    owner = ownership.owner_of(work)
    patience = time.monotonic() + min(work.options.gate_timeout, work.seconds_left)
    while True:
        phase = _checks(work, scene, gates.gate_before, allowed=work.given("allowed"))
        phase = records.claiming(phase, gates.HEALTH_TASK, owner, work.nodes, seconds=ownership.lease(work))
        outcome, results = work.run(phase, scene, results_of=[gates.HEALTH_TASK])
        held = _held(results)
        out = {**_without(gates.not_running(results)), **held}
        others = {name: record for name, record in out.items() if name not in work.nodes}
        short = room.shortage(
            scene.overcloud, _own(work, scene), others, work.given("down") or (), work.given("allowed"), work.update
        )
        if outcome.status != "successful" or not short:
            break
        late = work.cancelled() or time.monotonic() > patience
        if late or room.must_yield({name: held.get(name, {}) for name in work.nodes}, others):
            ownership.let_go(work, scene, owner)
        if late:
            return work.output(error=f"no room: {short}", nodes=work.untouched(), not_started=True)
        work.log.info("waits for room: %s", short)
        time.sleep(work.options.gate_delay)
    if outcome.status != "successful":
        ownership.let_go(work, scene, owner)
    return _told(work, outcome, results)


def _after(work: Work, scene: Scene) -> Output:
    """Look at the nodes alone; those that are well are free then."""
    checks, owner = _checks(work, scene, gates.gate_after), ownership.owner_of(work)
    phase = records.freeing(checks, owner, work.nodes, work.given("digest"))
    outcome, results = work.run(phase, scene, results_of=[gates.HEALTH_TASK])
    ownership.note_failures(work, scene, outcome, drained=False)
    return _told(work, outcome, results)


def _told(work: Work, outcome: ansible.Outcome, results: Results) -> Output:
    """What Mistral is told: what is sick and accepted, and of what is not how it could be."""
    accepted = gates.accepted(results)
    for what in accepted:
        work.log.info("accepted: %s", work.redact(what))
    told = work.tell(outcome, unchecked=gates.unchecked(results), accepted=accepted)
    remedy = gates.remedy(results, str(work.given("moment")))
    return told if told["ok"] or not remedy else {**told, "error": f"{told['error']}. {work.redact(remedy)}"}


def _checks(work: Work, scene: Scene, gate: Callable[..., plays.Phase], **more: Any) -> plays.Phase:
    timeout = min(work.options.gate_timeout, int(work.seconds_left))
    patience = gates.Patience.of(timeout, work.options.gate_delay)
    return gate(
        scene.overcloud, work.catalogue(), work.nodes, patience, work.given("only"), set(work.given("down") or ()),
        work.accept, **more,
    )  # fmt: skip


def _own(work: Work, scene: Scene) -> dict[str, frozenset[str]]:
    return {name: plays.services_of(scene.overcloud.node(name), work.given("only")) for name in work.nodes}


def _held(results: Results) -> dict[str, Mapping[str, Any]]:
    """{node: its record} of nodes that have one that means anything."""
    told = {name: (tasks.get(gates.HEALTH_TASK) or {}).get("held") or {} for name, tasks in results.items()}
    return {name: record for name, record in told.items() if record.get("state")}


def _without(services: Mapping[str, list[str]]) -> dict[str, Mapping[str, Any]]:
    """As records of nodes: what does not run stands in for nobody, though it is accepted, so it counts as down."""
    return {
        name: {"state": "sick", "services": own, "why": f"without {', '.join(own)}, which is accepted"}
        for name, own in services.items()
    }
