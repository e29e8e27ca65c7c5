"""Rows, the table of them, and where the lab refuses to run."""

import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lab import preflight, table, verdict
from lab.errors import LabError
from lab.site import Site
from lab.table import Row
from lab.verdict import Judgement, Stream

ROOT = Path(__file__).parents[2]


SAID_SO = {"KeystonePublic": "downtime", "database": "no downtime seen"}
UNNOTICED = {"KeystonePublic": "no downtime seen", "database (pooled)": "not proved"}


def a_row(how="careful", failed=0, failed_first=0, lost=0, doubts=(), state="SUCCESS", claims=None):
    stream = Stream(fresh=True, requests=2000, failed_first=failed_first, failed=failed, longest_gap=1.25)
    judgement = Judgement(streams={"sql-new": stream}, lost=lost, stale=0, seconds=120.0)
    return Row(
        architecture="keepalived", how=how, state=state, seconds=119, judgement=judgement, doubts=doubts, load=0.7,
        date="2026-11-22 14:00", claims=(SAID_SO if failed_first else UNNOTICED) if claims is None else claims,
    )  # fmt: skip


def test_a_careful_update_has_to_go_unnoticed():
    assert a_row().is_as_it_should_be
    assert not a_row(failed_first=3).is_as_it_should_be
    assert not a_row(doubts=("haproxy was not restarted on overcloud-controller-0",)).is_as_it_should_be


def test_on_a_busy_machine_more_may_fail_at_first_and_the_verdict_says_so():
    busy = replace(a_row(failed_first=8, claims=UNNOTICED), tolerated=verdict.TOLERATED_IF_BUSY)
    assert busy.is_as_it_should_be
    assert busy.cells()[-1] == "nobody noticed (1 in 250 allowed)"
    assert Row.from_dict(busy.to_dict()).cells() == busy.cells()
    assert not replace(busy, judgement=a_row(failed_first=9).judgement).is_as_it_should_be
    assert not replace(busy, judgement=a_row(failed=1).judgement).is_as_it_should_be


@pytest.mark.parametrize("how", ["no-gates", "all-at-once"])
def test_a_control_that_nobody_notices_proves_that_the_lab_sees_nothing(how):
    assert not a_row(how).is_as_it_should_be
    assert a_row(how, failed_first=71).is_as_it_should_be
    assert not a_row(how, doubts=("the update is ERROR",)).is_as_it_should_be


def test_the_plugin_has_to_say_what_clients_noticed():
    assert not a_row("no-gates", failed_first=71, claims=UNNOTICED).is_as_it_should_be
    assert "saw no downtime, but clients did" in a_row("no-gates", failed_first=71, claims=UNNOTICED).cells()[-1]
    assert "saw downtime, but no client did" in a_row(claims=SAID_SO).cells()[-1]
    assert "claims nothing" in a_row(claims={"KeystonePublic": "not proved"}).cells()[-1]
    assert not a_row(claims={}).is_as_it_should_be
    assert a_row(failed_first=1, claims=UNNOTICED).is_as_it_should_be, "a few first attempts: both may be right"
    assert "no downtime seen: KeystonePublic; not proved: database (pooled)" in a_row().cells()


@pytest.mark.parametrize("how", ["no-return", "ssh-cut", "stuck-vip"])
def test_an_update_does_not_go_on_over_a_lost_host(how):
    assert not a_row(how).is_as_it_should_be
    assert a_row("state-transfer").is_as_it_should_be, "the host comes back with all data"


def test_a_fault_may_stop_the_update_but_not_the_control_plane():
    stopped = ("the update is ERROR",)
    row = a_row("no-return", failed_first=1, doubts=stopped, state="ERROR")
    assert row.is_as_it_should_be
    assert row.cells()[-1] == "the update stopped, the control plane answered"
    assert a_row("no-return", failed_first=40, doubts=stopped, state="ERROR").is_as_it_should_be
    assert "the update is ERROR" in a_row(doubts=stopped, state="ERROR").cells()[-1]
    assert not a_row("no-return", failed=1, doubts=stopped, state="ERROR").is_as_it_should_be
    assert not a_row("no-return", lost=1).is_as_it_should_be


def test_the_table_shows_every_figure_and_its_lines_are_of_one_width():
    text = table.text([a_row(), a_row("all-at-once", failed=12, failed_first=300)])
    lines = text.splitlines()
    assert lines[0] == lines[2] == lines[-1]
    assert "nobody noticed" in lines[3]
    assert "12 failed in spite of retries; 300 of 2000 new connections failed at first" in lines[4]
    assert all(len(line) <= len(lines[0]) for line in lines)


def test_a_row_is_kept_until_the_same_run_is_made_again(tmp_path):
    table.save(a_row(failed=1), tmp_path)
    table.save(a_row(), tmp_path)
    table.save(a_row("no-gates", failed_first=50), tmp_path)
    careful, control = table.load(tmp_path)
    assert (careful.how, careful.judgement.failed, control.judgement.failed_first) == ("careful", 0, 50)


MOUNTS = """\
31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""


def test_the_hierarchies_that_systemd_needs_are_found_where_v1_is_mounted_as_well():
    assert preflight.cgroup_mounts(MOUNTS) == [
        ("cgroup", Path("/sys/fs/cgroup/systemd")), ("cgroup2", Path("/sys/fs/cgroup/unified")),
    ]  # fmt: skip


def test_where_it_cannot_run_it_says_why_and_makes_nothing(tmp_path):
    argv = [sys.executable, "-m", "lab", "up", "--work", str(tmp_path / "lab")]
    done = subprocess.run(argv, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.match(r"the lab cannot run on this machine: (only root may|commands are missing: )", done.stderr)
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in (tmp_path / "lab").iterdir()) == ["lock", "results"]


def test_check_says_the_same_and_makes_not_even_a_folder(tmp_path):
    argv = [sys.executable, "-m", "lab", "check", "--work", str(tmp_path / "lab")]
    done = subprocess.run(argv, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("the lab cannot run on this machine: ")
    assert not (tmp_path / "lab").exists()


_SUITE = """
import sys
from lab import cli
sys.executable = sys.argv[1]
sys.exit(cli.main(["suite", "--short", "--work", sys.argv[2]]))
"""
_RUN = """#!/bin/sh
trap 'sleep 1; touch down; exit 1' TERM
touch up
while :; do sleep 0.1; done
"""


def test_a_suite_that_is_ended_waits_until_its_run_has_taken_the_lab_down(tmp_path):
    run = tmp_path / "run"
    run.write_text(_RUN)
    run.chmod(0o755)
    argv = [sys.executable, "-c", _SUITE, str(run), str(tmp_path / "lab")]
    suite = subprocess.Popen(argv, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        until = time.monotonic() + 30
        while not (tmp_path / "up").exists() and time.monotonic() < until:
            time.sleep(0.05)
        suite.terminate()
        assert suite.wait(30) == 130
    finally:
        suite.kill()
    assert (tmp_path / "down").exists()


def test_the_documentation_gets_the_figures_and_when_they_were_measured():
    text = table.rst([a_row(failed_first=1)])
    assert text.count("   * - ") == 2
    assert "     - 2026-11-22 14:00 UTC\n" in text
    assert "     - nobody noticed\n" in text


def test_two_commands_are_not_at_work_in_one_folder(tmp_path):
    site = Site(tmp_path / "lab")
    with site.lock(), pytest.raises(LabError, match="another command"), Site(tmp_path / "lab").lock():
        pass


def test_a_lab_that_is_not_up_says_so(tmp_path):
    with pytest.raises(LabError, match="no lab is up"):
        Site(tmp_path).topology()
