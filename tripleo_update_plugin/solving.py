"""The shortest schedule there is, as far as it can be found, and what is known of its length."""

from collections.abc import Sequence
from dataclasses import dataclass

from tripleo_update_plugin.bounds import seconds_bound, waves_bound
from tripleo_update_plugin.problem import Problem
from tripleo_update_plugin.schedule import Slot, makespan, schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """A schedule, the bounds below every schedule, and how it was proved the shortest (see Plan)."""

    slots: Sequence[Slot]
    lower_bound: int
    makespan_bound: int
    proved: str


def solve(problem: Problem) -> Solution:
    """The constructive schedule; it is proved where it meets the bound."""
    slots, bound = schedule(problem), seconds_bound(problem)
    return Solution(
        slots=slots,
        lower_bound=waves_bound(problem),
        makespan_bound=bound,
        proved="bound" if makespan(problem, slots) == bound else "no",
    )
