"""What came of an update? One outcome per node, one verdict per probe."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tripleo_update_plugin.outcome import failure_budget
from tripleo_update_plugin.outcome.execution import BatchRun, Execution, is_final
from tripleo_update_plugin.outcome.verdicts import Breach, Verdict, Watch, verdicts_of
from tripleo_update_plugin.plan.plan import Batch, Plan
from tripleo_update_plugin.times import iso

#: Outcomes of a node.
UPDATED, FAILED, UNDER_WAY, NOT_REACHED, EXCLUDED = "updated", "failed", "under way", "not reached", "excluded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one node in ``batch``; ``detail`` says why, or where it is. Times are Unix seconds."""

    node: str
    batch: str
    outcome: str
    started: float | None = None
    finished: float | None = None
    detail: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it was worked on; None if it was not, or still is."""
        return None if self.started is None or self.finished is None else round(self.finished - self.started, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcomes of all nodes of a plan, in the order of the plan, excluded ones last.

    ``verdicts`` are what may be claimed of availability; ``breaches`` say where it went below what the policy allows,
    and ``unprobed`` are the public endpoints that nobody deployed. ``excess`` says that more nodes failed than may.
    """

    plan: Plan
    execution: Execution
    outcomes: tuple[Outcome, ...]
    verdicts: tuple[Verdict, ...] = ()
    breaches: tuple[Breach, ...] = ()
    unprobed: tuple[str, ...] = ()
    excess: str = ""

    @property
    def left_behind(self) -> tuple[str, ...]:
        """Nodes that failed and that their batch went on without."""
        ended_well = {run.id for run in self.execution.batches if run.state == "SUCCESS"}
        return tuple(o.node for o in self.outcomes if o.outcome == FAILED and o.batch in ended_well)

    @property
    def went_well(self) -> bool:
        """Every node that was to be updated is updated, the execution says the same, and no more failed than may."""
        updated = all(o.outcome in (UPDATED, EXCLUDED) for o in self.outcomes)
        return self.execution.state == "SUCCESS" and updated and not self.breaches


def report_of(plan: Plan, execution: Execution, watch: Watch | None = None, now: float = 0.0) -> Report:
    """The report of *execution*, which ran *plan*, and of what its prober saw until *now* (Unix seconds)."""
    outcomes = [o for batch in plan.batches for o in _outcomes(batch, execution.run_of(batch.id), execution)]
    outcomes += [Outcome(node=n, batch="", outcome=EXCLUDED, detail=why) for n, why in plan.excluded.items()]
    return Report(
        plan=plan,
        execution=execution,
        outcomes=tuple(outcomes),
        verdicts=verdicts_of(plan, execution, watch, now),
        breaches=watch.breaches if watch else (),
        unprobed=watch.left_out if watch else (),
        excess=failure_budget.excess(
            failure_budget.failed_in(plan, execution.batches), plan.policy.get("max_failed", 0)
        ),
    )


def _outcomes(batch: Batch, run: BatchRun | None, execution: Execution) -> Iterator[Outcome]:
    for node in batch.nodes:
        yield _outcome(node, batch, run, execution)


def _outcome(node: str, batch: Batch, run: BatchRun | None, execution: Execution) -> Outcome:
    phases = {phase.name: phase for phase in run.phases} if run else {}
    touched = [p for p in phases.values() if p.name in ("drain", "update", "restore", "gate_after")]
    results = [phase.nodes[node] for phase in touched if node in phase.nodes]
    # A phase that was tried again speaks for itself only by its last try, so a success after a failure is a success.
    failure = next((p for p in reversed(touched) if p.state == "ERROR"), None)
    left_behind = next((p for p in reversed(touched) if node in p.nodes and not p.nodes[node].ok), None)
    if run and run.state == "SUCCESS":
        outcome, detail = UPDATED, ""
        if left_behind:
            outcome, detail = FAILED, _detail(left_behind.name, left_behind.nodes[node].error, run)
    elif failure:
        outcome, detail = FAILED, _detail(failure.name, failure.nodes[node].error if node in failure.nodes else "", run)
    elif touched and not (execution.is_final or (run and is_final(run.state))):
        outcome, detail = UNDER_WAY, touched[-1].name
    elif touched:
        outcome, detail = FAILED, f"the update ended in {touched[-1].name}"
    else:
        outcome, detail = NOT_REACHED, run.error if run else ""
    return Outcome(
        node=node,
        batch=batch.id,
        outcome=outcome,
        started=min((r.started for r in results if r.started), default=None),
        finished=max((r.finished for r in results if r.finished), default=None),
        detail=detail,
    )


def _detail(phase: str, error: str, run: BatchRun | None) -> str:
    return f"{phase}: {error or (run.error if run else '')}".rstrip(": ")


COLUMNS = ("node", "batch", "outcome", "started", "finished", "seconds", "detail")


def row(outcome: Outcome) -> tuple[Any, ...]:
    """One outcome as a row of COLUMNS."""
    times = (iso(outcome.started), iso(outcome.finished), outcome.seconds)
    return (outcome.node, outcome.batch, outcome.outcome, *times, outcome.detail)
