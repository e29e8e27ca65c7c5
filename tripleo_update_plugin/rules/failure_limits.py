"""How many nodes may fail before no new batch begins: of all, of a role, of those that have a service?

A node that failed counts for its role and for every service that its role has, whatever was updated on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tripleo_update_plugin.overcloud.model import Overcloud

#: As a plan has it: a number for the whole update, or
#: {update: number, roles: {role: number}, services: {service: {most: number, roles: [those that have it]}}}.
Resolved = int | Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxFailed:
    """The policy's ``max_failed``; ``update`` None sets no limit to the whole.

    >>> MaxFailed.parse(2)
    MaxFailed(update=2, roles={}, services={})
    """

    update: int | None = 0
    roles: Mapping[str, int] = field(default_factory=dict)
    services: Mapping[str, int] = field(default_factory=dict)

    @property
    def tells_apart(self) -> bool:
        """Whether it matters which nodes fail, and not only how many."""
        return bool(self.roles or self.services)

    @classmethod
    def parse(cls, data: int | Mapping[str, Any]) -> "MaxFailed":
        """From what the policy's JSON Schema accepts: a number is that of the whole update."""
        if not isinstance(data, Mapping):
            return cls(update=int(data))
        named = {key: {name: int(n) for name, n in (data.get(key) or {}).items()} for key in ("roles", "services")}
        whole = data.get("update", None if any(named.values()) else 0)
        return cls(update=None if whole is None else int(whole), **named)

    def resolved(self, overcloud: Overcloud) -> Resolved:
        """As a plan keeps it, with the roles that have the services."""
        if self.update is not None and not self.tells_apart:
            return self.update
        roles_of = {s: {node.role for node in overcloud.nodes if s in node.services} for s in self.services}
        return {
            **({} if self.update is None else {"update": self.update}),
            "roles": dict(sorted(self.roles.items())),
            "services": {s: {"most": n, "roles": sorted(roles_of[s])} for s, n in sorted(self.services.items())},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most ``most`` nodes of ``roles`` may fail, with ``others`` of all other roles; ``whose`` says it in words."""

    most: int
    roles: frozenset[str] = frozenset()
    others: bool = False
    whose: str = ""

    def counts(self, role: str) -> bool:
        """Whether a node of *role* counts."""
        return (role in self.roles) != self.others


def caps_of(data: object) -> tuple[Cap, ...]:
    """What a plan's ``max_failed`` comes to; ValueError for what is not Resolved.

    Where nothing is said of the whole update, nodes that none of the other limits speaks of may not fail.

    >>> caps_of(2)
    (Cap(most=2, roles=frozenset(), others=True, whose=''),)
    """
    if not isinstance(data, Mapping):
        return (Cap(most=_number(data), others=True),)
    if not data.keys() <= {"update", "roles", "services"}:
        raise ValueError("max_failed has keys that are none of update, roles, services")
    caps = [
        Cap(most=_number(most), roles=frozenset({role}), whose=f"of role {role}")
        for role, most in _mapping(data.get("roles")).items()
    ]
    for service, given in _mapping(data.get("services")).items():
        roles = frozenset(_names(_mapping(given).get("roles")))
        caps.append(Cap(most=_number(_mapping(given).get("most")), roles=roles, whose=f"with {service}"))
    if "update" in data:
        return (*caps, Cap(most=_number(data["update"]), others=True))
    named = frozenset().union(*(cap.roles for cap in caps))
    return (*caps, Cap(most=0, roles=named, others=True, whose="that no limit speaks of"))


def names_in(data: object) -> tuple[str, ...]:
    """Every role and service that a plan's ``max_failed`` names."""
    if not isinstance(data, Mapping):
        return ()
    services = _mapping(data.get("services"))
    inner = [role for each in services.values() for role in _names(_mapping(each).get("roles"))]
    return (*_mapping(data.get("roles")), *services, *inner)


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"max_failed: {value!r:.50} is not a number of nodes")
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise ValueError(f"max_failed: {value!s:.50} is no mapping")
    return value or {}


def _names(value: object) -> list[str] | tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"max_failed: {value!s:.50} is no list of roles")
    return value
