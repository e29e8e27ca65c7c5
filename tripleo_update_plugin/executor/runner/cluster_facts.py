"""What do nodes' views of their Pacemaker cluster mean?

A view is what ``module_utils/tripleo_update_crm_mon.py`` makes of ``crm_mon``. Names that are odd are left out: facts
go into workflow definitions and files.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tripleo_update_plugin.names import is_safe_name, naturally, short_name
from tripleo_update_plugin.overcloud.facts import Cluster, Fencing
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.rules.catalogue import Catalogue

View = Mapping[str, Any]

_STATUSES = ("success", "failed", "pending")


def cluster(seen_from: str, view: View) -> Cluster:
    """One node's view."""
    states: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for node in view["nodes"]:
        states[node["remote"]][short_name(str(node["name"]))] = str(node["state"])
    members, remotes = states
    troubles: dict[str, dict[str, str]] = {}
    for trouble in _named(view, "troubles", "resource"):
        troubles.setdefault(trouble["resource"], {})[trouble["node"]] = str(trouble["what"])
    return Cluster(
        seen_from=seen_from,
        quorum=view["quorum"],
        members=members,
        remotes=remotes,
        resources={str(resource["name"]): str(resource["kind"]) for resource in view["resources"]},
        fencing=view.get("fencing"),
        bans=_nodes_by_resource(view, "bans"),
        maintenance=bool(view.get("maintenance")),
        all_stopped=bool(view.get("all_stopped")),
        troubles=troubles,
        failures=_nodes_by_resource(view, "failures"),
        fenced={each["node"]: _fencing(each) for each in _named(view, "fenced") if each["status"] in _STATUSES},
    )


def _fencing(event: Mapping[str, Any]) -> Fencing:
    action, completed = str(event["action"]), str(event["completed"])
    return Fencing(
        action=action if re.fullmatch("[a-z]{1,20}", action) else "unknown",
        status=str(event["status"]),
        completed=completed if re.fullmatch("[0-9A-Za-z :+.-]{0,64}", completed) else "",
    )


def _named(view: View, key: str, *names: str) -> Iterator[dict[str, Any]]:
    """What a view lists under *key*, its node by its short name."""
    for each in view.get(key) or ():
        named = {**each, "node": short_name(str(each["node"]))}
        if all(is_safe_name(named[name]) for name in ("node", *names)):
            yield named


def _nodes_by_resource(view: View, key: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for each in _named(view, key, "resource"):
        found.setdefault(each["resource"], set()).add(each["node"])
    return {resource: naturally(nodes) for resource, nodes in sorted(found.items())}


def distinct(views: Iterable[Cluster]) -> Iterator[Cluster]:
    """One view of all that agree: in a cluster that is whole, a single one."""
    seen: list[object] = []
    for view in views:
        if view.votes not in seen:
            seen.append(view.votes)
            yield view


def absent(
    overcloud: Overcloud, catalogue: Catalogue, clusters: Iterable[Cluster], views: Mapping[str, View]
) -> dict[str, dict[str, str]]:
    """{node: {service: its resource}} of what Pacemaker does not run where the outputs have it.

    Asked is the first of *clusters* with quorum, and of the nodes those that are online there. A resource with fewer
    replicas than nodes may be on any of them: it is absent only if it runs nowhere.
    """
    whole = next((each for each in clusters if each.quorum), None)
    if whole is None:
        return {}
    online = {name for name, state in {**whole.members, **whole.remotes}.items() if state == "online"}
    found: dict[str, dict[str, str]] = {}
    for service, hosts in overcloud.hosts().items():
        units = catalogue.profile(service).units
        names = {*units.get("pacemaker", ()), *units.get("bundle", ())}
        own = [resource for resource in views[whole.seen_from]["resources"] if names & _aliases(resource)]
        running = {short_name(str(copy["node"])) for each in own for copy in each["instances"]}
        if own and (not running or sum(each.get("replicas", 0) for each in own) >= len(hosts)):
            for name in hosts & online - running:
                found.setdefault(name, {})[service] = str(own[0]["name"])
    return found


def _aliases(resource: Mapping[str, Any]) -> set[str]:
    """The names that a resource and its copies go by, those of a clone without its ending too."""
    name = str(resource["name"])
    return {name, re.sub("-(clone|master)$", "", name), *(a for copy in resource["instances"] for a in copy["names"])}
