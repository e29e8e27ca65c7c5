"""What the operator allows, and what it comes to for one overcloud, in numbers."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tripleo_update_plugin.errors import BadPolicy
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.rules import probes
from tripleo_update_plugin.rules.budget import Budget, parse_budget
from tripleo_update_plugin.rules.catalogue import Catalogue, Profile

EVERYTHING = "*"

SOLVER_TIME = 10.0

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
        return self.nodes.get(node) or self.roles.get(role) or self.default

    def to_dict(self) -> dict[str, Any]:
        names = {"roles": self.roles, "nodes": self.nodes, "services": self.services}
        return {"default": self.default, **{key: dict(sorted(value.items())) for key, value in names.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The update waits for a person before the nodes of a ``role``, or those that have a ``service``; one is empty."""

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
    max_failed: int = 0
    waivers: tuple[Waiver, ...] = ()
    services: tuple[str, ...] = ()  # folders of service profiles
    durations: Durations | None = None
    service_waves: tuple[str, ...] | None = None  # services updated alone first; None: as the catalogue asks for
    ramp: tuple[Budget, ...] = ()  # how many nodes of each role its steps take
    checkpoints: tuple[Checkpoint, ...] = ()
    extra_vars: Mapping[str, Any] = field(default_factory=dict)  # for the overcloud's update playbooks
    probes: Mapping[str, Any] = field(default_factory=dict)  # the keys probes and availability, as probes.parse reads
    solver_time: float = SOLVER_TIME  # seconds for an exact search; it allows nothing, so plans do not record it

    def waiver_of(self, service: str) -> Waiver | None:
        return next((w for w in self.waivers if w.service in (service, EVERYTHING)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """One service's budget, resolved.

    ``of`` replicas there are, over all roles; ``down`` of them are down already; ``allowed`` may be down at once (the
    ones down already count); ``limit`` is what no policy may exceed. ``source`` is 'catalogue' or 'policy'.
    """

    service: str
    kind: str
    budget: Budget
    of: int
    down: int
    allowed: int
    limit: int
    source: str
    why: str

    @property
    def free(self) -> int:
        """How many more may go down now."""
        return self.allowed - self.down


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
        max_failed=data.get("max_failed", 0),
        waivers=tuple(Waiver(service=w["service"], reason=w["reason"]) for w in data.get("waivers") or ()),
        services=tuple(data.get("services") or ()),
        durations=_durations(data.get("durations")),
        service_waves=tuple(data["service_waves"]) if "service_waves" in data else None,
        ramp=_ramp(data.get("ramp") or ()),
        checkpoints=tuple(_checkpoint(entry) for entry in data.get("checkpoints") or ()),
        extra_vars=checked_vars(data.get("extra_vars") or {}),
        probes=_probes(data),
        solver_time=data.get("solver_time", SOLVER_TIME),
    )


def _probes(data: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a policy that is about probes, once it is known that it can be followed."""
    found = {key: data[key] for key in ("probes", "availability") if data.get(key)}
    probes.parse(found)
    return found


def _durations(data: Mapping[str, Any] | None) -> Durations | None:
    if not data:
        return None
    default = data.get("default") or Durations().default
    return Durations(default=default, **{key: dict(data.get(key) or {}) for key in ("roles", "nodes", "services")})


def _ramp(steps: Iterable[int | str]) -> tuple[Budget, ...]:
    try:
        return tuple(parse_budget(step) for step in steps)
    except ValueError as error:
        raise BadPolicy(f"ramp: {error}") from error


def _checkpoint(data: Mapping[str, str]) -> Checkpoint:
    kind, _, name = data["before"].partition(":")
    return Checkpoint(**{kind: name}, reason=data.get("reason", ""))


def checked_vars(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Extra variables, which go through Mistral and Ansible as they are.

    Raises BadPolicy for one that looks like an expression to either.
    """
    for name, value in data.items():
        if found := next((text for text in _texts(value) if _EXPRESSION.search(text)), ""):
            raise BadPolicy(f"extra_vars: {name}: {found!r} looks like an expression; write the value itself")
    return dict(data)


_EXPRESSION = re.compile(r"<%|\{\{|\{%|\{#")


def _texts(value: Any) -> Iterable[str]:
    """All text in a value, keys of mappings too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def merge(documents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Several policy documents as one: mappings are merged, everything else is replaced by the later one."""
    merged: dict[str, Any] = {}
    for document in documents:
        for key, value in document.items():
            earlier = merged.get(key)
            both = isinstance(value, Mapping) and isinstance(earlier, Mapping)
            merged[key] = {**earlier, **value} if both and earlier else value
    return merged


def resolve(policy: Policy, catalogue: Catalogue, overcloud: Overcloud, facts: Facts) -> dict[str, Allowance]:
    """The budget of every deployed service that has one, by service.

    Raises BadPolicy for a budget above a service's hard limit (unless waived) and for names that nothing has.
    """
    _check_names(policy, overcloud)
    allowances = {}
    hosts = overcloud.hosts()
    for service in overcloud.services:
        profile = catalogue.profile(service)
        if profile.is_bounded or service in policy.budgets:
            allowances[service] = _allowance(profile, policy, hosts[service], facts)
    return allowances


def _allowance(profile: Profile, policy: Policy, hosts: frozenset[str], facts: Facts) -> Allowance:
    service = profile.service
    own = policy.budgets.get(service)
    budget = own or profile.budget
    limit = profile.limit.of(len(hosts))
    allowed = budget.of(len(hosts))
    if own and allowed > limit and not policy.waiver_of(service):
        raise BadPolicy(
            f"budgets: {service}: {own} lets {allowed} of {len(hosts)} be down, the limit is {limit}"
            + (f" ({profile.why})" if profile.why else ""),
            f"Lower it to {limit}, or add a waiver for {service} with a reason.",
        )
    return Allowance(
        service=service,
        kind=profile.kind,
        budget=budget,
        of=len(hosts),
        down=len(hosts & facts.down),
        allowed=allowed if own else min(allowed, limit),
        limit=limit,
        source="policy" if own else "catalogue",
        why=profile.why,
    )


def _check_names(policy: Policy, overcloud: Overcloud) -> None:
    services, nodes = set(overcloud.services), {node.name for node in overcloud.nodes}
    named = [*policy.budgets, *(w.service for w in policy.waivers if w.service != EVERYTHING)]
    named += [service for pair in policy.order for service in pair]
    named += [*(policy.service_waves or ()), *(checkpoint.service for checkpoint in policy.checkpoints)]
    named += [*(policy.durations.services if policy.durations else ())]
    for service in filter(None, named):
        if service not in services:
            raise BadPolicy(f"no node has the service {service!r}, which the policy names")
    durations = policy.durations or Durations()
    for key, named_nodes in (("domains", policy.domains), ("durations", durations.nodes)):
        for node in named_nodes:
            if node not in nodes:
                raise BadPolicy(f"{key}: the overcloud has no node {node!r}")
    roles = {node.role for node in overcloud.nodes}
    for key, named_roles in (("durations", durations.roles), ("checkpoints", [c.role for c in policy.checkpoints])):
        for role in filter(None, named_roles):
            if role not in roles:
                raise BadPolicy(f"{key}: the overcloud has no role {role!r}")
