"""The phase update: by the overcloud's own playbook, by its tasks for a service, or by the package flow."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tripleo_update_plugin import readiness
from tripleo_update_plugin.adapters import ansible, keystone, tripleo_common
from tripleo_update_plugin.executor.runner import ownership, redaction
from tripleo_update_plugin.executor.runner.work import Output, Scene, Work
from tripleo_update_plugin.overcloud.architecture import PerService
from tripleo_update_plugin.playbooks import method, package_marks, packages, pike, plays, single_services


def update(work: Work, scene: Scene) -> Output:
    """Update the nodes of *work*, or some of their services. CannotUpdate, before anything is touched, if it can't."""
    only, overcloud, outputs = work.given("only"), scene.overcloud, scene.outputs
    by = readiness.check_means(outputs, overcloud)
    roles = {overcloud.node(name).role for name in work.nodes}
    services: PerService = {}
    if only is not None:
        if wanted := method.roles_to_read(outputs, roles):
            services = scene.heat.services(overcloud.stack, wanted)
            work.redact = redaction.redactor({**outputs, "services": services})
        readiness.check_only(outputs, overcloud, work.catalogue(), services, work.nodes, only, work.given("batch"))
    if by == method.PACKAGES:
        return _packages(work, scene)
    phase = None
    if by == method.TASKS:
        phase = plays.Phase(plays=tuple(pike.plays_of_tasks(roles)))
    elif only is not None:
        config = outputs.get("RoleConfig") or {}
        phase = single_services.update(overcloud, work.catalogue(), config, services, work.nodes, only)
    return _from_stack(work, scene, phase)


def _from_stack(work: Work, scene: Scene, phase: plays.Phase | None) -> Output:
    """Run the stack's update playbook, or the plays of *phase* beside it."""
    playbook, inventory = tripleo_common.download(
        keystone.heat_client(work.conf), scene.overcloud.stack, scene.outputs, scene.folder, work.options.ssh_user
    )
    own = (*_again(work, scene), *(phase.plays if phase else ansible.read_playbook(playbook)))
    framed = ownership.framed(work, plays.Phase(plays=tuple(each_by_itself(own))))
    playbook = ansible.write_playbook(framed.plays, playbook.with_name("tripleo_update_plays.yaml"))
    outcome, _ = work.run_playbook(
        playbook, inventory, work.nodes, limit=work.nodes, extra_vars=_variables(work, update_serial=len(work.nodes))
    )
    ownership.note_failures(work, scene, outcome)
    return work.tell(outcome)


def _again(work: Work, scene: Scene) -> tuple[plays.Play, ...]:
    """What has to come first where an earlier attempt may have stopped halfway, on whichever machine it ran."""
    if work.given("only") is not None:
        return ()
    return plays.again(scene.overcloud, work.catalogue(), work.nodes, work.given("down") or ()).plays


def each_by_itself(own: Iterable[plays.Play]) -> Iterator[plays.Play]:
    """Plays in which a node that fails does not break the others off in the middle of their update."""
    for play in own:
        yield {**play, "any_errors_fatal": False} if "any_errors_fatal" in play else play


def _packages(work: Work, scene: Scene) -> Output:
    # A job belongs to one execution of one batch, and so do the marks of its work.
    mark = f"{work.job.folder.parent.name}.{work.given('batch')}"
    phase = packages.update(scene.overcloud, work.catalogue(), work.nodes, mark, work.given("only"))
    asked = (package_marks.MARK_TASK, packages.CHECK_TASK)
    outcome, results = work.run(ownership.framed(work, phase), scene, asked, _variables(work))
    ownership.note_failures(work, scene, outcome)
    idle = [name for name in work.nodes if _was_idle(results.get(name) or {})]
    return work.tell(outcome, nothing_to_do=len(idle) == len(work.nodes))


def _was_idle(results: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether an earlier attempt had updated the node, or no package had an update."""
    done = (results.get(package_marks.MARK_TASK) or {}).get("stat") or {}
    return bool(done.get("exists")) or (results.get(packages.CHECK_TASK) or {}).get("rc") == 0


def _variables(work: Work, **own: Any) -> dict[str, Any]:
    """The operator's variables; ours win."""
    return {**(work.given("extra_vars") or {}), **own}
