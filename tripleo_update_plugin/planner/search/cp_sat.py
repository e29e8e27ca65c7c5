"""Which schedule is the shortest? An exact search by OR-tools' CP-SAT (the extra ``exact``).

The model counts: how many nodes of each group start at each step, a step being the greatest common divisor of all
durations. So it grows with groups and steps, not with nodes. Length after length is tried from the bound upwards: one
that is impossible raises the bound, the first that is possible is the shortest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any

from tripleo_update_plugin.planner.problem.problem import Problem
from tripleo_update_plugin.planner.search.bounds import Chains
from tripleo_update_plugin.planner.search.schedule import CANARY, Site, Slot

#: Groups x steps above which a model is not worth building.
LARGEST = 20_000

#: The same for searches that can make no plan shorter: one failover or batch more is not worth a wait.
SMALL = 1_000

SEARCHED = "placed by the exact search"


class SolverMissing(Exception):
    """OR-tools is not installed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The shortest schedule below the length that was known, if there is one, and a ``bound`` below all (seconds).

    Where ``slots`` is empty and ``bound`` reaches the known length, nothing shorter exists.
    """

    slots: Sequence[Slot]
    bound: int


def search(problem: Problem, bound: int, known: int, seconds: float) -> Finding:
    """Look for a schedule shorter than *known*, no shorter than *bound*; SolverMissing without OR-tools.

    *seconds* is counted by the solver's own clock of work done, which is the same on every machine, so that the same
    input gives the same plan; by the wall clock it gives up after twice that time.
    """
    step = gcd(*problem.lengths)
    if len(problem.groups) * (known // step) > LARGEST:
        return Finding((), bound)
    cp_model = solver()
    left = seconds
    for length in range(bound // step, known // step):
        model = Model(problem, step, length, cp_model)
        status, spent = model.solve(left)
        left -= spent
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Finding(slots_of(problem, _earliest(problem, step, model.starts())), length * step)
        if status != cp_model.INFEASIBLE or left <= 0:
            return Finding((), length * step + (step if status == cp_model.INFEASIBLE else 0))
        bound = (length + 1) * step
    return Finding((), bound)


def solver() -> Any:
    """OR-tools' module of CP-SAT. SolverMissing where it is not installed."""
    try:
        from ortools.sat.python import cp_model
    except ImportError as error:
        raise SolverMissing from error
    return cp_model


