from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from laws.worlds import plan_of, worlds

from tripleo_update_plugin.adapters import mistral_parser
from tripleo_update_plugin.errors import BadPlan, BadPolicy
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import a_catalogue, an_overcloud
from tripleo_update_plugin.workflows import workbook

needs_mistral = pytest.mark.skipif(not mistral_parser.is_installed(), reason="Mistral is not installed here")

OVERCLOUD = an_overcloud(
    Controller=(3, ["pacemaker", "mysql", "rabbitmq", "nova_conductor"]),
    Compute=(4, ["nova_compute"]),
    Networker=(2, ["neutron_l3"]),
)


def planned(facts=None, limit=None, **policy):
    return plan_update(OVERCLOUD, a_catalogue(), parse_policy(policy), facts or Facts(), limit)


def tasks_of(plan):
    return workbook.render(plan)["workflows"]["update"]["tasks"]


def test_one_task_for_each_batch_in_the_order_of_the_plan():
    plan = planned()
    assert list(tasks_of(plan)) == [batch.id for batch in plan.batches]
    assert {task["workflow"] for task in tasks_of(plan).values()} == {"tripleo_update.update_batch"}


def test_a_task_brings_what_the_batch_needs():
    plan = planned(Facts(down=frozenset({"compute-3"})), max_failed=2)
    assert tasks_of(plan)["batch-1"]["input"] == {
        "stack": "overcloud",
        "digest": OVERCLOUD.digest,
        "update": "<% execution().id %>",
        "batch": "batch-1",
        "nodes": ["controller-0"],
        "only": None,
        "down": ["compute-3"],
        "allowed": "<% $.allowed %>",
        "max_failed": 2,
    }


def test_a_task_brings_how_long_its_phases_may_take_where_that_is_not_what_the_workflow_gives():
    plan = planned(deadlines={"roles": {"Compute": {"drain": 60}}})
    by_roles = {batch.roles: tasks_of(plan)[batch.id]["input"] for batch in plan.batches}
    assert by_roles[("Compute",)]["deadlines"] == {"drain": 60}
    assert "deadlines" not in by_roles[("Networker",)]


@pytest.mark.parametrize("deadlines", [{"drain": 0}, {"drain": True}, {"drain": "60"}, {"<% $ %>": 60}, [60]])
def test_deadlines_that_are_none_are_refused(deadlines):
    plan = planned()
    first = replace(plan.batches[0], deadlines=deadlines)
    with pytest.raises(BadPlan, match="its deadlines are not seconds for phases"):
        workbook.render(replace(plan, batches=(first, *plan.batches[1:])))


def test_limits_of_roles_to_what_may_fail_go_with_each_batch():
    plan = planned(max_failed={"update": 3, "roles": {"Compute": 2}, "services": {"mysql": 0}})
    assert all(task["input"]["max_failed"] == plan.policy["max_failed"] for task in tasks_of(plan).values())
    text = workbook.to_yaml(workbook.render(plan))
    assert "&id" not in text and yaml.safe_load(text) == workbook.render(plan)


@pytest.mark.parametrize(
    ("limits", "words"),
    [("1", "policy: max_failed"), ({"roles": {"a b": 1}}, "'a b' is not a name"), ({"more": 1}, "max_failed has keys")],
)
def test_limits_to_what_may_fail_that_are_none_are_refused(limits, words):
    plan = planned()
    with pytest.raises(BadPlan, match=words):
        workbook.render(replace(plan, policy={**plan.policy, "max_failed": limits}))


def test_a_task_brings_how_long_a_phase_may_be_silent_where_the_policy_says():
    assert {task["input"]["silence"] for task in tasks_of(planned(silence=900)).values()} == {900}
    assert not any("silence" in task["input"] for task in tasks_of(planned()).values())


@pytest.mark.parametrize("silence", ["<% $ %>", True, 0, None])
def test_a_silence_that_is_none_is_refused(silence):
    plan = planned()
    with pytest.raises(BadPlan, match="silence"):
        workbook.render(replace(plan, policy={**plan.policy, "silence": silence}))


