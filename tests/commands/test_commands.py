"""What the commands return and say, with Heat and Mistral in memory; tests/functional runs them for real."""

import io
import json
from dataclasses import replace

import pytest
import yaml

from tripleo_update_plugin.commands.executions import ListUpdates, ShowUpdate
from tripleo_update_plugin.commands.export import ExportOvercloud
from tripleo_update_plugin.commands.follow import FollowUpdate
from tripleo_update_plugin.commands.plan import PlanUpdate
from tripleo_update_plugin.commands.report import ReportUpdate
from tripleo_update_plugin.commands.resume import ResumeUpdate
from tripleo_update_plugin.commands.services import ListServices
from tripleo_update_plugin.commands.start import StartUpdate
from tripleo_update_plugin.commands.workbook import ShowWorkbook
from tripleo_update_plugin.errors import BadInput, BadLimit, HasEnded, MistralUnavailable, OtherProfiles, StalePlan
from tripleo_update_plugin.outcome.execution import NodeResult
from tripleo_update_plugin.outcome.track import Attempt, Track
from tripleo_update_plugin.outcome.verdicts import Breach, Watch, Watched
from tripleo_update_plugin.testing import FakeHeat, FakeMistral, an_overcloud, stack_outputs

OVERCLOUD = an_overcloud(Controller=(3, ["mysql", "keystone"]), Compute=(2, ["nova_compute"]))
OUTPUTS = {**stack_outputs(OVERCLOUD), "RoleConfig": {"update_steps_playbook": "[]"}}
NODES = [node.name for node in OVERCLOUD.nodes]


class App:
    """As much of the shell as a command prints to."""

    def __init__(self):
        self.stdout = io.StringIO()
        self.options = None


def offline(command, cloud, said):
    """The command class, with its undercloud in memory."""

    class Offline(command):
        interval = 0

        def heat(self):
            return cloud.heat

        def mistral(self):
            return cloud.mistral

        def notes(self):
            return cloud.mistral.notes

        def say(self, text):
            said.append(text)

    return Offline(App(), None)


class Cloud:
    """An undercloud in memory that commands are run against."""

    def __init__(self):
        self.heat = FakeHeat(overcloud=OUTPUTS)
        self.mistral = FakeMistral(nodes=NODES)
        self.command = None

    def __call__(self, command, *arguments):
        said = []
        self.command = offline(command, self, said)
        parsed = self.command.get_parser("command").parse_args([str(argument) for argument in arguments])
        return self.command.take_action(parsed), "\n".join(said)


@pytest.fixture
def cloud():
    """Runs a command class against one Heat and one Mistral: gives its result, and what it said."""
    return Cloud()


@pytest.fixture
def plan(cloud, tmp_path):
    path = tmp_path / "plan.yaml"
    cloud(PlanUpdate, "--stack", "overcloud", "--save", path)
    return path


def test_a_plan_is_printed_and_saved(cloud, plan):
    (columns, rows), said = cloud(PlanUpdate, "--stack", "overcloud")
    assert columns[0] == "id" and len(rows) == len(yaml.safe_load(plan.read_text())["batches"])
    assert "overcloud: " in said and "live facts" not in said


def test_a_plan_of_a_file_needs_no_cloud(cloud, tmp_path):
    (tmp_path / "outputs.json").write_text(json.dumps(OUTPUTS))
    cloud.heat.outage = "switched off"
    (_, rows), said = cloud(PlanUpdate, "--outputs", tmp_path / "outputs.json")
    assert rows and "without live facts" in said


def test_without_mistral_a_plan_says_that_nobody_was_asked(cloud):
    cloud.mistral.outage = "away"
    _, said = cloud(PlanUpdate, "--stack", "overcloud")
    assert "The nodes were not asked" in said and "without live facts" in said


def test_what_cannot_be_planned_is_refused(cloud):
    with pytest.raises(BadInput, match="no overcloud is named"):
        cloud(PlanUpdate)
    with pytest.raises(BadLimit, match="no such"):
        cloud(PlanUpdate, "--stack", "overcloud", "--limit", "role:Nobody")


def test_nothing_starts_with_profiles_that_the_executors_do_not_have(cloud, tmp_path):
    folder, policy, path = tmp_path / "services", tmp_path / "policy.json", tmp_path / "plan.yaml"
    folder.mkdir()
    (folder / "own.yaml").write_text("keystone: {kind: stateless, max_unavailable: 1, why: ours is slower}\n")
    policy.write_text(json.dumps({"services": [str(folder)]}))
    cloud(PlanUpdate, "--stack", "overcloud", "--policy", policy, "--save", path)
    with pytest.raises(OtherProfiles, match="keystone"):
        cloud(StartUpdate, "--yes", path)
    assert not cloud.mistral.updates()


