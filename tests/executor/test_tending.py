"""Jobs whose process died: who looks after them, and what becomes of them."""

import json
import os
import shutil
import signal
import time

import pytest
from test_runner import ended, sleepers, told, wait

from tripleo_update_plugin.executor.jobs import job as jobs
from tripleo_update_plugin.executor.jobs import tending
from tripleo_update_plugin.executor.jobs.job import MOST_REVIVALS, OPEN

OWNER = "6d3c0f1e-8a52-4c07-9f13-2b6ad45e7c90"

LATER = 60.0  # seconds: whatever was started then is at work now, or dead


def later():
    return time.time() + LATER


def dies(log):
    """A launcher of processes that are dead at once."""

    def launch(job, lock):
        log.append(job.request().get("attempt"))
        return os.getpid()

    return launch


@pytest.fixture
def dead(tmp_path):
    """A job of which nobody hears any more."""
    job = jobs.Job.make(str(tmp_path), OWNER, "drain.b-1")
    job.attach({"phase": "drain", "parameters": {"batch": "b-1"}, "task": "t"}, "a", dies([]))
    return job


def tend(folder, log, clock=later):
    return [each.done for each in tending.tend(str(folder), dies(log), dies(log), clock)]


def test_a_job_that_died_is_begun_anew_until_it_has_failed(dead, tmp_path):
    begun = []
    for _ in range(MOST_REVIVALS):
        assert tend(tmp_path, begun) == ["began anew"]
    assert begun == [2, 3] and not dead.result()
    assert tend(tmp_path, begun) == ["tells"]
    output = dead.result()["output"]
    assert dead.result()["state"] == "ERROR" and output["batch"] == "b-1" and output["phase"] == "drain"
    assert "its process died 3 times without a word" in output["error"]
    assert tend(tmp_path, begun) == ["tells"], "somebody has still to be told"
    dead.told("a")
    assert tend(tmp_path, begun) == [] and not list((tmp_path / OPEN).iterdir())


def test_a_new_attempt_has_lives_of_its_own(dead, tmp_path):
    for _ in range(MOST_REVIVALS + 1):
        tend(tmp_path, [])
    assert dead.attach({"phase": "drain", "parameters": {"batch": "b-1"}, "task": "t"}, "b", dies([])) == "started"
    assert tend(tmp_path, []) == ["began anew"]


def test_what_lives_or_has_just_been_started_is_left_alone(dead, tmp_path):
    assert tend(tmp_path, [], time.time) == []
    lock = dead.try_lock()
    assert tend(tmp_path, []) == []
    os.close(lock)


def test_a_prober_that_was_killed_goes_on(tmp_path):
    job, begun = jobs.Job.make(str(tmp_path), OWNER, "probes"), []
    job.keep_going({"execution": OWNER, "workflow": "w"}, dies([]))
    assert tend(tmp_path, begun) == ["began anew"]
    job.finish(job.try_lock())
    assert tend(tmp_path, begun) == [] and len(begun) == 1


def test_what_is_left_of_folders_that_are_gone_is_in_nobody_s_way(dead, tmp_path):
    shutil.rmtree(dead.folder)
    assert tend(tmp_path, []) == []
    shutil.rmtree(tmp_path / OPEN)
    assert tend(tmp_path, []) == []


def test_a_killed_runner_is_replaced_and_its_work_done_once(desk, nodes, undercloud):
    nodes.slow("drain", 300)
    job, _ = desk.hand_in(desk.request("drain"))
    wait(lambda: nodes.asked)
    os.kill(int((job.folder / "pid").read_text()), signal.SIGKILL)
    wait(lambda: ended(job))
    nodes.slow("drain", 0)
    [tended] = tending.tend(str(desk.work), clock=later)
    assert (tended.job, tended.done) == (f"{job.folder.parent.name}/drain.b-1", "began anew")
    [(action, state, output)] = told(undercloud)
    assert (action, state) == ("action-1", "SUCCESS"), output
    wait(lambda: not sleepers(job))
    assert nodes.asked == ["drain ctl-0"] * 2
    wait(lambda: ended(job))
    assert list((desk.work / OPEN).iterdir()) == []


@pytest.mark.parametrize(
    ("update", "action", "done"),
    [("RUNNING", "RUNNING", True), ("CANCELLED", "RUNNING", False), ("RUNNING", "ERROR", False)],
)
def test_what_nobody_waits_for_is_not_begun_anew(desk, nodes, undercloud, update, action, done):
    nodes.slow("drain", 300)
    job, _ = desk.hand_in(desk.request("drain", update="u-1"))
    wait(lambda: nodes.asked)
    os.kill(int((job.folder / "pid").read_text()), signal.SIGKILL)
    wait(lambda: ended(job))
    nodes.slow("drain", 0)
    undercloud.states = {"u-1": update, "action-1": action}
    tending.tend(str(desk.work), clock=later)
    [(_, state, output)] = told(undercloud)
    assert state == ("SUCCESS" if done else "ERROR"), output
    assert done or "not begun anew after its process died" in output["error"]
    assert len(nodes.asked) == (2 if done else 1)
    for pid in sleepers(job):
        os.kill(pid, signal.SIGKILL)


def test_a_work_folder_that_is_gone_keeps_nobody_from_hearing_the_result(desk, nodes, undercloud):
    nodes.slow("drain", 3)
    desk.hand_in(desk.request("drain"))
    wait(lambda: nodes.asked)
    shutil.rmtree(desk.work)
    [(action, state, output)] = told(undercloud)
    assert action == "action-1" and state == "ERROR"
    assert str(desk.work) in output["error"] or "Ansible" in output["error"]


def test_a_phase_tells_that_it_is_alive_as_long_as_it_is(desk, nodes, undercloud):
    nodes.slow("drain", 3)
    job, _ = desk.hand_in(desk.request("drain", update="u-1"))
    name = "tripleo-update-beat.u-1.b-1"
    wait(lambda: name in undercloud.environments)
    beat = json.loads(undercloud.environments[name]["variables"])
    assert (beat["phase"], beat["action_execution"]) == ("drain", "action-1")
    assert beat["pid"] == int((job.folder / "pid").read_text()) and beat["beat"] >= beat["since"] > 0
    assert told(undercloud)[0][1] == "SUCCESS"
    wait(lambda: name not in undercloud.environments)