def test_a_task_brings_what_is_accepted_and_where_but_not_why():
    where = {"name": "service:nova_conductor", "roles": ["Controller"]}
    inputs = [task["input"] for task in tasks_of(planned(accept=[{**where, "reason": "NOISE"}])).values()]
    assert [given["accept"] for given in inputs] == [[where]] * len(inputs)
    assert not any("accept" in task["input"] for task in tasks_of(planned()).values())


def test_what_is_accepted_has_to_be_names():
    plan = planned()
    with pytest.raises(BadPolicy, match="is no name of what may be sick"):
        workbook.render(replace(plan, policy={**plan.policy, "accept": [{"name": "unit:<% $.x %>", "reason": "x"}]}))


def test_the_workflow_brings_how_many_may_be_down_at_once():
    [given] = workbook.render(planned())["workflows"]["update"]["input"]
    assert given["allowed"]["mysql"] == 1 and given["allowed"]["nova_compute"] >= 1


def test_a_waiver_lets_one_more_go_than_there_are_down():
    overcloud = an_overcloud(Controller=(1, ["mysql"]), Compute=(9, ["nova_compute"]))
    policy = parse_policy({"waivers": [{"service": "mysql", "reason": "one controller"}]})
    for down, number in ((frozenset(), 1), (frozenset({"compute-0"}), 2)):
        plan = plan_update(overcloud, a_catalogue(), policy, Facts(down=down))
        [given] = workbook.render(plan)["workflows"]["update"]["input"]
        assert given["allowed"]["mysql"] == number


def test_tasks_join_on_the_batches_they_come_after():
    plan = planned()
    tasks = tasks_of(plan)
    for batch in plan.batches:
        assert {name for name, task in tasks.items() if batch.id in task.get("on-success", ())} == set(batch.after)
        assert tasks[batch.id].get("join") == ("all" if batch.after else None)


WAITING = [
    {"approve": "every-wave"},
    {"approve": "after-canary", "canary": True},
    {"checkpoints": [{"before": "role:Compute"}]},
    {"checkpoints": [{"before": "role:Controller"}]},
]


@pytest.mark.parametrize("policy", WAITING)
def test_approvals_are_pauses_and_no_joins(policy):
    """Before a join Mistral does not pause, whatever the definition says."""
    plan = planned(**policy)
    paused = {name: task for name, task in tasks_of(plan).items() if task.get("pause-before")}
    assert list(paused) == [approval.id for approval in plan.approvals] != []
    assert [name for name, task in paused.items() if "join" in task] == []


@pytest.mark.parametrize("policy", WAITING)
def test_what_waits_for_an_approval_can_begin_by_no_other_way(policy):
    plan = planned(**policy)
    tasks = tasks_of(plan)
    for approval in plan.approvals:
        for batch in approval.before:
            assert [name for name, task in tasks.items() if batch in task.get("on-success", ())] == [approval.id]
            assert tasks[batch]["join"] == "all"
        due = [name for name, task in tasks.items() if approval.id in task.get("on-success", ())]
        asked = due if not due or workbook.is_batch(due[0]) else tasks[due[0]]
        before = [n for n, t in tasks.items() if due and due[0] in t.get("on-success", ())] if asked is not due else due
        assert sorted(before) == sorted(plan.batch(approval.before[0]).after)


def test_without_a_wish_there_is_no_approval():
    assert all(workbook.is_batch(name) and "pause-before" not in task for name, task in tasks_of(planned()).items())


def test_extra_variables_go_with_every_batch():
    tasks = tasks_of(planned(extra_vars={"reboot": False}))
    assert [task["input"]["extra_vars"] for task in tasks.values()] == [{"reboot": False}] * len(tasks)


def test_a_batch_is_not_called_like_an_approval():
    plan = planned()
    first = replace(plan.batches[0], id="approval-1")
    with pytest.raises(BadPlan, match="approval"):
        workbook.render(replace(plan, batches=(first,)))


