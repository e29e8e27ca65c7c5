"""The update of nodes whose overcloud brings no update tasks (Ocata and older): Ansible plays made here, as data.

What upstream's script did on a node up to Ocata (extraconfig/tasks/yum_update.sh), with the services of the role in
place of all there are: a member leaves the cluster, packages are updated, it joins again, and is waited for (600 s
until it is online, 1800 s each for Galera and for the cluster to settle). Marks on the node tell a later attempt what
earlier ones found and did (package_marks).

What is touched on a node is only what its variable ``tripleo_update_flow`` names; tasks hold no names of their own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud.model import Node, Overcloud
from tripleo_update_plugin.playbooks import package_marks
from tripleo_update_plugin.playbooks.package_marks import HAS_BEGUN, IS_DONE, IS_LEFT
from tripleo_update_plugin.playbooks.plays import Phase, Play, Task, in_order, services_of
from tripleo_update_plugin.rules.catalogue import Catalogue, Profile

CHECK_TASK = "Is there anything to update"

#: Kinds whose code is that of their unit's own package; others are OpenStack's, whose code is in libraries as well.
_OF_ONE_PACKAGE = ("quorum", "cache", "host")

#: Serves the APIs of many services, none of which is in its package.
_SHARED_UNIT = "httpd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What the flow may stop, start or restart on a node, and the packages it may update; no packages means all."""

    units: tuple[str, ...]
    resources: tuple[str, ...]
    packages_of: tuple[str, ...]


def update(
    overcloud: Overcloud, catalogue: Catalogue, nodes: Sequence[str], mark: str, only: Iterable[str] | None = None
) -> Phase:
    """Plays that update the packages of *nodes*; with *only*, those of these services.

    Members of the cluster come first. *mark* names the work: nodes that have its mark are not touched again.
    """
    flows = {name: _flow(overcloud, catalogue, overcloud.node(name), only) for name in naturally(nodes)}
    members = [name for name, flow in flows.items() if flow["leaves"]]
    others = [name for name in flows if name not in members]
    plays = [_play(hosts, {host: flows[host] for host in hosts}, mark) for hosts in (members, others) if hosts]
    return Phase(plays=tuple(plays))


def touched(phase: Phase) -> dict[str, Touched]:
    """{node: what *phase* may touch there}, read from the plays."""
    found = {}
    for play in phase.plays:
        for host, flow in play["vars"]["tripleo_update_flows"].items():
            found[host] = Touched(
                units=tuple(flow["units"]),
                resources=tuple(flow["resources"]) + (("pacemaker",) if flow["leaves"] else ()),
                packages_of=tuple(flow["limited_to"]),
            )
    return found


def without_package(catalogue: Catalogue, services: Iterable[str]) -> tuple[str, ...]:
    """Those of *services* for which the catalogue names no unit, so that no package of theirs can be found."""
    profiles = [catalogue.profile(service) for service in services]
    return naturally(p.service for p in profiles if not _packaged_units(p) and not _words(p))


def _flow(overcloud: Overcloud, catalogue: Catalogue, node: Node, only: Iterable[str] | None) -> dict[str, Any]:
    """What the flow has to know of *node*: units in order, those to stop with the cluster, resources, packages."""
    runners = overcloud.runners.get(node.role, {})
    profiles = [catalogue.profile(service) for service in in_order(services_of(node, only), catalogue)]
    # Corosync and Pacemaker are started and stopped by pcs.
    alone = [p for p in profiles if runners.get(p.service) == "systemd" and p.service != "pacemaker"]
    clustered = [p for p in profiles if runners.get(p.service) == "pacemaker"]
    is_member = "pacemaker" in node.services and overcloud.architecture in ("pacemaker", "pacemaker-core")
    leaves = is_member and (only is None or "pacemaker" in only)
    return {
        "leaves": leaves,
        "alone_in_cluster": len(overcloud.hosts_of("pacemaker")) == 1,
        "synced": runners.get("mysql") == "pacemaker" and (leaves or "mysql" in services_of(node, only)),
        "units": _units(alone),
        "stop": _units(p for p in alone if p.is_bounded) if leaves and overcloud.architecture == "pacemaker" else [],
        "code": _code(alone),
        # Whole nodes: the cluster stops and starts its resources itself.
        "resources": [] if only is None or leaves else _names(p.units.get("pacemaker", ()) for p in clustered),
        "limited_to": [] if only is None else [p.service for p in profiles],
        "package_units": [] if only is None else _names(_packaged_units(p) for p in profiles),
        "package_words": [] if only is None else _names(_words(p) for p in profiles),
    }


