import argparse

import pytest

from tripleo_update_plugin.adapters.documents import write_plan
from tripleo_update_plugin.commands.compare import ComparePlans
from tripleo_update_plugin.errors import BadPlan
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.testing import a_catalogue, an_overcloud


def saved(path, computes):
    plan_ = plan_update(an_overcloud(Compute=(computes, ["nova_compute"])), a_catalogue(), facts=Facts())
    write_plan(plan_, str(path))
    return str(path)


def compared(before, after):
    arguments = argparse.Namespace(before=before, after=after)
    return ComparePlans(None, None).take_action(arguments)


def test_rows_are_text_for_people_and_lists_for_machines(tmp_path, capsys):
    columns, rows = compared(saved(tmp_path / "a.yaml", 4), saved(tmp_path / "b.json", 20))
    assert columns == ("what", "names", "before", "after")
    new = next(row for row in rows if row[0] == "nodes new")
    assert new[1].human_readable() == "compute-4, compute-5, … compute-9 (6 nodes)"
    assert new[1].machine_readable() == [f"compute-{i}" for i in range(4, 10)]
    assert "16 nodes new" in capsys.readouterr().err


def test_identical_plans_say_so(tmp_path, capsys):
    _, rows = compared(saved(tmp_path / "a.yaml", 4), saved(tmp_path / "b.json", 4))
    assert list(rows) == []
    assert capsys.readouterr().err == "The plans are identical.\n"


def test_what_is_no_plan_is_refused(tmp_path):
    (tmp_path / "no.yaml").write_text("a: b")
    with pytest.raises(BadPlan, match=r"no\.yaml"):
        compared(saved(tmp_path / "a.yaml", 4), str(tmp_path / "no.yaml"))
