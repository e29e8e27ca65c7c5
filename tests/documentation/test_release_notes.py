"""Are the release notes what reno takes? It needs the whole history, which a shallow clone has not."""

import re

import pytest
import yaml

from .pages import ROOT

NOTES = sorted(ROOT.glob("releasenotes/notes/*"))

#: reno's own sections; each is a list of texts, but for the prelude.
SECTIONS = {"features", "issues", "upgrade", "deprecations", "critical", "security", "fixes", "other"}


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.name)
def test_a_note_has_a_name_of_its_own_and_known_sections(path):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*-[0-9a-f]{16}\.yaml", path.name)
    note = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(note.pop("prelude", ""), str)
    assert note.keys() <= SECTIONS
    assert all(isinstance(texts, list) and texts for texts in note.values())
    assert all(isinstance(text, str) and text.strip() for texts in note.values() for text in texts)


def test_no_two_notes_share_a_number():
    numbers = [path.stem.rpartition("-")[2] for path in NOTES]
    assert len(numbers) == len(set(numbers)) > 10
