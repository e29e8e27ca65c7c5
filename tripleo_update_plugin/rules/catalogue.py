"""What is each service, how much of it may be down, and which steps go with its stop and start?"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tripleo_update_plugin.errors import BadProfile
from tripleo_update_plugin.rules.budget import Budget, Count, Rule, parse_budget

#: Kind → (default budget, hard limit).
KINDS: Mapping[str, tuple[Budget, Budget]] = {
    "quorum": (Count(1), Rule("quorum")),
    "stateless": (Rule("half"), Rule("all-but-one")),
    "worker": (Rule("half"), Rule("all-but-one")),
    "active-passive": (Count(1), Rule("all-but-one")),
    "cache": (Count(1), Rule("all-but-one")),
    "agent": (Rule("agents"), Rule("unlimited")),
    "storage": (Count(1), Count(1)),
    "host": (Rule("unlimited"), Rule("unlimited")),
    # A service nobody described: as careful as can be.
    "unknown": (Count(1), Rule("all-but-one")),
}

#: Parts of a profile that differ by runner.
BY_RUNNER = ("health", "drain", "restore", "gate", "again")

#: Tasks of Ansible, or checks of the module tripleo_update_health.
Tasks = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the catalogue knows about one service.

    ``kind`` is one of KINDS. ``budget`` is what may be down unless a policy says something else, ``limit`` what no
    policy may exceed. ``after`` are the services it comes after, ``why`` the reason for its budget. ``wave`` is 'first'
    where the service is updated alone, on all its nodes, before anything that comes after it. ``units`` is {runner:
    names to look at}; ``health`` is {runner or 'any': checks of the module tripleo_update_health}; ``drain``,
    ``restore``, ``gate`` and ``again`` are {runner or 'any': Ansible tasks}. ``proxies`` are those of HAProxy that lead
    to the service: {name: how its servers go, drain or maint}.
    """

    service: str
    kind: str
    budget: Budget
    limit: Budget
    after: tuple[str, ...] = ()
    why: str = ""
    wave: str = ""
    units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    proxies: Mapping[str, str] = field(default_factory=dict)
    health: Mapping[str, Tasks] = field(default_factory=dict)
    drain: Mapping[str, Tasks] = field(default_factory=dict)
    restore: Mapping[str, Tasks] = field(default_factory=dict)
    gate: Mapping[str, Tasks] = field(default_factory=dict)
    again: Mapping[str, Tasks] = field(default_factory=dict)

    @property
    def is_bounded(self) -> bool:
        """False for what only configures a host: nobody notices while it is down."""
        return self.kind != "host"

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all that the profile says."""
        said = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(said.encode()).hexdigest()

    def of_runner(self, part: str, runner: str) -> Tasks:
        """What *part*, one of BY_RUNNER, has for *runner*, else for any."""
        by_runner: Mapping[str, Tasks] = getattr(self, part)
        return by_runner.get(runner) or by_runner.get("any") or ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All profiles, by service."""

    profiles: Mapping[str, Profile]

    def knows(self, service: str) -> bool:
        """Whether somebody described *service*."""
        return service in self.profiles

    def profile(self, service: str) -> Profile:
        """The profile of *service*; a careful one if nobody described it."""
        return self.profiles.get(service) or _unknown(service)


def _unknown(service: str) -> Profile:
    budget, limit = KINDS["unknown"]
    return Profile(
        service=service, kind="unknown", budget=budget, limit=limit, why="not in the catalogue, so one at a time"
    )


def parse_profile(service: str, data: Mapping[str, Any], source: str) -> Profile:
    """The Profile of a catalogue's entry that its JSON Schema accepts.

    Raises BadProfile, with *source* (file and line), for what a schema cannot say.
    """
    kind = data["kind"]
    if kind not in KINDS or kind == "unknown":
        kinds = ", ".join(k for k in KINDS if k != "unknown")
        raise BadProfile(f"{source}: {service}: kind {kind!r} is not one of {kinds}")
    try:
        budget = parse_budget(data["max_unavailable"]) if "max_unavailable" in data else KINDS[kind][0]
        limit = parse_budget(data["limit"]) if "limit" in data else KINDS[kind][1]
    except ValueError as error:
        raise BadProfile(f"{source}: {service}: {error}") from error
    return Profile(
        service=service,
        kind=kind,
        budget=budget,
        limit=limit,
        after=tuple(data.get("after", ())),
        why=data.get("why", ""),
        wave=data.get("wave", ""),
        units={runner: tuple(names) for runner, names in data.get("units", {}).items()},
        proxies=dict(data.get("proxies", {})),
        **{part: _tasks(data.get(part, {})) for part in BY_RUNNER},
    )


def _tasks(steps: Mapping[str, Sequence[Mapping[str, Any]]]) -> Mapping[str, Tasks]:
    return {runner: tuple(tasks) for runner, tasks in steps.items()}
