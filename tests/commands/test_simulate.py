import pytest

from tripleo_update_plugin import rollout
from tripleo_update_plugin.adapters.documents import write_plan
from tripleo_update_plugin.commands.simulate import SimulateUpdate, TimeColumn
from tripleo_update_plugin.errors import BadInput
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import FakeMistral, a_catalogue, an_overcloud

OVERCLOUD = an_overcloud(Controller=(3, ["pacemaker", "mysql"]), Compute=(4, ["nova_compute"]))


class Simulation(SimulateUpdate):
    """The command, with a Mistral in memory."""

    def __init__(self, mistral=None):
        super().__init__(None, None)
        self._mistral = mistral

    def mistral(self):
        return self._mistral


@pytest.fixture
def saved(tmp_path):
    plan = plan_update(OVERCLOUD, a_catalogue(), parse_policy({"approve": "every-wave"}), Facts())
    write_plan(plan, str(tmp_path / "plan.json"))
    return str(tmp_path / "plan.json")


def simulated(*arguments, mistral=None):
    command = Simulation(mistral)
    columns, rows = command.take_action(command.get_parser("simulate").parse_args(list(arguments)))
    return [dict(zip(columns, row, strict=True)) for row in rows]


def test_times_are_text_for_people_and_seconds_for_machines(saved, capsys):
    rows = simulated(saved, "--durations", "3700")
    assert rows[0]["end"].human_readable() == "1 h 1 min 40 s"
    assert rows[0]["end"].machine_readable() == 3700
    assert TimeColumn(None).human_readable() == ""
    said = capsys.readouterr().err
    assert "overcloud: the update would go well and end after 3 h 5 min: 7 updated" in said
    assert "2 approvals on the way" in said


def test_a_node_that_fails(saved, capsys):
    rows = simulated(saved, "--fail", "controller-0")
    assert {row["outcome"] for row in rows} == {"failed", "not reached", "updated"}
    assert "would fail" in capsys.readouterr().err


def test_a_lost_node_holds_its_batch(saved):
    rows = simulated(saved, "--lost", "controller-0", "--gate-timeout", "60", "--durations", "10")
    held = next(row for row in rows if row["nodes"].machine_readable() == ["controller-0"])
    assert held["takes"].machine_readable() == 70


def test_durations_from_a_file(saved, tmp_path):
    (tmp_path / "durations.yaml").write_text("roles: {Controller: 1000, Compute: 10}\n")
    rows = simulated(saved, "--durations", str(tmp_path / "durations.yaml"))
    assert {row["takes"].machine_readable() for row in rows} == {1000, 10}


def test_durations_from_earlier_updates(saved, capsys):
    mistral = FakeMistral()
    plan = plan_update(OVERCLOUD, a_catalogue(), facts=Facts())
    id = rollout.start(plan, mistral)
    while not mistral.execution(id).is_final:
        pass
    rows = simulated(saved, "--from-history", mistral=mistral)
    assert {row["takes"].machine_readable() for row in rows} == {1.0}
    assert "From earlier updates: Compute 1 s, Controller 1 s" in capsys.readouterr().err


def test_without_earlier_updates_it_says_so(saved):
    with pytest.raises(BadInput, match="nothing is known"):
        simulated(saved, "--from-history", mistral=FakeMistral())


@pytest.mark.parametrize("durations", ["0", "-5", "nan", "no/such/file"])
def test_durations_that_are_none(saved, durations):
    with pytest.raises(BadInput):
        simulated(saved, f"--durations={durations}")