def _units(profiles: Iterable[Profile]) -> list[str]:
    return _names(p.units.get("systemd", ()) for p in profiles)


def _names(groups: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for group in groups for name in group))


def _packaged_units(profile: Profile) -> tuple[str, ...]:
    """Units whose files are in the service's package; whoever runs it, systemd knows them by these names."""
    if profile.service == "pacemaker":
        return ("pacemaker", "corosync")
    return tuple(unit for unit in _any_units(profile) if unit != _SHARED_UNIT)


def _words(profile: Profile) -> tuple[str, ...]:
    """The project in whose packages the code is, ``keystone`` for one, where a service has no unit of its own."""
    return (_project(profile),) if _any_units(profile) == (_SHARED_UNIT,) else ()


def _any_units(profile: Profile) -> tuple[str, ...]:
    return profile.units.get("systemd") or profile.units.get("pacemaker") or ()


def _project(profile: Profile) -> str:
    return profile.service.split("_")[0]


def _code(profiles: Iterable[Profile]) -> dict[str, list[str]]:
    """{unit: projects whose packages it runs}: a unit's own package may stay while a library of its project changes."""
    code: dict[str, set[str]] = {}
    for profile in profiles:
        if profile.kind in _OF_ONE_PACKAGE:
            continue
        for unit in profile.units.get("systemd", ()):
            if unit == _SHARED_UNIT or _project(profile) in unit.split("-"):
                code.setdefault(unit, set()).add(_project(profile))
    return {unit: sorted(projects) for unit, projects in code.items()}


def _play(hosts: Sequence[str], flows: Mapping[str, Mapping[str, Any]], mark: str) -> Play:
    """One play for *hosts*: a play costs seconds, so what differs from host to host is in variables."""
    members = any(flow["leaves"] for flow in flows.values())
    work: list[Task] = [*_look_first(), *package_marks.remembered()]
    work += [*(_leave_cluster() if members else ()), *_update_packages(), *(_join_cluster() if members else ())]
    work += [*_start_and_restart(), *_wait()]
    return {
        "name": f"Update the packages of {', '.join(hosts)}",
        "hosts": list(hosts),
        "gather_facts": False,
        "vars": {**_VARIABLES, "tripleo_update_flows": dict(flows), "tripleo_update_mark": mark},
        "tasks": [
            *_is_there_work(),
            {"name": "Update", "when": [f"not {IS_DONE}", _ANYTHING], "block": work},
            *package_marks.finished(),
        ],
    }


#: Lazy variables of every play.
_VARIABLES: Mapping[str, Any] = {
    **package_marks.VARIABLES,
    "tripleo_update_flow": "{{ tripleo_update_flows[inventory_hostname] }}",
    "tripleo_update_running": "{{ dict(tripleo_update_flow.units"
    " | zip(tripleo_update_states.stdout_lines | default([]))) | dict2items"
    " | selectattr('value', 'equalto', 'active') | map(attribute='key') | list }}",
    "tripleo_update_stopped": "{{ tripleo_update_flow.stop | intersect(tripleo_update_was.running) }}",
    "tripleo_update_kept": "{{ tripleo_update_flow.units | intersect(tripleo_update_was.running)"
    " | difference(tripleo_update_flow.stop) }}",
    "tripleo_update_changed": "{{ tripleo_update_packages_now.stdout_lines | difference(tripleo_update_was.packages"
    " | difference(tripleo_update_was.not_yet_run | default([]))) | map('regex_replace', ' .*$', '') | list }}",
    "tripleo_update_changed_units": "{{ tripleo_update_files.stdout_lines | default([])"
    " | select('match', '^/.*\\.service$') | map('basename') | map('regex_replace', '\\.service$', '') | list }}",
    "tripleo_update_changed_projects": "{{ tripleo_update_changed"
    " | map('regex_replace', '^(openstack|python[0-9]*)-([^-]+).*$', '\\2') | list }}",
}

