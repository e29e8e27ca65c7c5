"""Service profiles → Ansible plays, as data.

Names reach Ansible as arguments and variables only, never inside shell text.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from tripleo_update_plugin.errors import BadProfile
from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud.model import Node, Overcloud
from tripleo_update_plugin.playbooks.health_checks import Check, checks_of
from tripleo_update_plugin.rules.catalogue import Catalogue

Play = dict[str, Any]
Task = dict[str, Any]

#: Kinds whose replicas stand in for each other: a gate looks at the others before one of them goes.
SHARED_KINDS = frozenset({"quorum", "stateless", "worker", "active-passive", "cache", "storage"})

HEALTH_TASK = "Every service is healthy"

#: Virtual IP addresses that go where Pacemaker has the service's master; all others go with HAProxy.
_VIPS_OF_MASTERS = frozenset({"redis", "ovn_dbs"})

#: A module looks again by itself for that long; then Ansible asks anew, so that no connection is silent for longer.
_LONGEST_LOOK = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how long (seconds) a check of a gate looks again before it gives up."""

    retries: int
    delay: int

    @classmethod
    def of(cls, timeout: int, delay: int) -> "Patience":
        """
        >>> Patience.of(600, 5)
        Patience(retries=120, delay=5)
        """
        return cls(retries=max(1, timeout // delay), delay=delay)

    @property
    def seconds(self) -> int:
        return self.retries * self.delay


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Plays of a phase."""

    plays: tuple[Play, ...]

    @property
    def hosts(self) -> frozenset[str]:
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
) -> Phase:
    """The profiles' tasks of *phase* (``drain`` or ``restore``) for *nodes*; those in *skip* are down.

    HAProxy sends nothing more to the nodes before any of their services is drained, and again when all are restored. A
    service is drained before what it builds on, and restored after it.
    """
    wanted = {name: services_of(overcloud.node(name), only) for name in nodes}
    there = _there(overcloud, skip)
    plays = []
    for hosts, services, role in _classes(overcloud, wanted):
        ordered = in_order(services, catalogue)
        if phase == "drain":
            ordered = tuple(reversed(ordered))
        tasks: list[Task] = []
        for service in ordered:
            _add(tasks, catalogue.profile(service).of_runner(phase, _runner(overcloud, role, service)))
        if tasks:
            play = _play(f"{phase.capitalize()} {', '.join(hosts)}", hosts, tasks)
            plays.append({**play, "vars": {"tripleo_update_batch": list(nodes), **_variables(overcloud, there, tasks)}})
    balancing = _balancing(phase, catalogue, wanted, there)
    return Phase(plays=(*balancing, *plays) if phase == "drain" else (*plays, *balancing))


def gate_before(
    overcloud: Overcloud,
    catalogue: Catalogue,
    nodes: Sequence[str],
    patience: Patience,
    only: Iterable[str] | None = None,
    skip: Iterable[str] = (),
) -> Phase:
    """Checks of *nodes* and of their peers before anything is stopped; nodes in *skip* are not looked at as peers."""
    own = {name: services_of(overcloud.node(name), only) for name in nodes}
    shared = {
        service for services in own.values() for service in services
        if catalogue.profile(service).kind in SHARED_KINDS
    }  # fmt: skip
    left_out = frozenset(nodes) | frozenset(skip)
    others = {node.name: node.services & shared for node in overcloud.nodes if node.name not in left_out}
    peers = {name: services for name, services in others.items() if services}
    return _gate(overcloud, catalogue, own | peers, patience, frozenset(skip) - frozenset(nodes), ask_all=True)


def gate_after(
    overcloud: Overcloud,
    catalogue: Catalogue,
    nodes: Sequence[str],
    patience: Patience,
    only: Iterable[str] | None = None,
    skip: Iterable[str] = (),
) -> Phase:
    """Checks of *nodes* after their update; those in *skip* are no members of a cluster now."""
    own = {name: services_of(overcloud.node(name), only) for name in nodes}
    return _gate(overcloud, catalogue, own, patience, frozenset(skip) - frozenset(nodes))


def _gate(
    overcloud: Overcloud,
    catalogue: Catalogue,
    wanted: Mapping[str, frozenset[str]],
    patience: Patience,
    away: Collection[str],
    ask_all: bool = False,
) -> Phase:
    """One look at everything on all nodes at once, then the steps of the profiles that have any.

    With *ask_all* nodes are asked also where there is nothing to look at: they have their record to tell.
    """
    there = _there(overcloud, away)
    members = {service: len(hosts) for service, hosts in there.items()}
    looks: dict[str, list[Check]] = {}
    steps_of: dict[str, list[Task]] = {}
    for hosts, services, role in _classes(overcloud, wanted):
        checked = [
            (profile, _runner(overcloud, role, profile.service))
            for profile in map(catalogue.profile, in_order(services, catalogue))
            if profile.is_bounded or profile.gate or profile.health
        ]
        tasks: list[Task] = []
        for profile, runner in checked:
            _add(tasks, [_hurried(task, patience) for task in profile.of_runner("gate", runner)])
        for host in hosts:
            looks[host], steps_of[host] = checks_of(checked, members), tasks
    asked = {host: look for host, look in looks.items() if look or ask_all}
    plays = [_health_play(overcloud, asked, patience)]
    for alike in _alike(steps_of):
        play = _play(f"Gate of {', '.join(alike)}", alike, steps_of[alike[0]])
        plays.append({**play, "vars": _variables(overcloud, there, play["tasks"])})
    return Phase(plays=tuple(play for play in plays if play["hosts"] and play["tasks"]))


def _alike(steps_of: Mapping[str, list[Task]]) -> list[list[str]]:
    """Hosts in lists of those that have the same steps."""
    lists: list[list[str]] = []
    for host, steps in steps_of.items():
        for hosts in lists:
            if steps_of[hosts[0]] == steps:
                hosts.append(host)
                break
        else:
            lists.append([host])
    return [list(naturally(hosts)) for hosts in lists]


def _health_play(overcloud: Overcloud, looks: Mapping[str, list[Check]], patience: Patience) -> Play:
    play = _play("Health", naturally(looks), [_health_task(overcloud, patience)])
    return {**play, "vars": {"tripleo_update_looks": dict(looks)}}


def _health_task(overcloud: Overcloud, patience: Patience) -> Task:
    seconds = min(patience.seconds, _LONGEST_LOOK)
    return {
        "name": HEALTH_TASK,
        "tripleo_update_health": {
            "checks": "{{ tripleo_update_looks[inventory_hostname] }}",
            "node": "{{ inventory_hostname }}",
            "seconds": seconds,
            "delay": patience.delay,
            "address": "{{ tripleo_update_internal_host | default(omit) }}",
            "vips": sorted(set(overcloud.vips.values())),
            "haproxy_socket": "{{ tripleo_update_haproxy_socket | default(omit) }}",
            "haproxy_ignore": "{{ tripleo_update_haproxy_ignore | default(omit) }}",
        },
        "register": "tripleo_update_health",
        "until": "tripleo_update_health is succeeded",
        "retries": -(-patience.seconds // seconds) - 1,
        "delay": patience.delay,
    }


def _there(overcloud: Overcloud, away: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Nodes of each service that are neither excluded nor *away*."""
    left_out = frozenset(away) | {node.name for node in overcloud.nodes if node.excluded}
    return {service: naturally(hosts - left_out) for service, hosts in overcloud.hosts().items()}


def _variables(overcloud: Overcloud, there: Mapping[str, Sequence[str]], tasks: Sequence[Task]) -> dict[str, Any]:
    """What profiles' tasks may ask for: the virtual IP addresses that go with HAProxy, and nodes of services."""
    text = repr(tasks)
    return {
        "tripleo_update_vips": sorted({ip for name, ip in overcloud.vips.items() if name not in _VIPS_OF_MASTERS}),
        "tripleo_update_hosts": {
            service: list(there.get(service, ())) for service in re.findall(r"\btripleo_update_hosts\.(\w+)", text)
        },
    }


def _balancing(
    phase: str, catalogue: Catalogue, wanted: Mapping[str, frozenset[str]], there: Mapping[str, Sequence[str]]
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
        "mode": "{{ tripleo_update_haproxy_drain | default('auto') }}",
        "socket": "{{ tripleo_update_haproxy_socket | default(omit) }}",
        "seconds": "{{ tripleo_update_haproxy_seconds | default(omit) }}",
    }
    name = f"HAProxy sends {'nothing more' if phase == 'drain' else 'requests again'} to {', '.join(naturally(wanted))}"
    return (_play(name, hosts, [{"name": name, "tripleo_update_balancer": move}]),)


def _classes(
    overcloud: Overcloud, wanted: Mapping[str, frozenset[str]]
) -> Iterable[tuple[tuple[str, ...], frozenset[str], str]]:
    """Nodes that get the same tasks: (their names, their services, their role)."""
    classes: dict[tuple[str, frozenset[str]], list[str]] = {}
    for name in naturally(wanted):
        classes.setdefault((overcloud.node(name).role, wanted[name]), []).append(name)
    for (role, services), names in classes.items():
        yield tuple(names), services, role


def in_order(services: Iterable[str], catalogue: Catalogue) -> tuple[str, ...]:
    """*services*, each after those of them that its profile comes after; otherwise in natural order."""
    names = naturally(services)
    graph = {name: [other for other in catalogue.profile(name).after if other in names] for name in names}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise BadProfile(f"services come after each other in a circle: {' → '.join(error.args[1])}") from error


def _runner(overcloud: Overcloud, role: str, service: str) -> str:
    return overcloud.runners.get(role, {}).get(service, "")


def _hurried(task: Mapping[str, Any], patience: Patience) -> Task:
    """The task with no more patience than there is; a profile's own may be less."""
    if "retries" not in task:
        return dict(task)
    most = max(1, patience.seconds // max(1, task.get("delay", 1)))
    return {**task, "retries": min(task["retries"], most)}


def _add(tasks: list[Task], more: Iterable[Mapping[str, Any]]) -> None:
    """Append what is not there yet: services of one family share steps."""
    for task in more:
        if dict(task) not in tasks:
            tasks.append(dict(task))


def _play(name: str, hosts: Sequence[str], tasks: list[Task]) -> Play:
    return {"name": name, "hosts": list(hosts), "gather_facts": False, "tasks": tasks}


def unchecked(results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Services for which no gate found anything to look at; *results* is {node: {HEALTH_TASK: result}}."""
    return list(naturally(
        service for tasks in results.values() for service in tasks.get(HEALTH_TASK, {}).get("unchecked") or ()
    ))  # fmt: skip


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
