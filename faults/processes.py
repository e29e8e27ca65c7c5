"""Which processes make up a part of an update: found by what they inherited and what they run."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tripleo_update_plugin.executor.jobs.job import JOB_VARIABLE
from tripleo_update_undercloud.processes import MEMBER

#: Kinds of processes, by what they run.
RUNNER, PROBER = "tripleo_update_plugin.executor.runner", "tripleo_update_plugin.executor.prober"
ANSIBLE = "ansible-playbook"

#: Processes that are not of the undercloud: services of nodes, and the endpoints that they have.
_OF_NODES = ("stand-in", "tripleo_update_sandbox.nodes.endpoint_server")


def _environment(pid: int) -> dict[str, str]:
    with suppress(OSError):
        pairs = (Path("/proc") / str(pid) / "environ").read_bytes().decode(errors="replace").split("\0")
        return dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    return {}


def command(pid: int) -> str:
    with suppress(OSError):
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    return ""


def _all() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and int(each.name) != os.getpid()]


def of_job(job: str, kind: str, folder: Path) -> list[int]:
    """Processes of one *kind* that belong to a job of the sandbox in *folder* whose name ends with *job*."""
    return [
        pid for pid in _all()
        if (own := _environment(pid).get(JOB_VARIABLE, "")).endswith(job) and Path(own).is_relative_to(folder)
        and kind in command(pid)
    ]  # fmt: skip


def of_executor(work: Path) -> list[int]:
    """All that the jobs in a work folder have started on the executor's machine; what runs on nodes is not among it."""
    return [pid for pid in _all() if (own := _environment(pid).get(JOB_VARIABLE)) and Path(own).is_relative_to(work)]


def job_of(pid: int) -> str:
    """The name of the job that a process belongs to, such as ``drain.batch-1``; empty if it belongs to none."""
    return Path(_environment(pid).get(JOB_VARIABLE, "")).name


def of_undercloud(folder: Path) -> list[int]:
    """All that a sandbox in *folder* runs, but for what stands for its nodes."""
    return [
        pid for pid in _all()
        if (env := _environment(pid)).get(MEMBER) == str(folder) and "SANDBOX_NODE" not in env
        and not any(name in command(pid) for name in _OF_NODES)
    ]  # fmt: skip


def on_node(node: Path) -> list[int]:
    """Commands under way on a node."""
    return [
        pid for pid in _all()
        if (env := _environment(pid)).get("SANDBOX_NODE") == str(node) and env.get("SANDBOX_JOB")
    ]  # fmt: skip


def send(pids: Iterable[int], signum: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signum)
