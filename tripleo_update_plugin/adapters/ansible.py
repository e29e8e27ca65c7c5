"""ansible-runner: how is a playbook run in a private folder, and what became of each node?"""

import logging
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.plan.words import some_names
from tripleo_update_plugin.playbooks.plays import Play, explain

#: Our modules and what they share; Ansible looks for folders of these names beside a playbook.
_FOLDERS = tuple(Path(__file__).parents[1] / name for name in ("library", "module_utils"))

#: Like TripleO's own runs; used where no ansible.cfg is given, because Ansible puts the environment above the file.
_PLUGINS = "/usr/share/ansible/tripleo-plugins/{0}:/usr/share/ansible/plugins/{0}"
_TRIPLEO_SETTINGS = {
    "ANSIBLE_HOST_KEY_CHECKING": "False",
    "ANSIBLE_SSH_RETRIES": "3",
    "ANSIBLE_TIMEOUT": "30",
    "ANSIBLE_PIPELINING": "True",
    "ANSIBLE_LIBRARY": _PLUGINS.format("modules"),
    "ANSIBLE_ACTION_PLUGINS": _PLUGINS.format("action"),
    "ANSIBLE_FILTER_PLUGINS": _PLUGINS.format("filter"),
    "ANSIBLE_LOOKUP_PLUGINS": _PLUGINS.format("lookup"),
    "ANSIBLE_STRATEGY_PLUGINS": _PLUGINS.format("strategy"),
    "ANSIBLE_ROLES_PATH": "/usr/share/ansible/tripleo-roles:/usr/share/ansible/roles:/etc/ansible/roles",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How Ansible is run, whatever it runs."""

    binary: str
    user: str = ""
    key: str = ""
    forks: int = 25
    config: str = ""
    inventory: str = ""  # read after the generated one

    @classmethod
    def of(cls, conf: Any) -> "Settings":
        """What the group [tripleo_update] says."""
        group = conf[options.GROUP]
        return cls(
            binary=group.ansible_playbook or find_ansible(),
            user=group.ssh_user or "",
            key=group.ssh_key or "",
            forks=group.forks,
            config=group.ansible_config or "",
            inventory=group.inventory or "",
        )


def find_ansible() -> str:
    """The ansible-playbook beside the interpreter, else whatever PATH has."""
    beside = Path(sys.executable).with_name("ansible-playbook")
    return str(beside) if beside.exists() else shutil.which("ansible-playbook") or "ansible-playbook"


@dataclass(slots=True, kw_only=True)
class NodeRun:
    """One node in one run; times are Unix seconds, None if nothing was begun there."""

    error: str = ""
    unreachable: bool = False
    reached: bool = False
    started: float | None = None
    finished: float | None = None

    @property
    def ok(self) -> bool:
        """Whether something was done on the node, and nothing failed."""
        return self.reached and not self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``status``: successful, failed, timeout, silent or canceled. ``nodes``: every node that was asked for."""

    status: str
    nodes: Mapping[str, NodeRun]
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a run: a ``task`` ``began``, did ``start`` on a ``node``, or ended; see LEVELS."""

    kind: str
    task: str
    node: str = ""


#: Kinds of events, and how loudly each is worth a line in a log.
LEVELS = {
    "began": logging.INFO, "start": logging.DEBUG, "ok": logging.DEBUG, "skipped": logging.DEBUG, "retry": logging.INFO,
    "failed": logging.ERROR, "unreachable": logging.ERROR,
}  # fmt: skip


@dataclass(slots=True)
class _Listener:
    """Hears the events of a run as they come."""

    nodes: dict[str, NodeRun]
    heard: Callable[[Event], None]
    printed: Callable[[str], None]
    wanted_results: frozenset[str] = frozenset()
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    hosts_with_success: set[str] = field(default_factory=set)
    others: dict[str, NodeRun] = field(default_factory=dict)  # e.g. localhost, in the overcloud's own playbooks
    stats: dict[str, Any] | None = None
    last_words: str = ""
    last_sign: float = field(default_factory=time.monotonic)
    at_work: dict[str, str] = field(default_factory=dict)  # {node: task that has begun there and not ended}

    @property
    def silent_for(self) -> float:
        """Seconds since anything was heard while something is awaited; 0 where no task is at work."""
        return time.monotonic() - self.last_sign if self.at_work else 0.0

    def hear(self, event: Mapping[str, Any]) -> bool:
        self.last_sign = time.monotonic()
        if text := event.get("stdout"):
            self.printed(text)
        kind, data = event.get("event", ""), event.get("event_data") or {}
        if kind == "playbook_on_stats":
            self.stats = dict(data)
        elif kind in ("error", "verbose") and "ERROR" in event.get("stdout", ""):
            self.last_words = event["stdout"].strip()
        elif kind == "playbook_on_task_start":
            self.heard(Event(kind="began", task=data.get("task") or "a task"))
        if kind.startswith("runner_") and (ending := kind.rsplit("_", 1)[1]) in LEVELS:
            self.heard(Event(kind=ending, task=data.get("task") or "a task", node=data["host"]))
        if kind.startswith("runner_on_"):
            node = self.nodes.get(data["host"])
            self._hear_of(node if node is not None else self.others.setdefault(data["host"], NodeRun()), kind, data)
        return False  # keep no event on disk: they hold what tasks printed

    def _hear_of(self, node: NodeRun, kind: str, data: Mapping[str, Any]) -> None:
        now, result = time.time(), data.get("res") or {}
        node.started = node.started or now
        node.finished = now
        task = data.get("task") or "a task"
        if kind == "runner_on_start":
            self.at_work[data["host"]] = task
        elif kind.rsplit("_", 1)[1] in LEVELS:
            self.at_work.pop(data["host"], None)
        if kind == "runner_on_failed" and not data.get("ignore_errors"):
            node.error = _one_line(f"{task}: {explain(result)}")
        elif kind == "runner_on_unreachable":
            node.unreachable = True
            reason = result.get("msg") or "no reason given"
            node.error = _one_line(f"node {data['host']} does not answer over ssh: {reason}")
        if kind in ("runner_on_ok", "runner_on_failed") and task in self.wanted_results:
            self.results.setdefault(data["host"], {})[task] = result

    def settle(self, without_stats: str) -> None:
        """Believe Ansible's own count: a node it never worked on is no success, a rescued failure is none.

        Where there is none, a node's error says what was at work there.
        """
        stats = self.stats
        for name, node in self.nodes.items():
            if stats is None:
                node.error = node.error or f"{self.at_work.get(name) or f'node {name}'}: {without_stats}"
                continue
            node.reached = bool(stats.get("processed", {}).get(name))
            node.unreachable = bool(stats.get("dark", {}).get(name))
            if not node.unreachable and not stats.get("failures", {}).get(name):
                node.error = ""
            if not node.error and not node.reached:
                node.error = f"nothing was run on node {name}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


class _Data(str):
    """Text that Ansible takes as it is: no template in it is ever evaluated."""


class _Dumper(yaml.SafeDumper):
    """YAML as Ansible reads it, where data of others is marked."""


_Dumper.add_representer(_Data, lambda dumper, data: dumper.represent_scalar("!unsafe", str(data)))


def write_inventory(overcloud: Overcloud, path: Path, user: str) -> Path:
    """The nodes of *overcloud*, grouped by role, as an Ansible inventory.

    Names are names (names.is_safe_name) and addresses are addresses (overcloud.addresses) wherever an overcloud comes
    from, and nothing else of the outputs stands here. A value is marked as data on top of that.
    """
    roles: dict[str, dict[str, Any]] = {}
    for node in overcloud.nodes:
        hosts = roles.setdefault(node.role, {"hosts": {}})["hosts"]
        hosts[node.name] = {"ansible_host": _Data(node.address)} if node.address else {}
    variables = {"container_cli": overcloud.container_engine, **({"ansible_user": user} if user else {})}
    content = {"all": {"children": roles, "vars": variables}}
    path.write_text(yaml.dump(content, Dumper=_Dumper), encoding="utf-8")
    return path


def write_playbook(plays: Sequence[Play], path: Path) -> Path:
    """*plays* at *path*; our modules are in folders beside it, where Ansible looks whatever its settings."""
    for folder in _FOLDERS:
        if not (beside := path.parent / folder.name).exists():
            beside.symlink_to(folder)
    path.write_text(yaml.safe_dump(list(plays), sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def read_playbook(path: Path) -> list[Play]:
    """The plays of a playbook that the overcloud brings, as data."""
    return list(yaml.safe_load(path.read_text(encoding="utf-8")) or [])


def run(
    playbook: Path,
    inventory: Path,
    nodes: Iterable[str],
    settings: Settings,
    *,
    timeout: float,
    cancelled: Callable[[], bool],
    silence: float,
    extra_vars: Mapping[str, Any] | None = None,
    limit: Sequence[str] = (),
    results_of: Iterable[str] = (),
    heard: Callable[[Event], None] = lambda event: None,
    printed: Callable[[str], None] = print,
) -> tuple[Outcome, dict[str, dict[str, Any]]]:
    """Run *playbook*; its folder must be private and is the caller's to remove.

    Ansible is killed after *timeout* seconds, after *silence* seconds without an event while a task is at work on a
    node, and soon after *cancelled* says so. *heard* is called with every event, *printed* with what Ansible prints of
    it, which may hold secrets. Also returns {node: {task: result}} of the tasks named in *results_of*.
    """
    import ansible_runner

    listener = _Listener({name: NodeRun() for name in naturally(nodes)}, heard, printed, frozenset(results_of))
    made = ansible_runner.run(
        private_data_dir=str(playbook.parent),
        project_dir=str(playbook.parent),
        artifact_dir=str(playbook.parent / "artifacts"),
        inventory=[str(inventory), *([settings.inventory] if settings.inventory else [])],
        limit=",".join(limit) or None,
        extravars=dict(extra_vars or {}),
        envvars=_environment(settings, playbook.parent),
        cmdline=_arguments(settings, playbook),
        forks=settings.forks,
        binary=settings.binary,
        settings={"pexpect_timeout": 1, "job_timeout": max(1, int(timeout)), "suppress_output_file": True},
        quiet=True,
        event_handler=listener.hear,
        cancel_callback=lambda: cancelled() or listener.silent_for > silence,
    )
    status = "silent" if made.status == "canceled" and not cancelled() else made.status
    error = _limit(status, timeout, silence, listener) or _general_error(status, made.rc, listener)
    listener.settle(error)
    return Outcome(status=status, nodes=listener.nodes, error=error), listener.results


def _environment(settings: Settings, folder: Path) -> dict[str, str]:
    chosen = {"ANSIBLE_CONFIG": settings.config} if settings.config else _TRIPLEO_SETTINGS
    private = {"ANSIBLE_LOCAL_TEMP": str(folder / "tmp"), "ANSIBLE_RETRY_FILES_ENABLED": "False"}
    return {**chosen, **private, **_light(settings.binary), "ANSIBLE_NOCOLOR": "1"}


def _light(binary: str) -> dict[str, str]:
    """Ansible 2.9, which tripleo-common asks for, imports distutils. If Python's own is used where there is one,
    setuptools stays out, which is 0.4 s of every start."""
    ours = Path(binary).parent == Path(sys.executable).parent and sys.version_info < (3, 12)
    return {"SETUPTOOLS_USE_DISTUTILS": "stdlib"} if ours else {}


def _arguments(settings: Settings, playbook: Path) -> str:
    arguments = ["--become"]
    if settings.user:
        arguments += ["--user", settings.user]
    if settings.key:
        arguments += ["--private-key", settings.key]
    # Where a binary is chosen, ansible-runner leaves the playbook to its caller.
    return shlex.join([*arguments, str(playbook)])


def _limit(status: str, timeout: float, silence: float, listener: _Listener) -> str:
    """Which limit of time the run met, and who was at what then; "" if it met none."""
    if status == "timeout":
        return f"ended after {int(timeout)} s, its deadline"
    if status != "silent":
        return ""
    nodes_at: dict[str, list[str]] = {}
    for node in naturally(listener.at_work):
        nodes_at.setdefault(listener.at_work[node], []).append(node)
    hung = "; ".join(f"{some_names(nodes)} at {task!r}" for task, nodes in nodes_at.items())
    return f"ended after {int(silence)} s without a result: {hung}"


def _general_error(status: str, code: int, listener: _Listener) -> str:
    """What went wrong with the run as a whole, beyond any node."""
    if status == "canceled":
        return "ended on request"
    if listener.stats is None:
        return listener.last_words or f"Ansible ended with code {code} before it was done"
    failed = {**listener.stats.get("failures", {}), **listener.stats.get("dark", {})}
    return "; ".join(f"{name}: {run.error}" for name, run in listener.others.items() if run.error and name in failed)
