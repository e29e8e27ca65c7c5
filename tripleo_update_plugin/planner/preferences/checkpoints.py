"""How is a place made where an update can wait for a person before some nodes, with nothing under way?

All that need not come after the nodes of a checkpoint comes before them. So the person looks at nodes of which each is
updated as a whole or not yet begun.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from tripleo_update_plugin.planner.problem.problem import Problem
from tripleo_update_plugin.rules.policy import Checkpoint


def with_checkpoints(
    problem: Problem, checkpoints: Sequence[Checkpoint], services_of: Mapping[str, frozenset[str]]
) -> Problem:
    """*problem* with everything that need not wait for a checkpoint before all that does.

    What a later checkpoint holds back waits for the earlier ones as well. *services_of* is {node: its services}.
    """
    for k, checkpoint in enumerate(checkpoints):
        behind: set[int] = set()
        for i in problem.order:
            group = problem.groups[i]
            services = group.only or services_of[group.nodes[0]]
            held = any(later.holds_back(group.label, services) for later in checkpoints[k:])
            if held or group.before & behind:
                behind.add(i)
        problem = _after_all_others(problem, behind, f"checkpoint before {checkpoint}")
    return problem


def _after_all_others(problem: Problem, behind: Collection[int], reason: str) -> Problem:
    others = frozenset(range(len(problem.groups))) - frozenset(behind)
    groups, orders = list(problem.groups), dict(problem.orders)
    for i in behind:
        groups[i] = replace(groups[i], before=groups[i].before | others)
        orders = {**dict.fromkeys(((j, i) for j in others), reason), **orders}
    return replace(problem, groups=tuple(groups), orders=orders)
