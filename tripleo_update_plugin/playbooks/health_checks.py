"""What does a gate look at? Service profiles become checks, as data for the module ``tripleo_update_health``."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from tripleo_update_plugin.rules.catalogue import Catalogue, Profile

#: {services: [the services it speaks for], kind of check: what it needs}
Check = dict[str, Any]

#: Runner → the kind of check that looks at the profile's units.
_UNITS = {"systemd": "units", "container": "containers", "pacemaker": "here", "bundle": "here"}


def checks_of(services: Iterable[tuple[Profile, str]], members: Mapping[str, int]) -> list[Check]:
    """The checks of *services*, given as (profile, its runner); what several would ask alike is asked once.

    *members* is how many nodes have each service and should be part of its cluster now.
    """
    checks: list[Check] = []
    for profile, runner in services:
        for body in _bodies(profile, runner, members.get(profile.service, 1)):
            same = next((check for check in checks if _body(check) == body), None)
            if same is None:
                checks.append({"services": [profile.service], **body})
            elif profile.service not in same["services"]:
                same["services"].append(profile.service)
    return checks


def _body(check: Check) -> Check:
    return {key: value for key, value in check.items() if key != "services"}


def _bodies(profile: Profile, runner: str, members: int) -> list[Check]:
    bodies: list[Check] = []
    names = list(profile.units.get(runner, ()))
    if names:
        # Of an active-passive resource the cluster runs one copy, on whichever node.
        moves = profile.kind == "active-passive" and runner in ("pacemaker", "bundle")
        bodies.append({"somewhere" if moves else _UNITS[runner]: names})
    bodies += [_counted(dict(check), members) for check in profile.of_runner("health", runner)]
    if not bodies and not profile.of_runner("gate", runner):
        bodies.append({"like": profile.service})
    return bodies


def _counted(check: Check, members: int) -> Check:
    command = check.get("command", {})
    return {**check, "command": {**command, "least": members}} if "members" in command else check


def servers_checks(
    catalogue: Catalogue, going: Mapping[str, Collection[str]], away: Collection[str], allowed: Mapping[str, int]
) -> list[Check]:
    """One check, or none, of a HAProxy: its servers for the services of the nodes that are *going*, {node: services}.

    *away* are nodes that are known to be down, *allowed* is how many of each service may be down at once.
    """
    proxies: dict[str, Any] = {}
    for service in sorted(frozenset().union(*going.values())):
        for proxy in catalogue.profile(service).proxies if service in allowed else ():
            nodes = [node for node, services in going.items() if service in services]
            proxies[proxy] = {"going": nodes, "away": sorted(away), "allowed": allowed[service]}
    return [{"services": ["haproxy"], "servers": proxies}] if proxies else []
