"""What the adapter makes of Mistral's answers; tests/functional asks a real one."""

import pytest

from tripleo_update_plugin.adapters.mistral_executions import result_of, seconds_of


def test_results_come_out_of_their_wrapping():
    assert result_of('{"result": {"ok": true}}') == {"ok": True}
    assert result_of('{"ok": true}') == {"ok": True}
    assert result_of('{"result": "refused parameters"}') == {"result": "refused parameters"}
    assert result_of(None) == {}


@pytest.mark.parametrize("text", ["1970-01-01 00:01:00", "1970-01-01T00:01:00", "1970-01-01 00:01:00.000000"])
def test_times_are_utc(text):
    assert seconds_of(text) == 60
