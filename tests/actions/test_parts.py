"""The parts of a job that need neither a process nor a server."""

import inspect
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from mistral_lib.actions.base import ActionSerializer
from oslo_config import cfg

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.actions import handover
from tripleo_update_plugin.actions.discover import Discover
from tripleo_update_plugin.actions.phases import Drain, Gate, Restore, Update
from tripleo_update_plugin.executor.jobs import job as jobs
from tripleo_update_plugin.executor.runner import other_batches, redaction

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
    with pytest.raises(ValueError, match=says.replace("$", r"\$").replace("{", r"\{")):
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


class MistralWithBatches:
    """Executions of one root, as the API gives them: newest last or not, JSON as text."""

    def __init__(self, *executions):
        self.executions = SimpleNamespace(get=self._get, list=lambda **_: [self._get(name) for name in self._all])
        self.tasks = SimpleNamespace(list=lambda **query: self._tasks(**query))
        self.action_executions = SimpleNamespace(list=lambda **query: self._actions(**query))
        self._all = {each["id"]: each for each in executions}

    def _get(self, name):
        return SimpleNamespace(to_dict=lambda: {"root_execution_id": "root", **self._all[name]})

    def _tasks(self, workflow_execution_id, state):
        return [SimpleNamespace(id=workflow_execution_id)] if self._all[workflow_execution_id].get("told") else []

    def _actions(self, task_execution_id, include_output):
        output = {"result": self._all[task_execution_id]["told"]}
        return [SimpleNamespace(to_dict=lambda: {"output": output})]


def batch(name, state="SUCCESS", nodes=("n-0",), created=1, **more):
    given = {"batch": name, "nodes": list(nodes), "digest": "d"}
    return {"id": f"{name}-{created}", "state": state, "created_at": created, "input": given, **more}


def test_siblings_that_failed_or_are_under_way():
    client = MistralWithBatches(
        batch("me"),
        batch("me", "ERROR", created=0),
        batch("b-1", "ERROR", ["a", "b"], told={"nodes": {"a": {"ok": False}, "b": {"ok": True}}}),
        batch("b-2", "RUNNING", ["c"]),
        batch("b-3", "ERROR", ["d"], told={"not_started": True, "nodes": {}}),
        batch("b-4", "ERROR", ["e"], created=1, told={"nodes": {"e": {"ok": False}}}),
        batch("b-4", "SUCCESS", ["e"], created=2),
        batch("b-5", "ERROR", ["f", "g"], told={"error": "lost"}),
    )
    found = other_batches.of(client, "me-1")
    assert {each.batch: each.failed for each in found if each.failed} == {"b-1": ("a",), "b-5": ("f", "g")}
    assert other_batches.in_flight(found) == {"c"}
    assert other_batches.over_budget(found, 3) == ""
    assert other_batches.over_budget(found, 2) == "not started: batches b-1, b-5 failed (3 nodes, a, f, g; allowed: 2)"


def test_a_batch_without_an_update_around_it_has_no_siblings():
    assert other_batches.of(MistralWithBatches(), None) == ()


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
