"""Was each node updated once, was a budget broken at any instant, is anything left out of use?

Pure. The witnesses are the nodes' own journals (``tripleo_update_sandbox.nodes``), which know nothing of plans, jobs or
Mistral: every note is {"time", "node", "event", "service", "version"}.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.plan.words import some_names

Note = Mapping[str, Any]

#: What makes a service useless on its node, and what ends that. A broker that drains has no clients.
_OUT, _IN = frozenset({"stop", "drain"}), frozenset({"start", "revive"})


def budgets_of(plan: Mapping[str, Any]) -> dict[str, int]:
    """{service: on how many nodes it may be down at once}, as a saved plan has it."""
    return {service: int(budget["max_unavailable"]) for service, budget in plan["policy"]["budgets"].items()}


def once(notes: Iterable[Note], nodes: Iterable[str], again: Iterable[str] = ()) -> list[str]:
    """Complaints about nodes that were not updated exactly once, service by service.

    Of the nodes in *again*, an update was broken off in its middle: what it had done already may be done once more.
    """
    counts: dict[str, Counter[str]] = {node: Counter() for node in nodes}
    for note in notes:
        if note["event"] == "update":
            counts.setdefault(note["node"], Counter())[note["service"]] += 1
    expected, allowed = set(nodes), set(again)
    return [
        complaint
        for node in naturally(counts)
        if (complaint := _of_node(node, counts[node], node in expected, 2 if node in allowed else 1))
    ]


def _of_node(node: str, services: Counter[str], is_expected: bool, most: int) -> str:
    if not is_expected:
        return f"{node} was updated, though nobody asked for it"
    if not services:
        return f"{node} was not updated"
    often, count = services.most_common(1)[0]
    return f"{node}: {often} was updated {count} times" if count > most else ""


def beyond_budget(notes: Iterable[Note], budgets: Mapping[str, int]) -> list[str]:
    """Complaints, one a service: when more nodes than allowed were without it for the first time."""
    down: dict[str, set[str]] = {}
    found: dict[str, str] = {}
    for note in sorted(notes, key=lambda each: float(each["time"])):
        service, without = note["service"], down.setdefault(note["service"], set())
        if _takes_out(note):
            without.add(note["node"])
        elif note["event"] in _IN:
            without.discard(note["node"])
        if len(without) > budgets.get(service, len(without)) and service not in found:
            nodes = ", ".join(naturally(without))
            found[service] = f"{service} was down on {nodes} at {note['time']} ({budgets[service]} allowed)"
    return list(found.values())


def _takes_out(note: Note) -> bool:
    # A resource that is sent away from a node leaves the others of its service alone: see left_out().
    return note["event"] in _OUT and not (note["event"] == "drain" and note["version"])


def left_out(notes: Iterable[Note]) -> list[str]:
    """Complaints, one for each node and way, about what was stopped, drained or banned and never put back."""
    out: dict[tuple[str, str, str], str] = {}
    for note in sorted(notes, key=lambda each: float(each["time"])):
        _remember(out, note)
    services: dict[tuple[str, str], list[str]] = {}
    for (node, service, _), how in sorted(out.items()):
        services.setdefault((node, how), []).append(service)
    return [f"on {node} still {how}: {some_names(names, what='services')}" for (node, how), names in services.items()]


def _remember(out: dict[tuple[str, str, str], str], note: Note) -> None:
    node, service, event, more = note["node"], note["service"], note["event"], str(note["version"])
    if event == "stop":
        out[node, service, ""] = "stopped"
    elif event == "drain":
        resource, _, target = more.partition(" away from ")
        if not more or target:  # a move takes nothing away
            out[target or node, service, resource] = f"without {resource}" if resource else "drained"
    elif event in _IN:
        out.pop((node, service, ""), None)
    elif event == "set":  # a flag of all of Ceph, whoever set it
        out["Ceph", service, more] = f"held by {more}"
    elif event in ("restore", "unset"):  # on all nodes at once
        for key in [key for key in out if key[1:] == (service, more)]:
            del out[key]


def at_once(spans: Iterable[tuple[str, str, float, float]], plan: Mapping[str, Any]) -> list[str]:
    """Complaints about a node that two jobs of its own batch worked on at once.

    *spans* are (node, job, first seen, last seen) as ``witness`` has them. What a job does on a node of another batch,
    such as a question to a monitor of Ceph, may be done there at any time.
    """
    batch_of = {node: batch["id"] for batch in plan["batches"] for node in batch["nodes"]}
    by_node: dict[str, list[tuple[float, float, str]]] = {}
    for node, job, first, last in spans:
        if job.split()[0].partition(".")[2] == batch_of.get(node):
            by_node.setdefault(node, []).append((first, last, job))
    return [
        f"two jobs were at work on {node} at {begin:.1f}: {one} and {other}"
        for node, seen in by_node.items()
        for (_, end, one), (begin, _, other) in itertools.pairwise(sorted(seen))
        if begin < end and one != other
    ]
