"""What changed from one plan to another?

A node's *place* is the batches that update it, with their waves and what they are limited to.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.plan.plan import Batch, Plan, takes_down

#: Keys of a plan that are one value each.
_SINGLE = (
    "stack", "release", "architecture", "packaging", "waves", "lower_bound", "makespan", "makespan_bound", "proved",
)  # fmt: skip

#: Keys of a policy that hold {name: value}.
_POLICY_MAPPINGS = {"budgets": "budget", "domains": "domain", "durations": "duration"}

MOVED, NEW, GONE = "nodes moved", "nodes new", "nodes gone"
EXCLUDED, INCLUDED = "nodes excluded now", "nodes no longer excluded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that is otherwise: it was ``before`` and is ``after``; "" stands for nothing.

    ``names`` are the nodes, batches, services and the like for which it changed in the same way.
    """

    what: str
    names: tuple[str, ...] = ()
    before: str = ""
    after: str = ""


def compare(before: Plan, after: Plan) -> tuple[Change, ...]:
    """What is otherwise in *after*; empty if nothing is, or only the order of entries."""
    old, new = before.to_dict(), after.to_dict()
    return (
        *(Change(what=key, before=_text(old.get(key)), after=_text(new.get(key))) for key in _differing(old, new)),
        *_nodes(before, after),
        *_batches(before, after),
        *_policy(before.policy, after.policy),
        *_mappings("waiver", _waivers(before), _waivers(after)),
        *_facts(before, after),
        *_mappings("output", *({k: v[:12] for k, v in plan.outputs.items()} for plan in (before, after))),
        *_mappings("warning", dict.fromkeys(before.warnings, "yes"), dict.fromkeys(after.warnings, "yes")),
    )


def summary(changes: Sequence[Change], identical: bool) -> str:
    """One line about all *changes*.

    >>> summary([Change(what="nodes moved", names=("a", "b")), Change(what="waves", before="3", after="4")], False)
    '2 nodes moved, waves 3 → 4'
    """
    if not changes:
        return "The plans are identical." if identical else "The plans do the same; what they were made from differs."
    parts: list[str] = []
    for what in (MOVED, NEW, GONE, EXCLUDED, INCLUDED):
        count = len({name for change in changes if change.what == what for name in change.names})
        if count:
            parts.append(f"{count} {what if count > 1 else what.replace('nodes', 'node', 1)}")
    parts += [f"{c.what} {c.before} → {c.after}" for c in changes if c.what in ("waves", "lower_bound", "makespan")]
    return ", ".join(parts) or "No node is updated at another time."


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [key for key in _SINGLE if old.get(key) != new.get(key)]


def _nodes(before: Plan, after: Plan) -> list[Change]:
    places = _places(before), _places(after)
    found: dict[tuple[str, str, str], list[str]] = {}
    for node in naturally({*places[0], *places[1]}):
        old, new = (place.get(node, "") for place in places)
        if old != new:
            found.setdefault((_what_befell(node, before, after, old, new), old, new), []).append(node)
    return [Change(what=w, names=tuple(names), before=old, after=new) for (w, old, new), names in found.items()]


def _what_befell(node: str, before: Plan, after: Plan, old: str, new: str) -> str:
    if not old or not new:
        return GONE if old else NEW
    if (node in before.excluded) != (node in after.excluded):
        return EXCLUDED if node in after.excluded else INCLUDED
    return MOVED


def _places(plan: Plan) -> dict[str, str]:
    """{node: where it is in the plan}, excluded ones included."""
    places: dict[str, list[str]] = {}
    for batch in plan.batches:
        limited = f", only {', '.join(batch.only)}" if batch.only else ""
        for node in batch.nodes:
            places.setdefault(node, []).append(f"{batch.id} (wave {batch.wave}{limited})")
    found = {node: " and ".join(texts) for node, texts in places.items()}
    return found | {node: f"excluded: {reason}" for node, reason in plan.excluded.items()}


def _batches(before: Plan, after: Plan) -> list[Change]:
    """What is otherwise about batches that have the same nodes in both plans."""
    earlier = {batch.id: batch for batch in before.batches}
    pairs = [(earlier[batch.id], batch) for batch in after.batches if batch.id in earlier]
    kept = [(old, new) for old, new in pairs if old.nodes == new.nodes]
    return [
        *_of_batches("comes after", kept, lambda batch, _: ", ".join(naturally(batch.after))),
        *_of_batches("seconds", kept, lambda batch, _: str(batch.seconds)),
        *_of_batches("takes down", kept, _changed_impact),
        *_of_batches("closed by", kept, lambda batch, _: batch.closed_by),
    ]


def _of_batches(
    what: str, kept: Iterable[tuple[Batch, Batch]], text: Callable[[Batch, Batch], str]
) -> list[Change]:
    found: dict[tuple[str, str], list[str]] = {}
    for old, new in kept:
        texts = text(old, new), text(new, old)
        if texts[0] != texts[1]:
            found.setdefault(texts, []).append(old.id)
    return [Change(what=what, names=tuple(ids), before=old, after=new) for (old, new), ids in found.items()]


def _changed_impact(batch: Batch, other: Batch) -> str:
    return takes_down({s: impact for s, impact in batch.impact.items() if other.impact.get(s) != impact})


def _policy(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    changes: list[Change] = []
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if key in _POLICY_MAPPINGS:
            changes += _mappings(_POLICY_MAPPINGS[key], _texts(old or {}), _texts(new or {}))
        elif key != "waivers" and old != new:  # of the waivers, those count that the plan makes use of
            changes.append(Change(what=f"policy {key}", before=_text(old), after=_text(new)))
    return changes


def _waivers(plan: Plan) -> dict[str, str]:
    return {waiver["service"]: waiver["reason"] for waiver in plan.waivers}


def _facts(before: Plan, after: Plan) -> list[Change]:
    asked = ["asked" if plan.facts else "not asked" for plan in (before, after)]
    changes = [] if asked[0] == asked[1] else [Change(what="nodes' facts", before=asked[0], after=asked[1])]
    down = [dict.fromkeys(plan.facts.away, "down") if plan.facts else {} for plan in (before, after)]
    leaders = [dict(plan.facts.leaders) if plan.facts else {} for plan in (before, after)]
    return [*changes, *_mappings("down", *down), *_mappings("leader", *leaders)]


def _mappings(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    found: dict[tuple[str, str], list[str]] = {}
    for name in naturally({*before, *after}):
        values = before.get(name, ""), after.get(name, "")
        if values[0] != values[1]:
            found.setdefault(values, []).append(name)
    return [Change(what=what, names=tuple(names), before=old, after=new) for (old, new), names in found.items()]


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _budget(value) if isinstance(value, Mapping) else _text(value) for name, value in values.items()}


def _budget(value: Mapping[str, Any]) -> str:
    """A resolved budget in a few words: ``1 of 3 (catalogue: quorum)``."""
    if {"max_unavailable", "of", "from"} <= set(value):
        limit = f", limit {value['limit']}" if value.get("limit", value["of"]) < value["of"] else ""
        return f"{value['max_unavailable']} of {value['of']} ({value['from']}{limit})"
    return _text(value)


def _text(value: Any) -> str:
    if value is None or value in ({}, [], ()):
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_text(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(f"({_text(each)})" if isinstance(each, Mapping) else _text(each) for each in value)
    return str(value)


#: Of a Change, in a table for people.
COLUMNS = ("what", "names", "before", "after")
