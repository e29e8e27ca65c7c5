from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from laws.worlds import plan_of, worlds

from tripleo_update_plugin.adapters import mistral_parser, workbook_files
from tripleo_update_plugin.errors import BadPlan
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.planner.planner import plan_update
from tripleo_update_plugin.rules.policy import parse_policy
from tripleo_update_plugin.testing import a_catalogue, an_overcloud
from tripleo_update_plugin.workflows import task_shapes, workbook

needs_mistral = pytest.mark.skipif(not mistral_parser.is_installed(), reason="Mistral is not installed here")


def rendered(computes=40, **policy):
    overcloud = an_overcloud(Controller=(3, ["pacemaker", "mysql"]), Compute=(computes, ["nova_compute"]))
    policy = {"budgets": {"nova_compute": 1}, **policy}
    return workbook.render(plan_update(overcloud, a_catalogue(), parse_policy(policy), Facts()))


def tasks_of(book):
    return book["workflows"]["update"]["tasks"]


@given(worlds())
def test_what_is_rendered_passes_and_so_does_what_stands_for_it(world):
    plan = plan_of(replace(world, waived=True))
    book = workbook.render(plan)
    if not plan.batches:
        with pytest.raises(BadPlan, match="no tasks"):
            task_shapes.check(book)
        return
    task_shapes.check(book)
    small = task_shapes.representative(book)
    task_shapes.check(small)
    assert {frozenset(task) for task in tasks_of(small).values()} == {frozenset(t) for t in tasks_of(book).values()}
    assert len(tasks_of(small)) <= 8


def test_the_representative_does_not_grow_with_the_plan():
    assert len(tasks_of(rendered(400))) > 400
    for policy in ({}, {"canary": True, "approve": "after-canary"}, {"approve": "every-wave"}):
        assert len(tasks_of(task_shapes.representative(rendered(400, **policy)))) <= 5


def spoil(book, way):
    """Break the workbook in one way, which the checks must see wherever it is: here in the 20th task."""
    tasks = tasks_of(book)
    name, task = list(tasks.items())[20]
    given = task["input"]
    other = next(iter(tasks))
    changes = {
        "a key too many": lambda: task.update(action="std.noop"),
        "a key too few": lambda: task.pop("workflow"),
        "another workflow": lambda: task.update(workflow="std.echo"),
        "another join": lambda: task.update(join=1),
        "no pause": lambda: task.update({"pause-before": "yes"}),
        "a join without anything to join": lambda: tasks[other].update(join="all"),
        "no join": lambda: task.pop("join"),
        "a reference to nothing": lambda: task["on-success"].append("batch-9999"),
        "a reference twice": lambda: task["on-success"].append(task["on-success"][0]),
        "an engine command": lambda: task["on-success"].append("fail"),
        "a condition": lambda: task["on-success"].append({"batch-30": "<% $.x %>"}),
        "no references": lambda: task.update({"on-success": []}),
        "a circle": lambda: (tasks[name]["on-success"].append(name)),
        "an expression": lambda: given.update(stack="<% $.x %>"),
        "a node with a space": lambda: given["nodes"].append("a b"),
        "no nodes": lambda: given.update(nodes=[]),
        "the batch of another": lambda: given.update(batch=other),
        "more input": lambda: given.update(timeout=1),
        "less input": lambda: given.pop("only"),
        "no time": lambda: given.update(deadlines={"drain": 0}),
        "no deadlines": lambda: given.update(deadlines=60),
        "no silence": lambda: given.update(silence=0),
        "a phase with an expression": lambda: given.update(deadlines={"<% $.x %>": 1}),
        "no number of nodes": lambda: given.update(max_failed={"roles": {"Compute": -1}}),
        "a role with a quote": lambda: given.update(max_failed={"roles": {"'": 1}}),
        "text for a number": lambda: given.update(max_failed="0"),
        "no name of what is accepted": lambda: given.update(accept=[{"name": "unit:'"}]),
        "a reason": lambda: given.update(accept=[{"name": "unit:x", "reason": "x"}]),
        "no digest": lambda: given.update(digest="0" * 63),
        "a service with a quote": lambda: given.update(only=["'"]),
        "a task called by a command": lambda: tasks.update(succeed=tasks.pop(other)),
        "a task called by a number": lambda: tasks.update({"7": tasks.pop(other)}),
        "another workflow beside": lambda: book["workflows"].update(more={}),
        "another type": lambda: book["workflows"]["update"].update(type="reverse"),
        "defaults": lambda: book["workflows"]["update"].update({"task-defaults": {}}),
        "actions beside": lambda: book.update(actions={}),
        "no tasks": lambda: tasks.clear(),
    }
    changes[way]()
    return book


WAYS = [
    "a key too many", "a key too few", "another workflow", "another join", "no pause",
    "a join without anything to join", "no join", "a reference to nothing", "a reference twice", "an engine command",
    "a condition", "no references", "a circle", "an expression", "a node with a space", "no nodes",
    "the batch of another", "more input", "less input", "no time", "no deadlines", "no silence",
    "a phase with an expression", "no number of nodes", "a role with a quote",
    "text for a number", "no name of what is accepted", "a reason", "no digest", "a service with a quote",
    "a task called by a command", "a task called by a number", "another workflow beside", "another type", "defaults",
    "actions beside", "no tasks",
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_one_spoilt_task_among_many_is_seen(way):
    with pytest.raises(BadPlan, match="not as it must be"):
        task_shapes.check(spoil(rendered(), way))


def test_a_definition_is_validated_by_its_representative():
    judged = []
    book = rendered(200)
    text = workbook_files.checked_definition(book, judged.append)
    assert yaml.safe_load(text) == book
    assert [yaml.safe_load(each) for each in judged] == [task_shapes.representative(book)]


def test_what_the_judge_refuses_is_refused():
    def refuse(_):
        raise BadPlan("not like this")

    with pytest.raises(BadPlan, match="not like this"):
        workbook_files.checked_definition(rendered(), refuse)


@needs_mistral
@pytest.mark.parametrize("policy", [{}, {"approve": "every-wave"}, {"canary": True, "approve": "after-canary"}])
def test_mistral_takes_the_representative_and_the_whole(policy):
    book = rendered(6, **policy)
    for each in (book, task_shapes.representative(book)):
        assert mistral_parser.validate(workbook.to_yaml(each)) is None


@needs_mistral
@pytest.mark.parametrize(
    ("pick", "change"),
    [
        ("join", {"join": "some"}),
        ("on-success", {"on-success": ["batch-9999"]}),
        ("on-success", {"on-success": [{"batch-2": "<% $. %>"}]}),
        ("input", {"input": 7}),
    ],
)
def test_what_mistral_refuses_is_refused_here_too(pick, change):
    book = rendered(2)
    next(task for task in tasks_of(book).values() if pick in task).update(change)
    with pytest.raises(BadPlan, match="Mistral refuses"):
        mistral_parser.validate(workbook.to_yaml(book))
    with pytest.raises(BadPlan, match="not as it must be"):
        task_shapes.check(book)
