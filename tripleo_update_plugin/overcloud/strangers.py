"""Which names in facts fit nothing in the overcloud?

Facts come from files as well, and what they say of nobody would be passed over in silence, or believed of nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.overcloud.model import Overcloud

_OF_NODES = ("down", "unclustered", "pending_reboot")
_BY_NODE = ("managed_by", "failed", "updates", "unanswered", "held", "aside", "cutting", "absent")


def without(overcloud: Overcloud, facts: Facts) -> tuple[Facts, tuple[str, ...]]:
    """*facts* without what they say of nodes and services that *overcloud* has not, and a warning for each kind."""
    nodes, services = {node.name for node in overcloud.nodes}, set(overcloud.services)
    warnings = tuple(_warnings(facts, nodes, services))
    if not warnings:
        return facts, ()
    leaders = {s: node for s, node in facts.leaders.items() if s in services and node in nodes}
    fitting: dict[str, Any] = {key: getattr(facts, key) & nodes for key in _OF_NODES}
    for key in _BY_NODE:
        fitting[key] = {name: value for name, value in getattr(facts, key).items() if name in nodes}
    return replace(facts, leaders=leaders, **fitting), warnings


def _warnings(facts: Facts, nodes: set[str], services: set[str]) -> Iterator[str]:
    named = {key: set(getattr(facts, key)) for key in (*_OF_NODES, *_BY_NODE)}
    named["leaders"] = set(facts.leaders.values())
    for key, names in named.items():
        if unknown := names - nodes:
            yield f"facts name nodes that the overcloud has not, as {key}: {_some(unknown)}"
    if unknown := set(facts.leaders) - services:
        yield f"facts name leaders of services that no node has: {_some(unknown)}"


def _some(names: Iterable[str]) -> str:
    listed = naturally(names)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if listed[3:] else "")
