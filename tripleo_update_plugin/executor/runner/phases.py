"""Which phase does what: look at the overcloud as it is now, then do what was asked for."""

from collections.abc import Callable, Mapping

from tripleo_update_plugin.executor.jobs import node_locks
from tripleo_update_plugin.executor.prober import trial
from tripleo_update_plugin.executor.runner import (
    crowding,
    discovering,
    entering,
    gating,
    looking,
    quarantine,
    restoring,
    stepping,
    updating,
)
from tripleo_update_plugin.executor.runner.work import Output, Scene, Work

#: Phases that change nodes, one of them at a time on each node.
_CHANGING: Mapping[str, Callable[[Work, Scene], Output]] = {
    "drain": stepping.drain,
    "update": updating.update,
    "restore": stepping.restore,
    "unlock": restoring.unlock,
}


def carry_out(work: Work) -> Output:
    """Do the phase of *work*; what Mistral is told. Raises UpdateError where nothing at all could be done."""
    with crowding.Place(work) as place:
        if refusal := entering.enter(work, place.busy):
            return work.output(error=refusal, nodes=work.untouched(), not_started=True)
        place.take()
        output = _done(work)
        place.goes_on = crowding.is_followed(work, output)
        return output


def _done(work: Work) -> Output:
    work.left_out = quarantine.of(work)
    if work.given("nodes") and not work.nodes:
        return work.nothing_to_do()
    with looking.scene_of(work) as scene:
        if work.phase == "probe":
            return _probe(work, scene)
        if work.phase == "discover":
            return discovering.discover(work, scene)
        if work.phase == "gate":
            return quarantine.settled(work, scene, gating.gate(work, scene))
        with node_locks.held(work.options.work_dir, scene.overcloud.stack, work.nodes, work.job):
            if work.given("by_record"):
                return restoring.restore(work, scene)
            return quarantine.settled(work, scene, _CHANGING[work.phase](work, scene))


def _probe(work: Work, scene: Scene) -> Output:
    parameters, say = work.request["parameters"], work.log.info
    return work.output(**trial.try_out(parameters, scene.overcloud, scene.outputs, work.conf, work.cancelled, say))
