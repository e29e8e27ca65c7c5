"""The phases drain and restore of a batch: the steps that service profiles have for them."""

from tripleo_update_plugin.executor.runner import ownership
from tripleo_update_plugin.executor.runner.work import Output, Scene, Work
from tripleo_update_plugin.playbooks import plays


def drain(work: Work, scene: Scene) -> Output:
    """Take the services of the nodes out of use."""
    phase = _steps(work, scene)
    if not phase.plays:
        return work.nothing_to_do()
    outcome, _ = work.run(ownership.framed(work, phase, drained=True), scene)
    ownership.note_failures(work, scene, outcome, drained=True)
    return work.tell(outcome)


def restore(work: Work, scene: Scene) -> Output:
    """Put the services of the nodes back into use; where that is the ``last`` phase, the nodes are free then."""
    phase = _steps(work, scene)
    if not phase.plays and not work.given("last"):
        return work.nothing_to_do()
    outcome, _ = work.run(ownership.framed(work, phase, drained=False), scene)
    ownership.note_failures(work, scene, outcome)
    if work.given("last") and outcome.status == "successful":
        ownership.let_go(work, scene, ownership.owner_of(work))
    return work.tell(outcome)


def _steps(work: Work, scene: Scene) -> plays.Phase:
    skip = work.given("down") or ()
    only = work.given("only")
    return plays.steps(work.phase, scene.overcloud, work.catalogue(), work.nodes, only, skip, work.accept)
