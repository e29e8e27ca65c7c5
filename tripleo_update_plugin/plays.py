"""Service profiles → Ansible plays, as data.

Names reach Ansible as arguments and variables only, never inside shell text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from tripleo_update_plugin.catalogue import Catalogue, Profile
from tripleo_update_plugin.errors import BadProfile
from tripleo_update_plugin.model import Node, Overcloud, naturally

Play = dict[str, Any]
Task = dict[str, Any]
Look = dict[str, list[Any]]

#: Kinds whose replicas stand in for each other: a gate looks at the others before one of them goes.
SHARED_KINDS = frozenset({"quorum", "stateless", "worker", "active-passive", "cache", "storage"})

_SYSTEMD = ("systemd", "container")
_PACEMAKER = ("pacemaker", "bundle")

UNITS_TASK = "Every unit is active"
RESOURCES_TASK = "Pacemaker runs every resource"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Plays of a phase, and what it cannot check: services for which the catalogue names nothing to look at."""

    plays: tuple[Play, ...]
    unchecked: tuple[str, ...] = ()

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(host for play in self.plays for host in play["hosts"])


def services_of(node: Node, only: Iterable[str] | None) -> frozenset[str]:
    """The node's services; with *only*, those of them."""
    return node.services if only is None else node.services & frozenset(only)


def steps(
    phase: str, overcloud: Overcloud, catalogue: Catalogue, nodes: Sequence[str], only: Iterable[str] | None = None
) -> Phase:
    """The profiles' tasks of *phase* (``drain`` or ``restore``) for *nodes*.

    A service is drained before what it builds on, and restored after it.
    """
    wanted = {name: services_of(overcloud.node(name), only) for name in nodes}
    plays = []
    for hosts, services, role in _classes(overcloud, wanted):
        ordered = in_order(services, catalogue)
        if phase == "drain":
            ordered = tuple(reversed(ordered))
        tasks: list[Task] = []
        for service in ordered:
            _add(tasks, _profile_tasks(catalogue.profile(service), phase, _runner(overcloud, role, service)))
        if tasks:
            plays.append(_play(f"{phase.capitalize()} {', '.join(hosts)}", hosts, tasks))
    return Phase(plays=tuple(plays))


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
    return _gate(overcloud, catalogue, own | peers, patience)


def gate_after(
    overcloud: Overcloud,
    catalogue: Catalogue,
    nodes: Sequence[str],
    patience: Patience,
    only: Iterable[str] | None = None,
) -> Phase:
    """Checks of *nodes* after their update."""
    return _gate(overcloud, catalogue, {name: services_of(overcloud.node(name), only) for name in nodes}, patience)


def _gate(
    overcloud: Overcloud, catalogue: Catalogue, wanted: Mapping[str, frozenset[str]], patience: Patience
) -> Phase:
    """Nodes with the same gate steps share a play, whatever units each has: a play costs seconds."""
    looks: dict[str, Look] = {}
    steps_of: dict[str, list[Task]] = {}
    unchecked: set[str] = set()
    for hosts, services, role in _classes(overcloud, wanted):
        checked = [service for service in in_order(services, catalogue) if catalogue.profile(service).is_bounded]
        tasks: list[Task] = []
        for service in checked:
            profile, runner = catalogue.profile(service), _runner(overcloud, role, service)
            own = [_hurried(task, patience) for task in _profile_tasks(profile, "gate", runner)]
            _add(tasks, own)
            if not own and not profile.units.get(runner):
                unchecked.add(service)
        look = _look([(catalogue.profile(service), _runner(overcloud, role, service)) for service in checked])
        for host in hosts:
            looks[host], steps_of[host] = look, tasks
    plays = [
        _gate_play(hosts, {host: looks[host] for host in hosts}, steps_of[hosts[0]], patience)
        for hosts in _alike(steps_of)
    ]
    return Phase(plays=tuple(play for play in plays if play["tasks"]), unchecked=naturally(unchecked))


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


def _look(services: Iterable[tuple[Profile, str]]) -> Look:
    """What to look at on a node: units by service, resources that run here, resources that run on some node."""
    units: list[list[str]] = []
    resources: dict[str, bool] = {}
    for profile, runner in services:
        names = list(profile.units.get(runner, ()))
        if runner in _SYSTEMD and names and names not in units:
            units.append(names)
        elif runner in _PACEMAKER:
            for name in names:
                # Of an active-passive resource the cluster runs one copy, on whichever node.
                resources[name] = resources.get(name, False) or profile.kind != "active-passive"
    return {
        "units": units,
        "here": list(naturally(name for name, here in resources.items() if here)),
        "somewhere": list(naturally(name for name, here in resources.items() if not here)),
    }


def _gate_play(hosts: Sequence[str], looks: Mapping[str, Look], steps: list[Task], patience: Patience) -> Play:
    tasks = []
    if any(look["units"] for look in looks.values()):
        tasks.append(_units_task(patience))
    if any(look["here"] or look["somewhere"] for look in looks.values()):
        tasks += _resources_tasks(patience)
    play = _play(f"Gate of {', '.join(hosts)}", hosts, [*tasks, *steps])
    return {**play, "vars": {"tripleo_update_looks": dict(looks), "tripleo_update_look": _OF_THIS_HOST}}


