"""Is every file whole? Sphinx takes what a merge left behind, and an underline that is too short, for text."""

import re

import pytest

from .pages import ROOT, files

_REMNANT = re.compile(r"(<{7}|>{7}|\|{7})( |$)")
_ADORNMENT = re.compile(r"([=~^*+#\"'`-])\1+\Z")


def _text(path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


TEXTS = {str(path.relative_to(ROOT)): text for path in files() if (text := _text(path))}


def remnants(text, is_prose=False):
    """Numbers of the lines that a merge left behind; in prose a row of equals signs may be part of a heading."""
    lines = enumerate(text.splitlines(), 1)
    return [n for n, line in lines if _REMNANT.match(line) or (line == "=" * 7 and not is_prose)]


def damaged_headings(text):
    """Numbers of the lines that look like part of a heading, or like a transition, and are not."""
    lines = ["", "", *text.splitlines(), "", "", ""]
    rows = [i for i, line in enumerate(lines) if _ADORNMENT.match(line)]
    return [i - 1 for i in rows if not any(fits(lines, i) for fits in (_transition, _overline, _underline))]


def _transition(lines, i):
    return len(lines[i]) >= 4 and not lines[i - 1] and not lines[i + 1]


def _overline(lines, i):
    title = lines[i + 1]
    return not lines[i - 1] and _is_title(title, lines[i]) and lines[i + 2] == lines[i] and not lines[i + 3]


def _underline(lines, i):
    has_overline = lines[i - 2] == lines[i] and not lines[i - 3]
    return _is_title(lines[i - 1], lines[i]) and not lines[i + 1] and (not lines[i - 2] or has_overline)


def _is_title(line, row):
    return line.strip() == line != "" and len(line) <= len(row)


def test_no_merge_left_anything_behind():
    found = {name: remnants(text, is_prose=name.endswith(".rst")) for name, text in TEXTS.items()}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_every_heading_is_whole():
    found = {name: damaged_headings(text) for name, text in TEXTS.items() if name.endswith(".rst")}
    assert len(found) > 20
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_what_tools_make_is_nobody_s_text(tmp_path):
    for name in ("ChangeLog", "build/x.rst", ".tox/y.py", "a.egg-info/PKG-INFO", ".ci/run", "docs/z.rst"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert {str(path.relative_to(tmp_path)) for path in files(tmp_path)} == {".ci/run", "docs/z.rst"}


def test_remnants_are_seen():
    ours, theirs, middle, base = "<" * 7 + " HEAD", ">" * 7 + " topic", "=" * 7, "|" * 7
    assert remnants("\n".join(["a: 1", ours, "b: 1", base, middle, "b: 2", theirs])) == [2, 4, 5, 7]
    assert remnants(f"{middle}\nThe lab\n{middle}\n", is_prose=True) == []
    assert remnants("x = 1  # <<<<<<< \n======== \n") == []


@pytest.mark.parametrize("text", [
    "Approvals\n==\n\nWhere a person is to look.\n",
    "it goes on looking.\nso it does.\n=======\nWhen they disagree\n==================\n\nThen.\n",
    "it goes on looking.\n=======\nWhen they disagree\n==================\n\nThen.\n",
    "=====\nTitle\n====\n\nText.\n",
    "====\nTitle\n=====\n\nText.\n",
    "Title\n=====\nText.\n",
    "Text.\n\n==\n\nText.\n",
    " Title\n======\n\nText.\n",
])  # fmt: skip
def test_damaged_headings_are_seen(text):
    assert damaged_headings(text)


@pytest.mark.parametrize("text", [
    "=====\nTitle\n=====\n\nText.\n\nPart\n----\n\nMore.\n",
    "Part\n=====\n\nText.\n\n----\n\nText.\n",
    "=====  ====\none    two\n=====  ====\n\nText::\n\n    ==\n",
    "Only a title\n============\n",
])  # fmt: skip
def test_whole_headings_are_left_alone(text):
    assert damaged_headings(text) == []