class Model:
    """The question whether the problem can be done in *length* steps of *step* seconds."""

    def __init__(self, problem: Problem, step: int, length: int, cp_model: Any) -> None:
        self._problem, self._length, self._cp_model = problem, length, cp_model
        self._model = cp_model.CpModel()
        self._lasts = [seconds // step for seconds in problem.lengths]
        chains = Chains(problem, self._lasts)
        self._windows = [
            range(chains.heads[i], length - chains.tails[i] - self._lasts[i] + 1) for i in range(len(problem.groups))
        ]
        self._counts: dict[tuple[int, int], Any] = {
            (i, t): self._model.new_int_var(0, problem.widths[i], f"starts {i} {t}")
            for i, window in enumerate(self._windows)
            for t in window
        }
        for i, group in enumerate(problem.groups):
            self._model.add(self._sum((i, t) for t in self._windows[i]) == len(group.nodes))
        self._hold_budgets()
        self._keep_order()
        self._one_domain_at_a_time()
        if problem.canary:
            self._canary_first()

    def solve(self, seconds: float) -> tuple[Any, float]:
        """The solver's status, and the time it took by its own clock."""
        self._answer = self._cp_model.CpSolver()
        parameters = self._answer.parameters
        parameters.num_workers = 1
        parameters.random_seed = 1
        parameters.max_deterministic_time = seconds
        parameters.max_time_in_seconds = 2 * seconds
        status = self._answer.solve(self._model)
        return status, float(self._answer.response_proto.deterministic_time)

    def ask_for_fewest(self, families: Sequence[Sequence[int]]) -> None:
        """Solve for the fewest batches, then for those whose largest ones are the smallest.

        Groups of one of *families* that start together make one batch.
        """
        model, batches, largest = self._model, [], []
        for number, family in enumerate(families):
            most = sum(self._problem.widths[i] for i in family)
            largest.append(model.new_int_var(0, most, f"largest {number}"))
            for t in range(self._length):
                together = self._sum((i, t) for i in family)
                if isinstance(together, int):
                    continue
                batches.append(model.new_bool_var(f"batch {number} {t}"))
                model.add(together <= most * batches[-1])
                model.add(together <= largest[-1])
        more_than_largest = sum(self._problem.widths[i] for family in families for i in family) + 1
        model.minimize(more_than_largest * sum(batches) + sum(largest))

    def starts(self) -> list[tuple[int, int, int]]:
        """(step, group, nodes that start), after solve()."""
        found = ((t, i, int(self._answer.value(count))) for (i, t), count in self._counts.items())
        return sorted(entry for entry in found if entry[2])

    def _sum(self, keys: Any) -> Any:
        return sum(self._counts[key] for key in keys if key in self._counts)

    def _running(self, i: int, t: int) -> Any:
        """How many nodes of group *i* are being updated in step *t*."""
        return self._sum((i, s) for s in range(t - self._lasts[i] + 1, t + 1))

    def _hold_budgets(self) -> None:
        for budget, users in enumerate(self._problem.users):
            for t in range(self._length):
                running = sum(self._running(i, t) for i in users)
                if not isinstance(running, int):
                    self._model.add(running <= self._problem.capacities[budget])

    def _keep_order(self) -> None:
        groups = self._problem.groups
        for p in sorted({p for group in groups for p in group.before if groups[p].nodes}):
            followers = [i for i, group in enumerate(groups) if p in group.before]
            for t in range(self._length):
                done = self._model.new_bool_var(f"done {p} {t}")
                ended = self._sum((p, s) for s in self._windows[p] if s + self._lasts[p] <= t)
                self._model.add(ended >= len(groups[p].nodes) * done)
                for i in followers:
                    if (i, t) in self._counts:
                        self._model.add(self._counts[i, t] <= self._problem.widths[i] * done)

    def _one_domain_at_a_time(self) -> None:
        groups = self._problem.groups
        domains = sorted({group.domain for group in groups if group.domain})
        for t in range(self._length if len(domains) > 1 else 0):
            here = {domain: self._model.new_bool_var(f"{domain} {t}") for domain in domains}
            self._model.add(sum(here.values()) <= 1)
            for i, group in enumerate(groups):
                running = self._running(i, t)
                if group.domain and not isinstance(running, int):
                    self._model.add(running <= len(group.nodes) * here[group.domain])

    def _canary_first(self) -> None:
        first = {i: self._model.new_bool_var(f"canary {i}") for i in range(len(self._problem.groups))}
        self._model.add(sum(first.values()) == 1)
        for i, chosen in first.items():
            self._model.add(self._sum([(i, 0)]) == chosen)
            for (_, t), count in self._counts.items():
                if 0 < t < self._lasts[i]:
                    self._model.add(count == 0).only_enforce_if(chosen)


def _earliest(problem: Problem, step: int, starts: list[tuple[int, int, int]]) -> dict[int, dict[int, int]]:
    """{second: {group: nodes that start}}, every node as early as those that start before it leave room for."""
    used: dict[tuple[int, int], int] = {}  # (step, budget): nodes
    domain_at: dict[int, str] = {}
    ends = [0] * len(problem.groups)
    canary_end = 0
    placed: dict[int, dict[int, int]] = {}
    for number, (_, i, count) in enumerate(starts):
        group, last = problem.groups[i], problem.lengths[i] // step
        t = max([canary_end, *(ends[p] for p in group.before)])
        while count:
            span = range(t, t + last)
            apart = group.domain and any(domain_at.get(s, group.domain) != group.domain for s in span)
            room = min([count, *(problem.capacities[b] - used.get((s, b), 0) for b in group.budgets for s in span)])
            if room > 0 and not apart:
                starting = placed.setdefault(t * step, {})
                starting[i] = starting.get(i, 0) + room
                used.update({(s, b): used.get((s, b), 0) + room for b in group.budgets for s in span})
                domain_at.update(dict.fromkeys(span, group.domain) if group.domain else {})
                ends[i] = max(ends[i], t + last)
                count -= room
            t += 1
        if problem.canary and not number:
            canary_end = last
    return placed


def slots_of(problem: Problem, placed: dict[int, dict[int, int]], otherwise: str = SEARCHED) -> list[Slot]:
    """The schedule that starts *placed*, {second: {group: nodes}}, with what closed each of its slots."""
    site = Site(problem)
    slots: list[Slot] = []
    while not site.is_over:
        if starting := placed.get(site.now):
            nodes = {i: site.start(i, count) for i, count in sorted(starting.items())}
            canary = problem.canary and not slots
            closed = {i: CANARY if canary else site.closed_by(i) or otherwise for i in nodes}
            slots.append(Slot(site.now, nodes, closed))
        site.wait()
    return slots