_OF_THIS_HOST = "{{ tripleo_update_looks[inventory_hostname] }}"


def _units_task(patience: Patience) -> Task:
    """Each service has an active unit, and none that failed or is on its way.

    Not all of a service's units are on every node: it has other ones in other releases. Those that are not there are
    "inactive" to systemd.
    """
    asked = "tripleo_update_look.units | flatten"
    states = f"dict({asked} | zip(tripleo_update_units.stdout_lines))"
    return {
        "name": UNITS_TASK,
        "command": {"argv": f"{{{{ ['systemctl', 'is-active'] + ({asked}) }}}}"},
        "vars": {
            "tripleo_update_active": f"{{{{ {states} | dict2items | selectattr('value', 'equalto', 'active')"
            " | map(attribute='key') | list }}",
            "tripleo_update_sick": "{{ (tripleo_update_units.stdout_lines"
            " | difference(['active', 'inactive', 'unknown']) | length > 0)"
            " or (tripleo_update_look.units | map('intersect', tripleo_update_active) | map('length') | min == 0) }}",
        },
        "when": "tripleo_update_look.units | length > 0",
        "register": "tripleo_update_units",
        "until": "not (tripleo_update_sick | bool)",
        "failed_when": "tripleo_update_sick | bool",
        "retries": patience.retries,
        "delay": patience.delay,
        "changed_when": False,
    }


def _resources_tasks(patience: Patience) -> list[Task]:
    """Where Pacemaker runs each resource, asked by one task: xargs passes the names on, one call for each."""
    line = "'^resource (\\S+) is running on: '"
    running = f"tripleo_update_resources.stdout_lines | select('match', {line})"
    names = " | map('regex_replace', '^resource (\\S+) .*$', '\\1') | list"
    here = f"{running} | select('search', ' is running on: ' ~ (inventory_hostname | regex_escape) ~ '( |$)'){names}"
    missing = (
        f"{{{{ (tripleo_update_look.here | difference({here}))"
        f" + (tripleo_update_look.somewhere | difference({running}{names})) }}}}"
    )
    wanted = "(tripleo_update_look.here + tripleo_update_look.somewhere)"
    look: Task = {
        "name": "Where Pacemaker runs the resources",
        "command": {"argv": _LOCATE, "stdin": f"{{{{ {wanted} | join('\n') }}}}"},
        "vars": {"tripleo_update_missing": missing},
        "when": f"{wanted} | length > 0",
        "register": "tripleo_update_resources",
        "until": "tripleo_update_missing | length == 0",
        "failed_when": False,
        "retries": patience.retries,
        "delay": patience.delay,
        "changed_when": False,
    }
    verdict: Task = {
        "name": RESOURCES_TASK,
        "fail": {"msg": "Pacemaker does not run as it should: {{ tripleo_update_missing | join(', ') }}"},
        "vars": {"tripleo_update_missing": missing},
        "when": [f"{wanted} | length > 0", "tripleo_update_missing | length > 0"],
    }
    return [look, verdict]


_LOCATE = ["xargs", "-n", "1", "crm_resource", "--locate", "--resource"]


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


def _profile_tasks(profile: Profile, phase: str, runner: str) -> tuple[Mapping[str, Any], ...]:
    tasks: Mapping[str, tuple[Mapping[str, Any], ...]] = getattr(profile, phase)
    return tasks.get(runner) or tasks.get("any") or ()


def _hurried(task: Mapping[str, Any], patience: Patience) -> Task:
    """The task with no more patience than there is; a profile's own may be less."""
    if "retries" not in task:
        return dict(task)
    most = max(1, patience.retries * patience.delay // max(1, task.get("delay", 1)))
    return {**task, "retries": min(task["retries"], most)}


def _add(tasks: list[Task], more: Iterable[Mapping[str, Any]]) -> None:
    """Append what is not there yet: services of one family share steps."""
    for task in more:
        if dict(task) not in tasks:
            tasks.append(dict(task))


def _play(name: str, hosts: Sequence[str], tasks: list[Task]) -> Play:
    return {"name": name, "hosts": list(hosts), "gather_facts": False, "tasks": tasks}


def explain(result: Mapping[str, Any]) -> str:
    """What a failed task's *result* means, in a few words, and without the task's output.

    >>> explain({"cmd": ["systemctl", "is-active", "httpd", "sshd"], "stdout_lines": ["failed", "active"], "rc": 3})
    'not active: httpd (failed)'
    """
    if "censored" in result or result.get("_ansible_no_log"):
        return "its output is hidden (no_log)"
    failed = [each for each in result.get("results") or () if each.get("failed") or each.get("unreachable")]
    if failed:
        return "; ".join(dict.fromkeys(explain(each) for each in failed))
    command = result.get("cmd")
    if isinstance(command, list) and command[:2] == ["systemctl", "is-active"] and result.get("stdout_lines"):
        states = dict(zip(command[2:], result["stdout_lines"], strict=False))
        idle = ("active", "inactive", "unknown")
        sick = {unit: state for unit, state in states.items() if state not in idle} or {
            unit: state for unit, state in states.items() if state != "active"
        }
        return "not active: " + ", ".join(f"{unit} ({state})" for unit, state in sick.items())
    message = str(result.get("msg") or "no message")
    return f"{message} ({result['rc']})" if "rc" in result else message
