"""Why is a node where it is in a plan?"""

from collections.abc import Iterator

from tripleo_update_plugin.errors import BadInput
from tripleo_update_plugin.plan.plan import Batch, Plan, links, takes_down
from tripleo_update_plugin.plan.words import some_names
from tripleo_update_plugin.times import in_words


def explain(plan: Plan, node: str) -> str:
    """The batches of *node*, what each waits for and why, and what closed it; BadInput for a node that is not there."""
    if node in plan.excluded:
        return f"{node} is not updated: {plan.excluded[node]}"
    batches = [batch for batch in plan.batches if node in batch.nodes]
    if not batches:
        raise BadInput(f"the plan has no node {node!r}", "Give the short host name of one of the overcloud's nodes.")
    return "\n".join(line for batch in batches for line in _lines(plan, batch, node))


def _lines(plan: Plan, batch: Batch, node: str) -> Iterator[str]:
    others = [name for name in batch.nodes if name != node]
    company = f"together with {some_names(others)}" if others else "alone"
    what = f" (only {', '.join(batch.only)})" if batch.only else ""
    yield f"{node} is in {batch.id}{what}, wave {batch.wave} of {plan.waves}, {company}"
    if plan.policy.get("durations"):
        start, end = plan.timeline[batch.id]
        yield f"It begins after {in_words(start)} and takes {in_words(end - start)}"
    if not batch.after:
        yield "It waits for nothing"
    for before in batch.after:
        yield f"It comes after {before} ({some_names(plan.batch(before).nodes)}): {batch.because.get(before, '')}"
    chain = plan.chain_to(batch.id)
    if len(chain) > 2:
        yield "What kept it out of earlier waves, from the first:"
        yield from links(chain)
    yield f"What kept more nodes out of {batch.id}: {batch.closed_by}"
    if batch.impact:
        yield f"It takes down {takes_down(batch.impact)}"