_ALL_PACKAGES = ["rpm", "-qa", "--queryformat", r"%{NAME} %{VERSION}-%{RELEASE}.%{ARCH}\n"]
_LIMITED = "tripleo_update_flow.limited_to | length > 0"
_LEAVES = "tripleo_update_flow.leaves"
_IS_ONLINE = (
    "tripleo_update_cluster.stdout is search("
    "'<node name=\"' ~ (inventory_hostname | regex_escape) ~ '\"[^>]* online=\"true\"')"
)


def _command(name: str, argv: Sequence[str] | str, **more: Any) -> Task:
    return {"name": name, "command": {"argv": argv if isinstance(argv, str) else list(argv)}, **more}


def _look(name: str, argv: Sequence[str] | str, register: str, **more: Any) -> Task:
    return _command(name, argv, register=register, changed_when=False, **more)


_PACKAGE_COMMAND = "(tripleo_update_package_command | default(['yum', '-y', 'update']))"
_ANYTHING = f"{HAS_BEGUN} or {IS_LEFT} or tripleo_update_check.rc == 100"


def _is_there_work() -> list[Task]:
    """yum and dnf say by their exit code whether there are updates: 100 or 0."""
    check = f"(tripleo_update_check_command | default([{_PACKAGE_COMMAND}[0], '-q', 'check-update']))"
    return [
        *package_marks.looked_for(),
        _look(
            CHECK_TASK, f"{{{{ {check} }}}}", "tripleo_update_check",
            when=[f"not {IS_DONE}", f"not {HAS_BEGUN}", f"not ({IS_LEFT})"],
            failed_when="tripleo_update_check.rc not in [0, 100]",
        ),
    ]  # fmt: skip


def _look_first() -> list[Task]:
    """Ask before anything is touched. An attempt after a failure finds the node as that left it, and goes on."""
    fresh = f"not {HAS_BEGUN}"
    return [
        _look(
            "The node is online in the cluster", ["crm_mon", "--as-xml"], "tripleo_update_cluster",
            when=[_LEAVES, fresh, f"not ({IS_LEFT})"],
            failed_when=f"tripleo_update_cluster.rc != 0 or not ({_IS_ONLINE})",
        ),
        _look(
            "Which units run", "{{ ['systemctl', 'is-active'] + tripleo_update_flow.units }}", "tripleo_update_states",
            when=["tripleo_update_flow.units | length > 0", fresh], failed_when=False,
        ),
        _look("Which packages are there", _ALL_PACKAGES, "tripleo_update_packages", when=fresh),
    ]  # fmt: skip


def _leave_cluster() -> list[Task]:
    """One member at a time: two that stop together can lose sight of each other and stop the rest."""
    return [
        _command(
            "Leave the cluster",
            "{{ ['pcs', 'cluster', 'stop'] + (['--force'] if tripleo_update_flow.alone_in_cluster else []) }}",
            when=_LEAVES, throttle=1,
        ),
        _command(
            "Stop the units of the role, in reverse order",
            "{{ ['systemctl', 'stop'] + (tripleo_update_stopped | reverse | list) }}",
            when="tripleo_update_stopped | length > 0",
        ),
    ]  # fmt: skip


