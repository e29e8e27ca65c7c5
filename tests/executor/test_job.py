"""A job's files: who starts it, who joins it, and what is kept of it; test_runner.py has the process that does it."""

import os

import pytest

from tripleo_update_plugin.executor.jobs import job as jobs


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
