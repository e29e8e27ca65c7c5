"""What the adapter makes of Mistral's answers; tests/functional asks a real one."""

import pytest

from tripleo_update_plugin.adapters.mistral import _result, _seconds


def test_results_come_out_of_their_wrapping():
    assert _result('{"result": {"ok": true}}') == {"ok": True}
    assert _result('{"ok": true}') == {"ok": True}
    assert _result('{"result": "refused parameters"}') == {"result": "refused parameters"}
    assert _result(None) == {}


@pytest.mark.parametrize("text", ["1970-01-01 00:01:00", "1970-01-01T00:01:00", "1970-01-01 00:01:00.000000"])
def test_times_are_utc(text):
    assert _seconds(text) == 60
