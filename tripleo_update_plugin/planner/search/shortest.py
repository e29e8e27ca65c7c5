"""How short can a schedule be, as far as that can be found out?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tripleo_update_plugin.planner.problem.problem import Problem
from tripleo_update_plugin.planner.search import cp_sat
from tripleo_update_plugin.planner.search.bounds import Chains, bounds
from tripleo_update_plugin.planner.search.schedule import Slot, makespan, schedule

NO_SOLVER = (
    "a shorter plan may exist, and nothing here can look for it: install tripleo-update-plugin[exact] and plan again"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """A schedule, and what no schedule goes below: ``lower_bound`` waves, ``makespan_bound`` seconds.

    ``proved`` says why none is shorter, in the words of Plan. ``batches_bound`` is the number of batches below which no
    schedule that keeps the same wishes can be cut.
    """

    slots: Sequence[Slot]
    lower_bound: int
    makespan_bound: int
    proved: str
    warning: str = ""
    batches_bound: int = 0


Search = Callable[[Problem, int, int, float], cp_sat.Finding]


def solve(problem: Problem, seconds: float, search: Search = cp_sat.search) -> Solution:
    """The constructive schedule; where it misses its bound, what an exact search finds in so many *seconds*."""
    chains = Chains(problem, problem.lengths)
    slots, (waves, bound) = schedule(problem, chains.tails), bounds(problem, chains)
    length = makespan(problem, slots)
    if length == bound or seconds <= 0:
        proved = "bound" if length == bound else "no"
        return Solution(slots=slots, lower_bound=waves, makespan_bound=bound, proved=proved)
    try:
        finding = search(problem, bound, length, seconds)
    except cp_sat.SolverMissing:
        return Solution(slots=slots, lower_bound=waves, makespan_bound=bound, proved="no", warning=NO_SOLVER)
    if finding.slots:
        slots = list(finding.slots)
        length = makespan(problem, slots)
    if problem.is_even:
        waves = max(waves, finding.bound // problem.lengths[0])
    proved = "bound" if length == bound else "exact" if length == finding.bound else "no"
    return Solution(slots=slots, lower_bound=waves, makespan_bound=finding.bound, proved=proved)
