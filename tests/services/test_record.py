"""The record on a node: who may work there, what lapses, what is still at work."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible.module_utils import tripleo_update_record as record
from ansible.module_utils.tripleo_update_record import Records, claim, free, keep, told, updated_to

NODE = "controller-1"


def owner(update="u-1", batch="b-1", **more):
    return {"undercloud": "uc", "stack": "overcloud", "update": update, "batch": batch, "phase": "drain",
            "attempt": 1, "machine": "director", "job": "drain.b-1", "services": None, **more}  # fmt: skip


@pytest.fixture
def records(tmp_path):
    return Records(str(tmp_path / "marks"))


def test_a_claim_is_written_and_told(records):
    assert told(records, NODE) == {}
    assert claim(records, owner(), NODE, 60) == ""
    now = told(records, NODE)
    assert (now["state"], now["update"], now["batch"], now["machine"]) == ("at work", "u-1", "b-1", "director")
    assert now["until"] - now["since"] == pytest.approx(60, abs=5)
    folder = Path(records.folder)
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("other", [owner("u-2"), owner(batch="b-2")])
def test_nobody_else_may_work_where_a_phase_is_at_work(records, other):
    claim(records, owner(), NODE, 60)
    refusal = claim(records, other, NODE, 60)
    assert refusal.startswith(f"{NODE} is at work since ") and "update u-1 of stack overcloud, batch b-1" in refusal
    assert records.owner()["batch"] == "b-1"


def test_the_next_phase_of_the_batch_may_and_keeps_the_time(records):
    claim(records, owner(), NODE, 60)
    since = records.owner()["since"]
    keep(records, owner(), 60, True, "")
    assert claim(records, owner(phase="update"), NODE, 60) == ""
    assert (records.owner()["since"], records.owner()["drained"]) == (since, True)


def test_a_claim_that_nothing_came_of_lapses(records):
    claim(records, owner(), NODE, 0)
    keep(records, owner(), 0, False, "")
    assert told(records, NODE) == {}
    assert claim(records, owner("u-2"), NODE, 60) == ""


@pytest.mark.parametrize(("drained", "failed", "state"), [(True, "", "out of use"), (False, "no disk", "failed")])
def test_what_is_out_of_use_or_failed_does_not_lapse(records, drained, failed, state):
    claim(records, owner(), NODE, 0)
    keep(records, owner(), 0, drained, failed)
    assert told(records, NODE)["state"] == state
    assert f"{NODE} is {state} since" in claim(records, owner("u-2"), NODE, 60)
    assert not failed or told(records, NODE)["why"] == failed


def test_a_phase_whose_job_never_came_back_is_at_work_until_its_deadline(records):
    claim(records, owner(), NODE, 1)
    assert told(records, NODE)["state"] == "at work"
    time.sleep(1.1)
    assert told(records, NODE) == {}


def test_only_its_owner_frees_a_node_unless_somebody_insists(records):
    claim(records, owner(), NODE, 60)
    free(records, owner("u-2"))
    assert records.owner()["update"] == "u-1"
    free(records, owner())
    assert records.owner() is None
    claim(records, owner(), NODE, 60)
    free(records, None)
    assert records.owner() is None


def test_what_a_node_was_updated_to_is_known_until_another_update_begins(records):
    assert updated_to(records) == ""
    claim(records, owner(), NODE, 60)
    free(records, owner("u-2"), "d-2")
    assert updated_to(records) == "", "it was not theirs"
    free(records, owner(), "d-1")
    assert updated_to(records) == "d-1" and records.updated()["update"] == "u-1"
    claim(records, owner("u-2"), NODE, 60)
    free(records, owner("u-2"))
    assert updated_to(records) == "", "what the other one did to it is not known"
    (Path(records.folder) / "updated.json").write_text("{")
    assert updated_to(records) == ""


@pytest.fixture
def left_behind(records):
    """A process that a phase began and that has nothing to do with us any more; it ignores SIGHUP."""
    script = "import signal, time; signal.signal(signal.SIGHUP, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    env = {**os.environ, record.MARK: f"update.b-1.{NODE}@{records.folder}"}
    process = subprocess.Popen(
        [sys.executable, "-c", script], env=env, start_new_session=True, stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()


def test_what_goes_on_after_its_job_holds_the_node(records, left_behind):
    claim(records, owner(), NODE, 0)
    keep(records, owner(), 0, False, "")
    assert told(records, NODE)["state"] == "at work"
    [process] = told(records, NODE)["processes"]
    assert f"({left_behind.pid})" in process
    assert "an earlier attempt is still at work" in claim(records, owner(), NODE, 60)
    assert "at work" in claim(records, owner("u-2"), NODE, 60)
    left_behind.kill()
    left_behind.wait()
    assert claim(records, owner("u-2"), NODE, 60) == ""


def test_what_goes_on_for_another_node_does_not(records, left_behind, tmp_path):
    assert claim(records, owner(), "controller-10", 60) == ""
    assert claim(Records(str(tmp_path / "other")), owner(), NODE, 60) == "", "one of that name on the same kernel"


def test_daemons_that_inherited_the_mark_are_at_home():
    homes = ("0::/machine.slice/libpod-conmon-abc.scope", "0::/system.slice/tripleo_nova_api.service")
    guests = ("0::/user.slice/user-0.slice/session-4.scope", "0::/system.slice/sshd.service", "1:name=systemd:/")
    assert all(record.HOME_OF_DAEMONS.search(each) for each in homes)
    assert not any(record.HOME_OF_DAEMONS.search(each) for each in guests)


def test_a_record_that_cannot_be_read_holds_the_node(records):
    claim(records, owner(), NODE, 60)
    (Path(records.folder) / "owner.json").write_text("{")
    with pytest.raises(record.Unreadable, match=r"owner\.json cannot be read"):
        claim(records, owner(), NODE, 60)
    assert told(records, NODE)["state"] == "at work"


def test_changes_are_noted_once_and_with_what_was_before(records):
    note = {"for": NODE, "kind": "haproxy", "name": "mysql/x", "was": "ready"}
    with records.alone():
        records.add(note)
        records.add({**note, "was": "drain"})
    [noted] = records.changes()
    assert noted["was"] == "ready" and noted["time"] == pytest.approx(time.time(), abs=5)
    assert told(records, NODE)["changes"] == 1 and told(records, NODE)["state"] == "out of use"
    with records.alone():
        records.drop(note)
    assert records.changes() == [] and told(records, NODE) == {}
    assert not (Path(records.folder) / "changes.json").exists()


def test_what_is_written_is_whole_or_not_there(records, tmp_path):
    claim(records, owner(), NODE, 60)
    assert json.loads((tmp_path / "marks" / "owner.json").read_text())["format"] == record.FORMAT
    assert not list(Path(records.folder).glob("*.draft"))
