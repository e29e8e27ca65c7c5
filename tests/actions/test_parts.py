"""The parts of a job that need neither a process nor a server."""

import inspect
import os
from pathlib import Path

import pytest
from mistral_lib.actions.base import ActionSerializer
from oslo_config import cfg

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.actions import handover
from tripleo_update_plugin.actions.discover import Discover
from tripleo_update_plugin.actions.phases import Drain, Gate, Restore, Update
from tripleo_update_plugin.errors import BadPolicy
from tripleo_update_plugin.executor.jobs import job as jobs
from tripleo_update_plugin.executor.runner import redaction

GIVEN = {"stack": "overcloud", "digest": "d", "batch": "b-1", "nodes": ["ctl-0"]}
WORKBOOK = Path(__file__).parents[2] / "workbooks" / "tripleo_update.yaml"


def started(log):
    def launch(job, lock):
        log.append(job.request()["attempt"])
        return os.getpid()

    return launch


def test_attempts_are_counted(tmp_path):
    job, log = jobs.Job.make(str(tmp_path), "wf", "drain.b-1"), []
    for state in ("ERROR", "ERROR", "SUCCESS"):
        assert job.attach({"task": "t"}, "a", started(log)) == "started"
        job.write("result.json", {"state": state, "output": {}})
    assert job.attach({"task": "t"}, "b", started(log)) == "repeated"
    assert job.attach({"task": "another"}, "c", started(log)) == "started"
    assert log == [1, 2, 3, 3, 4]


def test_whoever_joins_in_the_last_moment_is_not_forgotten(tmp_path):
    job = jobs.Job.make(str(tmp_path), "wf", "drain.b-1")
    lock = job.try_lock()
    assert job.attach({"task": "t"}, "late", lambda *_: pytest.fail("started twice")) == "joined"
    assert not job.leave(lock)
    job.told("late")
    assert job.leave(lock)
    os.close(job.try_lock())


def test_nothing_is_half_written(tmp_path):
    job = jobs.Job.make(str(tmp_path), "wf", "drain.b-1")
    job.write("result.json", {"state": "SUCCESS"})
    with pytest.raises(TypeError):
        job.write("result.json", {"state": object()})
    assert job.result() == {"state": "SUCCESS"}


@pytest.mark.parametrize(
    ("phase", "changes", "says"),
    [
        ("drain", {"nodes": ["../x"]}, "'../x' is not a name"),
        ("drain", {"nodes": []}, "no nodes given"),
        ("drain", {"batch": "a b"}, "'a b' is not a name"),
        ("drain", {"stack": "<% $ %>"}, "is not a name"),
        ("drain", {"only": ["{{ x }}"]}, "is not a name"),
        ("drain", {"digest": ""}, "digest"),
        ("drain", {"timeout": 0}, "timeout 0"),
        ("drain", {"timeout": "1"}, "timeout '1'"),
        ("gate", {"moment": "never"}, "moment 'never'"),
        ("update", {"extra_vars": ["x"]}, "extra_vars"),
        ("update", {"extra_vars": {"a-b": 1}}, "extra_vars"),
        ("update", {"extra_vars": {"x": "{{ lookup('pipe', 'id') }}"}}, "extra_vars"),
        ("update", {"extra_vars": {"x": [{"y": "{% for %}"}]}}, "extra_vars"),
        ("update", {"extra_vars": {"x": {"{{ y }}": 1}}}, "extra_vars"),
        ("update", {"extra_vars": {"x": {"__ansible_unsafe": "y"}}}, "extra_vars"),
    ],
)
def test_bad_parameters_are_refused(phase, changes, says):
    with pytest.raises((ValueError, BadPolicy), match=says.replace("$", r"\$").replace("{", r"\{")):
        handover.check(phase, {**GIVEN, **changes})


def test_plain_variables_are_taken():
    given = {"tripleo_update_package_command": ["dnf", "-y", "update"], "n": 1, "o": {"p": [True, None, 0.5]}}
    handover.check("update", {**GIVEN, "extra_vars": given})
    handover.check("update", {**GIVEN, "extra_vars": None})


@pytest.mark.parametrize("action", [Gate, Drain, Update, Restore, Discover])
def test_mistral_can_send_actions_to_an_executor(action):
    given = {name: value for name, value in GIVEN.items() if name in inspect.signature(action).parameters}
    serializer = ActionSerializer()
    rebuilt = serializer.deserialize_from_dict(serializer.serialize_to_dict(action(**given)))
    assert vars(rebuilt) == vars(action(**given)) and not rebuilt.is_sync() and action.__doc__


def test_secrets_of_the_overcloud_are_not_told():
    outputs = {
        "AdminPassword": "hunter22",
        "RoleData": {"Controller": {"config_settings": {"keystone::fernet_keys": {"0": {"content": "abc=def="}}}}},
        "EndpointMap": {"KeystonePublic": {"host": "overcloud.example"}},
        "short_key": "no",
    }
    redact = redaction.redactor(outputs)
    assert redact("hunter22 at overcloud.example with abc=def=: no") == "*** at overcloud.example with ***: no"
    assert len(redact("x" * 1000)) == redaction.LIMIT


def test_options_are_registered_once_and_listed():
    conf = cfg.ConfigOpts()
    assert options.register(conf).forks == options.register(conf).forks == 25
    [(group, listed)] = options.list_opts()
    assert group == "tripleo_update" and {"work_dir", "auth_type", "insecure"} <= {option.dest for option in listed}


def test_mistral_understands_the_workbook():
    import mistral.cmd  # noqa: F401 - chooses the threading backend, first of all
    from mistral.lang import parser

    workbook = parser.get_workbook_spec_from_yaml(WORKBOOK.read_text(), validate=True)
    update = workbook.get_workflows()["update_batch"]
    phases = ["gate_before", "drain", "undo_drain", "update", "restore", "gate_after"]
    assert list(update.get_tasks().item_keys()) == phases
    actions = {f"tripleo_update.{each.__name__.lower()}": each for each in (Gate, Drain, Update, Restore)}
    for task in update.get_tasks():
        assert task.get_policies().get_timeout() == "<% $.timeout + 300 %>"
        action = actions[task.get_action_name()]
        assert set(task.get_input()) <= set(inspect.signature(action).parameters)
