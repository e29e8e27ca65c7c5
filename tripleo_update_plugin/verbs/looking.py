"""What is an update doing just now, in values and in words?"""

from collections.abc import Iterator

from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.adapters.update_state import UpdateState
from tripleo_update_plugin.outcome.execution import BatchRun
from tripleo_update_plugin.outcome.standing import Standing
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.plan.words import some_names


def look(id: str, mistral: Mistral, notes: UpdateState) -> Standing:
    """Where the update of that *id* stands now."""
    return Standing(execution=mistral.execution(id, results=False), beats=notes.beats(id))


def in_words(standing: Standing, plan: Plan) -> Iterator[str]:
    """What is at work, what waits, what failed and what is left out of use, a line each, with the nodes of *plan*."""
    yield from _at_work(standing, plan)
    for run in standing.waiting:
        yield f"waits, nothing of it was touched: {_named(run, plan)}: {standing.doing(run)}"
    for run in standing.failed:
        yield f"failed: {_named(run, plan)}: {run.phase}" + (f": {run.error}" if run.error else "")
    yield from left_out_of_use(standing, plan)


def not_ended(standing: Standing, plan: Plan) -> Iterator[str]:
    """What an update that is over has not brought to its end: what is at work all the same, and what is out of use."""
    yield from _at_work(standing, plan)
    yield from left_out_of_use(standing, plan)


def left_out_of_use(standing: Standing, plan: Plan) -> Iterator[str]:
    """What may be out of use with nobody at work on it, and the command that puts it back, a line each."""
    left = _left(standing)
    for run in left:
        yield f"left with services out of use: {_named(run, plan)}, after {run.phase}"
    if left and standing.execution.is_final:
        nodes = " ".join(nodes_left(standing, plan))
        yield f"put them back with 'openstack overcloud update restore --stack {plan.stack} {nodes}'"


def nodes_left(standing: Standing, plan: Plan) -> list[str]:
    """The nodes that may have services out of use, and that nobody is at work on."""
    return [node for run in _left(standing) for node in nodes_of(run.id, plan)]


def _at_work(standing: Standing, plan: Plan) -> Iterator[str]:
    for run in standing.at_work:
        yield f"at work: {_named(run, plan)}: {standing.doing(run)}"


def _left(standing: Standing) -> list[BatchRun]:
    working = {run.id for run in standing.at_work}
    return [run for run in standing.halfway if run.id not in working]


def nodes_of(batch: str, plan: Plan) -> tuple[str, ...]:
    return next((each.nodes for each in plan.batches if each.id == batch), ())


def _named(run: BatchRun, plan: Plan) -> str:
    nodes = nodes_of(run.id, plan)
    return f"{run.id} ({some_names(nodes)})" if nodes else run.id