def test_services_have_a_row_each(cloud):
    (_, rows), _ = cloud(ListServices, "--stack", "overcloud")
    assert [row[0] for row in rows] == list(OVERCLOUD.services)


TASKS = [{"name": "Stop mysql"}, {"name": "Fetch the image"}]
CHAINS = {"Controller": {"mysql": {"step_config": "include mysql", "update_tasks": TASKS}}}


def test_services_are_shown_with_the_update_tasks_they_bring(cloud):
    cloud.heat.chains = CHAINS
    (columns, rows), _ = cloud(ListServices, "--stack", "overcloud")
    found = {row[0]: dict(zip(columns, row, strict=True)) for row in rows}
    assert found["mysql"]["run by"].machine_readable() == ["systemd"]
    assert found["mysql"]["update tasks"].machine_readable() == ["Stop mysql", "Fetch the image"]
    assert found["mysql"]["update tasks"].human_readable() == "2"
    assert found["keystone"]["update tasks"].machine_readable() is None
    assert found["keystone"]["update tasks"].human_readable() == ""


def test_a_plan_for_a_service_names_the_tasks_it_brings(cloud):
    cloud.heat.chains = CHAINS
    for limit in ("service:mysql", "mysql"):
        _, said = cloud(PlanUpdate, "--stack", "overcloud", "--limit", limit)
        assert "mysql brings 2 update tasks: Stop mysql, Fetch the image" in said
    _, said = cloud(PlanUpdate, "--stack", "overcloud", "--limit", "role:Controller")
    assert "brings" not in said


def test_an_export_gives_the_plan_of_the_stack_and_that_plan_can_be_started(cloud, plan, tmp_path):
    cloud.heat.chains = CHAINS
    path, made = tmp_path / "export.json", tmp_path / "made.yaml"
    cloud.mistral = FakeMistral(nodes=NODES[1:], silent=NODES[:1])
    _, said = cloud(ExportOvercloud, "--stack", "overcloud", path)
    assert said == f"Saved overcloud to {path}."
    cloud(PlanUpdate, "--stack", "overcloud", "--save", plan)
    heat, cloud.heat = cloud.heat, None
    cloud(PlanUpdate, "--outputs", path, "--save", made)
    assert yaml.safe_load(made.read_text()) == yaml.safe_load(plan.read_text())
    assert yaml.safe_load(made.read_text())["facts"]["down"] == NODES[:1]
    (_, rows), _ = cloud(ListServices, "--outputs", path)
    assert {row[0]: row[6].human_readable() for row in rows}["mysql"] == "2"
    cloud.heat = heat
    (_, values), _ = cloud(StartUpdate, "--yes", "--wait", made)
    assert values[2] == "SUCCESS"


def test_a_plan_without_facts_takes_none_from_an_export_either(cloud, tmp_path):
    path = tmp_path / "export.json"
    cloud(ExportOvercloud, "--stack", "overcloud", path)
    _, said = cloud(PlanUpdate, "--outputs", path, "--no-facts")
    assert "without live facts" in said
    _, said = cloud(PlanUpdate, "--outputs", path)
    assert "without live facts" not in said


def test_a_plan_is_saved_to_a_file_that_has_a_name(cloud):
    with pytest.raises(BadInput, match="no file is named to save to"):
        cloud(PlanUpdate, "--stack", "overcloud", "--no-facts", "--save", "")


def test_a_workbook_is_printed_in_both_forms_and_uploaded(cloud, plan):
    cloud(ShowWorkbook, plan)
    as_yaml = yaml.safe_load(cloud.command.app.stdout.getvalue())
    cloud(ShowWorkbook, "-f", "json", plan)
    assert json.loads(cloud.command.app.stdout.getvalue()) == as_yaml
    assert cloud.mistral.workbooks == {}
    cloud(ShowWorkbook, "--upload", plan)
    assert as_yaml["name"] in cloud.mistral.workbooks


