"""What may be sick in an update because it was so before, by name?

Gates let it pass as long as it gets no worse; how it was before is in the record on each node. The policy, the workbook
and the actions go by this one rule for names, so that what a plan was made with can be run.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tripleo_update_plugin.errors import BadPolicy
from tripleo_update_plugin.names import is_safe_name, short_name
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.rules.catalogue import Catalogue

#: What the name of a container's unit becomes for that of its health check.
HEALTH_CHECK = "_healthcheck"

#: service:NAME, unit:NAME (of the catalogue), haproxy:PROXY or haproxy:PROXY/SERVER.
_SPELLING = re.compile(r"(service|unit):[^/]+\Z|haproxy:[^/]+(/[^/]+)?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A thing that may be sick as it was before, on ``nodes`` or nodes of ``roles``; everywhere if neither is given."""

    name: str
    reason: str = ""
    nodes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """One of service, unit and haproxy."""
        return self.name.partition(":")[0]

    @property
    def thing(self) -> str:
        """The name without its kind: of a service, a unit, a proxy."""
        return self.name.partition(":")[2].partition("/")[0]

    @property
    def server(self) -> str:
        """The server of the proxy that alone is meant; "" for anything else."""
        return self.name.partition("/")[2]

    def holds_on(self, node: str, role: str) -> bool:
        """Whether it may be sick on *node* of *role*."""
        return node in self.nodes or role in self.roles or not (self.nodes or self.roles)

    def to_dict(self) -> dict[str, Any]:
        """As a plan and a workbook have it: only what is said."""
        said = {"reason": self.reason, "nodes": list(self.nodes), "roles": list(self.roles)}
        return {"name": self.name, **{key: value for key, value in said.items() if value}}

    def __str__(self) -> str:
        """
        >>> str(Accepted(name="unit:tripleo_nova_api", reason="its check asks a wrong port", roles=("Controller",)))
        'unit:tripleo_nova_api (role Controller): its check asks a wrong port'
        """
        where = ", ".join([*(f"role {role}" for role in self.roles), *self.nodes])
        return f"{self.name} ({where}): {self.reason}" if where else f"{self.name}: {self.reason}"


def parse(data: Any) -> tuple[Accepted, ...]:
    """What policies, plans and workbooks have under ``accept``; BadPolicy for what is no list of that.

    >>> [accepted.thing for accepted in parse([{"name": "haproxy:redis/ctl-0.internalapi"}, {"name": "service:etcd"}])]
    ['redis', 'etcd']
    """
    if not isinstance(data, list | tuple):
        raise BadPolicy("accept: a list of what may be sick is expected")
    return tuple(map(_parsed, data))


def _parsed(entry: Any) -> Accepted:
    if not isinstance(entry, Mapping) or not entry.keys() <= {"name", "reason", "nodes", "roles"}:
        raise BadPolicy(f"accept: {entry!r:.100} is not a name with a reason, nodes and roles")
    name = entry.get("name")
    if not isinstance(name, str) or not _SPELLING.match(name) or not all(map(is_safe_name, re.split("[:/]", name))):
        raise BadPolicy(
            f"accept: {name!r:.100} is no name of what may be sick",
            "Write service:NAME, unit:NAME, haproxy:PROXY or haproxy:PROXY/SERVER, as the gate names what is sick.",
        )
    found = Accepted(
        name=name, reason=str(entry.get("reason") or ""), nodes=_names(name, entry.get("nodes")),
        roles=_names(name, entry.get("roles")),
    )  # fmt: skip
    if found.server and (found.nodes or found.roles):
        raise BadPolicy(f"accept: {name}: a server is that of one node already, so it has no nodes and no roles")
    return found


def _names(name: str, value: Any) -> tuple[str, ...]:
    if value is not None and not (isinstance(value, list | tuple) and all(map(is_safe_name, value))):
        raise BadPolicy(f"accept: {name}: {value!r:.100} is no list of names")
    return tuple(value or ())


