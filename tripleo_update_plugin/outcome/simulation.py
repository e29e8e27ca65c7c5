"""What would come of a plan, moment by moment, without touching anything?

A batch begins as soon as the batches it comes after have ended well, and only ``after`` orders batches.
What fails, and what then still begins, follows the rules of the workflow ``update_batch`` and of its first gate. So the
result is an Execution, and its outcomes are those of a report. Times are seconds from the beginning.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tripleo_update_plugin.errors import BadInput
from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.outcome import failure_budget
from tripleo_update_plugin.outcome.execution import BatchRun, Execution, NodeResult, PhaseRun
from tripleo_update_plugin.outcome.failure_budget import Failed
from tripleo_update_plugin.outcome.report import FAILED, Outcome, report_of
from tripleo_update_plugin.plan.plan import Batch, Plan
from tripleo_update_plugin.plan.words import some_names
from tripleo_update_plugin.rules.deadlines import PHASES

#: Seconds that a gate waits for nodes to become healthy: the default of the option gate_timeout.
PATIENCE = 1800.0

#: Seconds that a batch takes of which nothing is known.
DEFAULT_SECONDS = 600

#: Seconds that a node may take: a week, as in a policy.
MOST_SECONDS = 604_800

DURATIONS_REMEDY = "Write e.g. 'roles: {Controller: 1200}', in seconds, and 'default: 600' for the rest."


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What is taken for granted.

    ``seconds`` is {batch: how long it takes}. ``failing`` are nodes whose update fails, ``lost`` ones that never come
    back; both are {node: batch in which it happens}. ``shared`` are the services that a batch's first gate looks at on
    other nodes too. Approvals are given at once.
    """

    seconds: Mapping[str, float]
    failing: Mapping[str, str] = field(default_factory=dict)
    lost: Mapping[str, str] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    patience: float = PATIENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One batch in a timeline; a batch that never begins has no times."""

    batch: str
    start: float | None
    end: float | None
    nodes: tuple[str, ...]
    outcome: str
    detail: str

    @property
    def takes(self) -> float | None:
        """Seconds from its start to its end; None if it never begins."""
        return None if self.start is None or self.end is None else self.end - self.start


def troubles(plan: Plan, nodes: Iterable[str], at: Iterable[str] = ()) -> dict[str, str]:
    """{node: the batch in which something befalls it}: the one of *at* that has the node, else its first.

    BadInput for a batch that the plan has not, or a node that it does not update.
    """
    wanted = frozenset(at)
    if unknown := naturally(wanted - {batch.id for batch in plan.batches}):
        raise BadInput(f"the plan has no batch {', '.join(unknown)}", "Give the id of a batch, as the plan shows it.")
    found = {}
    for node in nodes:
        batches = [batch.id for batch in plan.batches if node in batch.nodes]
        if not batches:
            why = plan.excluded.get(node)
            raise BadInput(f"the plan does not update {node}" + (f": {why}" if why else ""), "Give a node of a batch.")
        found[node] = next((id for id in batches if id in wanted), batches[0])
    return found


def simulate(plan: Plan, assumed: Assumptions) -> Execution:
    """The update of *plan* as it would end."""
    run = _Run(plan, assumed)
    run.to_the_end()
    went_well = len(run.ended) == len(plan.batches) and all(each.state == "SUCCESS" for each in run.ended.values())
    return Execution(
        id="simulation",
        stack=plan.stack,
        workflow="simulation",
        state="SUCCESS" if went_well else "ERROR",
        started=0.0,
        finished=max((each.finished or 0.0 for each in run.ended.values()), default=0.0),
        batches=tuple(run.ended.values()),
    )


def timeline(plan: Plan, execution: Execution) -> tuple[Step, ...]:
    """The batches as they begin, then those that never do."""
    outcomes: dict[str, list[Outcome]] = {}
    for outcome in report_of(plan, execution).outcomes:
        outcomes.setdefault(outcome.batch, []).append(outcome)
    runs = {run.id: run for run in execution.batches}
    steps = [_step(batch, runs.get(batch.id), outcomes[batch.id]) for batch in plan.batches]
    return tuple(sorted(steps, key=lambda step: (step.start is None, step.start or 0.0)))


def _step(batch: Batch, run: BatchRun | None, outcomes: list[Outcome]) -> Step:
    detail = run.error if run else "comes after batches that did not go well"
    start, end = (run.started, run.finished) if run else (None, None)
    # What a batch comes to, it comes to for all of its nodes but those that it went on without.
    failed = [each for each in outcomes if each.outcome == FAILED]
    outcome = next((each for each in outcomes if each not in failed), outcomes[0]).outcome
    if failed and outcome != FAILED:
        detail = f"without {some_names([each.node for each in failed])}: {failed[0].detail}"
    return Step(batch=batch.id, start=start, end=end, nodes=batch.nodes, outcome=outcome, detail=detail)


def parse_durations(data: object, source: str) -> dict[str, Any]:
    """``{default, roles, nodes}`` in seconds, by itself or as ``durations`` of a policy. BadInput for anything else."""
    if isinstance(data, Mapping) and "durations" in data:
        data = data["durations"]
    if not isinstance(data, Mapping) or not data.keys() <= {"default", "roles", "nodes"}:
        raise BadInput(f"{source}: durations are a mapping of default, roles and nodes", DURATIONS_REMEDY)
    named = [data.get("roles") or {}, data.get("nodes") or {}]
    if not all(isinstance(each, Mapping) for each in named):
        raise BadInput(f"{source}: roles and nodes are mappings of names to seconds", DURATIONS_REMEDY)
    values = [data.get("default", DEFAULT_SECONDS), *(value for each in named for value in each.values())]
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MOST_SECONDS:
            raise BadInput(f"{source}: {value!r} is not a number of seconds", DURATIONS_REMEDY)
    return {"default": values[0], "roles": dict(named[0]), "nodes": dict(named[1])}


def seconds_of(plan: Plan, durations: Mapping[str, Any] | None = None) -> dict[str, float]:
    """{batch: how long it takes}: as long as its slowest node.

    From *durations* (see parse_durations); without them from what the plan says of its batches or its policy has.
    """
    known = durations or plan.policy.get("durations") or {}
    told = {} if durations else {batch.id: batch.seconds for batch in plan.batches}
    return {batch.id: float(told.get(batch.id) or _slowest(batch, known)) for batch in plan.batches}


def _slowest(batch: Batch, durations: Mapping[str, Any]) -> float:
    nodes, roles = durations.get("nodes") or {}, durations.get("roles") or {}
    default = durations.get("default") or DEFAULT_SECONDS
    own = [nodes[node] for node in batch.nodes if node in nodes]
    # Which node has which role a plan does not say, so a node without a time of its own may be of any.
    of_roles = [roles.get(role, default) for role in batch.roles] or [default]
    return float(max(own if len(own) == len(batch.nodes) else own + of_roles))


def estimate(history: Iterable[tuple[Plan, Execution]]) -> dict[str, float]:
    """{role: seconds that a batch of its nodes took}, the median over batches that went well in earlier updates.

    A batch of several roles says something only of those roles that had no batch of their own.
    """
    alone: dict[str, list[float]] = {}
    mixed: dict[str, list[float]] = {}
    for plan, execution in history:
        for batch in plan.batches:
            run = execution.run_of(batch.id)
            if run and run.state == "SUCCESS" and run.started is not None and run.finished is not None:
                for role in batch.roles:
                    (alone if len(batch.roles) == 1 else mixed).setdefault(role, []).append(run.finished - run.started)
    return {role: _median(seconds) for role, seconds in sorted((mixed | alone).items())}


def _median(values: Iterable[float]) -> float:
    ordered = sorted(values)  # the standard library's median costs every command the import of decimal and random
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def approvals(plan: Plan, execution: Execution) -> int:
    """How many times the update waits for a person."""
    return sum(any(execution.run_of(id) for id in approval.before) for approval in plan.approvals)


class _Run:
    """An update under way."""

    def __init__(self, plan: Plan, assumed: Assumptions) -> None:
        self.ended: dict[str, BatchRun] = {}
        self.failed: dict[str, Failed] = {}
        self._assumed = assumed
        self._batches = {batch.id: batch for batch in plan.batches}
        self._position = {id: i for i, id in enumerate(self._batches)}
        self._plan = plan
        self._max_failed = plan.policy.get("max_failed", 0)
        self._lost: Counter[str] = Counter()  # how many nodes with a service have failed
        self._waits = {batch.id: len(set(batch.after)) for batch in plan.batches}
        self._followers: dict[str, list[str]] = {id: [] for id in self._batches}
        for batch in plan.batches:
            for before in set(batch.after):
                self._followers[before].append(batch.id)
        self._under_way: list[tuple[float, int, BatchRun]] = []

    def to_the_end(self) -> None:
        now, ready = 0.0, [id for id, waits in self._waits.items() if not waits]
        while ready or self._under_way:
            for id in sorted(ready, key=self._position.__getitem__):
                run = self._begin(self._batches[id], now)
                heapq.heappush(self._under_way, (run.finished or now, self._position[id], run))
            now, ready = self._under_way[0][0], []
            # All that ends at this moment has ended before anything begins at it.
            while self._under_way and self._under_way[0][0] == now:
                ready += self._end(heapq.heappop(self._under_way)[2])

    def _begin(self, batch: Batch, now: float) -> BatchRun:
        """How *batch* will go, as far as is known when it begins."""
        if why := failure_budget.excess(self.failed, self._max_failed):
            return _run(batch, "gate_before", f"not started: {why}", now, now, told={})
        nodes = [node for node in batch.nodes if node not in self.failed]
        if not nodes:
            return _run(batch, "", "", now, now, told={})
        if why := self._no_room(batch, len(nodes)):
            end = now + self._assumed.patience
            return _run(batch, "gate_before", why, now, end, told={})
        end = now + self._assumed.seconds[batch.id]
        phase, why = "", ""
        failing, lost = self._befallen(batch, self._assumed.failing), self._befallen(batch, self._assumed.lost)
        if failing:
            phase, why = "update", f"the update of {', '.join(failing)} fails"
        elif lost:
            phase, why = "gate_after", f"{', '.join(lost)} {'does' if len(lost) == 1 else 'do'} not come back"
            end += self._assumed.patience
        told = {node: node not in (failing or lost) for node in nodes}
        return _run(batch, phase, why, now, end, told)

    def _end(self, run: BatchRun) -> list[str]:
        """Take note of the end of a batch; the batches that may begin now."""
        run = self._settled(run)
        self.ended[run.id] = run
        self._count_failures(run)
        if run.state == "ERROR":
            return []
        ready = []
        for id in self._followers[run.id]:
            self._waits[id] -= 1
            if not self._waits[id]:
                ready.append(id)
        return ready

    def _settled(self, run: BatchRun) -> BatchRun:
        """A batch goes on without the nodes that fail in it, if by then no more have failed than may."""
        last = run.phases[-1]
        failed = failure_budget.failed_in(self._plan, [run])
        if not failed or failure_budget.excess({**self.failed, **failed}, self._max_failed):
            return run
        told = {node: result.ok for node, result in last.nodes.items()}
        start, end = run.started or 0.0, run.finished or 0.0
        return _run(self._batches[run.id], last.name, last.error, start, end, told, excused=True)

    def _count_failures(self, run: BatchRun) -> None:
        batch = self._batches[run.id]
        failed = failure_budget.failed_in(self._plan, [run])
        self.failed.update(failed)
        for service in self._assumed.shared & batch.impact.keys():
            self._lost[service] += min(len(failed), batch.impact[service].down)

    def _no_room(self, batch: Batch, nodes: int) -> str:
        """What the first gate of *batch* waits for in vain: room beside the nodes that have failed."""
        for service in naturally(batch.impact.keys() & self._lost.keys()):
            numbers, lost = batch.impact[service], self._lost[service]
            down = lost + min(numbers.down, nodes)
            if lost and down > numbers.allowed:
                would = f"with the nodes that failed {down} of {numbers.of} would be down"
                return f"{service}: {would}, {numbers.allowed} may be"
        return ""

    def _befallen(self, batch: Batch, troubles: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(node for node in batch.nodes if troubles.get(node) == batch.id)


def _run(
    batch: Batch, fails_in: str, why: str, start: float, end: float, told: Mapping[str, bool], excused: bool = False
) -> BatchRun:
    """A batch that fails in a phase; one that is *excused* goes on without the nodes that failed."""
    names = PHASES if excused or not fails_in else PHASES[: PHASES.index(fails_in) + 1]
    results = {
        node: NodeResult(ok=ok, started=start, finished=end, error="" if ok else why) for node, ok in told.items()
    }
    has_failed = bool(fails_in) and not excused
    phases = tuple(
        PhaseRun(
            name=name,
            state="ERROR" if has_failed and name == fails_in else "SUCCESS",
            error=why if has_failed and name == fails_in else "",
            nodes=results if name == (fails_in or names[-1]) else {},
        )
        for name in names
    )
    state = "ERROR" if has_failed else "SUCCESS"
    return BatchRun(id=batch.id, state=state, started=start, finished=end, phases=phases)
