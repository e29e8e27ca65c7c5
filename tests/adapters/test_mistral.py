"""What the adapter makes of Mistral's answers; tests/functional asks a real one."""

import json

import pytest

from tripleo_update_plugin.adapters.mistral_executions import result_of, seconds_of


def test_results_come_out_of_their_wrapping():
    assert result_of('{"result": {"ok": true}}') == {"ok": True}
    assert result_of('{"ok": true}') == {"ok": True}
    assert result_of(None) == result_of("") == {}


@pytest.mark.parametrize(
    "text",
    [
        "no such node",
        "The action raised an exception [action=<Drain object at 0x7f>, action_ex_id=6d3c, msg='no such node']",
        "Failed to run action [action_ex_id=6d3c, action_cls='Drain', attributes='{}', params='{}']\n no such\n node",
    ],
)
def test_what_an_action_says_that_raised_is_its_error(text):
    assert result_of(json.dumps({"result": text})) == result_of(text) == result_of(json.dumps(text)) == {
        "error": "no such node"
    }  # fmt: skip
    assert len(result_of({"result": f"msg='{'x' * 9999}']"})["error"]) == 300


@pytest.mark.parametrize("text", ["1970-01-01 00:01:00", "1970-01-01T00:01:00", "1970-01-01 00:01:00.000000"])
def test_times_are_utc(text):
    assert seconds_of(text) == 60