def test_start_to_report(cloud, plan):
    (columns, values), said = cloud(StartUpdate, "--yes", "--wait", plan)
    started = dict(zip(columns, values, strict=True))
    assert started["state"] == "SUCCESS" and cloud.command.exit_code == 0
    assert "batch-1: went well" in said
    (_, [listed]), _ = cloud(ListUpdates)
    assert listed[:3] == (started["id"], "overcloud", "SUCCESS")
    (_, shown), _ = cloud(ShowUpdate, started["id"])
    assert {row[1] for row in shown} == {"SUCCESS"}
    (_, outcomes), said = cloud(ReportUpdate, started["id"])
    assert [row[0] for row in outcomes] and {row[2] for row in outcomes} == {"updated"}
    assert said == "overcloud: 5 updated\navailability: *: not proved: no prober has reported"
    assert cloud.command.exit_code == 0


def test_a_report_names_what_an_update_left_out_of_use(cloud, plan):
    cloud.mistral = FakeMistral(nodes=NODES, failing={"batch-1": "update"})
    (_, values), _ = cloud(StartUpdate, "--yes", "--wait", "--no-facts", plan)
    _, said = cloud(ReportUpdate, values[0])
    assert "left with services out of use: batch-1 (controller-0), after update" in said
    assert "'openstack overcloud update restore --stack overcloud controller-0'" in said
    assert cloud.command.exit_code == 1


def test_nodes_are_asked_again_by_start(cloud, plan):
    cloud.mistral.facts = {"leaders": {"mysql": "controller-1"}}
    cloud(PlanUpdate, "--stack", "overcloud", "--save", plan)
    cloud.mistral.facts = {"leaders": {"mysql": "controller-2"}}
    _, said = cloud(StartUpdate, "--yes", "--wait", plan)
    assert "since the plan was made: mysql is led by controller-2, not by controller-1 any more" in said
    cloud.mistral.facts = {"held": {"controller-1": {"state": "failed", "update": "u-2", "batch": "batch-3"}}}
    with pytest.raises(StalePlan, match=r"controller-1 is failed since .* by update u-2, batch-3"):
        cloud(StartUpdate, "--yes", plan)
    cloud(StartUpdate, "--yes", "--wait", "--no-facts", plan)
    assert [update.state for update in cloud.mistral.updates()] == ["SUCCESS", "SUCCESS"]


def a_watch(**more):
    """What a prober tells of one probe that always answered, and one that did not for a while."""
    tracks = {}
    for name, failing in (("KeystonePublic", range(40, 50)), ("NovaPublic", ())):
        track = tracks[name] = Track(retry=5, period=1)
        for at in range(-5, 100):
            track.note(Attempt(sent=float(at), succeeded=at not in failing, seconds=0.01, error="connection refused"))
    probes = tuple(Watched(name=name, kind="http", level="request", track=track) for name, track in tracks.items())
    return Watch(until=100.0, ended=True, probes=probes, **more).to_dict()


def test_a_report_says_what_may_be_claimed_of_availability(cloud, plan):
    (_, values), _ = cloud(StartUpdate, "--yes", "--wait", plan)
    id = values[0]
    cloud.mistral.save_watch(id, a_watch(left_out=("SaharaPublic",)))
    _, said = cloud(ReportUpdate, id)
    lines = said.splitlines()[1:]
    assert lines[0].startswith("availability: KeystonePublic: downtime of 10.0 s in ")
    assert lines[1:] == [
        "availability: NovaPublic: no downtime seen",
        "availability: not asked, for nobody deployed them: SaharaPublic",
    ]
    (columns, rows), _ = cloud(ReportUpdate, "--availability", id)
    assert (columns[0], columns[2]) == ("probe", "verdict")
    assert [row[:3:2] for row in rows] == [("KeystonePublic", "downtime"), ("NovaPublic", "no downtime seen")]
    assert cloud.command.exit_code == 0


def test_more_failures_than_allowed_are_told_by_follow_and_report(cloud, plan):
    (_, values), _ = cloud(StartUpdate, "--yes", "--wait", plan)
    breach = Breach(probe="KeystonePublic", time=40.0, text="5 requests failed; allowed: 0", paused=True)
    cloud.mistral.save_watch(values[0], a_watch(breaches=(breach,)))
    told = "KeystonePublic: 5 requests failed; allowed: 0, since 1970-01-01T00:00:40Z: paused"
    assert told in cloud(FollowUpdate, values[0])[1]
    _, said = cloud(ReportUpdate, values[0])
    assert f"availability: {told}" in said and cloud.command.exit_code == 1


