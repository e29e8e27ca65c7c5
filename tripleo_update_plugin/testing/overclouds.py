"""For tests, this package's and others': small overclouds, a small catalogue, and an undercloud that is only memory.

>>> overcloud = an_overcloud(Controller=(3, ["pacemaker", "mysql"]), Compute=(2, ["nova_compute"]))
>>> [node.name for node in overcloud.nodes]
['compute-0', 'compute-1', 'controller-0', 'controller-1', 'controller-2']
"""

import copy
import dataclasses
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

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
from tripleo_update_plugin.names import natural_key
from tripleo_update_plugin.outcome.execution import PHASES, BatchRun, Execution, NodeResult, PhaseRun
from tripleo_update_plugin.overcloud import outputs
from tripleo_update_plugin.overcloud.model import Node, Overcloud
from tripleo_update_plugin.rules.catalogue import Catalogue, parse_profile
from tripleo_update_plugin.workflows.workbook import WORKFLOW, is_batch, stack_of

#: A role: how many nodes it has, and their services.
Role = tuple[int, Iterable[str]]

#: Release → the outputs that it was the first to have.
_NEW_OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "pike": ("RoleConfig",),
    "queens": ("RoleTags", "BlacklistedHostnames"),
    "rocky": ("RoleGroupVars",),
    "stein": ("GlobalConfig",),
    "train": ("AnsibleHostVarsMap",),
    "victoria": ("RoleNetworkConfigMap",),
    "wallaby": ("TripleoHeatTemplatesJinja2RenderingDataSources",),
    "zed": ("AdminPassword",),
}
RELEASES = tuple(_NEW_OUTPUTS)

#: What Pacemaker runs in the newer architectures.
_CLUSTERED = frozenset(
    ("mysql", "rabbitmq", "oslo_messaging_rpc", "redis", "haproxy", "ovn_dbs", "cinder_volume", "cinder_backup")
)
_PUPPET_PATHS = {"mysql": "database::mysql", "redis": "database::redis", "oslo_messaging_rpc": "rabbitmq"}

_VIP = "192.168.24.2"
_FIRST_ADDRESS = IPv4Address("192.168.24.10")


def an_overcloud(
    *,
    stack: str = "overcloud",
    release: str = "wallaby",
    packaging: str = "containers",
    architecture: str = "",
    excluded: Iterable[str] = (),
    **roles: Role,
) -> Overcloud:
    """An overcloud of nodes ``<role>-<number>``, e.g. ``an_overcloud(Controller=(3, ["mysql", "keystone"]))``.

    *release* is one of RELEASES. The architecture is ``none`` unless some role has the service ``pacemaker``. The
    digest is that of stack_outputs(), so a plan for it is not stale where those outputs are found.
    """
    services = {role: frozenset(names) for role, (_, names) in roles.items()}
    if not architecture:
        newer = "pacemaker-bundles" if packaging == "containers" else "pacemaker-core"
        architecture = newer if any("pacemaker" in names for names in services.values()) else "none"
    nodes = [
        _node(f"{role.lower()}-{i}", role, services[role], frozenset(excluded))
        for role, (count, _) in roles.items()
        for i in range(count)
    ]
    nodes.sort(key=lambda node: natural_key(node.name))
    overcloud = Overcloud(
        stack=stack,
        release=release,
        architecture=architecture,
        packaging=packaging,
        nodes=tuple(dataclasses.replace(n, address=str(_FIRST_ADDRESS + i)) for i, n in enumerate(nodes)),
        digest="",
        runners={role: _runners(names, architecture, packaging) for role, names in services.items()},
        vips={"ctlplane": _VIP},
        endpoints={"KeystonePublic": f"http://{_VIP}:5000"},
        has_update_tasks=release != "pike",
    )
    return dataclasses.replace(overcloud, digest=outputs.digest(stack_outputs(overcloud)))


def _node(name: str, role: str, services: frozenset[str], excluded: frozenset[str]) -> Node:
    return Node(
        name=name,
        role=role,
        services=services,
        server_id=str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        excluded="excluded in the stack (BlacklistedHostnames)" if name in excluded else "",
    )


def _runners(services: Iterable[str], architecture: str, packaging: str) -> dict[str, str]:
    inside, outside = ("bundle", "container") if packaging == "containers" else ("pacemaker", "systemd")
    clustered: Iterable[str] = () if architecture == "none" else _CLUSTERED
    if architecture == "pacemaker":
        clustered = set(services) - {"pacemaker"}
    return {service: inside if service in clustered else outside for service in services}


