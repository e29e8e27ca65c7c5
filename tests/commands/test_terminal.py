"""What reaches the terminal of whoever types a command."""

import io
import os
import pty
import subprocess
import sys

import pytest
from osc_lib.command import command

from tripleo_update_plugin.commands.base import CloudCommand, NamesColumn
from tripleo_update_plugin.errors import BadOutputs
from tripleo_update_plugin.terminal import printable

EVIL = "\x1b[2J\x9b31m\r\x07\u202e"
WRITTEN_OUT = "\\x1b[2J\\x9b31m\\r\\x07\\u202e"


class App:
    def __init__(self):
        self.stdout = io.StringIO()
        self.options = None


class Rows(CloudCommand, command.Lister):
    """A list"""

    def take_action(self, parsed_args):
        self.say(f"told {EVIL}\n\tand more")
        return ("name", "nodes", "n"), [(f"a{EVIL}", NamesColumn((f"b{EVIL}",)), 1), ("z", NamesColumn(("c",)), None)]


class One(CloudCommand, command.ShowOne):
    """One thing"""

    def take_action(self, parsed_args):
        return ("name", "n"), (f"a{EVIL}", 1)


@pytest.mark.parametrize("form", ["table", "value", "csv", "json", "yaml"])
@pytest.mark.parametrize("kind", [Rows, One])
def test_no_form_of_output_has_what_a_terminal_obeys(kind, form, capsys):
    if (kind, form) == (One, "csv"):
        form = "shell"
    cmd = kind(App(), None)
    cmd.run(cmd.get_parser("x").parse_args(["-f", form, *(["--sort-column", "nodes"] if kind is Rows else [])]))
    shown = cmd.app.stdout.getvalue() + capsys.readouterr().err
    assert printable(shown) == shown and "2J" in shown


def test_what_is_said_is_printable(capsys):
    Rows(App(), None).say(f"one {EVIL}\n\ttwo")
    assert capsys.readouterr().err == f"one {WRITTEN_OUT}\n\ttwo\n"


def test_what_is_asked_is_printable():
    asks = (
        "from tripleo_update_plugin.commands.start import StartUpdate as C; "
        f"C(None, None).confirm({f'Update {EVIL}? [y/N] '!r})"
    )
    parent, child = pty.openpty()
    os.write(parent, b"y\n")
    found = subprocess.run([sys.executable, "-c", asks], stdin=child, capture_output=True, text=True, check=True)
    assert found.stderr == f"Update {WRITTEN_OUT}? [y/N] "
    os.close(parent)
    os.close(child)


def test_errors_are_printable():
    error = BadOutputs(f"node {EVIL}", f"mend {EVIL}")
    assert str(error) == f"node {WRITTEN_OUT}\n  mend {WRITTEN_OUT}"
    assert error.args == (f"node {WRITTEN_OUT}",)


def test_letters_of_all_languages_are_shown():
    text = "Größe 大小 - \u0440\u0430\u0437\u043c\u0435\u0440\n\t✓"
    assert printable(text) == text
