"""Notes about an update survive the way through Mistral, and nothing else is taken for one."""

import json

import pytest

from tripleo_update_plugin.outcome.control import AFTER_BATCH, FAILED, Beat, Control, Quarantine

CONTROL = Control(pause=AFTER_BATCH, by="ann", since=12.5)
QUARANTINE = Quarantine(node="compute-1", kind=FAILED, reason="no disk", time=3.0, batch="batch-2", phase="update")
BEAT = Beat(
    batch="batch-2", phase="update", machine="undercloud", pid=7, attempt=2, action_execution="a-1", since=1.0,
    beat=9.0, doing="Stop mysql", nodes=("compute-1", "and 3 more"),
)  # fmt: skip


@pytest.mark.parametrize("note", [CONTROL, Control(), QUARANTINE, BEAT], ids=lambda note: type(note).__name__)
def test_notes_come_back_as_they_were(note):
    assert type(note).from_dict(json.loads(json.dumps(note.to_dict()))) == note


def test_what_a_later_version_adds_is_passed_over_and_what_it_leaves_out_has_its_default():
    assert Control.from_dict({"abort": True, "tomorrow": 1}) == Control(abort=True)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Control, None),
        (Control, []),
        (Control, {"pause": "soon"}),
        (Control, {"abort": "false"}),
        (Control, {"since": "now"}),
        (Control, {"since": float("nan")}),
        (Quarantine, {"node": "compute-1"}),
        (Quarantine, {**QUARANTINE.to_dict(), "kind": "tired"}),
        (Quarantine, {**QUARANTINE.to_dict(), "node": "<% $ %>"}),
        (Beat, {**BEAT.to_dict(), "pid": True}),
        (Beat, {**BEAT.to_dict(), "nodes": "compute-1"}),
        (Beat, {**BEAT.to_dict(), "batch": ""}),
    ],
)
def test_what_is_no_note_is_refused(kind, data):
    with pytest.raises(ValueError, match="expected"):
        kind.from_dict(data)


def test_no_batch_begins_while_people_hold_the_update():
    assert [c.holds for c in (Control(), CONTROL, Control(abort=True))] == [False, True, True]
