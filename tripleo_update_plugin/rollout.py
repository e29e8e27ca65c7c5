"""The story of an update, in the order it happens: prepare, check, start, report. In between, people have ``verbs``."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from tripleo_update_plugin import readiness
from tripleo_update_plugin.actions import handover
from tripleo_update_plugin.adapters import documents, extensions, workbook_files
from tripleo_update_plugin.adapters.heat import Heat
from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.errors import (
    AlreadyRunning,
    BadPlan,
    BadPolicy,
    FactsMissing,
    NotFound,
    OtherProfiles,
    OtherProject,
    OutOfOrder,
    StalePlan,
)
from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.outcome.execution import Execution
from tripleo_update_plugin.outcome.report import Report, report_of
from tripleo_update_plugin.outcome.verdicts import Watch
from tripleo_update_plugin.overcloud import contradictions, external, strangers
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.overcloud.snapshot import Snapshot
from tripleo_update_plugin.plan import facts_since
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.plan.words import some_names
from tripleo_update_plugin.planner import planner
from tripleo_update_plugin.rules import acceptance, probes, related, scope
from tripleo_update_plugin.rules.policy import Policy
from tripleo_update_plugin.workflows import workbook

DISCOVERY_TIMEOUT = 600.0  # seconds: a node may need half a minute, and not all are asked at the same time

PROFILES_TIMEOUT = 60.0  # seconds for an executor to read its catalogue

_NODES_REMEDY = (
    "Bring them back ('openstack overcloud update restore' for what an update has left out of use), or make the plan "
    "again; '--no-facts' starts this one without asking the nodes."
)

_ASK_REMEDY = "Leave '--no-facts' out, or make an export with facts; without '--skip-current' all nodes are planned."

#: Seconds that a report waits for the last word of the prober after the end of an update.
LAST_WORD = 15.0


def prepare(
    snapshot: Snapshot, policy: Policy, limits: list[str], facts: Facts | None = None, skip_current: bool = False
) -> Plan:
    """A plan for the overcloud of a snapshot; it changes nothing. *facts* go before those of the snapshot.

    With *skip_current* nodes that are up to date are left out; FactsMissing if nobody has asked them.
    Raises ContradictingFacts if the nodes do not say what Heat says.
    """
    if snapshot.stack in [each.stack for each in policy.related_stacks]:
        raise BadPolicy(f"related_stacks: {snapshot.stack} is the stack itself")
    said = facts or snapshot.facts
    if skip_current and said is None:
        raise FactsMissing("which nodes are up to date only they can tell, and they were not asked", _ASK_REMEDY)
    read = snapshot.overcloud()
    known, strange = strangers.without(read, said or Facts())
    overcloud = contradictions.settled(read, known)
    limit = scope.parse_limit(limits, overcloud)
    touched = {node.name for node in overcloud.nodes if not node.excluded and limit.takes(node)}
    known = contradictions.set_aside(overcloud, known, touched)
    contradictions.check(overcloud, known, touched)
    catalogue = extensions.load_catalogue(*policy.services)
    plan = planner.plan_update(
        overcloud, catalogue, policy, known if said else None, limit, snapshot.digests, skip_current
    )
    skipped = probes.skipped_without_need(policy.probes, overcloud, snapshot.outputs)
    sick = acceptance.not_accepted(known.failed, policy.accept, catalogue, overcloud)
    told = contradictions.warnings_of(overcloud, replace(known, failed=sick), touched)
    warnings = (*plan.warnings, *strange, *skipped, *told)
    return replace(plan, warnings=warnings, beyond=external.steps(snapshot.outputs, snapshot.stack))


def overcloud_of(snapshot: Snapshot, facts: Facts) -> Overcloud:
    """The overcloud of a snapshot; where its outputs don't tell who runs what, as the nodes say."""
    return contradictions.settled(snapshot.overcloud(), facts)


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
    """Raise an UpdateError unless *plan* fits the overcloud as it is now, and the actions take what it gives them."""
    check_inputs(plan)
    now = heat.outputs(plan.stack)
    roles = readiness.roles_to_read(plan, now)
    services = heat.services(plan.stack, roles) if roles else None
    readiness.check(plan, now, extensions.load_catalogue(*plan.policy.get("services", ())), services)


def check_nodes(plan: Plan, mistral: Mistral) -> list[str]:
    """Ask the nodes again; what is otherwise than when *plan* was made and does no harm.

    StalePlan if *plan* would take down more than it says, or a related stack has something out of use. A plan that was
    made without asking them is not checked.
    """
    if plan.facts is None:
        return []
    # What was set aside counts as down, whether or not it is back.
    now = replace(discover(plan.stack, mistral), aside=plan.facts.aside)
    if problems := list(facts_since.broken(plan.facts, now)):
        shown = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
        raise StalePlan(f"since the plan was made the nodes of {plan.stack} have changed: {shown}", _NODES_REMEDY)
    for each in related.of_plan(plan.policy):
        held = discover(each.stack, mistral).held
        if held:
            shown = some_names([f"{name} is {held[name]}" for name in naturally(held)])
            raise StalePlan(f"in stack {each.stack}, which is related, {shown}", _NODES_REMEDY)
    return list(facts_since.changed(plan.facts, now, plan.policy.get("budgets", {})))


