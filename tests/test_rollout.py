"""The story of an update, with Heat and Mistral in memory; tests/functional tells it with real ones."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from tripleo_update_plugin import rollout
from tripleo_update_plugin.adapters import documents
from tripleo_update_plugin.adapters.extensions import load_catalogue
from tripleo_update_plugin.errors import (
    AlreadyRunning,
    BadPlan,
    BadPolicy,
    CannotUpdate,
    ContradictingFacts,
    FactsMissing,
    Infeasible,
    OtherProfiles,
    OtherProject,
    OutOfOrder,
    StalePlan,
)
from tripleo_update_plugin.outcome.verdicts import Watch
from tripleo_update_plugin.overcloud import export, outputs
from tripleo_update_plugin.overcloud.facts import Cluster, Facts
from tripleo_update_plugin.overcloud.snapshot import Snapshot
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import FakeHeat, FakeMistral, an_overcloud, stack_outputs
from tripleo_update_sandbox.overcloud.packages import Sample

OVERCLOUD = an_overcloud(Controller=(3, ["mysql", "keystone"]), Compute=(2, ["nova_compute"]))
OUTPUTS = {**stack_outputs(OVERCLOUD), "RoleConfig": {"update_steps_playbook": "[]"}}


def plan(stack=OUTPUTS, limits=(), **policy):
    return rollout.prepare(Snapshot.of("overcloud", stack), parse_policy(policy), list(limits))


def ended(id, mistral):
    """The update when it has ended: in memory it goes on by being looked at."""
    while not (execution := mistral.execution(id)).is_final:
        pass
    return execution


def test_a_plan_that_fits_may_start():
    rollout.check(plan(), FakeHeat(overcloud=OUTPUTS))


def test_a_stale_plan_says_what_changed():
    changed = {**OUTPUTS, "RoleConfig": {"update_steps_playbook": "other"}, "New": 1}
    with pytest.raises(StalePlan, match=r"changed: RoleConfig; new: New"):
        rollout.check(plan(), FakeHeat(overcloud=changed))


def test_a_plan_edited_beyond_its_budgets_is_refused():
    made = plan()
    loose = replace(made, batches=tuple(replace(batch, after=()) for batch in made.batches))
    with pytest.raises(BadPlan, match="may be"):
        rollout.check(loose, FakeHeat(overcloud=OUTPUTS))


def test_what_an_action_would_refuse_is_refused_before_anything_starts():
    made = plan()
    odd = replace(made, policy={**made.policy, "budgets": {"mysql": {"max_unavailable": -1}}})
    with pytest.raises(BadPlan, match="batch-1 cannot be carried out: mysql -1"):
        rollout.check_inputs(odd)


def test_an_executor_that_cannot_tell_its_profiles_says_why():
    class Broken(FakeMistral):
        def run_action(self, name, input, timeout):
            return {"error": "no such folder"}

    with pytest.raises(OtherProfiles, match="cannot tell its service profiles: no such folder"):
        rollout.check_executors(plan(), Broken())


def test_what_the_actions_cannot_do_is_refused_before_anything_starts():
    half = {**OUTPUTS, "RoleConfig": {"deploy_steps_playbook": "[]"}}
    with pytest.raises(CannotUpdate, match="no update tasks of its own"):
        rollout.check(plan(half), FakeHeat(overcloud=half))
    only = plan(limits=["service:mysql"])
    heat = FakeHeat(overcloud=OUTPUTS)
    with pytest.raises(CannotUpdate, match="batch-1 updates only mysql, and Heat has no data of mysql by itself"):
        rollout.check(only, heat)
    heat.chains = {"Controller": {"mysql": {"docker_config": {"step_2": {"mysql": {"image": "db"}}}}}}
    with pytest.raises(CannotUpdate, match="cannot start mysql's containers alone"):
        rollout.check(only, heat)
    start = "[{include_role: {name: tripleo_container_manage}}]"
    able = {**OUTPUTS, "RoleConfig": {**OUTPUTS["RoleConfig"], "common_deploy_steps_tasks": start}}
    heat.stacks["overcloud"] = able
    rollout.check(plan(able, limits=["service:mysql"]), heat)


def test_an_overcloud_of_packages_needs_no_tasks_of_its_own():
    sample = Sample("overcloud", 3, 2)
    newton = Snapshot.of("overcloud", sample.outputs(), sample.services_data())
    heat = FakeHeat(overcloud=newton.outputs)
    for limits in ([], ["service:ntp"]):
        rollout.check(rollout.prepare(newton, parse_policy({}), limits), heat)


def test_a_node_under_repair_keeps_nobody_else_from_its_update():
    overcloud = an_overcloud(Controller=(3, ["pacemaker", "mysql"]), Compute=(2, ["nova_compute"]))
    stack = {**stack_outputs(overcloud), "RoleConfig": {"update_steps_playbook": "[]"}}
    members = {"controller-0": "online", "controller-1": "online", "controller-2": "maintenance"}
    facts = Facts(clusters=(Cluster(seen_from="controller-0", quorum=True, members=members),))

    def prepared(blacklist=(), limits=()):
        given = {**stack, "BlacklistedHostnames": list(blacklist)}
        return rollout.prepare(Snapshot.of("overcloud", given), parse_policy({}), list(limits), facts)

    with pytest.raises(ContradictingFacts, match="calls it maintenance"):
        prepared()
    made = prepared(limits=["role:Compute"])
    assert set(made.nodes) == {"compute-0", "compute-1"}
    assert any("left alone: controller-2: the cluster" in warning for warning in made.warnings)
    with pytest.raises(Infeasible, match="mysql: 1 of 3 may be down, 1 down already"):
        prepared(blacklist=["controller-2"])


def test_a_plan_warns_of_names_that_are_nobodys():
    facts = Facts(down=frozenset({"nobody"}), managed_by={"nobody": {"mysql": "bundle"}})
    policy = parse_policy({"probes": {"skip": ["KeystonePublik", "KeystonePublic"]}})
    made = rollout.prepare(Snapshot.of("overcloud", OUTPUTS), policy, [], facts)
    assert "facts name nodes that the overcloud has not, as down: nobody" in made.warnings
    assert "probes.skip names no probe of the stack: KeystonePublik" in made.warnings
    assert made.facts == Facts()


def test_only_nodes_can_tell_that_they_are_up_to_date():
    snapshot, policy = Snapshot.of("overcloud", OUTPUTS), parse_policy({})
    with pytest.raises(FactsMissing, match="--no-facts"):
        rollout.prepare(snapshot, policy, [], skip_current=True)
    nodes = [node.name for node in OVERCLOUD.nodes]
    facts = Facts(updated=dict.fromkeys(nodes, snapshot.digest), updates=dict.fromkeys(nodes, 0))
    nothing = rollout.prepare(snapshot, policy, [], facts, skip_current=True)
    assert nothing.batches == ()
    with pytest.raises(BadPlan, match="updates no node of overcloud"):
        rollout.check(nothing, FakeHeat(overcloud=OUTPUTS))
    assert len(rollout.prepare(snapshot, policy, [], facts).nodes) == len(nodes)


def test_a_plan_lists_what_is_the_operator_s_own():
    config = {**OUTPUTS["RoleConfig"], "external_update_steps_tasks": [{"tags": "ceph"}, {"tags": ["ovn"]}]}
    snapshot = Snapshot.of("overcloud", {**OUTPUTS, "RoleConfig": config})
    made = rollout.prepare(snapshot, parse_policy({}), [])
    command = "openstack overcloud external-update run --stack overcloud --tags"
    assert f"before this plan, by yourself: {command} ovn (OVN's controllers" in str(made)
    assert f"after this plan, by yourself: {command} ceph (Ceph's daemons" in str(made)
    assert Plan.from_dict(made.to_dict()) == made and "beyond" not in plan().to_dict()
    exported = rollout.prepare(export.from_document(export.to_document(snapshot)), parse_policy({}), [])
    assert exported.beyond == made.beyond


def test_a_plan_warns_of_what_failed_unless_it_is_accepted():
    facts = Facts(failed={"controller-0": ("tripleo_keystone_healthcheck",), "controller-1": ("tripleo_keystone",)})
    accept = [{"name": "unit:tripleo_keystone", "reason": "wrong port", "nodes": ["controller-0"]}]
    for policy, nodes in (({}, {"controller-0", "controller-1"}), ({"accept": accept}, {"controller-1"})):
        made = rollout.prepare(Snapshot.of("overcloud", OUTPUTS), parse_policy(policy), [], facts)
        [warning] = [warning for warning in made.warnings if "the gates will say so" in warning]
        assert {name for name in ("controller-0", "controller-1") if name in warning} == nodes


def test_the_nodes_are_asked_again_before_a_start():
    everybody = [node.name for node in OVERCLOUD.nodes]
    made = replace(plan(), facts=Facts(leaders={"mysql": "controller-0"}))
    assert rollout.check_nodes(made, FakeMistral(nodes=everybody)) == []
    moved = FakeMistral(nodes=everybody, facts={"leaders": {"mysql": "controller-1"}})
    assert rollout.check_nodes(made, moved) == ["mysql is led by controller-1, not by controller-0 any more"]
    with pytest.raises(StalePlan, match="controller-2 does not answer"):
        rollout.check_nodes(made, FakeMistral(nodes=everybody[:2] + everybody[3:], silent=["controller-2"]))
    held = {"controller-1": {"state": "at work", "update": "u-2", "batch": "batch-3", "since": 0.0}}
    with pytest.raises(StalePlan, match=r"controller-1 is at work since .* by update u-2, batch-3"):
        rollout.check_nodes(made, FakeMistral(nodes=everybody, facts={"held": held}))
    assert rollout.check_nodes(plan(), FakeMistral(silent=everybody)) == [], "a plan made without facts counts on none"


@pytest.mark.parametrize(
    ("projects", "is_refused"),
    [
        ({"asks": "p-1", "own": "p-2"}, True),
        ({"asks": "p-1", "own": "p-1"}, False),
        ({"asks": None, "own": "p-2"}, False),
        ({"asks": "p-1", "own": None}, False),
        (None, False),
    ],
)
def test_executors_have_to_be_in_the_project_of_the_operator(projects, is_refused):
    mistral = FakeMistral(nodes=[node.name for node in OVERCLOUD.nodes])
    rollout.check_executors(plan(), mistral)
    services = next(call for call in mistral.calls if call[0] == "tripleo_update.profiles")[1]["services"]
    own = load_catalogue()
    profiles = {service: own.profile(service).digest for service in services}
    mistral.answers["tripleo_update.profiles"] = {"profiles": profiles, "projects": projects}
    if not is_refused:
        rollout.check_executors(plan(), mistral)
        return
    with pytest.raises(OtherProject, match="executors work in the project p-2, and you work in p-1"):
        rollout.check_executors(plan(), mistral)


def test_executors_have_to_go_by_the_profiles_of_the_plan(tmp_path):
    (tmp_path / "own.yaml").write_text("mysql: {kind: quorum, why: ours is another}\n")
    made, own = plan(), plan(services=[str(tmp_path)])
    rollout.check_executors(made, FakeMistral())
    rollout.check_executors(own, FakeMistral(services=[str(tmp_path)]))
    for plan_, mistral in ((own, FakeMistral()), (made, FakeMistral(services=[str(tmp_path)]))):
        with pytest.raises(OtherProfiles, match="other service profiles than the plan: mysql") as refusal:
            rollout.check_executors(plan_, mistral)
        assert "[tripleo_update]" in refusal.value.remedy


def test_one_update_of_a_stack_at_a_time():
    mistral = FakeMistral()
    id = rollout.start(plan(), mistral)
    with pytest.raises(AlreadyRunning, match=id):
        rollout.start(plan(), mistral)
    assert ended(id, mistral).state == "SUCCESS"
    assert rollout.start(plan(), mistral) != id


class Crowded(FakeMistral):
    """Somebody else starts an update just before every start."""

    def start(self, workflow, description):
        super().start(workflow, "somebody else's")
        return super().start(workflow, description)


def test_of_two_updates_started_at_the_same_moment_one_goes_on():
    mistral = Crowded()
    with pytest.raises(AlreadyRunning, match="at the same moment"):
        rollout.start(plan(), mistral)
    assert sorted(update.state for update in mistral.updates()) == ["CANCELLED", "RUNNING"]


def plan_of_stack(name, *related_stacks):
    policy = parse_policy({"related_stacks": related_stacks})
    return rollout.prepare(Snapshot.of(name, OUTPUTS), policy, [])


@pytest.mark.parametrize("names_the_other", [{"cell1"}, {"central"}, {"cell1", "central"}])
def test_of_related_stacks_one_is_updated_at_a_time(names_the_other):
    central = plan_of_stack("central", *([{"stack": "cell1"}] if "central" in names_the_other else []))
    cell = plan_of_stack("cell1", *([{"stack": "central"}] if "cell1" in names_the_other else []))
    mistral = FakeMistral()
    id = rollout.start(central, mistral)
    with pytest.raises(AlreadyRunning, match=f"an update of central is RUNNING: {id}"):
        rollout.start(cell, mistral)
    other = rollout.start(plan_of_stack("else"), mistral)
    assert ended(id, mistral).state == ended(other, mistral).state == "SUCCESS"
    rollout.start(cell, mistral)


def test_related_stacks_started_at_the_same_moment_do_not_both_go_on():
    class Raced(FakeMistral):
        def start(self, workflow, description):
            id = super().start(workflow, description)
            if "cell1" in workflow:
                rollout.start(plan_of_stack("central"), self)
            return id

    mistral = Raced()
    with pytest.raises(AlreadyRunning):
        rollout.start(plan_of_stack("cell1", {"stack": "central"}), mistral)
    assert [update.state for update in mistral.updates()].count("RUNNING") <= 1


@pytest.mark.parametrize("last", [None, "ERROR", "SUCCESS"])
def test_a_stack_that_comes_first_has_to_have_been_updated_well(last):
    mistral = FakeMistral(failing={"batch-1": "update"} if last == "ERROR" else {})
    if last:
        assert ended(rollout.start(plan_of_stack("central"), mistral), mistral).state == last
    cell = plan_of_stack("cell1", {"stack": "central", "first": True})
    assert "related: after stack central" in str(cell)
    if last == "SUCCESS":
        rollout.start(cell, mistral)
        return
    with pytest.raises(OutOfOrder, match="cell1 is updated after stack central, and it"):
        rollout.start(cell, mistral)


def test_nothing_may_be_out_of_use_in_a_related_stack():
    held = {}

    class OfTwoStacks(FakeMistral):
        def run_action(self, name, input, timeout):
            self.facts = {"held": held} if input["stack"] == "central" else {}
            return super().run_action(name, input, timeout)

    mistral = OfTwoStacks(nodes=[node.name for node in OVERCLOUD.nodes])
    policy = parse_policy({"related_stacks": [{"stack": "central"}]})
    made = rollout.prepare(Snapshot.of("cell1", OUTPUTS), policy, [], Facts())
    assert rollout.check_nodes(made, mistral) == []
    asked = [parameters["stack"] for action, parameters in mistral.calls if action == "tripleo_update.discover"]
    assert asked == ["cell1", "central"]
    held["ctl-9"] = {"state": "out of use", "update": "u-2", "batch": "batch-3"}
    with pytest.raises(StalePlan, match="in stack central, which is related, ctl-9 is out of use since"):
        rollout.check_nodes(made, mistral)


def test_a_stack_is_not_related_to_itself():
    with pytest.raises(BadPolicy, match="central is the stack itself"):
        plan_of_stack("central", {"stack": "central"})
    with pytest.raises(BadPolicy, match="cell1 is there twice"):
        plan_of_stack("central", {"stack": "cell1"}, {"stack": "cell1", "first": True})


def test_the_report_is_made_of_the_plan_that_mistral_keeps():
    mistral = FakeMistral()
    id = rollout.start(plan(), mistral)
    ended(id, mistral)
    report = rollout.report(id, mistral)
    assert report.went_well
    assert report.plan == plan()


def test_the_report_waits_for_the_last_word_of_the_prober():
    mistral = FakeMistral()
    mistral.now = time.time()
    id = rollout.start(plan(), mistral)
    ended(id, mistral)
    # The last word of a prober that ended before a batch was rerun is not the last one.
    mistral.save_watch(id, Watch(until=1.0, ended=True, left_out=("first",)).to_dict())
    last = Watch(until=mistral.now, ended=True, left_out=("last",)).to_dict()
    assert rollout.report(id, mistral, sleep=lambda _: mistral.save_watch(id, last)).unprobed == ("last",)


def test_the_report_does_not_wait_for_a_prober_that_is_gone():
    mistral = FakeMistral()  # whose updates ended long ago
    id = rollout.start(plan(), mistral)
    ended(id, mistral)
    mistral.save_watch(id, Watch(until=1.0, left_out=("first",)).to_dict())
    slept = []
    assert rollout.report(id, mistral, sleep=slept.append).unprobed == ("first",) and slept == []


def test_nodes_that_all_keep_silent_are_no_facts():
    names = [node.name for node in OVERCLOUD.nodes]
    with pytest.raises(FactsMissing, match="no node answered"):
        rollout.discover("overcloud", FakeMistral(silent=names))
    assert rollout.discover("overcloud", FakeMistral(nodes=names[1:], silent=names[:1])).down == {names[0]}


def test_a_plan_of_newton_has_the_architecture_that_its_nodes_show():
    path = Path(__file__).parent / "scenarios" / "newton-packages" / "outputs.json"
    found = documents.read_snapshot(str(path), "overcloud", None)
    members = {f"overcloud-controller-{i}": "online" for i in range(3)}
    resources = {"galera-master": "clone", "openstack-core-clone": "clone"}
    cluster = Cluster(seen_from="overcloud-controller-0", quorum=True, members=members, resources=resources)
    facts = Facts(clusters=(cluster,), managed_by={name: {"keystone": "pacemaker"} for name in members})
    planned = rollout.prepare(found, parse_policy({}), [], facts)
    assert (planned.release, planned.architecture) == ("newton", "pacemaker")
    assert rollout.prepare(found, parse_policy({}), []).architecture == "pacemaker-core"


def test_the_digest_is_of_all_outputs():
    assert plan().outputs_digest == outputs.digest(OUTPUTS)
