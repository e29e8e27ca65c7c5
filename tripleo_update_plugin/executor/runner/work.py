"""The toolbox of a phase: what was asked for, what it was given, how it runs plays and what it tells."""

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.adapters import ansible
from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.adapters.heat import Heat
from tripleo_update_plugin.executor import logs
from tripleo_update_plugin.executor.jobs import places
from tripleo_update_plugin.executor.jobs.job import Job, answer
from tripleo_update_plugin.executor.runner import redaction
from tripleo_update_plugin.outcome.control import Quarantine
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.plan.words import some_names
from tripleo_update_plugin.playbooks import plays
from tripleo_update_plugin.rules import acceptance
from tripleo_update_plugin.rules.acceptance import Accepted
from tripleo_update_plugin.rules.catalogue import Catalogue
from tripleo_update_plugin.rules.deadlines import SECONDS, SILENCE

#: What Mistral is told about a phase, as data: see jobs.job.answer().
Output = dict[str, Any]

#: For plays that only say how nodes are left.
_LATE: Mapping[str, Any] = {"timeout": 60.0, "cancelled": lambda: False}

#: {node: {task: what Ansible says of it}}
Results = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The overcloud as it was when the phase began, and a private ``folder`` that is gone afterwards."""

    heat: Heat
    outputs: Mapping[str, Any]
    overcloud: Overcloud
    folder: Path


@dataclass(slots=True, kw_only=True)
class Work:
    """One attempt at a phase, and the tools it needs. ``deadline`` is of the monotonic clock, in seconds.

    ``hear`` hears all that Ansible does, ``wait_for`` what is waited for, "" once it is over.
    """

    job: Job
    request: Mapping[str, Any]
    conf: Any
    cancelled: Callable[[], bool]
    log: logs.Log = field(default_factory=logs.silent)
    left_out: Mapping[str, Quarantine] = field(default_factory=dict)
    hear: Callable[[ansible.Event], None] = lambda event: None
    wait_for: Callable[[str], None] = lambda what: None
    redact: redaction.Redactor = field(default=redaction.redactor({}))
    deadline: float = 0.0

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + (self.given("timeout") or SECONDS)

    @property
    def options(self) -> Any:
        """The values of the group [tripleo_update]."""
        return self.conf[options.GROUP]

    @property
    def phase(self) -> str:
        return str(self.request["phase"])

    def given(self, name: str) -> Any:
        """The parameter *name* of the action; None if it was not given."""
        return self.request["parameters"].get(name)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes of the phase; those that the update goes on without are ``left_out``."""
        return tuple(node for node in self.given("nodes") or () if node not in self.left_out)

    @property
    def accept(self) -> tuple[Accepted, ...]:
        """What may be sick as it was before the update."""
        return acceptance.parse(self.given("accept") or ())

    @property
    def update(self) -> str:
        """The id of the update that the phase belongs to; that of its own execution if it belongs to none."""
        return str(self.given("update") or self.job.folder.parent.name)

    @property
    def only_undoes(self) -> bool:
        """Whether the phase puts back what others took out, or frees nodes."""
        return self.phase in ("restore", "unlock")

    @property
    def goes_by_plan(self) -> bool:
        """Whether what the phase does was decided by a plan, so that it must be the same overcloud still."""
        return self.phase in ("drain", "update") or (self.phase == "gate" and self.given("moment") == "before")

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()

    @property
    def forks(self) -> int:
        """Nodes that Ansible may talk to at the same time."""
        given, at_work = self.options, places.Places.of(self.options.work_dir).taken()
        return places.share(given.forks, given.max_forks, given.max_jobs, at_work)

    @property
    def silence(self) -> int:
        """Seconds without a result after which Ansible counts as hung."""
        return int(self.given("silence") or SILENCE)

    def catalogue(self) -> Catalogue:
        return load_catalogue(*self.options.services)

    @contextlib.contextmanager
    def private_folder(self) -> Iterator[Path]:
        """A folder that only we can read, gone afterwards, as is whatever a killed attempt left in it."""
        folder = self.job.private
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder, 0o700)  # noqa: PTH102 - says the mode at a glance
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def run(
        self,
        phase: plays.Phase,
        scene: Scene,
        results_of: Iterable[str] = (),
        extra_vars: Mapping[str, Any] | None = None,
        late: bool = False,
    ) -> tuple[ansible.Outcome, Results]:
        """Run the plays of *phase*; what became of each node, and the results of the tasks named in *results_of*.

        *late* plays only say how nodes are left: they have a minute of their own, also after the deadline and where
        the job was asked to end.
        """
        inventory = ansible.write_inventory(scene.overcloud, scene.folder / "inventory.yaml", self.options.ssh_user)
        playbook = ansible.write_playbook(phase.plays, scene.folder / "plays.yaml")
        return self.run_playbook(
            playbook, inventory, phase.hosts, results_of=results_of, extra_vars=extra_vars, **(_LATE if late else {})
        )

    def run_playbook(
        self, playbook: Path, inventory: Path, nodes: Iterable[str], **more: Any
    ) -> tuple[ansible.Outcome, Results]:
        """Run the *playbook* in its private folder until the phase's deadline; *more* as adapters.ansible.run()."""
        limits = {"timeout": self.seconds_left, "silence": self.silence, "cancelled": self.cancelled}
        settings = replace(ansible.Settings.of(self.conf), forks=self.forks)
        heard = {"heard": self._note, "printed": self._print}
        return ansible.run(playbook, inventory, nodes, settings, **{**limits, **heard, **more})

    def _print(self, text: str) -> None:
        """What Ansible prints is for the job's log, which people copy into reports of faults."""
        print(self.redact.all_of(text), flush=True)

    def _note(self, event: ansible.Event) -> None:
        """Tasks of the overcloud have names that hold what they are about to set, too."""
        event = replace(event, task=self.redact(event.task))
        self.hear(event)
        self.log.of(node=event.node).log(ansible.LEVELS[event.kind], "%s: %s", event.task, event.kind)

    def tell(self, outcome: ansible.Outcome, ignore: frozenset[str] = frozenset(), **more: Any) -> Output:
        """What Mistral is told of a run: the phase's nodes, others as ``peers``, and why if it did not go well."""
        told = {name: self._node(node) for name, node in outcome.nodes.items() if name not in ignore}
        own = {name: told.pop(name, untouched([name])[name]) for name in self.nodes} or told
        peers = told if own is not told else {}
        errors = list(_reasons({**own, **peers}))
        if outcome.status != "successful" and not errors and not ignore:
            errors = ["Ansible failed, though no task did"]
        error = outcome.error or "; ".join(errors)
        return self.output(nodes=own, peers=peers, error=error, **more)

    def _node(self, node: ansible.NodeRun) -> Output:
        return {
            "ok": node.ok, "started": node.started, "finished": node.finished, "error": self.redact(node.error)
        }  # fmt: skip

    def output(self, error: str = "", nodes: Mapping[str, Any] | None = None, **more: Any) -> Output:
        """What Mistral is told; ``ok`` says whether the phase is done."""
        return answer(self.request, error=self.redact(error), nodes=nodes, **more)

    def nothing_to_do(self, **more: Any) -> Output:
        """What Mistral is told where no node had to be asked."""
        return self.output(nodes=self.untouched(), nothing_to_do=True, **more)

    def untouched(self) -> dict[str, Output]:
        """Results of the phase's nodes where nothing was run, and nothing is wrong."""
        return untouched(self.nodes)


def untouched(nodes: Sequence[str]) -> dict[str, Output]:
    """Results of nodes where nothing was run, and nothing is wrong."""
    return {name: {"ok": True, "started": None, "finished": None, "error": ""} for name in nodes}


def _reasons(nodes: Mapping[str, Output]) -> Iterator[str]:
    """Why nodes failed, each reason once, with the nodes it is about unless it names them itself."""
    alike: dict[str, list[str]] = {}
    for name, node in nodes.items():
        if not node["ok"]:
            alike.setdefault(node["error"], []).append(name)
    for reason, names in alike.items():
        yield reason if all(name in reason for name in names) else f"{some_names(names)}: {reason}"
