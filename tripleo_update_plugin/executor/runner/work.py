"""What a phase does: look at the overcloud, make the plays, run them, say what became of each node."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.adapters import ansible, keystone
from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.adapters.heat import Heat
from tripleo_update_plugin.errors import PhaseFailed, StalePlan
from tripleo_update_plugin.executor.jobs import node_locks
from tripleo_update_plugin.executor.jobs.job import Job, answer
from tripleo_update_plugin.executor.prober import trial
from tripleo_update_plugin.executor.runner import discovery, other_batches, redaction, updating
from tripleo_update_plugin.overcloud import outputs as stack_outputs
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.playbooks import plays
from tripleo_update_plugin.rules.catalogue import Catalogue

Output = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Work:
    """One attempt at a phase, and the tools it needs."""

    job: Job
    request: Mapping[str, Any]
    conf: Any
    cancelled: Callable[[], bool]
    redact: Callable[[str], str] = field(default=redaction.redactor({}))
    deadline: float = 0.0  # of the monotonic clock

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + (self.given("timeout") or self.options.update_timeout)

    @property
    def options(self) -> Any:
        return self.conf[options.GROUP]

    @property
    def phase(self) -> str:
        return str(self.request["phase"])

    def given(self, name: str) -> Any:
        return self.request["parameters"].get(name)

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(self.given("nodes") or ())

    def carry_out(self) -> Output:
        """Do it. Raises UpdateError where nothing at all could be done."""
        heat = Heat(keystone.heat_client(self.conf))
        outputs = heat.outputs(self.given("stack"))
        self.redact = redaction.redactor(outputs)
        self._check_digest(outputs)
        overcloud = stack_outputs.parse(outputs, self.given("stack"))
        for name in self.nodes:
            if name not in {node.name for node in overcloud.nodes}:
                raise PhaseFailed(f"stack {overcloud.stack} has no node {name}", "Make the plan again.")
        if self.phase == "probe":
            given = self.request["parameters"]
            return self.output(**trial.try_out(given, overcloud, outputs, self.conf, self.cancelled, print))
        with self._private_folder() as folder:
            if self.phase == "discover":
                return self._discover(outputs, overcloud, folder)
            if self.phase == "gate":
                return self._gate(overcloud, folder)
            with node_locks.held(self.options.work_dir, overcloud.stack, self.nodes, self.job):
                if self.phase == "update":
                    return updating.update(self, heat, outputs, overcloud, folder)
                return self._steps(overcloud, folder)

    def _check_digest(self, outputs: Mapping[str, Any]) -> None:
        if self.phase not in ("discover", "probe") and stack_outputs.digest(outputs) != self.given("digest"):
            raise StalePlan(f"stack {self.given('stack')} has changed since the plan was made; nothing was touched")

    def _private_folder(self) -> "_PrivateFolder":
        return _PrivateFolder(self.job.private)

    def run(
        self,
        phase: plays.Phase,
        overcloud: Overcloud,
        folder: Path,
        results_of: Iterable[str] = (),
        extra_vars: Mapping[str, Any] | None = None,
    ) -> tuple[ansible.Outcome, dict[str, dict[str, Any]]]:
        inventory = ansible.write_inventory(overcloud, folder / "inventory.yaml", self.options.ssh_user)
        playbook = ansible.write_playbook(phase.plays, folder / "plays.yaml")
        return self.run_playbook(playbook, inventory, phase.hosts, results_of=results_of, extra_vars=extra_vars)

    def run_playbook(
        self, playbook: Path, inventory: Path, nodes: Iterable[str], **more: Any
    ) -> tuple[ansible.Outcome, dict[str, dict[str, Any]]]:
        return ansible.run(
            playbook, inventory, nodes, ansible.Settings.of(self.conf),
            timeout=self.deadline - time.monotonic(), cancelled=self.cancelled, **more,
        )  # fmt: skip

    def _gate(self, overcloud: Overcloud, folder: Path) -> Output:
        before = self.given("moment") == "before"
        others = self._siblings()
        refusal = other_batches.over_budget(others, int(self.given("max_failed") or 0)) if before else ""
        if refusal:
            return self.output(error=refusal, not_started=True)
        busy = other_batches.in_flight(others)
        phase = self._checks(overcloud, plays.gate_before if before else plays.gate_after, busy)
        if not phase.plays:
            return self.output(nodes=_untouched(self.nodes), nothing_to_do=True, unchecked=[])
        outcome, results = self.run(phase, overcloud, folder, results_of=[plays.HEALTH_TASK])
        # A batch that began while this one was looking is no sick peer.
        late: frozenset[str] = frozenset()
        if before and outcome.status == "failed":
            late = other_batches.in_flight(self._siblings()) - busy
        return self.tell(outcome, ignore=late, unchecked=plays.unchecked(results))

    def _checks(self, overcloud: Overcloud, gate: Callable[..., plays.Phase], busy: Iterable[str]) -> plays.Phase:
        timeout = min(self.options.gate_timeout, int(self.deadline - time.monotonic()))
        patience = plays.Patience.of(timeout, self.options.gate_delay)
        skip = {*(self.given("down") or ()), *busy}
        return gate(overcloud, self.catalogue(), self.nodes, patience, self.given("only"), skip)

    def catalogue(self) -> Catalogue:
        return load_catalogue(*self.options.services)

    def _siblings(self) -> tuple[other_batches.Sibling, ...]:
        execution = self.request.get("workflow")
        return other_batches.of(keystone.mistral_client(self.conf), execution) if execution else ()

    def _steps(self, overcloud: Overcloud, folder: Path) -> Output:
        skip = self.given("down") or ()
        phase = plays.steps(self.phase, overcloud, self.catalogue(), self.nodes, self.given("only"), skip)
        if not phase.plays:
            return self.output(nodes=_untouched(self.nodes), nothing_to_do=True)
        outcome, _ = self.run(phase, overcloud, folder)
        return self.tell(outcome)

    def _discover(self, outputs: Mapping[str, Any], overcloud: Overcloud, folder: Path) -> Output:
        asked = self.nodes or tuple(node.name for node in overcloud.nodes)
        questions = discovery.questions(overcloud, asked, self.catalogue())
        outcome, results = self.run(questions, overcloud, folder, discovery.TASKS)
        found = discovery.answers(overcloud, self.catalogue(), outcome, results, stack_outputs.images(outputs))
        told = self.tell(outcome)
        unasked = outcome.error or next(
            (node["error"] for name, node in told["nodes"].items() if not node["ok"] and name not in found.down), ""
        )
        return {**told, "ok": not unasked, "error": self.redact(unasked), "facts": found.to_dict()}

    def tell(self, outcome: ansible.Outcome, ignore: frozenset[str] = frozenset(), **more: Any) -> Output:
        told = {name: self._node(node) for name, node in outcome.nodes.items() if name not in ignore}
        own = {name: told.pop(name, _untouched([name])[name]) for name in self.nodes} or told
        peers = told if own is not told else {}
        errors = [node["error"] for node in [*own.values(), *peers.values()] if not node["ok"]]
        if outcome.status != "successful" and not errors and not ignore:
            errors = ["Ansible failed, though no task did"]
        error = outcome.error or "; ".join(dict.fromkeys(errors))
        return self.output(nodes=own, peers=peers, error=error, **more)

    def _node(self, node: ansible.NodeRun) -> Output:
        return {
            "ok": node.ok, "started": node.started, "finished": node.finished, "error": self.redact(node.error)
        }  # fmt: skip

    def output(self, error: str = "", nodes: Mapping[str, Any] | None = None, **more: Any) -> Output:
        """What Mistral is told; ``ok`` says whether the phase is done."""
        return answer(self.request, error=self.redact(error), nodes=nodes, **more)


def _untouched(nodes: Sequence[str]) -> dict[str, Output]:
    return {name: {"ok": True, "started": None, "finished": None, "error": ""} for name in nodes}


class _PrivateFolder:
    """A folder that only we can read, and that is gone afterwards, as is whatever a killed attempt left in it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Path:
        self._remove()
        os.mkdir(self._path, 0o700)  # noqa: PTH102 - says the mode at a glance
        return self._path

    def __exit__(self, *_: object) -> None:
        self._remove()

    def _remove(self) -> None:
        shutil.rmtree(self._path, ignore_errors=True)


