"""An undercloud that is only memory: a Heat and a Mistral for tests."""

import copy
import dataclasses
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.errors import (
    ActionsMissing,
    BadPlan,
    ExecutionNotFound,
    HeatUnavailable,
    MistralUnavailable,
    StackNotFound,
)
from tripleo_update_plugin.outcome.control import Beat
from tripleo_update_plugin.outcome.execution import BatchRun, Execution, NodeResult, PhaseRun
from tripleo_update_plugin.rules.deadlines import PHASES
from tripleo_update_plugin.workflows.workbook import WORKFLOW, is_batch, stack_of

if TYPE_CHECKING:
    from tripleo_update_plugin.adapters.update_state import UpdateState


def _notes(answer: Callable[[], None]) -> "UpdateState":
    # Imported here: small overclouds are tested where no OpenStack library is.
    from tripleo_update_plugin.adapters.update_state import UpdateState
    from tripleo_update_plugin.testing.environments import FakeEnvironments

    return UpdateState(None, FakeEnvironments(answer))


class FakeHeat:
    """Heat that has some stacks and their outputs, ``FakeHeat(overcloud={...})``; ``outage`` makes it unavailable.

    ``chains`` is the data of the nested service chains, {role: {service: role_data}}, the same for every stack.
    """

    def __init__(self, **stacks: Mapping[str, Any]) -> None:
        self.stacks = dict(stacks)
        self.chains: dict[str, dict[str, dict[str, Any]]] = {}
        self.outage = ""

    def outputs(self, stack: str) -> dict[str, Any]:
        if self.outage:
            raise HeatUnavailable(f"Heat did not give stack {stack!r}: {self.outage}")
        if stack not in self.stacks:
            raise StackNotFound(f"Heat has no stack {stack!r}")
        return copy.deepcopy(dict(self.stacks[stack]))

    def services(self, stack: str, roles: Iterable[str]) -> dict[str, dict[str, Any]]:
        self.outputs(stack)
        return {role: copy.deepcopy(self.chains[role]) for role in roles if role in self.chains}


@dataclass
class _Run:
    """One execution of FakeMistral, and the states of the batches reached so far."""

    id: str
    workflow: str
    tasks: Mapping[str, Mapping[str, Any]]
    description: str
    started: float
    state: str = "RUNNING"
    finished: float | None = None
    batches: dict[str, BatchRun] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)  # the states of tasks that are no batch


