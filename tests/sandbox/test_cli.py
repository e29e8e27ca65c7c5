"""The command line, as far as it goes without servers."""

import json
import subprocess
import sys

import pytest

from tripleo_update_sandbox import cli


def run(*arguments):
    command = [sys.executable, "-c", "import sys; from tripleo_update_sandbox.cli import main; sys.exit(main())"]
    return subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, check=False)


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert "export OS_CLOUD=tripleo-update-sandbox" in text
    assert "simulated" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["up", "--computes", "-1"],
        ["up", "--computes", "many"],
        ["up", "--stack", "../x"],
        ["up", "--stack", "0x"],
        ["up", "--pace", "nan"],
        ["up", "--heat-port", "70000"],
        ["node", "x", "explode"],
        [],
    ],
)
def test_wrong_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 2


def test_status_of_nothing(tmp_path):
    done = run("status", "--state", tmp_path / "none", "-f", "json")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert (found["up"], found["heat"]["up"], found["nodes"]) == (False, False, [])
    assert not (tmp_path / "none").exists()


def test_down_of_nothing(tmp_path):
    assert run("down", "--state", tmp_path / "none").returncode == 0


def test_down_of_someone_elses_folder(tmp_path):
    (tmp_path / "precious").write_text("x")
    done = run("down", "--state", tmp_path)
    assert done.returncode == 1
    assert "not a sandbox" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ["", "[1]", "{}", "no json"])
def test_outputs_that_are_none(tmp_path, text):
    (tmp_path / "outputs.json").write_text(text)
    done = run("up", "--state", tmp_path / "state", "--outputs", tmp_path / "outputs.json")
    assert done.returncode == 1
    assert "outputs" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "state").exists()


def test_a_node_of_no_sandbox(tmp_path):
    done = run("node", "--state", tmp_path / "none", "x", "off")
    assert done.returncode == 1
    assert "no node x" in done.stderr
