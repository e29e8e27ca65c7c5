"""The actions as Mistral calls them: rebuilt from their attributes, with the parameters of the workbook."""

import inspect
from pathlib import Path

import pytest
from mistral_lib.actions.base import ActionSerializer

from tripleo_update_plugin.actions.discover import Discover
from tripleo_update_plugin.actions.phases import Drain, Gate, Restore, Update

GIVEN = {"stack": "overcloud", "digest": "d", "batch": "b-1", "nodes": ["ctl-0"]}
WORKBOOK = Path(__file__).parents[2] / "workbooks" / "tripleo_update.yaml"


@pytest.mark.parametrize("action", [Gate, Drain, Update, Restore, Discover])
def test_mistral_can_send_actions_to_an_executor(action):
    given = {name: value for name, value in GIVEN.items() if name in inspect.signature(action).parameters}
    serializer = ActionSerializer()
    rebuilt = serializer.deserialize_from_dict(serializer.serialize_to_dict(action(**given)))
    assert vars(rebuilt) == vars(action(**given)) and not rebuilt.is_sync() and action.__doc__


def test_mistral_understands_the_workbook():
    import mistral.cmd  # noqa: F401 - chooses the threading backend, first of all
    from mistral.lang import parser

    workbook = parser.get_workbook_spec_from_yaml(WORKBOOK.read_text(), validate=True)
    update = workbook.get_workflows()["update_batch"]
    phases = ["gate_before", "drain", "undo_drain", "update", "restore", "gate_after"]
    assert list(update.get_tasks().item_keys()) == phases
    actions = {f"tripleo_update.{each.__name__.lower()}": each for each in (Gate, Drain, Update, Restore)}
    for task in update.get_tasks():
        phase = task.get_name().replace("undo_drain", "restore")
        deadline = f"$.deadlines.get({phase}, $.timeout)"
        assert task.get_input()["timeout"] == f"<% {deadline} %>"
        limit = f"<% {deadline} + 300 %>"  # but a batch may wait before it begins as long as people want
        assert (task.get_policies().get_timeout() or 0) == (0 if task.get_name() == "gate_before" else limit)
        action = actions[task.get_action_name()]
        assert set(task.get_input()) <= set(inspect.signature(action).parameters)
