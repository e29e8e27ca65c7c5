"""Where does an update wait until a person lets it go on? Between batches, when none is under way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tripleo_update_plugin.overcloud.model import Node
from tripleo_update_plugin.plan.plan import Approval, Batch
from tripleo_update_plugin.rules.policy import Checkpoint, Policy

_WAVES = "an approval before every wave"


def with_approvals(
    batches: Sequence[Batch], policy: Policy, nodes: Mapping[str, Node]
) -> tuple[tuple[Batch, ...], tuple[Approval, ...]]:
    """The batches, in waves if each wave is to be approved, and the approvals that *policy* asks for.

    *batches* stand each after all that it comes after; *nodes* is {name: node} of all that are updated.
    """
    batches = _waves_apart(batches) if policy.approve == "every-wave" else tuple(batches)
    asked: dict[tuple[str, ...], list[str]] = {}
    for before, why in _asked(batches, policy, nodes):
        if before:
            asked.setdefault(before, []).append(why)
    place = {batch.id: i for i, batch in enumerate(batches)}
    points = sorted(asked.items(), key=lambda point: place[point[0][0]])
    return batches, tuple(
        Approval(id=f"approval-{number}", before=before, why="; ".join(dict.fromkeys(reasons)))
        for number, (before, reasons) in enumerate(points, 1)
    )


def _asked(
    batches: Sequence[Batch], policy: Policy, nodes: Mapping[str, Node]
) -> Iterable[tuple[tuple[str, ...], str]]:
    if policy.approve == "after-canary" and batches:
        yield tuple(batch.id for batch in batches if batch.after == (batches[0].id,)), "after the canary"
    if policy.approve == "every-wave":
        for wave in range(2, 1 + max((batch.wave for batch in batches), default=0)):
            yield tuple(batch.id for batch in batches if batch.wave == wave), f"before wave {wave}"
    held = [_held_back(batches, checkpoint, nodes) for checkpoint in policy.checkpoints]
    for k, checkpoint in enumerate(policy.checkpoints):
        why = f"before {checkpoint}" + (f": {checkpoint.reason}" if checkpoint.reason else "")
        # What a later checkpoint holds back waits for the earlier ones as well.
        yield _first_of(batches, set().union(*held[k:]) if held[k] else set()), why


def _held_back(batches: Iterable[Batch], checkpoint: Checkpoint, nodes: Mapping[str, Node]) -> set[str]:
    """The batches with a node that waits for *checkpoint*."""
    return {
        batch.id
        for batch in batches
        for node in (nodes[name] for name in batch.nodes)
        if checkpoint.holds_back(node.role, batch.only or node.services)
    }


def _first_of(batches: Iterable[Batch], held: set[str]) -> tuple[str, ...]:
    """Of the batches *held* and all that come after them those that come after none of them."""
    behind: set[str] = set()
    first = []
    for batch in batches:  # each after all that it comes after
        if behind & set(batch.after):
            behind.add(batch.id)
        elif batch.id in held:
            behind.add(batch.id)
            first.append(batch.id)
    return tuple(first)


def _waves_apart(batches: Sequence[Batch]) -> tuple[Batch, ...]:
    """The batches in the order of their waves, every one after all of the wave before it."""
    ordered = sorted(batches, key=lambda batch: batch.wave)
    ids = {batch.id: f"batch-{number}" for number, batch in enumerate(ordered, 1)}
    waves: dict[int, list[str]] = {}
    for batch in ordered:
        waves.setdefault(batch.wave, []).append(batch.id)
    return tuple(
        replace(
            batch,
            id=ids[batch.id],
            after=tuple(ids[id] for id in earlier),
            because={ids[id]: batch.because.get(id, _WAVES) for id in earlier},
        )
        for batch in ordered
        for earlier in [waves.get(batch.wave - 1, [])]
    )
