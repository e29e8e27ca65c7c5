"""From an executor to a job: check the parameters, name the job, start or join its runner."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tripleo_update_plugin.errors import PhaseFailed
from tripleo_update_plugin.executor.jobs import job as jobs
from tripleo_update_plugin.executor.jobs import machine, tending
from tripleo_update_plugin.names import is_safe_name
from tripleo_update_plugin.rules import acceptance, failure_limits, probes, variables

_MOMENTS = ("before", "after")

#: Of any deadline: a year.
MOST_SECONDS = 31_536_000

#: What is done for no batch: it changes nothing.
_OF_NO_BATCH = ("discover", "probe")


def hand_over(phase: str, parameters: Mapping[str, Any], context: Any) -> str:
    """Have *phase* done by a runner that reports to the action execution of *context*."""
    from oslo_config import cfg
    from oslo_log import log

    from tripleo_update_plugin import conf

    check(phase, parameters)
    execution = context.execution
    owner = execution.workflow_execution_id or execution.action_execution_id
    request = {
        "phase": phase,
        "parameters": dict(parameters),
        "workflow": execution.workflow_execution_id,
        "task": execution.task_execution_id,
        "config_files": _absolute(cfg.CONF.config_file),
        "config_dirs": _absolute(cfg.CONF.config_dir),
    }
    work_dir = conf.register(cfg.CONF).work_dir
    try:
        job = jobs.Job.make(work_dir, owner, job_name(phase, parameters))
        answer = job.attach(request, execution.action_execution_id, jobs.launch_runner)
    except OSError as error:
        raise PhaseFailed(f"nothing was begun: {machine.in_words(error) or error}") from error
    log.getLogger(__name__).info("%s: %s; its log is %s", job_name(phase, parameters), answer, job.log)
    tending.tend(work_dir)
    return answer


def job_name(phase: str, parameters: Mapping[str, Any]) -> str:
    """The part of a job's key that its execution does not give.

    >>> job_name("gate", {"moment": "before", "batch": "b-1"}), job_name("discover", {})
    ('gate-before.b-1', 'discover')
    """
    moment = parameters.get("moment")
    name = f"{phase}-{moment}" if moment else phase
    return f"{name}.{parameters['batch']}" if "batch" in parameters else name


def check(phase: str, parameters: Mapping[str, Any]) -> None:
    """Raise ValueError unless every name is a name: they become files, hosts and arguments.

    BadPolicy for variables that a policy could not have either.
    """
    nodes = parameters.get("nodes")
    if phase not in _OF_NO_BATCH:
        if not nodes:
            raise ValueError(f"{phase} of batch {parameters['batch']!r}: no nodes given")
        _check_digest(phase, parameters)
    _check_names(phase, parameters)
    if phase == "gate" and parameters["moment"] not in _MOMENTS:
        raise ValueError(f"moment {parameters['moment']!r} is not one of {', '.join(_MOMENTS)}")
    if phase == "unlock" and parameters.get("force") is not True:
        raise ValueError("force: the nodes may still be worked on, so it has to be true")
    variables.checked(parameters.get("extra_vars") or {})
    failure_limits.caps_of(parameters.get("max_failed", 0))
    acceptance.parse(parameters.get("accept") or ())
    probes.parse({"probes": parameters.get("probes") or {}})
    for key in ("timeout", "silence", "seconds"):
        value = parameters.get(key)
        if value is not None and (type(value) is not int or not 1 <= value <= MOST_SECONDS):
            raise ValueError(f"{key} {value!r:.50}: whole seconds, from 1 to {MOST_SECONDS}, are expected")
    for key, value in (parameters.get("allowed") or {}).items():
        if type(value) is not int or value < 0:
            raise ValueError(f"{key} {value!r:.50}: a whole number of nodes is expected")


def _check_names(phase: str, parameters: Mapping[str, Any]) -> None:
    lists = {key: parameters[key] for key in ("nodes", "only", "down", "allowed") if parameters.get(key)}
    for key, value in lists.items():
        if not isinstance(value, dict if key == "allowed" else list | tuple):
            raise ValueError(f"{key}: a {type(value).__name__} is not a list of names")
    names = [parameters["stack"], *(name for each in lists.values() for name in each)]
    names += failure_limits.names_in(parameters.get("max_failed"))
    if phase not in _OF_NO_BATCH:
        names.append(parameters["batch"])
    if parameters.get("update") is not None:
        names.append(parameters["update"])
    for name in names:
        if not is_safe_name(name):
            raise ValueError(f"{name!r:.100} is not a name of a stack, an update, a batch, a node or a service")


def _check_digest(phase: str, parameters: Mapping[str, Any]) -> None:
    """What a plan decided needs the digest of what it was made from; what only looks or undoes does not."""
    digest = parameters.get("digest")
    needed = phase in ("drain", "update") or (phase == "gate" and parameters.get("moment") == "before")
    if not isinstance(digest, str | None) or (needed and not digest):
        raise ValueError("digest: the SHA-256 (hex) of the stack's outputs is expected")


def _absolute(paths: Any) -> list[str]:
    return [str(Path(path).absolute()) for path in paths or ()]
