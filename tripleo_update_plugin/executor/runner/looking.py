"""The overcloud as it is when a phase begins: from Heat, or, where only undoing is left to do, as it was last seen."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tripleo_update_plugin.adapters import keystone
from tripleo_update_plugin.adapters.heat import Heat
from tripleo_update_plugin.errors import HeatUnavailable, PhaseFailed, StalePlan
from tripleo_update_plugin.executor.jobs import folders
from tripleo_update_plugin.executor.runner import redaction
from tripleo_update_plugin.executor.runner.patience import patiently
from tripleo_update_plugin.executor.runner.work import Scene, Work
from tripleo_update_plugin.overcloud import outputs as stack_outputs
from tripleo_update_plugin.overcloud.model import Overcloud


@contextmanager
def scene_of(work: Work) -> Iterator[Scene]:
    """The scene of a phase. HeatUnavailable if Heat stays away, StalePlan where a change would go by a stale plan.

    A phase that puts back what another one took out goes by the stack as it is, whatever the plan was made from; if
    Heat stays away, by the overcloud as this executor saw it last.
    """
    stack = str(work.given("stack"))
    heat = Heat(keystone.heat_client(work.conf))
    try:
        outputs = patiently(work, lambda: heat.outputs(stack))
    except HeatUnavailable as error:
        overcloud = _remembered(work, stack) if work.only_undoes else None
        if overcloud is None:
            raise
        work.log.warning("%s; going on with the overcloud as it was seen last", error.message)
        outputs = {}
    else:
        work.redact = redaction.redactor(outputs)
        if work.goes_by_plan and stack_outputs.digest(outputs) != work.given("digest"):
            raise StalePlan(f"stack {stack} has changed since the plan was made; nothing was touched in this phase")
        overcloud = stack_outputs.parse(outputs, stack)
        _remember(work, overcloud)
    _check_nodes(work, overcloud)
    with work.private_folder() as folder:
        yield Scene(heat=heat, outputs=outputs, overcloud=overcloud, folder=folder)


def _check_nodes(work: Work, overcloud: Overcloud) -> None:
    known = {node.name for node in overcloud.nodes}
    for name in work.nodes:
        if name not in known:
            raise PhaseFailed(f"stack {overcloud.stack} has no node {name}", "Make the plan again.")


def _path(work: Work, stack: str) -> Path:
    return Path(work.options.work_dir) / "overclouds" / f"{stack}.json"


def _remember(work: Work, overcloud: Overcloud) -> None:
    """Names, addresses and services; nothing secret is among them, and it is private all the same."""
    path = _path(work, overcloud.stack)
    folders.private(path.parents[1], path.parent.name)
    draft = path.with_name(f".{path.name}.{work.job.folder.parent.name}.{work.job.folder.name}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(overcloud.to_dict()), encoding="utf-8")
    draft.rename(path)


def _remembered(work: Work, stack: str) -> Overcloud | None:
    try:
        return Overcloud.from_dict(json.loads(_path(work, stack).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
