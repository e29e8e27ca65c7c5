"""What is made of Heat's answers that are not whole; tests/functional asks a real one."""

from types import SimpleNamespace

import pytest

from tripleo_update_plugin.adapters.heat import Heat
from tripleo_update_plugin.errors import BadOutputs, HeatUnavailable
from tripleo_update_plugin.testing import an_overcloud, stack_outputs

OUTPUTS = stack_outputs(an_overcloud(Controller=(1, ["mysql"])))


def heat(status="CREATE_COMPLETE", **errors):
    entries = [{"output_key": key, "output_value": value} for key, value in OUTPUTS.items() if key not in errors]
    entries += [{"output_key": key, "output_value": None, "output_error": error} for key, error in errors.items()]
    stack = SimpleNamespace(stack_status=status, outputs=entries, parameters={})
    return Heat(SimpleNamespace(stacks=SimpleNamespace(get=lambda *_, **__: stack)))


def test_whole_outputs_are_taken():
    assert heat().outputs("overcloud") == OUTPUTS


def test_an_output_that_heat_could_not_make_is_refused():
    with pytest.raises(BadOutputs, match="could not make the output BlacklistedHostnames: no list"):
        heat(BlacklistedHostnames="no list").outputs("overcloud")


def test_one_that_nobody_reads_is_none():
    assert heat(SomethingElse="no list").outputs("overcloud") == {**OUTPUTS, "SomethingElse": None}


@pytest.mark.parametrize("status", ["UPDATE_FAILED", "UPDATE_IN_PROGRESS"])
def test_a_stack_that_is_not_complete_is_refused(status):
    with pytest.raises(HeatUnavailable, match=status) as refusal:
        heat(status).outputs("overcloud")
    assert "COMPLETE" in refusal.value.remedy