def test_the_name_tells_the_plan_and_the_stack():
    plan = planned()
    assert workbook.workflow_name(plan) == f"tripleo-update.overcloud.{plan.key}.update"
    assert workbook.stack_of(workbook.workflow_name(plan)) == "overcloud"
    assert workbook.workbook_name(planned(max_failed=1)) != workbook.workbook_name(plan)


@pytest.mark.parametrize("stack", ["a", "east.cloud-1", "x" * 255])
def test_names_fit_into_mistral(stack):
    plan = replace(planned(), stack=stack)
    assert len(workbook.workflow_name(plan)) <= 255
    assert workbook.stack_of(workbook.workflow_name(plan)) == stack[:200]


@pytest.mark.parametrize("name", ["", "update", "tripleo_update.update_batch", "tripleo-update.x", "other.a.b.update"])
def test_other_workflows_are_of_no_stack(name):
    assert workbook.stack_of(name) == ""


HOSTILE = ["<% $.x %>", "{{ x }}", "a b", "a: b", "../x", "a\nb", "", "-o"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("place", ["stack", "node", "id", "after", "only", "down"])
def test_hostile_names_are_refused(place, name):
    plan = planned()
    first, *rest = plan.batches
    broken = {
        "stack": lambda: replace(plan, stack=name),
        "node": lambda: replace(plan, batches=(replace(first, nodes=(name,)), *rest)),
        "id": lambda: replace(plan, batches=(replace(first, id=name), *rest)),
        "after": lambda: replace(plan, batches=(replace(first, after=(name,)), *rest)),
        "only": lambda: replace(plan, batches=(replace(first, only=(name,)), *rest)),
        "down": lambda: replace(plan, facts=Facts(down=frozenset({name}))),
    }[place]()
    with pytest.raises(BadPlan):
        workbook.render(broken)


@pytest.mark.parametrize("digest", ["", "0" * 63, "0" * 65, "G" * 64, "<% $ %>"])
def test_a_digest_that_is_none_is_refused(digest):
    with pytest.raises(BadPlan, match="SHA-256"):
        workbook.render(replace(planned(), outputs_digest=digest))


@pytest.mark.parametrize("id", ["7", "fail", "noop", "pause", "succeed"])
def test_batch_ids_that_mean_something_to_mistral_are_refused(id):
    plan = planned()
    with pytest.raises(BadPlan, match="means something else to Mistral"):
        workbook.render(replace(plan, batches=(replace(plan.batches[0], id=id), *plan.batches[1:])))


def test_no_free_text_reaches_the_definition():
    """Reasons, warnings, roles and the release come from outputs and policies: they stay in the plan."""
    plan = planned()
    noisy = replace(
        plan,
        release="NOISE",
        architecture="NOISE",
        warnings=("NOISE",),
        excluded={"compute-9": "NOISE"},
        waivers=({"service": "mysql", "reason": "NOISE"},),
        policy={
            **plan.policy, "waivers": [{"service": "mysql", "reason": "NOISE"}],
            "accept": [{"name": "service:mysql", "reason": "NOISE"}],
        },
        batches=tuple(replace(batch, closed_by="NOISE", roles=("NOISE",)) for batch in plan.batches),
    )
    assert "NOISE" not in workbook.to_yaml(workbook.render(noisy))


@given(worlds())
def test_the_text_reads_back_as_the_same_data(world):
    plan = plan_of(replace(world, waived=True))
    rendered = workbook.render(plan)
    text = workbook.to_yaml(rendered)
    assert yaml.safe_load(text) == rendered
    assert "&id" not in text  # no YAML aliases


@needs_mistral
@pytest.mark.parametrize("policy", [{}, {"approve": "every-wave"}, {"canary": True, "approve": "after-canary"}])
def test_mistral_takes_it(policy):
    text = workbook.to_yaml(workbook.render(planned(**policy)))
    assert mistral_parser.validate(text) is None
    with pytest.raises(BadPlan, match="Mistral refuses"):
        mistral_parser.validate(text.replace("join: all", "join: some"))