def check_inputs(plan: Plan) -> None:
    """Raise BadPlan for what an action would refuse: it would do so after the drain, and the nodes would stay out."""
    if not plan.batches:
        raise BadPlan(f"the plan updates no node of {plan.stack}", "All of them are excluded; the plan says why.")
    flow = workbook.render(plan)["workflows"][workbook.WORKFLOW]
    allowed = flow["input"][0][workbook.ALLOWED]
    for name, task in flow["tasks"].items():
        if "input" not in task:
            continue
        given = {**task["input"], workbook.ALLOWED: allowed, "update": None, "moment": "before"}
        try:
            handover.check("gate", given)
        except ValueError as error:
            raise BadPlan(f"{name} cannot be carried out: {error}") from error


def check_executors(plan: Plan, mistral: Mistral) -> None:
    """Raise OtherProfiles unless the executor that answers goes by the service profiles that *plan* was made by.

    OtherProject if it reports to Mistral in another project than the one that asks.
    """
    services = sorted({service for batch in plan.batches for service in batch.impact})
    catalogue = extensions.load_catalogue(*plan.policy.get("services", ()))
    mistral.require_actions()
    answer = mistral.run_action("tripleo_update.profiles", {"services": services}, PROFILES_TIMEOUT)
    if answer.get("error"):
        raise OtherProfiles(f"Mistral's executor cannot tell its service profiles: {answer['error']}")
    _check_projects(answer.get("projects") or {})
    theirs = answer.get("profiles") or {}
    others = [service for service in services if theirs.get(service) != catalogue.profile(service).digest]
    if others:
        raise OtherProfiles(
            f"Mistral's executors go by other service profiles than the plan: {some_names(others, what='services')}"
        )


def _check_projects(projects: Mapping[str, Any]) -> None:
    asks, own = projects.get("asks"), projects.get("own")
    if asks and own and asks != own:
        raise OtherProject(f"Mistral's executors work in the project {own}, and you work in {asks}")


def upload(plan: Plan, mistral: Mistral) -> str:
    """Put the plan and its workbook into Mistral; the name of the workflow that runs it."""
    mistral.require_actions()
    mistral.upload(workbook.STATIC, workbook_files.static_definition())
    definition = workbook_files.checked_definition(workbook.render(plan), mistral.validate)
    mistral.upload(workbook.workbook_name(plan), definition, validated=True)
    mistral.save_plan(workbook.workbook_name(plan), plan.to_dict())
    return workbook.workflow_name(plan)


def refuse_second(plan: Plan, mistral: Mistral) -> None:
    """Raise AlreadyRunning if an update of the same stack, or of a related one, has not ended.

    OutOfOrder if a stack that comes first was not updated, or not to the end.
    """
    updates = mistral.updates()
    for update in _rivals(plan, updates, mistral):
        raise AlreadyRunning(f"an update of {update.stack} is {update.state}: {update.id}")
    for each in related.of_plan(plan.policy):
        last = next((update for update in updates if update.stack == each.stack), None)
        if each.first and (last is None or last.state != "SUCCESS"):
            became = f"its last update is {last.state}: {last.id}" if last else "it was never updated"
            raise OutOfOrder(f"{plan.stack} is updated after stack {each.stack}, and {became}")


def _rivals(plan: Plan, updates: list[Execution], mistral: Mistral) -> Iterator[Execution]:
    """Updates that have not ended, of the same stack, of one that *plan* names, or that name the stack of *plan*."""
    named = {plan.stack, *(each.stack for each in related.of_plan(plan.policy))}
    for update in updates:
        if not update.is_final and (update.stack in named or plan.stack in _named_by(update, mistral)):
            yield update


def _named_by(update: Execution, mistral: Mistral) -> set[str]:
    """The stacks that the plan of *update* names; none where there is no plan any more."""
    with contextlib.suppress(NotFound, BadPlan):
        return {each.stack for each in related.of_plan(plan_of(update, mistral).policy)}
    return set()


def start(plan: Plan, mistral: Mistral) -> str:
    """Start the update; the id of its execution. Of several that are started at the same moment one goes on at most."""
    refuse_second(plan, mistral)
    id = mistral.start(upload(plan, mistral), f"Update of {plan.stack}: {len(plan.nodes)} nodes")
    others = [update for update in _rivals(plan, mistral.updates(), mistral) if update.id != id]
    if others:  # whoever looks last sees all others
        mistral.cancel(id)
        raise AlreadyRunning(f"an update of {others[0].stack} was started at the same moment: {others[0].id}")
    return id


def report(id: str, mistral: Mistral, sleep: Callable[[float], None] = time.sleep) -> Report:
    """What came of an update so far."""
    execution = mistral.execution(id)
    plan = plan_of(execution, mistral)
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
            yield plan_of(update, mistral), mistral.execution(update.id, phases=False)


def plan_of(execution: Execution, mistral: Mistral) -> Plan:
    """The plan that *execution* runs, as Mistral keeps it. Raises NotFound or BadPlan."""
    name = execution.workflow.removesuffix(f".{workbook.WORKFLOW}")
    return documents.plan_of(mistral.load_plan(name), f"plan {name}")