class FakeMistral:
    """Mistral in memory. With every look at an execution it goes on by a step: what runs ends, what may begin begins.

    ``failing`` is {batch: phase it fails in}, ``hung`` are batches that do not end; ``silent`` are the nodes that do
    not answer discovery, ``nodes`` those that do, ``facts`` is what else they say; ``answers`` is {action: what it
    reports}; ``services`` are its folders of service profiles; ``missing`` are actions it lacks; ``outage`` makes it
    unavailable. ``notes`` are what people and phases say of its updates; batches wait at the door as those say. Its
    clock starts at 0 and goes on by a second a step. What resume(), rerun() and the like do, an operator does.
    """

    def __init__(
        self,
        *,
        nodes: Iterable[str] = (),
        silent: Iterable[str] = (),
        failing: Mapping[str, str] | None = None,
        missing: Sequence[str] = (),
        facts: Mapping[str, Any] | None = None,
        services: Iterable[str] = (),
    ) -> None:
        self._services = tuple(services)
        self.facts = dict(facts or {})
        self.failing = dict(failing or {})
        self.missing = tuple(missing)
        self.hung: set[str] = set()
        self.answers: dict[str, Mapping[str, Any]] = {}
        self.outage = ""
        self.notes = _notes(self._answer)
        self.now = 0.0
        self.workbooks: dict[str, str] = {}
        self.plans: dict[str, Mapping[str, Any]] = {}
        self.watches: dict[str, Mapping[str, Any]] = {}
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self._nodes = {**dict.fromkeys(nodes, True), **dict.fromkeys(silent, False)}
        self._runs: dict[str, _Run] = {}

    def require_actions(self) -> None:
        self._answer()
        if self.missing:
            raise ActionsMissing(f"Mistral does not know the actions {', '.join(sorted(self.missing))}")

    def validate(self, definition: str) -> None:
        self._answer()
        data = yaml.safe_load(definition)
        if not isinstance(data, Mapping) or not {"version", "name", "workflows"} <= set(data):
            raise BadPlan("Mistral refuses the workbook: it has no version, name or workflows")

    def upload(self, name: str, definition: str, validated: bool = False) -> None:
        self.validate(definition)
        self.workbooks[name] = definition

    def save_plan(self, name: str, plan: Mapping[str, Any]) -> None:
        self._answer()
        self.plans[name] = copy.deepcopy(dict(plan))

    def load_plan(self, name: str) -> Any:
        self._answer()
        if name not in self.plans:
            raise ExecutionNotFound(f"Mistral has no plan {name}")
        return copy.deepcopy(self.plans[name])

    def save_watch(self, execution: str, watch: Mapping[str, Any], by: str = "", told: float = 0.0) -> None:
        self._answer()
        self.watches[execution] = copy.deepcopy(dict(watch))

    def load_watch(self, execution: str) -> Any:
        self._answer()
        return copy.deepcopy(self.watches.get(execution))

    def start(self, workflow: str, description: str) -> str:
        self._answer()
        book = self.workbooks.get(workflow.removesuffix(f".{WORKFLOW}"))
        if book is None:
            raise MistralUnavailable(f"Mistral could not start {workflow}: Workflow not found")
        id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{workflow}/{len(self._runs)}"))
        tasks = yaml.safe_load(book)["workflows"][WORKFLOW]["tasks"]
        run = self._runs[id] = _Run(id, workflow, tasks, description, self.now)
        self._begin(run)
        return id

    def updates(self, stack: str = "") -> list[Execution]:
        self._answer()
        found = [dataclasses.replace(_snapshot(run), batches=()) for run in reversed(self._runs.values())]
        return [execution for execution in found if execution.stack and stack in ("", execution.stack)]

    def state_of(self, id: str) -> str:
        return self.run(id).state

    def execution(self, id: str, phases: bool = True, results: bool = True) -> Execution:
        """The update as it is now; after this look it goes on by one step."""
        run = self.run(id)
        snapshot = _snapshot(run)
        if run.state == "RUNNING":
            self._step(run)
        return snapshot

    def run_action(self, name: str, input: Mapping[str, Any], timeout: float) -> Mapping[str, Any]:
        self._answer()
        self.calls.append((name, dict(input)))
        if name in self.answers:
            return copy.deepcopy(self.answers[name])
        if name == "tripleo_update.profiles":
            catalogue = load_catalogue(*self._services)
            return {"profiles": {service: catalogue.profile(service).digest for service in input["services"]}}
        nodes = {n: {"ok": True} if ok else {"ok": False, "error": "unreachable"} for n, ok in self._nodes.items()}
        down = [name for name, answers in self._nodes.items() if not answers]
        return {"ok": True, "error": "", "nodes": nodes, "facts": {"down": down, "leaders": {}, **self.facts}}

    def pause(self, id: str) -> bool:
        """Phases that run end at once, and none begins."""
        run = self.run(id)
        if run.state != "RUNNING":
            return False
        run.state = "PAUSED"
        for batch in _under_way(run):
            run.batches[batch.id] = dataclasses.replace(batch, state="PAUSED", phases=self._at_end(batch))
        return True

    def resume(self, id: str) -> None:
        run = self.run(id)
        run.others |= {name: "SUCCESS" for name, state in run.others.items() if state == "IDLE"}
        run.state = "RUNNING"
        for batch in run.batches.values():
            if batch.state == "PAUSED":
                run.batches[batch.id] = dataclasses.replace(batch, state="RUNNING")
        self._begin(run)

    def cancel(self, id: str) -> None:
        run = self.run(id)
        run.state, run.finished = "CANCELLED", self.now
        for batch in _under_way(run):
            run.batches[batch.id] = dataclasses.replace(batch, state="CANCELLED", phases=self._at_end(batch))

    def rerun(self, task: str) -> bool:
        """*task* is ``<update>/<batch>/<phase>`` or ``<update>/<batch>``."""
        id, name, *phase = task.split("/")
        run, batch = self.run(id), self.run(id).batches[name]
        if batch.state != "ERROR":
            return False
        run.state, run.finished = "RUNNING", None
        begun = tuple(p for p in batch.phases if p.state == "SUCCESS")
        again = PhaseRun(name=phase[0] if phase else PHASES[0], state="RUNNING", task=task, action=f"{task}/again")
        phases = (*begun, again) if phase else (again,)
        run.batches[name] = dataclasses.replace(batch, state="RUNNING", finished=None, phases=phases)
        return True

    def pass_over(self, task: str) -> bool:
        return bool(task)

    def fail_action(self, action: str, error: str) -> None:
        id, name, *_ = action.split("/")
        run, batch = self.run(id), self.run(id).batches[name]
        self.hung.discard(name)
        failed = dataclasses.replace(batch.phases[-1], state="ERROR", error=error)
        run.batches[name] = dataclasses.replace(batch, state="ERROR", phases=(*batch.phases[:-1], failed))

    def _at_end(self, batch: BatchRun) -> tuple[PhaseRun, ...]:
        """The phases of a batch of which nothing is at work any more, unless it hangs."""
        done = "RUNNING" if batch.id in self.hung else "SUCCESS"
        return tuple(dataclasses.replace(p, state=done) if p.state == "RUNNING" else p for p in batch.phases)

    def _answer(self) -> None:
        if self.outage:
            raise MistralUnavailable(f"Mistral does not answer: {self.outage}")

    def run(self, id: str) -> _Run:
        """One execution, for tests to bring into a state that no look brings it to."""
        self._answer()
        if id not in self._runs:
            raise ExecutionNotFound(f"there is no update {id!r}")
        return self._runs[id]

    def _step(self, run: _Run) -> None:
        self.now += 1
        for batch in _under_way(run):
            if not self._waits(run, batch) and batch.id not in self.hung:
                run.batches[batch.id] = self._ended(run, batch)
        if any(batch.state == "ERROR" for batch in run.batches.values()) and not _under_way(run):
            run.state, run.finished = "ERROR", self.now
        elif all(_state(run, name) == "SUCCESS" for name in run.tasks):
            run.state, run.finished = "SUCCESS", self.now
        else:
            self._begin(run)
            self._rest(run)

    def _waits(self, run: _Run, batch: BatchRun) -> bool:
        """Whether a batch is at the door; it begins if nothing keeps it there."""
        beat = next((each for each in self.notes.beats(run.id) if each.batch == batch.id), None)
        if not beat or not beat.at_door:
            return False
        if not self.notes.load_control(run.id).holds:
            self.notes.drop_beat(run.id, batch.id)
            run.batches[batch.id] = self._begun(run, batch.id)
        return True

    def _rest(self, run: _Run) -> None:
        """Where all batches that have begun are at the door, the update rests, or ends."""
        control = self.notes.load_control(run.id)
        doors = {beat.batch for beat in self.notes.beats(run.id) if beat.at_door}
        if control.holds and doors and {batch.id for batch in _under_way(run)} <= doors:
            (self.cancel if control.abort else self.pause)(run.id)

    def _begin(self, run: _Run) -> None:
        """Begin everything whose turn it is; before an approval the execution pauses."""
        for name, _ in sorted(run.tasks.items(), key=lambda entry: is_batch(entry[0])):
            waits = [o for o, other in run.tasks.items() if name in other.get("on-success", ())]
            done = [o for o in waits if _state(run, o) == "SUCCESS"]
            if _state(run, name) not in ("", "WAITING") or (waits and not done):
                continue
            if not is_batch(name):
                self._begin_other(run, name, len(done) == len(waits))
            elif len(done) < len(waits):
                run.batches[name] = BatchRun(id=name, state="WAITING", started=self.now)
            elif run.state == "RUNNING":
                run.batches[name] = self._begun(run, name)

    def _begun(self, run: _Run, name: str) -> BatchRun:
        """A batch that is at work, or at the door."""
        key = f"{run.id}/{name}"
        at_door = self.notes.load_control(run.id).holds
        before = () if at_door else PHASES[:2]
        phase = "gate_before" if at_door else "update"
        if at_door:
            beat = self.a_beat(name, phase, waits_for="people hold the update")
            self.notes.beat(run.id, beat)
        begun = tuple(_phase(key, each, run.tasks[name], "SUCCESS", self.now) for each in before)
        works = PhaseRun(name=phase, state="RUNNING", task=f"{key}/{phase}", action=f"{key}/{phase}/1")
        return BatchRun(id=name, state="RUNNING", started=self.now, phases=(*begun, works), task=key)

    def a_beat(self, batch: str, phase: str, **more: Any) -> Beat:
        """A sign of life, given now."""
        return Beat(
            batch=batch, phase=phase, machine="undercloud", pid=1, attempt=1, action_execution="", since=self.now,
            beat=self.now, **more,
        )  # fmt: skip

    def _begin_other(self, run: _Run, name: str, is_due: bool) -> None:
        """A task that does nothing; like the real one, Mistral does not pause before it if it is a join."""
        if is_due and run.state == "RUNNING":
            pauses = run.tasks[name].get("pause-before") and "join" not in run.tasks[name]
            run.others[name] = "IDLE" if pauses else "SUCCESS"
            run.state = "PAUSED" if pauses else run.state
            if not pauses:
                self._begin(run)

    def _ended(self, run: _Run, batch: BatchRun) -> BatchRun:
        fails_in = self.failing.get(batch.id, "")
        key = f"{run.id}/{batch.id}"
        return dataclasses.replace(
            batch, state="ERROR" if fails_in else "SUCCESS", finished=self.now, task=key,
            phases=tuple(_phases(key, run.tasks[batch.id], fails_in, self.now)),
        )  # fmt: skip


