"""The matrix, its choices and its table."""

import dataclasses

import pytest

from faults import long as long_run
from faults import matrix, recovery, table
from faults.trial import Row

ROW = Row(
    cell="heat.killed.update", how=recovery.BY_ITSELF, state="SUCCESS", reason="", commands=(), complaints=(),
    seconds=60, load=1.0, date="2026-11-26 22:00",
)  # fmt: skip

#: Long, with a path of somebody's machine, and with what reStructuredText would take for its own.
_COMPLAINTS = ("RUNNING without a word", "the log is /home/me/work/log on *one* of `many_` machines", "and so on " * 90)


def test_every_component_is_tried_in_every_phase():
    found = list(matrix.cells())
    assert len(found) == len(set(found)) == 5 * sum(len(hows) for hows in matrix.COMPONENTS.values())
    assert {how for hows in matrix.COMPONENTS.values() for how in hows} == set(matrix.HOWS)


def test_cells_are_chosen_by_their_parts():
    assert [str(c) for c in matrix.chosen(("disk.gone.drain",))] == ["disk.gone.drain"]
    assert len(matrix.chosen(("disk",))) == 10
    assert len(matrix.chosen(("*.gone.update",))) == sum("gone" in hows for hows in matrix.COMPONENTS.values())
    assert matrix.chosen(("nothing",)) == []


def test_the_short_variant_has_cells_that_there_are():
    assert [str(cell) for cell in matrix.chosen(matrix.SHORT)] != []
    assert {str(cell) for cell in matrix.chosen(matrix.SHORT)} == set(matrix.SHORT)


def test_a_trial_that_ended_well_is_not_survived_if_the_judge_complains():
    assert ROW.survived
    assert not dataclasses.replace(ROW, complaints=("c-1 was not updated",)).survived
    assert not dataclasses.replace(ROW, how=recovery.LOST).survived


def test_rows_are_kept_until_the_same_cell_is_tried_again(tmp_path):
    table.save(ROW, tmp_path / "results")
    again = dataclasses.replace(ROW, how=recovery.BY_COMMAND, commands=("retry",))
    table.save(again, tmp_path / "results")
    assert table.load(tmp_path / "results") == {"heat.killed.update": again}


def test_the_table_says_of_each_cell_how_it_ended_and_of_each_failure_why():
    failed = dataclasses.replace(ROW, cell="disk.gone.drain", how=recovery.LOST, complaints=_COMPLAINTS)
    helped = dataclasses.replace(ROW, cell="node.gone.drain", how=recovery.BY_COMMAND, commands=("retry",))
    text = table.rst({row.cell: row for row in (ROW, failed, helped)})
    assert "1 by itself" in text
    assert "* disk.gone.drain: RUNNING without a word" in text
    assert max(map(len, text.splitlines())) <= 120
    assert "- ``retry``" in text
    assert "the log is … on" in text.replace("\n ", "")
    assert r"\*one\*" in text
    assert text.count("not tried") == len(list(matrix.cells())) - 3
    assert table.summary([ROW, failed, helped]) == "2 passed, 1 failed"


@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_gives_the_same_kills_again(seed):
    assert long_run.kills(seed, 20) == long_run.kills(seed, 20)
    assert long_run.kills(seed, 20) != long_run.kills(seed + 1, 20)
