"""A job's files: who starts it, who joins it, and what is kept of it; test_runner.py has the process that does it."""

import os
import stat
from pathlib import Path

import pytest

from tripleo_update_plugin.errors import PhaseFailed
from tripleo_update_plugin.executor.jobs import folders
from tripleo_update_plugin.executor.jobs import job as jobs

OWNER = "6d3c0f1e-8a52-4c07-9f13-2b6ad45e7c90"


def started(log):
    def launch(job, lock):
        log.append(job.request()["attempt"])
        return os.getpid()

    return launch


def test_attempts_are_counted(tmp_path):
    job, log = jobs.Job.make(str(tmp_path / "work"), OWNER, "drain.b-1"), []
    for state in ("ERROR", "ERROR", "SUCCESS"):
        assert job.attach({"task": "t"}, "a", started(log)) == "started"
        job.write("result.json", {"state": state, "output": {}})
    assert job.attach({"task": "t"}, "b", started(log)) == "repeated"
    assert job.attach({"task": "another"}, "c", started(log)) == "started"
    assert log == [1, 2, 3, 3, 4]


def test_whoever_joins_in_the_last_moment_is_not_forgotten(tmp_path):
    job = jobs.Job.make(str(tmp_path / "work"), OWNER, "drain.b-1")
    lock = job.try_lock()
    assert job.attach({"task": "t"}, "late", lambda *_: pytest.fail("started twice")) == "joined"
    assert not job.leave(lock)
    job.told("late")
    assert job.leave(lock)
    os.close(job.try_lock())


def test_nothing_is_half_written(tmp_path):
    job = jobs.Job.make(str(tmp_path / "work"), OWNER, "drain.b-1")
    job.write("result.json", {"state": "SUCCESS"})
    with pytest.raises(TypeError):
        job.write("result.json", {"state": object()})
    assert job.result() == {"state": "SUCCESS"}


@pytest.mark.parametrize("owner", ["../../../x", "/tmp/x", "", None, "wf", f"{OWNER}/x", f"{OWNER}\n", "." * 36])
def test_an_id_that_somebody_chose_is_no_path(tmp_path, owner):
    with pytest.raises(ValueError, match="its id is no UUID"):
        jobs.Job.make(str(tmp_path / "work"), owner, "drain.b-1")
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("name", ["../drain", "drain.a/b", f"drain.{'b' * 200}"])
def test_a_job_has_a_name(tmp_path, name):
    with pytest.raises(ValueError, match="cannot be the name of a job"):
        jobs.Job.make(str(tmp_path / "work"), OWNER, name)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_every_folder_is_private_whatever_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        folder = jobs.Job.make(str(tmp_path / "new" / "work"), OWNER, "drain.b-1").folder
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (folder, *folder.parents[:3])]
    assert modes == [0o700] * 4
    assert not stat.S_IMODE((tmp_path / "new").stat().st_mode) & 0o022


def test_a_work_folder_that_is_open_to_others_is_closed(tmp_path):
    (tmp_path / "work" / "jobs").mkdir(parents=True)
    for folder in (tmp_path / "work", tmp_path / "work" / "jobs"):
        folder.chmod(0o777)
    jobs.Job.make(str(tmp_path / "work"), OWNER, "drain.b-1")
    assert [stat.S_IMODE((tmp_path / each).stat().st_mode) for each in ("work", "work/jobs")] == [0o700, 0o700]


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    theirs = Path("/")  # of root; where we are root, one that is given away
    if os.geteuid() == 0:
        theirs = tmp_path / "theirs"
        theirs.mkdir()
        os.chown(theirs, 65534, -1)
    with pytest.raises(PhaseFailed, match=f"{theirs} belongs to another user"):
        folders.private(theirs)
    with pytest.raises(PhaseFailed, match="theirs belongs" if theirs.parent == tmp_path else "belongs"):
        folders.private(theirs.parent, theirs.name)
