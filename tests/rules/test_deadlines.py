from pathlib import Path

import pytest
import yaml

from tripleo_update_plugin.errors import BadPolicy
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules import deadlines
from tripleo_update_plugin.rules.deadlines import Deadlines
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import a_catalogue, an_overcloud

CLOUD = an_overcloud(Controller=(3, ["mysql", "keystone"]), Compute=(60, ["nova_compute"]))
SAID = {
    "default": 3600,
    "phases": {"drain": 600, "gate_after": 900},
    "roles": {"Compute": {"drain": 7200}, "Controller": 5400},
    "services": {"mysql": {"update": 60}, "keystone": 30},
    "at_a_time": 10,
}


def planned(data=None, **policy):
    return plan_update(CLOUD, a_catalogue(), parse_policy({"deadlines": data, **policy}), Facts())


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        (("update", "Storage"), 3600),
        (("drain", "Storage"), 600),
        (("drain", "Compute"), 7200),
        (("update", "Compute"), 3600),
        (("gate_after", "Controller"), 5400),
        (("update", "Controller", ["mysql"]), 60),
        (("update", "Controller", ["mysql", "redis"]), 60),
        (("drain", "Controller", ["mysql"]), 5400),
        (("drain", "Controller", ["keystone"]), 30),
    ],
)
def test_what_is_said_of_a_service_goes_before_its_role_and_that_before_the_phase(asked, seconds):
    assert Deadlines.parse(SAID).of(*asked) == seconds


@pytest.mark.parametrize(
    ("counts", "seconds"),
    [
        ({"Compute": 1}, 100), ({"Compute": 10}, 100), ({"Compute": 11}, 200),
        ({"Compute": 25, "Controller": 1}, 300 + 1000),
    ],
)  # fmt: skip
def test_many_nodes_get_the_time_they_need(counts, seconds):
    said = Deadlines.parse({"roles": {"Compute": 100, "Controller": 1000}, "at_a_time": 10})
    assert said.of_batch(counts) == dict.fromkeys(deadlines.PHASES, seconds)


def test_where_nothing_is_said_it_is_the_time_that_the_workflow_gives():
    path = Path(__file__).parents[2] / "workbooks" / "tripleo_update.yaml"
    given = yaml.safe_load(path.read_text())["workflows"]["update_batch"]["input"]
    assert {"timeout": deadlines.SECONDS} in given and {"deadlines": {}} in given
    assert Deadlines().of_batch({"Compute": deadlines.AT_A_TIME}) == {} == Deadlines().to_dict()


def test_a_plan_records_what_was_said_and_has_seconds_for_each_batch():
    plan = planned(SAID, budgets={"nova_compute": 20})
    assert plan.policy["deadlines"] == SAID
    found = {batch.roles: dict(batch.deadlines) for batch in plan.batches}
    assert found["Compute",] == {"drain": 2 * 7200, "gate_after": 2 * 900}  # twice 3600 is the usual time
    assert found["Controller",] == dict.fromkeys(deadlines.PHASES, 5400)


def test_a_plan_has_them_only_where_they_are_not_the_usual_ones():
    assert not {"deadlines", "silence"} & planned().policy.keys()
    assert planned(silence=300).policy["silence"] == 300
    largest = {len(batch.nodes): dict(batch.deadlines) for batch in planned(budgets={"nova_compute": 30}).batches}
    assert largest[1] == {} and largest[30] == dict.fromkeys(deadlines.PHASES, 2 * deadlines.SECONDS)


def test_a_service_wave_has_the_time_of_its_service():
    plan = planned({"services": {"keystone": 30}}, service_waves=["keystone"])
    [alone, *_] = [batch for batch in plan.batches if batch.only]
    assert alone.only == ("keystone",) and alone.deadlines == dict.fromkeys(deadlines.PHASES, 30)


@pytest.mark.parametrize(
    ("data", "words"),
    [({"roles": {"Computer": 60}}, "no role 'Computer'"), ({"services": {"mysqld": 60}}, "no node has the service")],
)
def test_names_that_nothing_has_are_refused(data, words):
    with pytest.raises(BadPolicy, match=words):
        planned(data)
