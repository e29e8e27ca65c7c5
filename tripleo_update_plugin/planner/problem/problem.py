"""What is there to schedule? Groups of alike nodes, what may be down at once, and the order between the groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tripleo_update_plugin.planner.problem.precedence import ranked


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that are alike to the planner; ``label`` is their role, by which people know them.

    ``budgets`` are indexes of the problem's capacities, ``before`` indexes of the groups that precede it. The nodes
    are in the order in which they are taken, leaders last; each of them takes ``seconds``. ``domain`` is their failure
    domain, "" for none. ``only`` names the services that are updated, all when empty. ``ends`` says why there are no
    more nodes in it, where the role has more.
    """

    label: str
    nodes: tuple[str, ...]
    budgets: tuple[int, ...]
    before: frozenset[int]
    domain: str = ""
    seconds: int = 1
    only: tuple[str, ...] = ()
    ends: str = ""


@dataclass(frozen=True)
class Problem:
    """What to schedule. ``capacities[i]`` nodes of budget i may be down at once, because of ``reasons[i]``.

    With a ``canary``, one node is updated before all others. ``orders`` is {(group, group after it): why}.
    """

    groups: tuple[Group, ...]
    capacities: tuple[int, ...]
    reasons: tuple[str, ...]
    canary: bool = False
    orders: Mapping[tuple[int, int], str] = field(default_factory=dict)

    @cached_property
    def order(self) -> list[int]:
        """Group indexes, each after those that precede it."""
        return ranked({i: group.before for i, group in enumerate(self.groups)})

    @cached_property
    def widths(self) -> list[int]:
        """For each group, how many of its nodes may be down at once."""
        return [min((self.capacities[b] for b in g.budgets), default=max(len(g.nodes), 1)) for g in self.groups]

    @cached_property
    def users(self) -> list[list[int]]:
        """For each budget, the groups that use it."""
        users: list[list[int]] = [[] for _ in self.capacities]
        for i, group in enumerate(self.groups):
            for budget in group.budgets:
                users[budget].append(i)
        return users

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """For each group, the seconds that one of its nodes takes."""
        return tuple(group.seconds for group in self.groups)

    @property
    def is_even(self) -> bool:
        """Whether every node takes as long as any other."""
        return len(set(self.lengths)) <= 1

    def rounds(self, i: int) -> int:
        """How many times some nodes of group *i* must start, at the least."""
        return -(-len(self.groups[i].nodes) // self.widths[i])
