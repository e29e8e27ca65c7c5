"""How do the steps of service profiles become plays of Ansible? As data.

Names reach Ansible as arguments and variables only, never inside shell text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from tripleo_update_plugin.errors import BadProfile
from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud.model import VIPS_OF_SERVICES, Node, Overcloud
from tripleo_update_plugin.rules.acceptance import Accepted, servers_of
from tripleo_update_plugin.rules.catalogue import Catalogue

#: As Ansible reads them in YAML.
Play = dict[str, Any]
Task = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What a phase runs: its plays, one after the other."""

    plays: tuple[Play, ...]

    @property
    def hosts(self) -> frozenset[str]:
        """Every node that one of the plays is for."""
        return frozenset(host for play in self.plays for host in play["hosts"])


def services_of(node: Node, only: Iterable[str] | None) -> frozenset[str]:
    """The node's services; with *only*, those of them."""
    return node.services if only is None else node.services & frozenset(only)


def steps(
    phase: str,
    overcloud: Overcloud,
    catalogue: Catalogue,
    nodes: Sequence[str],
    only: Iterable[str] | None = None,
    skip: Iterable[str] = (),
    accept: Iterable[Accepted] = (),
) -> Phase:
    """The profiles' tasks of *phase* (``drain`` or ``restore``) for *nodes*; those in *skip* are down.

    *only* are the services it is about, all when None. BadProfile if services come after each other in a circle.
    HAProxy sends nothing more to the nodes before any of their services is drained, and again when all are restored. A
    service is drained before what it builds on, and restored after it. Servers in *accept* need not be up for HAProxy
    afterwards if they were not before.
    """
    wanted = {name: services_of(overcloud.node(name), only) for name in nodes}
    there = nodes_there(overcloud, skip)
    plays = _plays_of(phase, overcloud, catalogue, wanted, there)
    balancing = _balancing(phase, catalogue, wanted, there, servers_of(accept, nodes))
    return Phase(plays=(*balancing, *plays) if phase == "drain" else (*plays, *balancing))


def again(overcloud: Overcloud, catalogue: Catalogue, nodes: Sequence[str], skip: Iterable[str] = ()) -> Phase:
    """What an update of whole *nodes* by the overcloud's own tasks needs where an earlier one broke off there."""
    wanted = {name: services_of(overcloud.node(name), None) for name in nodes}
    return Phase(plays=tuple(_plays_of("again", overcloud, catalogue, wanted, nodes_there(overcloud, skip))))


def _plays_of(
    part: str,
    overcloud: Overcloud,
    catalogue: Catalogue,
    wanted: Mapping[str, frozenset[str]],
    there: Mapping[str, tuple[str, ...]],
) -> Iterator[Play]:
    """A play for all nodes that are alike, with the tasks of *part* for the services that are *wanted* of them."""
    for hosts, services, role in classes_of(overcloud, wanted):
        ordered = in_order(services, catalogue)
        if part == "drain":
            ordered = tuple(reversed(ordered))
        tasks: list[Task] = []
        for service in ordered:
            add_missing(tasks, catalogue.profile(service).of_runner(part, runner_of(overcloud, role, service)))
        if tasks:
            play = play_of(f"{part.capitalize()} {', '.join(hosts)}", hosts, tasks)
            known = {"tripleo_update_batch": list(wanted), **variables_of(overcloud, there, tasks)}
            yield {**play, "vars": known}