def check(accepted: Iterable[Accepted], catalogue: Catalogue, overcloud: Overcloud) -> None:
    """Raise BadPolicy for names that nothing in *overcloud* has, and for what no gate looks at."""
    for each in accepted:
        for problem in _problems(each, catalogue, overcloud):
            raise BadPolicy(f"accept: {each.name}: {problem}")


def _problems(accepted: Accepted, catalogue: Catalogue, overcloud: Overcloud) -> Iterator[str]:
    nodes = {node.name: node for node in overcloud.nodes}
    roles = {node.role for node in overcloud.nodes}
    yield from (f"the overcloud has no node {name!r}" for name in accepted.nodes if name not in nodes)
    yield from (f"the overcloud has no role {name!r}" for name in accepted.roles if name not in roles)
    deployed = {s for node in nodes.values() if accepted.holds_on(node.name, node.role) for s in node.services}
    service = {"service": accepted.thing, "haproxy": "haproxy"}.get(accepted.kind)
    if service and service not in deployed:
        yield f"no node of these has the service {service!r}"
    elif service and not _is_looked_at(service, catalogue):
        yield f"no gate looks at {service}"
    units = {unit for s in deployed for names in catalogue.profile(s).units.values() for unit in names}
    if accepted.kind == "unit" and accepted.thing not in units:
        yield "no profile of a service of these nodes has that unit; what has no profile is accepted as service:NAME"
    if accepted.server and short_name(accepted.server) not in nodes:
        yield f"the overcloud has no node {short_name(accepted.server)!r}"


def _is_looked_at(service: str, catalogue: Catalogue) -> bool:
    profile = catalogue.profile(service)
    return profile.is_bounded or bool(profile.health)


def doubts(accepted: Iterable[Accepted], catalogue: Catalogue) -> Iterator[str]:
    """Warnings of proxies that no profile has; HAProxy may have them all the same, and only it knows."""
    known = {proxy for profile in catalogue.profiles.values() for proxy in profile.proxies}
    for each in accepted:
        if each.kind == "haproxy" and each.thing not in known:
            yield f"accept: {each.name}: no profile names that proxy, so only HAProxy knows whether there is one"


def not_accepted(
    failed: Mapping[str, Iterable[str]], accepted: Iterable[Accepted], catalogue: Catalogue, overcloud: Overcloud
) -> dict[str, tuple[str, ...]]:
    """What of the units in *failed*, {node: units}, the gates will not let pass."""
    found = {}
    for name, units in failed.items():
        node = overcloud.node(name)
        names = names_on(accepted, name, node.role)
        services = {each for each in node.services if f"service:{each}" in names}
        fine = {unit for each in services for own in catalogue.profile(each).units.values() for unit in own}
        left = [each for each in units if f"unit:{_checked(each)}" not in names and _checked(each) not in fine]
        if left:
            found[name] = tuple(left)
    return found


def _checked(unit: str) -> str:
    """What a unit is about: a container's health check is one of its own."""
    return unit.removesuffix(HEALTH_CHECK)


def names_on(accepted: Iterable[Accepted], node: str, role: str) -> list[str]:
    """Names of all that may be sick on *node* of *role*."""
    return sorted({each.name for each in accepted if each.holds_on(node, role)})


def servers_of(accepted: Iterable[Accepted], nodes: Iterable[str]) -> list[str]:
    """``proxy/server`` of the servers of *nodes* that HAProxy need not find up."""
    own = frozenset(nodes)
    servers = [each for each in accepted if each.server and short_name(each.server) in own]
    return sorted({f"{each.thing}/{each.server}" for each in servers})


def without_reasons(data: Any) -> list[dict[str, Any]]:
    """A plan's ``accept`` as a workbook has it: reasons are for people. BadPolicy as parse() raises it."""
    return [{key: value for key, value in each.to_dict().items() if key != "reason"} for each in parse(data)]
