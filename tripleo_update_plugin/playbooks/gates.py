"""What a gate asks, as Ansible plays: are the nodes healthy, and those that stand in for them?"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.playbooks.health_checks import Check, checks_of
from tripleo_update_plugin.playbooks.plays import (
    Phase,
    Play,
    Task,
    add_missing,
    classes_of,
    in_order,
    nodes_there,
    play_of,
    runner_of,
    services_of,
    variables_of,
)
from tripleo_update_plugin.rules.catalogue import Catalogue

#: Kinds whose replicas stand in for each other: a gate looks at the others before one of them goes.
SHARED_KINDS = frozenset({"quorum", "stateless", "worker", "active-passive", "cache", "storage"})

#: The task of a gate that asks the module tripleo_update_health; results are looked up by it.
HEALTH_TASK = "Every service is healthy"

#: A module looks again by itself for that long; then Ansible asks anew, so that no connection is silent for longer.
_LONGEST_LOOK = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how long (seconds) a check of a gate looks again before it gives up."""

    retries: int
    delay: int

    @classmethod
    def of(cls, timeout: int, delay: int) -> "Patience":
        """To look every *delay* seconds, for *timeout* seconds, and once at the least.

        >>> Patience.of(600, 5)
        Patience(retries=120, delay=5)
        """
        return cls(retries=max(1, timeout // delay), delay=delay)

    @property
    def seconds(self) -> int:
        """How long it looks altogether."""
        return self.retries * self.delay


def gate_before(
    overcloud: Overcloud,
    catalogue: Catalogue,
    nodes: Sequence[str],
    patience: Patience,
    only: Iterable[str] | None = None,
    skip: Iterable[str] = (),
) -> Phase:
    """Checks of *nodes* and of their peers before anything is stopped; nodes in *skip* are not looked at as peers.

    Peers are the other nodes that have a service of SHARED_KINDS which is updated; *only* are the services that are,
    all when None. BadProfile if services come after each other in a circle.
    """
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
    """Checks of *nodes* after their update; nodes in *skip* are down and not counted as members of a cluster."""
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
    there = nodes_there(overcloud, away)
    members = {service: len(hosts) for service, hosts in there.items()}
    looks: dict[str, list[Check]] = {}
    steps_of: dict[str, list[Task]] = {}
    for hosts, services, role in classes_of(overcloud, wanted):
        checked = [
            (profile, runner_of(overcloud, role, profile.service))
            for profile in map(catalogue.profile, in_order(services, catalogue))
            if profile.is_bounded or profile.gate or profile.health
        ]
        tasks: list[Task] = []
        for profile, runner in checked:
            add_missing(tasks, [_hurried(task, patience) for task in profile.of_runner("gate", runner)])
        for host in hosts:
            looks[host], steps_of[host] = checks_of(checked, members), tasks
    asked = {host: look for host, look in looks.items() if look or ask_all}
    plays = [_health_play(overcloud, asked, patience)]
    for alike in _alike(steps_of):
        play = play_of(f"Gate of {', '.join(alike)}", alike, steps_of[alike[0]])
        plays.append({**play, "vars": variables_of(overcloud, there, play["tasks"])})
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
    play = play_of("Health", naturally(looks), [_health_task(overcloud, patience)])
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
            "folder": "{{ tripleo_update_marks | default(omit) }}",
        },
        "register": "tripleo_update_health",
        "until": "tripleo_update_health is succeeded",
        "retries": -(-patience.seconds // seconds) - 1,
        "delay": patience.delay,
    }


def _hurried(task: Mapping[str, Any], patience: Patience) -> Task:
    """The task with no more patience than there is; a profile's own may be less."""
    if "retries" not in task:
        return dict(task)
    most = max(1, patience.seconds // max(1, task.get("delay", 1)))
    return {**task, "retries": min(task["retries"], most)}


def unchecked(results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Services for which no gate found anything to look at; *results* is {node: {HEALTH_TASK: result}}."""
    return list(naturally(
        service for tasks in results.values() for service in tasks.get(HEALTH_TASK, {}).get("unchecked") or ()
    ))  # fmt: skip