def stack_outputs(overcloud: Overcloud) -> dict[str, Any]:
    """What Heat would give for *overcloud*; outputs.parse() reads it back."""
    roles: dict[str, list[Node]] = {role: [] for role in overcloud.runners}
    for node in overcloud.nodes:
        roles.setdefault(node.role, []).append(node)
    names = {role: [node.name for node in nodes] for role, nodes in roles.items()}
    later = RELEASES[: RELEASES.index(overcloud.release) + 1]
    return {
        **{key: {} for release in later for key in _NEW_OUTPUTS[release]},
        "BlacklistedHostnames": [node.name if node.excluded else "" for node in overcloud.nodes],
        "EnabledServices": {role: sorted(overcloud.runners.get(role, ())) for role in roles},
        "EndpointMap": {name: {"uri": uri} for name, uri in overcloud.endpoints.items()},
        "HostsEntry": [f"{n.address} {n.name}.localdomain {n.name}" for n in overcloud.nodes],
        "RoleConfig": {"update_steps_playbook": "- hosts: overcloud\n"} if overcloud.has_update_tasks else {},
        "RoleData": {role: _role_data(overcloud.runners.get(role, {})) for role in roles},
        "RoleNetHostnameMap": {r: {"ctlplane": [f"{n}.ctlplane.localdomain" for n in ns]} for r, ns in names.items()},
        "RoleNetIpMap": {role: {"ctlplane": [n.address for n in nodes]} for role, nodes in roles.items()},
        "ServerIdData": {"server_ids": {role: [n.server_id for n in nodes] for role, nodes in roles.items()}},
        "VipMap": dict(overcloud.vips),
    }


def _role_data(runners: Mapping[str, str]) -> dict[str, Any]:
    data: dict[str, Any] = {"service_names": sorted(runners)}
    if set(runners.values()) & {"bundle", "container"}:
        data["docker_config"] = {"step_1": {s: {"image": f"registry/{s}"} for s in sorted(runners)}}
        wrapped = sorted(service for service, runner in runners.items() if runner == "bundle")
        data["deploy_steps_tasks"] = [{"vars": {"tripleo_ha_wrapper_service_name": service}} for service in wrapped]
    else:
        clustered = sorted(service for service, runner in runners.items() if runner == "pacemaker")
        data["step_config"] = "\n".join(f"include ::tripleo::profile::pacemaker::{_puppet_path(s)}" for s in clustered)
    return data


def _puppet_path(service: str) -> str:
    return _PUPPET_PATHS.get(service, service.replace("_", "::", 1))


def a_catalogue(**more: Mapping[str, Any]) -> Catalogue:
    """A few services of every kind, with the order of the built-in catalogue; *more* adds or replaces entries."""
    return Catalogue({name: parse_profile(name, data, "testing") for name, data in {**_SERVICES, **more}.items()})


