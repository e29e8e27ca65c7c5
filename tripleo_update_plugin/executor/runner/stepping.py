"""The phases drain and restore: the steps that service profiles have for them."""

from tripleo_update_plugin.executor.runner.work import Output, Scene, Work
from tripleo_update_plugin.playbooks import plays


def carry_out_steps(work: Work, scene: Scene) -> Output:
    """Take the services of the nodes out of use, or put them back, by the phase's name."""
    skip = work.given("down") or ()
    phase = plays.steps(work.phase, scene.overcloud, work.catalogue(), work.nodes, work.given("only"), skip)
    if not phase.plays:
        return work.nothing_to_do()
    outcome, _ = work.run(phase, scene)
    return work.tell(outcome)
