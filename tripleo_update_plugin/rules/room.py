"""Is there room for a batch, by what the nodes themselves say of others that are out of use?"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud.model import Overcloud

#: {node: what its record says}: see Records in module_utils/tripleo_update_record.py.
Held = Mapping[str, Mapping[str, Any]]


def shortage(
    overcloud: Overcloud,
    own: Mapping[str, frozenset[str]],
    held: Held,
    down: Collection[str],
    allowed: Mapping[str, int] | None,
    update: str,
) -> str:
    """Why the nodes in *own*, {node: services that it takes down}, cannot go down now; "" if they can.

    *held* are other nodes on which somebody works or that are out of use, *down* those that do not answer. *allowed* is
    {service: how many may be down at once}; where it is not known, no node that offers the same may be held by another
    update than *update*.
    """
    for service in naturally(frozenset().union(*own.values())):
        hosts = overcloud.hosts_of(service)
        going = {node for node, services in own.items() if service in services}
        out = {node for node, record in held.items() if node in hosts and _takes_down(record, service)} - going
        if allowed is None:
            strangers = [node for node in naturally(out) if held[node].get("update") != update]
            if strangers:
                return _in_words(service, strangers, held)
        elif service in allowed:
            gone = going | out | (hosts & frozenset(down))
            if out and len(gone) > allowed[service]:
                would = f"with {', '.join(naturally(going))} {len(gone)} of {len(hosts)} would be down"
                return f"{_in_words(service, naturally(out), held)}; {would}, {allowed[service]} may be"
    return ""


def _takes_down(record: Mapping[str, Any], service: str) -> bool:
    """Whether a node with that record is without *service*; a record that names no services is of all."""
    services = record.get("services")
    return services is None or service in services


def _in_words(service: str, nodes: Sequence[str], held: Held) -> str:
    return f"{service}: " + ", ".join(f"{node} is {held[node].get('why') or held[node].get('state')}" for node in nodes)


def must_yield(own: Held, others: Held) -> bool:
    """Whether of two that wait for each other we are the one to let go: the younger claim is.

    *own* and *others* are records of our nodes and of nodes that somebody has claimed and not begun to change.
    """
    mine = min(((record.get("since", 0), str(record.get("update", ""))) for record in own.values()), default=(0, ""))
    theirs = [(r.get("since", 0), str(r.get("update", ""))) for r in others.values() if r.get("phase") == "gate"]
    return any(other < mine for other in theirs)