_SERVICES: Mapping[str, Mapping[str, Any]] = {
    "pacemaker": {"kind": "quorum", "max_unavailable": "quorum", "why": "the cluster stops without quorum"},
    "mysql": {"kind": "quorum", "why": "a joining node needs a donor"},
    "rabbitmq": {"kind": "quorum"},
    "redis": {"kind": "active-passive"},
    "haproxy": {"kind": "stateless"},
    "memcached": {"kind": "cache"},
    "keystone": {"kind": "stateless", "after": ["mysql"]},
    "nova_api": {"kind": "stateless", "after": ["mysql", "rabbitmq", "keystone"]},
    "nova_conductor": {"kind": "worker", "after": ["mysql", "rabbitmq"]},
    "nova_compute": {"kind": "agent", "after": ["nova_conductor"]},
    "neutron_l3": {"kind": "agent", "max_unavailable": 1},
    "cinder_volume": {"kind": "active-passive", "after": ["mysql", "rabbitmq"]},
    "ceph_osd": {"kind": "storage"},
    "ntp": {"kind": "host"},
}


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

    ``failing`` is {batch: phase it fails in}; ``silent`` are the nodes that do not answer discovery, ``nodes`` those
    that do, ``facts`` is what else they say; ``services`` are its folders of service profiles; ``missing`` are actions
    it lacks; ``outage`` makes it unavailable. Its clock starts at 0 and goes on by a second a step. resume() and
    cancel() are what an operator does to an execution.
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
        self.outage = ""
        self.now = 0.0
        self.workbooks: dict[str, str] = {}
        self.plans: dict[str, Mapping[str, Any]] = {}
        self.watches: dict[str, Mapping[str, Any]] = {}
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self._answers = {**dict.fromkeys(nodes, True), **dict.fromkeys(silent, False)}
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

    def save_watch(self, execution: str, watch: Mapping[str, Any]) -> None:
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

    def execution(self, id: str, phases: bool = True) -> Execution:
        """The update as it is now; after this look it goes on by one step."""
        run = self._run(id)
        snapshot = _snapshot(run)
        if run.state == "RUNNING":
            self._step(run)
        return snapshot

    def run_action(self, name: str, input: Mapping[str, Any], timeout: float) -> Mapping[str, Any]:
        self._answer()
        self.calls.append((name, dict(input)))
        if name == "tripleo_update.profiles":
            catalogue = load_catalogue(*self._services)
            return {"profiles": {service: catalogue.profile(service).digest for service in input["services"]}}
        nodes = {n: {"ok": True} if ok else {"ok": False, "error": "unreachable"} for n, ok in self._answers.items()}
        down = [name for name, answers in self._answers.items() if not answers]
        return {"ok": True, "error": "", "nodes": nodes, "facts": {"down": down, "leaders": {}, **self.facts}}

    def resume(self, id: str) -> None:
        run = self._run(id)
        run.others |= {name: "SUCCESS" for name, state in run.others.items() if state == "IDLE"}
        run.state = "RUNNING"
        self._begin(run)

    def cancel(self, id: str) -> None:
        run = self._run(id)
        run.state, run.finished = "CANCELLED", self.now

    def _answer(self) -> None:
        if self.outage:
            raise MistralUnavailable(f"Mistral does not answer: {self.outage}")

    def _run(self, id: str) -> _Run:
        self._answer()
        if id not in self._runs:
            raise ExecutionNotFound(f"there is no update {id!r}")
        return self._runs[id]

    def _step(self, run: _Run) -> None:
        self.now += 1
        for batch in list(run.batches.values()):
            if batch.state == "RUNNING":
                run.batches[batch.id] = self._ended(run, batch)
        if any(batch.state == "ERROR" for batch in run.batches.values()):
            run.state, run.finished = "ERROR", self.now
        elif all(_state(run, name) == "SUCCESS" for name in run.tasks):
            run.state, run.finished = "SUCCESS", self.now
        else:
            self._begin(run)

    def _begin(self, run: _Run) -> None:
        """Begin everything whose turn it is; before an approval the execution pauses."""
        for name, task in sorted(run.tasks.items(), key=lambda entry: is_batch(entry[0])):
            waits = [o for o, other in run.tasks.items() if name in other.get("on-success", ())]
            done = [o for o in waits if _state(run, o) == "SUCCESS"]
            if _state(run, name) not in ("", "WAITING") or (waits and not done):
                continue
            if not is_batch(name):
                self._begin_other(run, name, len(done) == len(waits))
            elif len(done) < len(waits):
                run.batches[name] = BatchRun(id=name, state="WAITING", started=self.now)
            elif run.state == "RUNNING":
                begun = tuple(_phase(phase, task, "SUCCESS", self.now) for phase in PHASES[:2])
                phases = (*begun, PhaseRun(name="update", state="RUNNING"))
                run.batches[name] = BatchRun(id=name, state="RUNNING", started=self.now, phases=phases)

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
        state = "ERROR" if fails_in else "SUCCESS"
        phases = tuple(_phases(run.tasks[batch.id], fails_in, self.now))
        return BatchRun(id=batch.id, state=state, started=batch.started, finished=self.now, phases=phases)


def _state(run: _Run, task: str) -> str:
    return run.batches[task].state if task in run.batches else run.others.get(task, "")


def _phases(task: Mapping[str, Any], fails_in: str, now: float) -> Iterator[PhaseRun]:
    for name in PHASES:
        yield _phase(name, task, "ERROR" if name == fails_in else "SUCCESS", now)
        if name == fails_in:
            return


def _phase(name: str, task: Mapping[str, Any], state: str, now: float) -> PhaseRun:
    error = "" if state == "SUCCESS" else f"{name} failed"
    result = NodeResult(ok=not error, started=now, finished=now, error=error)
    return PhaseRun(name=name, state=state, error=error, nodes=dict.fromkeys(task["input"]["nodes"], result))


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
