"""Which of all schedules of one length has the fewest batches, and of those the most even ones?

The constructive schedule starts nodes as soon as they may, which can cut a role into more batches than it needs. Where
there are more than a lower bound, an exact search of the same length decides, as long as it is small.
"""

from collections.abc import Callable, Iterable, Sequence
from math import gcd
from typing import Any

from tripleo_update_plugin.planner.problem.problem import Problem
from tripleo_update_plugin.planner.search import cp_sat
from tripleo_update_plugin.planner.search.batch_bound import all_before, families
from tripleo_update_plugin.planner.search.schedule import EVENED, Slot, makespan

#: One batch: {group: nodes that start}.
Lane = dict[int, int]


def fewest(
    problem: Problem, slots: Sequence[Slot], seconds: float, solver: Callable[[], Any] = cp_sat.solver
) -> tuple[Sequence[Slot], int]:
    """A schedule as long as *slots* with the fewest batches, and the least number of them that was proved; *slots*
    itself and 0 if none was found in so many *seconds* of the solver's clock, or where there is no solver."""
    length, step = makespan(problem, list(slots)), gcd(*problem.lengths)
    if len(problem.groups) * (length // step) > cp_sat.SMALL or seconds <= 0:
        return slots, 0
    try:
        cp_model = solver()
    except cp_sat.SolverMissing:
        return slots, 0
    model = cp_sat.Model(problem, step, length // step, cp_model)
    kin = families(problem, range(len(problem.groups)), all_before(problem))
    model.ask_for_fewest(kin)
    status, _ = model.solve(seconds)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return slots, 0
    found = cp_sat.slots_of(problem, _early(problem, step, _lanes(model.starts(), kin)), EVENED)
    proved = len({(t, next(k for k, f in enumerate(kin) if i in f)) for t, i, _ in model.starts()})
    return found, proved if status == cp_model.OPTIMAL else 0


def _lanes(starts: Iterable[tuple[int, int, int]], kin: Sequence[Sequence[int]]) -> list[Lane]:
    """The batches, in the order in which they start."""
    family_of = {i: number for number, family in enumerate(kin) for i in family}
    lanes: dict[tuple[int, int], Lane] = {}
    for t, i, count in starts:
        lanes.setdefault((t, family_of[i]), {})[i] = count
    return list(lanes.values())


def _early(problem: Problem, step: int, lanes: Iterable[Lane]) -> dict[int, Lane]:
    """{second: {group: nodes that start}}: every batch as a whole, as early as those before it leave room for."""
    site = _Calendar(problem, step)
    placed: dict[int, Lane] = {}
    for lane in lanes:
        t = site.earliest(lane)
        site.place(lane, t)
        starting = placed.setdefault(t * step, {})
        for i, count in lane.items():
            starting[i] = starting.get(i, 0) + count
    return placed


class _Calendar:
    """What is in use in each step."""

    def __init__(self, problem: Problem, step: int) -> None:
        self._problem, self._step = problem, step
        self._used: dict[tuple[int, int], int] = {}  # (step, budget): nodes
        self._domain_at: dict[int, str] = {}
        self._ends = [0] * len(problem.groups)
        self._canary_ends = 0

    def earliest(self, lane: Lane) -> int:
        groups = self._problem.groups
        t = max([self._canary_ends, *(self._ends[p] for i in lane for p in groups[i].before)])
        while not self._fits(lane, t):
            t += 1
        return t

    def place(self, lane: Lane, t: int) -> None:
        if self._problem.canary and not self._canary_ends:
            self._canary_ends = t + max(self._span(i, t).stop - t for i in lane)
        for i, count in lane.items():
            span = self._span(i, t)
            for budget in self._problem.groups[i].budgets:
                self._used.update({(s, budget): self._used.get((s, budget), 0) + count for s in span})
            if self._problem.groups[i].domain:
                self._domain_at.update(dict.fromkeys(span, self._problem.groups[i].domain))
            self._ends[i] = max(self._ends[i], span.stop)

    def _span(self, i: int, t: int) -> range:
        return range(t, t + self._problem.lengths[i] // self._step)

    def _fits(self, lane: Lane, t: int) -> bool:
        wanted: dict[tuple[int, int], int] = {}
        for i, count in lane.items():
            domain = self._problem.groups[i].domain
            for s in self._span(i, t):
                if domain and self._domain_at.get(s, domain) != domain:
                    return False
                for budget in self._problem.groups[i].budgets:
                    wanted[s, budget] = wanted.get((s, budget), 0) + count
        return all(self._used.get(key, 0) + count <= self._problem.capacities[key[1]] for key, count in wanted.items())