def test_a_plan_and_a_report_say_what_is_accepted_and_why(cloud, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("accept: [{name: 'service:mysql', reason: known since May}]\n")
    _, said = cloud(PlanUpdate, "--stack", "overcloud", "--policy", policy, "--save", tmp_path / "plan.yaml")
    assert "accepted: service:mysql: known since May" in said
    (_, values), _ = cloud(StartUpdate, "--yes", "--wait", tmp_path / "plan.yaml")
    assert "accepted: service:mysql: known since May" in cloud(ReportUpdate, values[0])[1]


def test_a_report_says_what_the_failure_budget_came_to(cloud, plan):
    (_, values), _ = cloud(StartUpdate, "--yes", "--wait", plan)
    run = cloud.mistral.run(values[0])
    broken = {NODES[0]: NodeResult(ok=False, error="broke")}
    first = next(each for each in run.batches.values() if NODES[0] in each.phases[-1].nodes)
    phases = tuple(replace(each, nodes={**each.nodes, **broken}) for each in first.phases)
    run.batches[first.id] = replace(first, phases=phases)
    _, said = cloud(ReportUpdate, values[0])
    assert said.splitlines()[1:3] == [
        f"failed within the budget, so the update went on without: {NODES[0]}",
        f"more failed than may: batch {first.id} failed (1 node, {NODES[0]}; allowed: 0)",
    ]
    assert cloud.command.exit_code == 1


def test_what_a_prober_told_may_be_unreadable(cloud, plan):
    (_, values), _ = cloud(StartUpdate, "--yes", "--wait", plan)
    cloud.mistral.save_watch(values[0], {"until": 1})
    assert "not proved: what it told cannot be read" in cloud(ReportUpdate, values[0])[1]


def test_a_failure_is_an_exit_code(cloud, plan):
    cloud.mistral = FakeMistral(nodes=NODES, failing={"batch-1": "update"})
    (_, values), said = cloud(StartUpdate, "--yes", "--wait", plan)
    assert cloud.command.exit_code == 1 and "failed" in said
    _, said = cloud(FollowUpdate, values[0])
    assert cloud.command.exit_code == 1
    (_, outcomes), _ = cloud(ReportUpdate, values[0])
    assert cloud.command.exit_code == 1
    assert {"failed", "not reached"} <= {row[2] for row in outcomes}


def test_nobody_there_to_confirm_starts_nothing(cloud, plan):
    with pytest.raises(BadInput, match="nobody is there"):
        cloud(StartUpdate, plan)
    assert cloud.mistral.updates() == []


def test_an_approval_ends_the_following(cloud, tmp_path):
    policy, path = tmp_path / "policy.yaml", tmp_path / "plan.yaml"
    policy.write_text("approve: every-wave\n")
    cloud(PlanUpdate, "--stack", "overcloud", "--policy", policy, "--save", path)
    (_, values), said = cloud(StartUpdate, "--yes", "--wait", path)
    assert values[2] == "PAUSED" and cloud.command.exit_code == 3
    assert f"waits for approval-1: 'openstack overcloud update approve {values[0]}'" in said


@pytest.fixture
def waiting(cloud, tmp_path):
    """The id of an update that waits at a checkpoint."""
    policy, path = tmp_path / "policy.yaml", tmp_path / "plan.yaml"
    policy.write_text("checkpoints: [{before: 'role:Compute', reason: look at the control plane}]\n")
    cloud(PlanUpdate, "--stack", "overcloud", "--policy", policy, "--save", path)
    (_, values), _ = cloud(StartUpdate, "--yes", "--wait", path)
    return values[0]


def test_a_person_lets_the_update_go_on(cloud, waiting):
    (_, values), _ = cloud(ResumeUpdate, "--yes", "--wait", waiting)
    assert (values[2], values[-1], cloud.command.exit_code) == ("SUCCESS", "it goes on", 0)
    with pytest.raises(HasEnded, match="is SUCCESS"):
        cloud(ResumeUpdate, "--yes", values[0])


def test_nobody_there_to_let_it_go_on(cloud, waiting):
    with pytest.raises(BadInput, match="nobody is there"):
        cloud(ResumeUpdate, waiting)
    assert cloud.mistral.execution(waiting).state == "PAUSED"


def test_an_outage_is_told(cloud, plan):
    cloud.mistral.outage = "gone"
    with pytest.raises(MistralUnavailable, match="gone"):
        cloud(StartUpdate, "--yes", plan)
