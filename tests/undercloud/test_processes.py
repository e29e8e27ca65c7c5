"""Is a process told apart from every other, and does it end when it is asked to?"""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from tripleo_update_undercloud import processes


@pytest.fixture
def sleeper():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as child:
        yield child
        child.kill()


def test_a_process_is_itself_and_no_other(sleeper):
    process = processes.identify(sleeper.pid)
    assert processes.is_alive(process)
    assert not processes.is_alive(replace(process, started=process.started + 1))
    assert not processes.is_alive(replace(process, boot="another"))
    assert processes.memory(process) > 1024


def test_a_recycled_number_is_never_killed(sleeper):
    process = processes.identify(sleeper.pid)
    processes.stop([replace(process, started=1), replace(process, boot="another")], grace=0.2)
    assert sleeper.poll() is None
    processes.stop([process], grace=5)
    assert sleeper.wait(5) == -15


def test_what_does_not_heed_is_killed():
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        processes.stop([processes.identify(child.pid)], grace=0.2)
        assert child.wait(5) == -9


def test_members_are_known_by_their_environment(tmp_path):
    env = os.environ | {processes.MEMBER: str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env=env) as child:
        assert [p.pid for p in processes.members(tmp_path)] == [child.pid]
        assert processes.members(tmp_path / "other") == []
        child.kill()


@pytest.mark.parametrize("spoilt", [{}, {"pid": "x", "started": 1, "boot": "b"}, {"pid": 1, "started": None}])
def test_a_spoilt_note_is_no_process(spoilt):
    assert processes.Process.from_dict(spoilt) is None


def test_a_process_is_noted_and_read_back(sleeper):
    process = processes.identify(sleeper.pid)
    assert processes.Process.from_dict(process.to_dict()) == process
