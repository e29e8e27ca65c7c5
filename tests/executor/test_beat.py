"""The sign of life of a phase: what it says, how often, and to whom."""

import time

from tripleo_update_plugin.adapters.ansible import Event
from tripleo_update_plugin.errors import MistralUnavailable
from tripleo_update_plugin.executor.runner.beat import Heart, beat_of
from tripleo_update_plugin.testing import FakeMistral

REQUEST = {
    "phase": "gate", "attempt": 2, "report_to": "action-1", "parameters": {"batch": "batch-1", "moment": "before"},
}  # fmt: skip


def heart(notes, root="u-1", tended=None, period=0.02):
    return Heart(
        root=root, beat=beat_of(REQUEST), notes=notes, tend=lambda: tended.append(1) if tended is not None else None,
        period=period,
    )  # fmt: skip


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_says_what_is_done_and_on_which_nodes():
    notes = FakeMistral().notes
    with heart(lambda: notes) as beating:
        beating.hear(Event(kind="began", task="Stop"))
        for node in ("n-10", "n-2", "n-1"):
            beating.hear(Event(kind="start", task="Stop", node=node))
        beating.hear(Event(kind="ok", task="Stop", node="n-1"))
        until(lambda: notes.beats("u-1") and notes.beats("u-1")[0].nodes == ("n-2", "n-10"))
        [first] = notes.beats("u-1")
        assert (first.batch, first.phase, first.attempt, first.doing) == ("batch-1", "gate_before", 2, "Stop")
        until(lambda: notes.beats("u-1")[0].beat > first.beat)
        beating.hear(Event(kind="began", task="Start"))
        assert beating.beat.nodes == ()
    assert notes.beats("u-1") == ()


def test_what_is_waited_for_is_said_at_once():
    notes = FakeMistral().notes
    with heart(lambda: notes, period=60) as beating:
        until(lambda: notes.beats("u-1"))
        beating.wait_for("paused by ann")
        assert notes.beats("u-1")[0].at_door
        beating.wait_for("")
        assert not notes.beats("u-1")[0].at_door


def test_where_mistral_is_away_it_goes_on_and_other_jobs_are_looked_after():
    tended, asked = [], []

    def away():
        asked.append(1)
        raise MistralUnavailable("it is away")

    with heart(away, tended=tended):
        until(lambda: len(asked) > 3)
    assert tended == [1], "not with every beat"


def test_what_belongs_to_no_update_says_nothing():
    asked, tended = [], []
    with heart(lambda: asked.append(1), root="", tended=tended):
        until(lambda: tended)
    assert asked == []
