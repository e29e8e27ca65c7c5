"""Waves cut into batches that know only what they come after.

Inside a wave, groups that share a budget make one batch, and groups that share none are batches of their own. A batch
comes after the last batch that used any of its budgets and after the batches that order puts before it. So batches
that may overlap never share a budget, and budgets hold however they overlap.
"""

from collections.abc import Iterable, Mapping, Sequence

from tripleo_update_plugin.model import Node, Overcloud, naturally
from tripleo_update_plugin.plan import Batch, Impact
from tripleo_update_plugin.policy import Allowance
from tripleo_update_plugin.schedule import Problem, Slot

#: Stands for "one failure domain at a time" among the indexes of budgets.
_DOMAINS = -1


def batches_of(
    slots: Sequence[Slot],
    problem: Problem,
    overcloud: Overcloud,
    allowances: Iterable[Allowance],
    only: tuple[str, ...],
) -> tuple[Batch, ...]:
    """The batches of a schedule. *only* names the services they update, all when empty."""
    allowances = list(allowances)
    nodes = {node.name: node for node in overcloud.nodes}
    owners = [(slot, lane) for slot in slots for lane in _lanes(slot, problem)]
    after = _after([lane for _, lane in owners], problem)
    waves: list[int] = []
    batches = []
    for k, (slot, lane) in enumerate(owners):
        waves.append(1 + max((waves[j] for j in after[k]), default=0))
        names = naturally(name for i in lane for name in slot.nodes[i])
        batches.append(
            Batch(
                id=f"batch-{k + 1}",
                nodes=names,
                roles=naturally(nodes[name].role for name in names),
                wave=waves[k],
                after=tuple(f"batch-{j + 1}" for j in sorted(after[k])),
                closed_by=_closed_by(slot, lane, problem),
                impact=_impact([nodes[name] for name in names], allowances),
                only=only,
            )
        )
    return tuple(batches)


def _keys(problem: Problem, group: int) -> tuple[int, ...]:
    """What a group shares with others: its budgets, and the failure domains if it has one."""
    entry = problem.groups[group]
    return (*entry.budgets, _DOMAINS) if entry.domain else entry.budgets


def _lanes(slot: Slot, problem: Problem) -> list[tuple[int, ...]]:
    """The groups of a wave, those together that share a budget, directly or through others."""
    lanes: list[tuple[set[int], set[int]]] = []
    for group in sorted(slot.nodes):
        keys, members = set(_keys(problem, group)), {group}
        apart = []
        for other_keys, other_members in lanes:
            if keys & other_keys:
                keys, members = keys | other_keys, members | other_members
            else:
                apart.append((other_keys, other_members))
        lanes = [*apart, (keys, members)]
    return sorted(tuple(sorted(members)) for _, members in lanes)


def _after(lanes: Sequence[tuple[int, ...]], problem: Problem) -> list[set[int]]:
    """For each batch the batches just before it, none that another one implies. Batches are given in wave order."""
    last_user: dict[int, int] = {}
    last_of_group: dict[int, int] = {}
    ancestors: list[int] = []  # bit sets
    after: list[set[int]] = []
    for k, lane in enumerate(lanes):
        wanted = {last_user[key] for i in lane for key in _keys(problem, i) if key in last_user}
        wanted |= {last_of_group[p] for i in lane for p in problem.groups[i].before if p in last_of_group}
        if problem.canary and k:
            wanted.add(0)
        after.append(set())
        ancestors.append(0)
        for j in sorted(wanted, reverse=True):
            if not ancestors[k] >> j & 1:
                after[k].add(j)
                ancestors[k] |= ancestors[j] | 1 << j
        for i in lane:
            last_of_group[i] = k
            last_user.update(dict.fromkeys(_keys(problem, i), k))
    return after


def _closed_by(slot: Slot, lane: Iterable[int], problem: Problem) -> str:
    texts = [slot.closed_by.get(i, f"no more {problem.groups[i].label}") for i in lane]
    return "; ".join(dict.fromkeys(texts))


def _impact(nodes: Iterable[Node], allowances: Iterable[Allowance]) -> Mapping[str, Impact]:
    counts: dict[str, int] = {}
    for node in nodes:
        for service in node.services:
            counts[service] = counts.get(service, 0) + 1
    return {
        a.service: Impact(down=counts[a.service] + a.down, of=a.of, allowed=a.allowed)
        for a in allowances
        if counts.get(a.service)
    }
