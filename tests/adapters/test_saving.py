"""Files that are written whole or not at all, and over nothing but files."""

import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tripleo_update_plugin.adapters.saving import save
from tripleo_update_plugin.errors import BadInput


def names(folder):
    return [each.name for each in folder.iterdir()]


def test_a_file_is_private_and_takes_the_place_of_another(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text("older")
    save("newer é", str(path))
    assert path.read_text(encoding="utf-8") == "newer é" and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names(tmp_path) == ["plan.yaml"]


def pipe(path):
    os.mkfifo(path)


def link(path):
    (path.parent / "aim").write_text("aim")
    path.symlink_to("aim")


def dangling(path):
    path.symlink_to("nowhere")


def folder(path):
    path.mkdir()


def device(path):
    path.symlink_to("/dev/null")


@pytest.mark.parametrize("make", [pipe, link, dangling, folder, device])
def test_what_is_no_plain_file_stays_as_it_is(tmp_path, make):
    path = tmp_path / "plan.yaml"
    make(path)
    before = path.lstat()
    with pytest.raises(BadInput, match=r"plan.yaml is there, and no plain file"):
        save("newer", str(path))
    assert path.lstat() == before
    assert {each.name for each in tmp_path.iterdir()} <= {"plan.yaml", "aim"}
    assert not (tmp_path / "aim").exists() or (tmp_path / "aim").read_text() == "aim"


def test_a_device_stays_one():
    with pytest.raises(BadInput, match="/dev/null is there, and no plain file"):
        save("newer", "/dev/null")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_file_that_must_not_be_written_is_not(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text("older")
    path.chmod(0o444)
    with pytest.raises(BadInput, match="must not be written"):
        save("newer", str(path))
    assert path.read_text() == "older"


def test_where_there_is_no_room_nothing_is_left_behind(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text("older")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(BadInput, match=r"plan.yaml: File too large"):
            save("x" * 100_000, str(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(tmp_path) == ["plan.yaml"] and path.read_text() == "older"


@pytest.mark.parametrize(
    ("path", "says"), [("", "no file is named"), ("missing/plan.yaml", "No such file"), ("a\0b", "null")]
)
def test_a_path_that_is_none(tmp_path, monkeypatch, path, says):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=says):
        save("newer", path)
    assert names(tmp_path) == []


def test_a_text_that_no_file_can_have_leaves_nothing_behind(tmp_path):
    with pytest.raises(BadInput, match="surrogates not allowed"):
        save("\ud800", str(tmp_path / "plan.yaml"))
    assert names(tmp_path) == []


def test_ctrl_c_leaves_nothing_behind(tmp_path):
    target = tmp_path / "plan.json"
    target.write_text("as it was")
    script = "import sys; from tripleo_update_plugin.adapters.saving import save; save('x' * 300_000_000, sys.argv[1])"
    process = subprocess.Popen([sys.executable, "-c", script, str(target)], stderr=subprocess.DEVNULL)
    while len(list(tmp_path.iterdir())) == 1:
        assert process.poll() is None, "it had to be caught while it writes"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) != 0
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("plan.json", "as it was")]
