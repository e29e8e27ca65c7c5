"""Which phase does what: look at the overcloud as it is now, then do what was asked for."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tripleo_update_plugin.adapters import keystone
from tripleo_update_plugin.adapters.heat import Heat
from tripleo_update_plugin.errors import PhaseFailed, StalePlan
from tripleo_update_plugin.executor.jobs import node_locks
from tripleo_update_plugin.executor.prober import trial
from tripleo_update_plugin.executor.runner import discovering, gating, redaction, stepping, updating
from tripleo_update_plugin.executor.runner.work import Output, Scene, Work
from tripleo_update_plugin.overcloud import outputs as stack_outputs

#: Phases that only look, at whatever is there: they belong to no plan.
_OF_NO_PLAN = frozenset({"discover", "probe"})

#: Phases that change nodes, one of them at a time on each node.
_CHANGING: Mapping[str, Callable[[Work, Scene], Output]] = {
    "drain": stepping.carry_out_steps,
    "update": updating.update,
    "restore": stepping.carry_out_steps,
}


def carry_out(work: Work) -> Output:
    """Do the phase of *work*; what Mistral is told. Raises UpdateError where nothing at all could be done."""
    with _scene(work) as scene:
        if work.phase == "probe":
            return _probe(work, scene)
        if work.phase == "discover":
            return discovering.discover(work, scene)
        if work.phase == "gate":
            return gating.gate(work, scene)
        with node_locks.held(work.options.work_dir, scene.overcloud.stack, work.nodes, work.job):
            return _CHANGING[work.phase](work, scene)


@contextmanager
def _scene(work: Work) -> Iterator[Scene]:
    stack = str(work.given("stack"))
    heat = Heat(keystone.heat_client(work.conf))
    outputs = heat.outputs(stack)
    work.redact = redaction.redactor(outputs)
    if work.phase not in _OF_NO_PLAN and stack_outputs.digest(outputs) != work.given("digest"):
        raise StalePlan(f"stack {stack} has changed since the plan was made; nothing was touched")
    overcloud = stack_outputs.parse(outputs, stack)
    known = {node.name for node in overcloud.nodes}
    for name in work.nodes:
        if name not in known:
            raise PhaseFailed(f"stack {stack} has no node {name}", "Make the plan again.")
    with work.private_folder() as folder:
        yield Scene(heat=heat, outputs=outputs, overcloud=overcloud, folder=folder)


def _probe(work: Work, scene: Scene) -> Output:
    parameters, say = work.request["parameters"], work.log.info
    return work.output(**trial.try_out(parameters, scene.overcloud, scene.outputs, work.conf, work.cancelled, say))
