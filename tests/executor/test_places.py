"""How many jobs are at work at once: places in a folder, and real runners that wait for one or go on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import fake_undercloud
import pytest
from conftest import Desk
from test_records import beat
from test_runner import ended, sleepers, told, wait

from tripleo_update_plugin import conf
from tripleo_update_plugin.executor.jobs import leftovers
from tripleo_update_plugin.executor.jobs.places import Places, share


@pytest.fixture
def places(tmp_path):
    return Places.of(str(tmp_path))


def test_only_so_many_are_taken_at_once(places):
    first, second = places.take("u.b-1", 2), places.take("u.b-2", 2)
    assert first is not None and second is not None and places.take("u.b-3", 2) is None
    places.leave(first, "u.b-1", goes_on=False)
    assert places.take("u.b-3", 2) is not None and places.taken() == 2


def test_who_goes_on_has_a_place_whatever_is_taken_and_counts(places):
    assert places.take("u.b-1", 1) is not None
    other = places.take("u.b-2")
    assert other is not None and places.taken() == 2
    places.leave(other, "u.b-2", goes_on=False)
    assert places.take("u.b-3", 1) is None and places.take("u.b-3", 2) is not None


def test_between_two_phases_a_batch_keeps_its_place(places):
    places.leave(places.take("u.b-1", 1), "u.b-1", goes_on=True)
    assert places.taken() == 1 and places.take("u.b-2", 1) is None
    again = places.take("u.b-1")
    assert again is not None and places.taken() == 1
    places.leave(again, "u.b-1", goes_on=False)
    assert places.taken() == 0


def test_it_keeps_it_for_a_while_only(places):
    places.leave(places.take("u.b-1", 1), "u.b-1", goes_on=True)
    [path] = places.folder.glob("[0-9]*")
    path.write_text(f"{time.time() - 1} u.b-1")
    assert places.taken() == 0
    assert places.take("u.b-2", 1) is not None
    assert places.take("u.b-1", 1) is None, "nor does it come before others then"


def test_a_work_folder_that_was_removed_fails_no_phase(places):
    place = places.take("u.b-1", 1)
    shutil.rmtree(places.folder)
    places.leave(place, "u.b-1", goes_on=True)
    assert places.take("u.b-2", 1) is not None


def test_who_dies_gives_its_place_back(places):
    script = f"""
import sys
from pathlib import Path
from tripleo_update_plugin.executor.jobs.places import Places
assert Places(Path({str(places.folder)!r})).take("u.b-1", 1) is not None
print("taken", flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"taken\n" and places.take("u.b-2", 1) is None
    process.kill()
    process.wait()
    assert places.take("u.b-2", 1) is not None


@pytest.mark.parametrize(
    ("given", "forks"),
    [((25, 0, 8, 50), 25), ((25, 200, 8, 3), 25), ((25, 80, 8, 1), 10), ((25, 80, 8, 16), 5), ((25, 80, 0, 2), 25),
     ((25, 80, 0, 8), 10), ((25, 1, 8, 8), 1)],
)  # fmt: skip
def test_all_that_may_be_at_work_share_the_forks(given, forks):
    assert share(*given) == forks


def test_as_they_are_no_batch_has_less_than_it_counts_on():
    options = conf.load()[conf.GROUP]
    assert share(options.forks, options.max_forks, options.max_jobs, options.max_jobs) == options.forks


@pytest.fixture
def crowded(tmp_path, nodes, undercloud):
    """One job at a time, and two forks."""
    path = fake_undercloud.configuration(
        tmp_path / "mistral.conf", tmp_path / "work", nodes, f"{undercloud.url}/heat", f"{undercloud.url}/mistral",
        max_jobs=1, max_forks=2,
    )  # fmt: skip
    made = Desk(tmp_path / "work", path, undercloud)
    yield made
    for job in made.jobs:
        leftovers.end(job.folder)


def command_line(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")


def gate(desk, batch, node):
    given = {"moment": "before", "nodes": [node], "allowed": {"web": 3}, "update": "u-1"}
    request = desk.request("gate", task=f"task-{batch}", batch=batch, **given)
    return desk.hand_in(request, f"action-{batch}", name=f"gate-before.{batch}")[0]


def test_a_batch_waits_for_a_place_before_it_begins_and_says_so(crowded, nodes, undercloud):
    nodes.slow("restore", 300, node="ctl-0")
    first, _ = crowded.hand_in(crowded.request("restore", update="u-1", last=True))
    wait(lambda: nodes.asked)
    waiting = gate(crowded, "b-2", "ctl-1")
    wait(lambda: beat(undercloud, "u-1", "b-2").get("waits_for"))
    assert beat(undercloud, "u-1", "b-2")["waits_for"] == f"1 job is at work on {os.uname().nodename}, no more may be"
    ends = crowded.request("restore", update="u-1", batch="b-3", nodes=["ctl-2"], last=True)
    other, _ = crowded.hand_in(ends, "action-3")
    assert told(undercloud)[0][:2] == ("action-3", "SUCCESS"), "what has begun goes on"
    assert not any(line.startswith("gate") for line in nodes.asked)
    [asleep] = [pid for pid in sleepers(first) if command_line(pid)[0] == b"sleep"]
    os.kill(asleep, signal.SIGTERM)  # and the node goes on
    wait(lambda: ended(waiting))
    assert ("action-b-2", "SUCCESS") in [each[:2] for each in undercloud.told]
    assert not beat(undercloud, "u-1", "b-2") and ended(other)


def test_a_batch_keeps_its_place_until_its_last_phase_has_ended(crowded, undercloud):
    first = gate(crowded, "b-1", "ctl-0")
    wait(lambda: first.result() and ended(first))
    waiting = gate(crowded, "b-2", "ctl-1")
    wait(lambda: beat(undercloud, "u-1", "b-2").get("waits_for"))
    assert not waiting.result(), "though no job is at work"
    after = crowded.request("gate", task="task-after", update="u-1", moment="after")
    last, _ = crowded.hand_in(after, "action-after", name="gate-after.b-1")
    wait(lambda: ended(waiting))
    assert {state for _, state, _ in undercloud.told} == {"SUCCESS"} and ended(last)


def test_a_job_has_its_share_of_the_forks(crowded, nodes):
    nodes.slow("drain", 300)
    job, _ = crowded.hand_in(crowded.request("drain"))
    wait(lambda: nodes.asked)
    [ansible, *_] = [line for line in map(command_line, sleepers(job)) if b"--forks" in line]
    assert ansible[ansible.index(b"--forks") + 1] == b"2"
