"""What is an update limited to? Roles, nodes, services, as ``--limit`` names them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tripleo_update_plugin.errors import BadLimit
from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud.model import Node, Overcloud


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Names of ``roles``, ``nodes`` and ``services``; an empty set does not limit.

    A node is inside if its role or the node itself is named, and it has one of the services.
    """

    roles: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()

    def takes(self, node: Node) -> bool:
        """Whether *node* is inside the limit."""
        placed = not (self.roles or self.nodes) or node.role in self.roles or node.name in self.nodes
        return placed and (not self.services or bool(self.services & node.services))

    def to_dict(self) -> dict[str, list[str]]:
        """What is limited, {roles, nodes or services: names}, as a plan records it."""
        return {
            kind: list(naturally(names))
            for kind, names in (("roles", self.roles), ("nodes", self.nodes), ("services", self.services))
            if names
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Iterable[str]]) -> "Limit":
        """What to_dict() gave."""
        return cls(**{kind: frozenset(names) for kind, names in data.items()})


def parse_limit(texts: Iterable[str], overcloud: Overcloud) -> Limit:
    """The limit that *texts* stand for: ``role:NAME``, ``node:NAME``, ``service:NAME``, or a name of only one kind.

    Raises BadLimit for a name that *overcloud* does not have, or that could be two of the three.
    """
    known = {
        "role": {node.role for node in overcloud.nodes},
        "node": {node.name for node in overcloud.nodes},
        "service": set(overcloud.services),
    }
    chosen: dict[str, set[str]] = {kind: set() for kind in known}
    for text in texts:
        kind, _, name = text.partition(":") if ":" in text else ("", "", text)
        kinds = [kind] if kind else [k for k, names in known.items() if name in names]
        if len(kinds) > 1:
            raise BadLimit(f"--limit {text} may mean {' or '.join(f'{k}:{name}' for k in kinds)}")
        if not kinds or name not in known.get(kinds[0], ()):
            raise BadLimit(f"--limit {text}: stack {overcloud.stack} has no such {kind or 'role, node or service'}")
        chosen[kinds[0]].add(name)
    return Limit(**{f"{kind}s": frozenset(names) for kind, names in chosen.items()})
