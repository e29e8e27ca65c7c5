"""What does the operator allow and ask for? allowances says what it comes to for one overcloud."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tripleo_update_plugin.errors import BadPolicy
from tripleo_update_plugin.rules import acceptance, probes, related, variables
from tripleo_update_plugin.rules.acceptance import Accepted
from tripleo_update_plugin.rules.budget import Budget, parse_budget
from tripleo_update_plugin.rules.deadlines import SILENCE, Deadlines
from tripleo_update_plugin.rules.failure_limits import MaxFailed
from tripleo_update_plugin.rules.related import Related

#: In a waiver: every service that the plan is impossible without.
EVERYTHING = "*"

#: Seconds of an exact search, unless the policy gives another number.
SOLVER_TIME = 10.0

#: When an update waits for a person.
APPROVALS = ("never", "after-canary", "every-wave")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A budget knowingly broken: its service may go down altogether, one node at a time."""

    service: str  # or EVERYTHING
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long the update of one node takes, in whole seconds; what is said of a node goes before its role.

    >>> Durations(default=600, roles={"Controller": 1200}).of("controller-0", "Controller")
    1200
    """

    default: int = 600
    roles: Mapping[str, int] = field(default_factory=dict)
    nodes: Mapping[str, int] = field(default_factory=dict)
    services: Mapping[str, int] = field(default_factory=dict)  # in a service wave

    def of(self, node: str, role: str) -> int:
        """Seconds for *node* of *role*, as a whole."""
        return self.nodes.get(node) or self.roles.get(role) or self.default

    def to_dict(self) -> dict[str, Any]:
        """As a plan records it: {default: seconds, roles, nodes, services: {name: seconds}}."""
        names = {"roles": self.roles, "nodes": self.nodes, "services": self.services}
        return {"default": self.default, **{key: dict(sorted(value.items())) for key, value in names.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The update waits for a person before the nodes of a ``role``, or before those that have a ``service``.

    One of the two is given, the other one is "".
    """

    role: str = ""
    service: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return f"role:{self.role}" if self.role else f"service:{self.service}"

    def holds_back(self, role: str, services: Collection[str]) -> bool:
        """Whether nodes of *role* that update *services* wait for it."""
        return role == self.role if self.role else self.service in services


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the operator allows. ``order`` is pairs (first, then) of services; ``domains`` is {node: domain}.

    ``durations`` None says nothing about time: every node takes as long as any other.
    """

    budgets: Mapping[str, Budget] = field(default_factory=dict)
    order: tuple[tuple[str, str], ...] = ()
    domains: Mapping[str, str] = field(default_factory=dict)
    canary: bool = False
    approve: str = "never"
    max_failed: MaxFailed = field(default_factory=MaxFailed)
    deadlines: Deadlines = field(default_factory=Deadlines)
    silence: int = SILENCE  # seconds without a result of a node after which a phase counts as hung
    waivers: tuple[Waiver, ...] = ()
    accept: tuple[Accepted, ...] = ()  # what may be sick as it was before
    services: tuple[str, ...] = ()  # folders of service profiles
    durations: Durations | None = None
    service_waves: tuple[str, ...] | None = None  # services updated alone first; None: as the catalogue asks for
    ramp: tuple[Budget, ...] = ()  # how many nodes of each role its steps take
    checkpoints: tuple[Checkpoint, ...] = ()
    extra_vars: Mapping[str, Any] = field(default_factory=dict)  # for the overcloud's update playbooks
    probes: Mapping[str, Any] = field(default_factory=dict)  # the keys probes and availability, as probes.parse reads
    related_stacks: tuple[Related, ...] = ()
    solver_time: float = SOLVER_TIME  # seconds for an exact search; it allows nothing, so plans do not record it

    def waiver_of(self, service: str) -> Waiver | None:
        """The waiver that lets *service* go down, its own or one of EVERYTHING; None if there is none."""
        return next((w for w in self.waivers if w.service in (service, EVERYTHING)), None)


def parse_policy(data: Mapping[str, Any]) -> Policy:
    """A policy from a mapping that the policy's JSON Schema accepts; BadPolicy for what a schema cannot say."""
    try:
        budgets = {service: parse_budget(value) for service, value in (data.get("budgets") or {}).items()}
    except ValueError as error:
        raise BadPolicy(f"budgets: {error}") from error
    if data.get("approve") == "after-canary" and data.get("canary") is False:
        raise BadPolicy("approve: after-canary needs a canary, and 'canary: false' forbids one")
    domains: dict[str, str] = {}
    for domain, nodes in (data.get("domains") or {}).items():
        for node in nodes:
            if node in domains:
                raise BadPolicy(f"domains: node {node} is in {domains[node]} and in {domain}")
            domains[node] = domain
    return Policy(
        budgets=budgets,
        order=tuple((pair["first"], pair["then"]) for pair in data.get("order") or ()),
        domains=domains,
        # A stop after the canary makes one.
        canary=bool(data.get("canary", data.get("approve") == "after-canary")),
        approve=data.get("approve", "never"),
        max_failed=MaxFailed.parse(data.get("max_failed") or 0),
        deadlines=Deadlines.parse(data.get("deadlines") or {}),
        silence=int(data.get("silence") or SILENCE),
        waivers=tuple(Waiver(service=w["service"], reason=w["reason"]) for w in data.get("waivers") or ()),
        accept=acceptance.parse(data.get("accept") or ()),
        services=tuple(data.get("services") or ()),
        durations=_durations(data.get("durations")),
        service_waves=tuple(data["service_waves"]) if "service_waves" in data else None,
        ramp=_ramp(data.get("ramp") or ()),
        checkpoints=tuple(_checkpoint(entry) for entry in data.get("checkpoints") or ()),
        extra_vars=variables.checked(data.get("extra_vars") or {}),
        probes=_probes(data),
        related_stacks=related.parse(data.get("related_stacks") or ()),
        solver_time=data.get("solver_time", SOLVER_TIME),
    )


def check_recorded(data: Mapping[str, Any]) -> None:
    """Raise BadPolicy for what a schema cannot say of a policy as a plan records it, resolved to numbers."""
    variables.checked(data.get("extra_vars") or {})
    acceptance.parse(data.get("accept") or ())
    _ramp(data.get("ramp") or ())
    related.parse(data.get("related_stacks") or ())
    _probes(data)


def _probes(data: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a policy that is about probes, once it is known that it can be followed."""
    found = {key: data[key] for key in ("probes", "availability") if data.get(key)}
    probes.parse(found)
    return found


def _durations(data: Mapping[str, Any] | None) -> Durations | None:
    if not data:
        return None
    named = {key: {name: int(n) for name, n in (data.get(key) or {}).items()} for key in ("roles", "nodes", "services")}
    return Durations(default=int(data.get("default") or Durations().default), **named)


def _ramp(steps: Iterable[int | str]) -> tuple[Budget, ...]:
    try:
        return tuple(parse_budget(step) for step in steps)
    except ValueError as error:
        raise BadPolicy(f"ramp: {error}") from error


def _checkpoint(data: Mapping[str, str]) -> Checkpoint:
    kind, _, name = data["before"].partition(":")
    return Checkpoint(**{kind: name}, reason=data.get("reason", ""))


def merge(documents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Several policy documents as one: mappings are merged, everything else is replaced by the later one."""
    merged: dict[str, Any] = {}
    for document in documents:
        for key, value in document.items():
            earlier = merged.get(key)
            both = isinstance(value, Mapping) and isinstance(earlier, Mapping)
            merged[key] = {**earlier, **value} if both and earlier else value
    return merged