def _update_packages() -> list[Task]:
    """All packages, or those of some services: what holds their units, or what has the name of their project."""
    files = "tripleo_update_flow.package_units | map('regex_replace', '^(.*)$', '/usr/lib/systemd/system/\\1.service')"
    pattern = "'^(openstack|python[0-9]*)-(' ~ (tripleo_update_flow.package_words | join('|')) ~ ')(-|$)'"
    named = f"(tripleo_update_was.packages | map('regex_replace', ' .*$', '') | select('match', {pattern}) | list)"
    owners = "(tripleo_update_owners.stdout_lines | default([]) | reject('search', ' ') | list)"
    names = f"{{{{ ({owners} + ({named} if tripleo_update_flow.package_words else [])) | unique | list }}}}"
    return [
        _look(
            "Which packages the units are of",
            f"{{{{ ['rpm', '-qf', '--queryformat', '%{{NAME}}\\n'] + ({files} | list) }}}}", "tripleo_update_owners",
            when="tripleo_update_flow.package_units | length > 0", failed_when=False,
        ),
        {"name": "Which packages to update", "set_fact": {"tripleo_update_names": names}},
        {
            "name": "The services have packages",
            "fail": {"msg": "no installed package is one of {{ tripleo_update_flow.limited_to | join(', ') }}"},
            "when": [_LIMITED, "tripleo_update_names | length == 0"],
        },
        _command("Update the packages", f"{{{{ {_PACKAGE_COMMAND} + tripleo_update_names }}}}"),
        _look("Which packages are there now", _ALL_PACKAGES, "tripleo_update_packages_now"),
        _look(
            "Which files the new packages have", "{{ ['rpm', '-ql'] + tripleo_update_changed }}",
            "tripleo_update_files", when="tripleo_update_changed | length > 0",
        ),
    ]  # fmt: skip


def _join_cluster() -> list[Task]:
    return [
        _command("Join the cluster", ["pcs", "cluster", "start"], when=_LEAVES),
        _look(
            "The node is online again", ["crm_mon", "--as-xml"], "tripleo_update_cluster",
            when=_LEAVES, until=["tripleo_update_cluster.rc == 0", _IS_ONLINE], retries=120, delay=5,  # 600 s
        ),
    ]  # fmt: skip


def _start_and_restart() -> list[Task]:
    """What was stopped is started; what ran on is restarted if its code changed, on one node at a time."""
    code = "tripleo_update_flow.code.get(item, []) | intersect(tripleo_update_changed_projects) | length > 0"
    here = "tripleo_update_places.results | default([]) | selectattr('item', 'equalto', item) | map(attribute='stdout')"
    word = "search', ' is running on: ' ~ (inventory_hostname | regex_escape) ~ '( |$)'"
    return [
        _command(
            "Start the units that were stopped, in order", "{{ ['systemctl', 'start'] + tripleo_update_stopped }}",
            when="tripleo_update_stopped | length > 0",
        ),
        _command(
            "Restart the units whose code changed, in order", ["systemctl", "restart", "{{ item }}"],
            loop="{{ tripleo_update_kept }}", throttle=1, when=f"item in tripleo_update_changed_units or {code}",
        ),
        _look(
            "Where the resources run", ["crm_resource", "--resource", "{{ item }}", "--locate"],
            "tripleo_update_places", loop="{{ tripleo_update_flow.resources }}",
            when="tripleo_update_changed | length > 0", failed_when=False,
        ),
        _command(
            "Restart the resources on this node",
            ["crm_resource", "--restart", "--resource", "{{ item }}", "--node", "{{ inventory_hostname }}"],
            loop="{{ tripleo_update_flow.resources }}", throttle=1,
            when=["tripleo_update_changed | length > 0", f"{here} | select('{word}) | list | length > 0"],
        ),
    ]  # fmt: skip


def _wait() -> list[Task]:
    """What was started runs, the database is in sync, the cluster has nothing left to do."""
    clustered = f"{_LEAVES} or tripleo_update_flow.resources | length > 0"
    return [
        _look(
            "The database of the node is in sync", ["clustercheck"], "tripleo_update_database",
            when="tripleo_update_flow.synced", until="tripleo_update_database.rc == 0", retries=360, delay=5,  # 1800 s
        ),
        _look(
            "The cluster has nothing left to do", ["timeout", "--kill-after=10", "1800", "crm_resource", "--wait"],
            "tripleo_update_settled", when=clustered,
        ),
        _look(
            "The units that ran run again",
            "{{ ['systemctl', 'is-active'] + tripleo_update_was.running }}", "tripleo_update_states",
            when="tripleo_update_was.running | length > 0",
            until="tripleo_update_states.stdout_lines | difference(['active']) | length == 0", retries=60, delay=5,
        ),
    ]  # fmt: skip