def nodes_there(overcloud: Overcloud, away: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Nodes of each service that are neither excluded nor *away*."""
    left_out = frozenset(away) | {node.name for node in overcloud.nodes if node.excluded}
    return {service: naturally(hosts - left_out) for service, hosts in overcloud.hosts().items()}


def variables_of(overcloud: Overcloud, there: Mapping[str, Sequence[str]], tasks: Sequence[Task]) -> dict[str, Any]:
    """What profiles' *tasks* may ask for: the virtual IP addresses that go with HAProxy, and the nodes of services.

    *there* is {service: its nodes}; of that they get the services that they name, for there may be thousands of nodes.
    """
    text = repr(tasks)
    return {
        "tripleo_update_vips": sorted({ip for name, ip in overcloud.vips.items() if name not in VIPS_OF_SERVICES}),
        "tripleo_update_hosts": {
            service: list(there.get(service, ())) for service in re.findall(r"\btripleo_update_hosts\.(\w+)", text)
        },
    }


def _balancing(
    phase: str,
    catalogue: Catalogue,
    wanted: Mapping[str, frozenset[str]],
    there: Mapping[str, Sequence[str]],
    accept: Sequence[str],
) -> tuple[Play, ...]:
    """A play for every HAProxy: out with the servers of the nodes, or in again; the last server of a proxy stays."""
    proxies: dict[str, str] = {}
    for service in sorted(frozenset().union(*wanted.values())):
        if set(there[service]) - set(wanted):
            proxies |= catalogue.profile(service).proxies
    hosts = there.get("haproxy", ())
    if not proxies or not hosts:
        return ()
    move = {
        "folder": "{{ tripleo_update_marks | default(omit) }}",
        "state": "out" if phase == "drain" else "in",
        "nodes": list(naturally(wanted)),
        "proxies": proxies,
        "accept": list(accept),
        "mode": "{{ tripleo_update_haproxy_drain | default('auto') }}",
        "socket": "{{ tripleo_update_haproxy_socket | default(omit) }}",
        "seconds": "{{ tripleo_update_haproxy_seconds | default(omit) }}",
    }
    name = f"HAProxy sends {'nothing more' if phase == 'drain' else 'requests again'} to {', '.join(naturally(wanted))}"
    return (play_of(name, hosts, [{"name": name, "tripleo_update_balancer": move}]),)


def classes_of(
    overcloud: Overcloud, wanted: Mapping[str, frozenset[str]]
) -> Iterable[tuple[tuple[str, ...], frozenset[str], str]]:
    """Nodes that get the same tasks: (their names, their services, their role)."""
    classes: dict[tuple[str, frozenset[str]], list[str]] = {}
    for name in naturally(wanted):
        classes.setdefault((overcloud.node(name).role, wanted[name]), []).append(name)
    for (role, services), names in classes.items():
        yield tuple(names), services, role


def in_order(services: Iterable[str], catalogue: Catalogue) -> tuple[str, ...]:
    """*services*, each after those of them that its profile comes after; BadProfile if these go in a circle."""
    names = naturally(services)
    graph = {name: [other for other in catalogue.profile(name).after if other in names] for name in names}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise BadProfile(f"services come after each other in a circle: {' → '.join(error.args[1])}") from error


def runner_of(overcloud: Overcloud, role: str, service: str) -> str:
    """Who runs *service* on the nodes of *role*, one of model.RUNNERS; "" if nobody knows."""
    return overcloud.runners.get(role, {}).get(service, "")


def add_missing(tasks: list[Task], more: Iterable[Mapping[str, Any]]) -> None:
    """Append what is not there yet: services of one family share steps."""
    for task in more:
        if dict(task) not in tasks:
            tasks.append(dict(task))


def play_of(name: str, hosts: Sequence[str], tasks: list[Task]) -> Play:
    """A play of *tasks* for *hosts*, without Ansible's own facts of them, which would cost seconds."""
    return {"name": name, "hosts": list(hosts), "gather_facts": False, "tasks": tasks}


def explain(result: Mapping[str, Any]) -> str:
    """What a failed task's *result* means, in a few words, and without the task's output.

    >>> explain({"msg": "sick", "sick": {"keystone": "nothing answers on port 5000"}})
    'keystone is sick: nothing answers on port 5000'
    """
    if "censored" in result or result.get("_ansible_no_log"):
        return "its output is hidden (no_log)"
    failed = [each for each in result.get("results") or () if each.get("failed") or each.get("unreachable")]
    if failed:
        return "; ".join(dict.fromkeys(explain(each) for each in failed))
    sick = result.get("sick")
    if isinstance(sick, Mapping) and sick:
        reasons = dict(sorted(sick.items()))
        if len(reasons) == 1:
            return "; ".join(f"{service} is sick: {reason}" for service, reason in reasons.items())
        # All names first: long texts are cut.
        return f"{', '.join(reasons)} are sick: " + "; ".join(f"{name}: {why}" for name, why in reasons.items())
    message = str(result.get("msg") or "no message")
    return f"{message} ({result['rc']})" if "rc" in result else message
