"""Which other stacks belong to the same cloud, and what does an update owe them?

Cells, sites at the edge and a split control plane are stacks of their own, and share databases, brokers, networks or
storage. No two of them are updated at the same time, none while something is out of use in another, and in order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tripleo_update_plugin.errors import BadPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another stack of the cloud; ``first`` says that it has to have been updated before this one is."""

    stack: str
    first: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As a policy has it."""
        return {"stack": self.stack, **({"first": True} if self.first else {})}

    def __str__(self) -> str:
        """
        >>> str(Related(stack="central", first=True)), str(Related(stack="dcn1"))
        ('after stack central', 'not at the same time as stack dcn1')
        """
        return f"after stack {self.stack}" if self.first else f"not at the same time as stack {self.stack}"


def parse(data: Iterable[Mapping[str, Any]]) -> tuple[Related, ...]:
    """The related stacks of a policy, as its schema has them. BadPolicy where one is named twice."""
    found = tuple(Related(stack=each["stack"], first=each.get("first", False)) for each in data)
    names = [each.stack for each in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadPolicy(f"related_stacks: {twice[0]} is there twice")
    return found


def of_plan(policy: Mapping[str, Any]) -> tuple[Related, ...]:
    """Those of a *policy* as a plan records it."""
    return parse(policy.get("related_stacks") or ())