def _under_way(run: _Run) -> list[BatchRun]:
    return [batch for batch in run.batches.values() if batch.state in ("RUNNING", "PAUSED")]


def _state(run: _Run, task: str) -> str:
    return run.batches[task].state if task in run.batches else run.others.get(task, "")


def _phases(key: str, task: Mapping[str, Any], fails_in: str, now: float) -> Iterator[PhaseRun]:
    for name in PHASES:
        yield _phase(key, name, task, "ERROR" if name == fails_in else "SUCCESS", now)
        if name == fails_in:
            return


def _phase(key: str, name: str, task: Mapping[str, Any], state: str, now: float) -> PhaseRun:
    error = "" if state == "SUCCESS" else f"{name} failed"
    result = NodeResult(ok=not error, started=now, finished=now, error=error)
    nodes = dict.fromkeys(task["input"]["nodes"], result)
    return PhaseRun(name=name, state=state, error=error, nodes=nodes, task=f"{key}/{name}", action=f"{key}/{name}/1")


def _snapshot(run: _Run) -> Execution:
    failed = [batch.id for batch in run.batches.values() if batch.state == "ERROR"]
    return Execution(
        id=run.id,
        stack=stack_of(run.workflow),
        workflow=run.workflow,
        state=run.state,
        started=run.started,
        finished=run.finished,
        error=f"Failure caused by error in tasks: {', '.join(failed)}" if failed else "",
        batches=tuple(run.batches.values()),
        approval=next((name for name, state in run.others.items() if state == "IDLE"), ""),
    )
