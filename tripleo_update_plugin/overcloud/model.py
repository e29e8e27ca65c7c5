"""What there is: nodes, the services on them, and the overcloud they make up."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ARCHITECTURES = ("pacemaker", "pacemaker-core", "pacemaker-bundles", "none")
PACKAGINGS = ("packages", "containers")

#: Who runs a service on a node.
RUNNERS = ("pacemaker", "systemd", "container", "bundle")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}\Z")


def is_safe_name(text: object) -> bool:
    """Whether *text* can stand in a workflow definition, a file name and an inventory without being anything else.

    >>> is_safe_name("compute-0"), is_safe_name("<% $.x %>"), is_safe_name("../etc")
    (True, False, False)
    """
    return isinstance(text, str) and bool(_NAME.match(text))


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts numbers in the order of their values.

    >>> sorted(["compute-10", "compute-2"], key=natural_key)
    ['compute-2', 'compute-10']
    """
    parts = re.split(r"(\d+)", name)
    return tuple((1, int(p), p) if p.isdigit() and p.isascii() else (0, 0, p) for p in parts if p)


def naturally(names: Iterable[str]) -> tuple[str, ...]:
    """*names* without repeats, in natural order."""
    own = set(names)
    return tuple(sorted(own, key=natural_key) if len(own) > 1 else own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One host; its short host name is the only key."""

    name: str
    role: str
    services: frozenset[str]
    address: str = ""
    server_id: str = ""
    domain: str = ""
    excluded: str = ""  # why it is left out; empty when it is not


@dataclass(frozen=True, slots=True, kw_only=True)
class Overcloud:
    """What Heat says there is.

    ``runners`` tells who runs a service of a role: {role: {service: one of RUNNERS}}.
    ``digest`` is the SHA-256 (hex) of the outputs it was read from.
    """

    stack: str
    release: str
    architecture: str
    packaging: str
    nodes: tuple[Node, ...]
    digest: str
    runners: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    vips: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    has_update_tasks: bool = True

    @property
    def services(self) -> tuple[str, ...]:
        """Every service that some node has, in natural order."""
        return naturally(frozenset().union(*{node.services for node in self.nodes}))

    def node(self, name: str) -> Node:
        """The node of that *name*; KeyError if there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def hosts_of(self, service: str) -> frozenset[str]:
        """Names of the nodes that have *service*."""
        return frozenset(node.name for node in self.nodes if service in node.services)

    def hosts(self) -> dict[str, frozenset[str]]:
        """hosts_of() every service, in one go."""
        alike: dict[frozenset[str], list[str]] = {}
        for node in self.nodes:
            alike.setdefault(node.services, []).append(node.name)
        hosts: dict[str, list[str]] = {}
        for services, names in alike.items():
            for service in services:
                hosts.setdefault(service, []).extend(names)
        return {service: frozenset(names) for service, names in hosts.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The Pacemaker cluster as the node ``seen_from`` sees it.

    ``members`` have a vote, ``remotes`` have none: {name: online, offline, standby, maintenance or pending}.
    ``resources`` is {name: what it is: bundle, clone, master, group or resource}, the inside of each left out.
    """

    seen_from: str
    quorum: bool
    members: Mapping[str, str]
    remotes: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, str] = field(default_factory=dict)

    @property
    def votes(self) -> tuple[bool, Mapping[str, str]]:
        """What every member should agree on."""
        return self.quorum, self.members

    def to_dict(self) -> dict[str, object]:
        return {
            "seen_from": self.seen_from,
            "quorum": self.quorum,
            **{key: dict(sorted(getattr(self, key).items())) for key in ("members", "remotes", "resources")},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Cluster":
        return cls(**data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the nodes say now. What nobody asked, or nobody knew, is left out.

    ``down`` are nodes that do not answer; ``leaders`` is {service: node}. ``managed_by`` is {node: {service: one of
    RUNNERS}} where that is not what the outputs say. ``clusters`` has one view of the Pacemaker cluster, or several
    that differ; ``unclustered`` are nodes that have a cluster service and no running cluster. ``failed`` is {node:
    units}, ``updates`` {node: how many packages or containers have a newer version}, ``unanswered`` {node: {question:
    why}}.
    """

    down: frozenset[str] = frozenset()
    leaders: Mapping[str, str] = field(default_factory=dict)
    managed_by: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    clusters: tuple[Cluster, ...] = ()
    unclustered: frozenset[str] = frozenset()
    failed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pending_reboot: frozenset[str] = frozenset()
    updates: Mapping[str, int] = field(default_factory=dict)
    unanswered: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """``down`` and ``leaders`` always, the rest where there is any: so the digests of older plans still fit."""
        more = {
            "managed_by": {node: dict(sorted(by.items())) for node, by in sorted(self.managed_by.items())},
            "clusters": [cluster.to_dict() for cluster in self.clusters],
            "unclustered": list(naturally(self.unclustered)),
            "failed": {node: list(units) for node, units in sorted(self.failed.items())},
            "pending_reboot": list(naturally(self.pending_reboot)),
            "updates": dict(sorted(self.updates.items())),
            "unanswered": {node: dict(sorted(why.items())) for node, why in sorted(self.unanswered.items())},
        }
        return {
            "down": list(naturally(self.down)),
            "leaders": dict(sorted(self.leaders.items())),
            **{key: value for key, value in more.items() if value},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Facts":
        return cls(
            down=frozenset(data.get("down") or ()),
            leaders=dict(data.get("leaders") or {}),
            managed_by=dict(data.get("managed_by") or {}),
            clusters=tuple(Cluster.from_dict(each) for each in data.get("clusters") or ()),
            unclustered=frozenset(data.get("unclustered") or ()),
            failed={node: tuple(units) for node, units in (data.get("failed") or {}).items()},
            pending_reboot=frozenset(data.get("pending_reboot") or ()),
            updates=dict(data.get("updates") or {}),
            unanswered=dict(data.get("unanswered") or {}),
        )
