"""What do the nodes say of themselves? Facts, and among them how they see their Pacemaker cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tripleo_update_plugin.names import naturally


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
        """All of it, as JSON has it."""
        return {
            "seen_from": self.seen_from,
            "quorum": self.quorum,
            **{key: dict(sorted(getattr(self, key).items())) for key in ("members", "remotes", "resources")},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Cluster":
        """What to_dict() gave. TypeError for other keys."""
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
            unanswered=dict(data.get("unanswered") or {}),
        )
