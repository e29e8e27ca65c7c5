"""The story of an update, in the order it happens: prepare, check, start, follow."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tripleo_update_plugin import outputs, planner, readiness, workbook
from tripleo_update_plugin.adapters import documents, plugins, workbooks
from tripleo_update_plugin.adapters.heat import Heat
from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.architecture import PerService
from tripleo_update_plugin.errors import AlreadyRunning, BadPlan, FactsMissing, NotFound
from tripleo_update_plugin.execution import Execution
from tripleo_update_plugin.model import Facts
from tripleo_update_plugin.plan import Plan
from tripleo_update_plugin.policy import Policy
from tripleo_update_plugin.report import Report, report_of
from tripleo_update_plugin.verdicts import Watch

DISCOVERY_TIMEOUT = 120.0  # seconds

#: Seconds that a report waits for the last word of the prober after the end of an update.
LAST_WORD = 15.0


def prepare(
    stack_outputs: Mapping[str, Any],
    stack: str,
    policy: Policy,
    limits: list[str],
    facts: Facts | None,
    services: PerService | None = None,
) -> Plan:
    """A plan for the overcloud that the outputs (and each service's own data) describe; it changes nothing."""
    overcloud = outputs.parse(stack_outputs, stack, services)
    return planner.plan_update(
        overcloud,
        plugins.load_catalogue(*policy.services),
        policy,
        facts,
        planner.parse_limit(limits, overcloud),
        outputs.digests(stack_outputs),
    )


def discover(stack: str, mistral: Mistral) -> Facts:
    """What the nodes say, gathered by Mistral. FactsMissing if none of them answers: then the way there is broken."""
    mistral.require_actions()
    answer = mistral.run_action("tripleo_update.discover", {"stack": stack}, DISCOVERY_TIMEOUT)
    nodes = answer.get("nodes") or {}
    facts = Facts.from_dict(answer.get("facts") or {})
    answering = [name for name, result in nodes.items() if result.get("ok")]
    # Where nobody answers, or some could be reached but not asked, what is missing is a way to the nodes.
    if not answering or answer.get("error"):
        raise FactsMissing(answer.get("error") or "no node answered Mistral's executor")
    return facts


def check(plan: Plan, heat: Heat) -> None:
    """Raise an UpdateError unless *plan* fits the overcloud as it is now."""
    readiness.check(plan, heat.outputs(plan.stack))


def upload(plan: Plan, mistral: Mistral) -> str:
    """Put the plan and its workbook into Mistral; the name of the workflow that runs it."""
    mistral.require_actions()
    mistral.upload(workbook.STATIC, workbooks.static_definition())
    definition = workbooks.checked_definition(workbook.render(plan), mistral.validate)
    mistral.upload(workbook.workbook_name(plan), definition, validated=True)
    mistral.save_plan(workbook.workbook_name(plan), plan.to_dict())
    return workbook.workflow_name(plan)


def refuse_second(plan: Plan, mistral: Mistral) -> None:
    """Raise AlreadyRunning if an update of the same stack has not ended."""
    running = [update for update in mistral.updates(plan.stack) if not update.is_final]
    if running:
        raise AlreadyRunning(f"an update of {plan.stack} is {running[0].state}: {running[0].id}")


def start(plan: Plan, mistral: Mistral) -> str:
    """Start the update; the id of its execution."""
    refuse_second(plan, mistral)
    return mistral.start(upload(plan, mistral), f"Update of {plan.stack}: {len(plan.nodes)} nodes")


def follow(
    id: str, mistral: Mistral, interval: float, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Execution]:
    """Snapshots of an update until it ends or waits for a person, one every *interval* seconds."""
    while True:
        execution = mistral.execution(id)
        yield execution
        if execution.is_final or (execution.state == "PAUSED" and not _is_busy(execution)):
            return
        sleep(interval)


def report(id: str, mistral: Mistral, sleep: Callable[[float], None] = time.sleep) -> Report:
    """What came of an update so far."""
    execution = mistral.execution(id)
    plan = _plan_of(execution, mistral)
    seen = watch(id, mistral)
    ended = execution.finished or 0.0
    while execution.is_final and seen and not seen.covers(ended) and time.time() < ended + LAST_WORD:
        sleep(0.3)
        seen = watch(id, mistral)
    return report_of(plan, execution, seen, time.time())


def watch(id: str, mistral: Mistral) -> Watch | None:
    """What the prober of an update told last; None if there was none."""
    told = mistral.load_watch(id)
    try:
        return Watch.from_dict(told) if told else None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return Watch(until=0.0, error=f"what it told cannot be read ({type(error).__name__})")


def history(stack: str, mistral: Mistral, most: int = 10) -> Iterator[tuple[Plan, Execution]]:
    """The last updates of *stack* that have ended, with their plans, as far as these are there; without phases."""
    ended = [update for update in mistral.updates(stack) if update.is_final]
    for update in ended[:most]:
        with contextlib.suppress(NotFound, BadPlan):
            yield _plan_of(update, mistral), mistral.execution(update.id, phases=False)


def _plan_of(execution: Execution, mistral: Mistral) -> Plan:
    name = execution.workflow.removesuffix(f".{workbook.WORKFLOW}")
    return documents.plan_of(mistral.load_plan(name), f"plan {name}")


def _is_busy(execution: Execution) -> bool:
    return any(batch.state == "RUNNING" for batch in execution.batches)
