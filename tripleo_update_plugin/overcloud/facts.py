"""What do the nodes say of themselves? Facts, how they see their Pacemaker cluster, which updates still hold them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.times import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class Fencing:
    """The last time a node was fenced: ``action`` reboot or off; ``status`` success, failed or pending; its end."""

    action: str
    status: str
    completed: str = ""

    def __str__(self) -> str:
        """
        >>> str(Fencing(action="reboot", status="failed", completed="2026-01-01 10:00:00Z"))
        'reboot failed, 2026-01-01 10:00:00Z'
        """
        return f"{self.action} {self.status}" + (f", {self.completed}" if self.completed else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The Pacemaker cluster as the node ``seen_from`` sees it.

    ``members`` have a vote, ``remotes`` have none: {name: online, offline, standby, maintenance, pending or unclean}.
    ``resources`` is {name: what it is: bundle, clone, master, group or resource}, the inside of each left out.
    ``fencing`` says whether stonith is enabled, None where the cluster does not tell; ``bans`` is {resource: nodes that
    it may not run on}. ``maintenance`` and ``all_stopped`` are the properties maintenance-mode and stop-all-resources.
    ``troubles`` is {resource: {node: blocked, failed or unmanaged}} of now, ``failures`` {resource: nodes where an
    action of it failed and was not cleaned up}, ``fenced`` {node: the last fencing of it}.
    """

    seen_from: str
    quorum: bool
    members: Mapping[str, str]
    remotes: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, str] = field(default_factory=dict)
    fencing: bool | None = None
    bans: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    maintenance: bool = False
    all_stopped: bool = False
    troubles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    failures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fenced: Mapping[str, Fencing] = field(default_factory=dict)

    @property
    def votes(self) -> tuple[bool, Mapping[str, str]]:
        """What every member should agree on."""
        return self.quorum, self.members

    def to_dict(self) -> dict[str, object]:
        """All of it, as JSON has it."""
        known: dict[str, object] = {
            "seen_from": self.seen_from,
            "quorum": self.quorum,
            **{key: dict(sorted(getattr(self, key).items())) for key in ("members", "remotes", "resources")},
        }
        if self.fencing is not None:
            known["fencing"] = self.fencing
        more = {
            "bans": {resource: list(nodes) for resource, nodes in sorted(self.bans.items())},
            "maintenance": self.maintenance,
            "all_stopped": self.all_stopped,
            "troubles": {resource: dict(sorted(by.items())) for resource, by in sorted(self.troubles.items())},
            "failures": {resource: list(nodes) for resource, nodes in sorted(self.failures.items())},
            "fenced": {node: asdict(event) for node, event in sorted(self.fenced.items())},
        }
        return known | {key: value for key, value in more.items() if value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Cluster":
        """What to_dict() gave. TypeError for other keys."""
        lists = {
            key: {resource: tuple(nodes) for resource, nodes in (data.get(key) or {}).items()}
            for key in ("bans", "failures")
        }
        fenced = {node: Fencing(**event) for node, event in (data.get("fenced") or {}).items()}
        return cls(**{**data, **lists, "fenced": fenced})


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a node's own record says of an update that has not let go of it.

    ``state`` is 'at work', 'out of use', 'failed' or 'claimed'; ``update`` the id of the update; ``since`` and
    ``until`` are Unix seconds. ``changes`` is how many things are out of use for the node's sake, ``processes`` what
    still runs there.
    """

    state: str
    stack: str = ""
    update: str = ""
    batch: str = ""
    phase: str = ""
    since: float = 0.0
    until: float = 0.0
    machine: str = ""
    changes: int = 0
    processes: tuple[str, ...] = ()
    why: str = ""

    def __str__(self) -> str:
        """
        >>> str(Held(state="out of use", update="1234abcd-5678", batch="batch-2", since=0.0))
        'out of use since 1970-01-01T00:00:00Z by update 1234abcd, batch-2'
        """
        whose = f"update {self.update[:8]}, {self.batch}" if self.update else "an update that is not known"
        return f"{self.state} since {iso(self.since)} by {whose}"

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "processes": list(self.processes)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Held":
        """What to_dict() gave, or a node's record; whatever is not of its kind there counts as not said."""
        known = {each.name: data[each.name] for each in fields(cls) if _is_a(each.type, data.get(each.name))}
        return cls(**{**known, "state": str(data["state"]), "processes": _texts(data.get("processes"))})


def _is_a(kind: object, value: object) -> bool:
    return isinstance(value, int | float if kind is float else kind) if isinstance(kind, type) else False


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the nodes say now. What nobody asked, or nobody knew, is left out.

    ``down`` are nodes that do not answer; ``leaders`` is {service: node}. ``managed_by`` is {node: {service: one of
    RUNNERS}} where that is not what the outputs say. ``clusters`` has one view of the Pacemaker cluster, or several
    that differ; ``unclustered`` are nodes that have a cluster service and no running cluster. ``failed`` is {node:
    units}, ``updates`` {node: how many packages or containers have a newer version}, ``cutting`` {node: packages among
    them that cut what runs there}, ``unanswered`` {node: {question: why}}. ``held`` are nodes that an update has not
    let go of; ``aside`` are nodes out of their cluster that a plan does not touch, {node: what is the matter}.
    ``updated`` is {node: the digest of the outputs that an update has brought all of it to}.
    ``absent`` is {node: {service: its resource}} of what Pacemaker should run there and does not.
    """

    down: frozenset[str] = frozenset()
    leaders: Mapping[str, str] = field(default_factory=dict)
    managed_by: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    clusters: tuple[Cluster, ...] = ()
    unclustered: frozenset[str] = frozenset()
    failed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pending_reboot: frozenset[str] = frozenset()
    updates: Mapping[str, int] = field(default_factory=dict)
    cutting: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unanswered: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    held: Mapping[str, Held] = field(default_factory=dict)
    aside: Mapping[str, str] = field(default_factory=dict)
    updated: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def is_current(self, node: str, outputs: str) -> bool:
        """Whether an update has brought *node* to these *outputs*, a digest, and nothing newer is to be seen there."""
        return self.updated.get(node) == outputs and self.updates.get(node) == 0 and node not in self.away

    @property
    def away(self) -> frozenset[str]:
        """Nodes that budgets count as down: they don't answer, an update has them, or they are out of their cluster."""
        return self.down | self.held.keys() | self.aside.keys()

    @property
    def views(self) -> tuple[Cluster, ...]:
        """``clusters`` as nodes see them that are not away, without a word about those that are; with quorum first.

        What is being worked on comes and goes, so what it sees and how it is seen contradicts nobody.
        """
        found: list[Cluster] = []
        for view in sorted(self.clusters, key=lambda each: not each.quorum):
            members = {name: state for name, state in view.members.items() if name not in self.away}
            seen = replace(view, members=members)
            if view.seen_from not in self.away and seen.votes not in [each.votes for each in found]:
                found.append(seen)
        return tuple(found)

    def to_dict(self) -> dict[str, object]:
        """``down`` and ``leaders`` always, the rest where there is any: so the digests of older plans still fit."""
        more = {
            "managed_by": {node: dict(sorted(by.items())) for node, by in sorted(self.managed_by.items())},
            "clusters": [cluster.to_dict() for cluster in self.clusters],
            "unclustered": list(naturally(self.unclustered)),
            "failed": {node: list(units) for node, units in sorted(self.failed.items())},
            "pending_reboot": list(naturally(self.pending_reboot)),
            "updates": dict(sorted(self.updates.items())),
            "cutting": {node: list(names) for node, names in sorted(self.cutting.items())},
            "unanswered": {node: dict(sorted(why.items())) for node, why in sorted(self.unanswered.items())},
            "held": {node: held.to_dict() for node, held in sorted(self.held.items())},
            "aside": dict(sorted(self.aside.items())),
            "updated": dict(sorted(self.updated.items())),
            "absent": {node: dict(sorted(by.items())) for node, by in sorted(self.absent.items())},
        }
        return {
            "down": list(naturally(self.down)),
            "leaders": dict(sorted(self.leaders.items())),
            **{key: value for key, value in more.items() if value},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Facts":
        """What to_dict() gave, of older versions too: whatever is not there was not asked."""
        return cls(
            down=frozenset(data.get("down") or ()),
            leaders=dict(data.get("leaders") or {}),
            managed_by=dict(data.get("managed_by") or {}),
            clusters=tuple(Cluster.from_dict(each) for each in data.get("clusters") or ()),
            unclustered=frozenset(data.get("unclustered") or ()),
            failed={node: tuple(units) for node, units in (data.get("failed") or {}).items()},
            pending_reboot=frozenset(data.get("pending_reboot") or ()),
            updates=dict(data.get("updates") or {}),
            cutting={node: tuple(names) for node, names in (data.get("cutting") or {}).items()},
            unanswered=dict(data.get("unanswered") or {}),
            held={node: Held.from_dict(held) for node, held in (data.get("held") or {}).items()},
            aside=dict(data.get("aside") or {}),
            updated=dict(data.get("updated") or {}),
            absent=dict(data.get("absent") or {}),
        )
