"""Is a generated workbook what it must be, and which small one can stand for it before Mistral's parser?

Mistral's parser takes a third of a second for a task, because it checks its own JSON schemas again for each: minutes
for a large plan. But our tasks have few shapes, a shape being the keys that a task has. So the parser judges one task
of each shape. Here it is made sure that the others differ from that one in names and numbers only; and what Mistral
checks of a workflow as a whole (first tasks, joins, references) is checked of the whole.
"""

from collections.abc import Hashable, Mapping
from typing import Any

from tripleo_update_plugin.errors import BadPlan, BadPolicy
from tripleo_update_plugin.names import is_digest, is_safe_name
from tripleo_update_plugin.rules.acceptance import without_reasons
from tripleo_update_plugin.rules.failure_limits import caps_of, names_in
from tripleo_update_plugin.workflows.workbook import (
    ALLOWED,
    ASKED_KEYS,
    BOOK_KEYS,
    COMMANDS,
    DUE,
    FLOW_KEYS,
    INPUT_KEYS,
    JOINED_KEYS,
    MORE_INPUT_KEYS,
    MORE_TASK_KEYS,
    TASK_KEYS,
    THE_ALLOWED,
    THIS_UPDATE,
    UPDATE_BATCH,
    WORKFLOW,
    are_deadlines,
    are_seconds,
    is_batch,
)

#: {name: task}
Tasks = Mapping[str, Mapping[str, Any]]


def check(book: Mapping[str, Any]) -> None:
    """Raise BadPlan unless *book* is a workbook as ``workbook.render`` makes them."""
    _insist(set(book) == BOOK_KEYS and book["version"] == "2.0" and is_safe_name(book["name"]), "the workbook", book)
    flow = book["workflows"].get(WORKFLOW) or {}
    _insist(set(book["workflows"]) == {WORKFLOW}, "workflows", book["workflows"])
    _insist(set(flow) == FLOW_KEYS and flow["type"] == "direct", "workflows", flow)
    _check_allowed(flow["input"])
    tasks: Tasks = flow["tasks"]
    for name, task in tasks.items():
        _check_name(name)
        _check_task(name, task)
    _check_order(tasks)


def representative(book: Mapping[str, Any]) -> dict[str, Any]:
    """A workbook with one task of each shape in *book*, which has passed check(): Mistral takes both, or neither."""
    chosen: dict[Hashable, str] = {}
    tasks: Tasks = book["workflows"][WORKFLOW]["tasks"]
    for name, task in tasks.items():
        chosen.setdefault(_shape(task), name)
    kept = {name: tasks[name] for name in chosen.values()}
    joins = [name for name, task in kept.items() if "join" in task]
    # What comes in the middle would make a circle with others of its kind, what ends does not.
    ends = [name for name in joins if "on-success" not in kept[name]]
    followers = {name: ends if "join" in task else joins for name, task in kept.items() if "on-success" in task}
    small = {name: {**task, "on-success": list(followers[name])} for name, task in kept.items() if name in followers}
    flow = {**book["workflows"][WORKFLOW], "tasks": kept | small}
    return {**book, "workflows": {WORKFLOW: flow}}


def _shape(task: Mapping[str, Any]) -> Hashable:
    given = task.get("input") or {}
    # Limits are numbers under checked names, however many.
    kinds = given.get("only") is None, type(given.get("max_failed"))
    return frozenset(task), frozenset(given), *kinds, _form(given.get("extra_vars"))


def _form(value: Any) -> Hashable:
    """What kind of data a value is."""
    if isinstance(value, Mapping):
        return frozenset((key, _form(inner)) for key, inner in value.items())
    return tuple(map(_form, value)) if isinstance(value, list) else type(value).__name__


def _check_name(name: object) -> None:
    _insist(is_safe_name(name) and not str(name).isdigit() and name not in COMMANDS, "the name of a task", name)


def _check_allowed(given: object) -> None:
    """The one input, {service: how many may be down at once}."""
    is_one = isinstance(given, list) and len(given) == 1 and isinstance(given[0], dict) and set(given[0]) == {ALLOWED}
    _insist(is_one, "the input", given)
    assert isinstance(given, list)
    numbers = given[0][ALLOWED]
    _insist(isinstance(numbers, dict), "the input", numbers)
    for service, number in numbers.items():
        _insist(is_safe_name(service) and type(number) is int and number >= 0, "the input", {service: number})


def _check_task(name: str, task: Mapping[str, Any]) -> None:
    if not is_batch(name):
        wanted = JOINED_KEYS if name.endswith(DUE) else ASKED_KEYS
        _insist(set(task) == wanted and task["action"] == "std.noop", name, task)
        _insist(task.get("pause-before", True) is True and task.get("join", "all") == "all", name, task)
        return
    given = task.get("input")
    _insist(isinstance(given, dict), name, given)
    assert isinstance(given, dict)
    _insist(TASK_KEYS <= set(task) <= TASK_KEYS | MORE_TASK_KEYS, name, task)
    _insist(task["workflow"] == UPDATE_BATCH, name, task["workflow"])
    _insist(task.get("join", "all") == "all", name, task)
    _insist(set(given) - MORE_INPUT_KEYS == INPUT_KEYS and given["batch"] == name, name, given)
    _insist(given["update"] == THIS_UPDATE and given[ALLOWED] == THE_ALLOWED, name, given)
    _check_limits(name, given)
    _insist(are_deadlines(given.get("deadlines", {})), name, given.get("deadlines"))
    _insist(are_seconds(given.get("silence", 1)), name, given.get("silence"))
    _insist(is_digest(given["digest"]), name, given["digest"])
    lists = [given["nodes"], given["down"], given["only"] if given["only"] is not None else []]
    _insist(all(isinstance(each, list) for each in lists) and bool(given["nodes"]), name, lists)
    for each in [given["stack"], *(text for texts in lists for text in texts)]:
        _insist(is_safe_name(each), name, each)


def _check_limits(name: str, given: Mapping[str, Any]) -> None:
    """What may fail, and what may be sick: numbers and checked names, and no reasons."""
    try:
        caps_of(given["max_failed"])
        accept = without_reasons(given.get("accept", ()))
    except (ValueError, BadPolicy) as error:
        raise BadPlan(f"the workbook is not as it must be, at {name}: {error}") from error
    _insist(all(map(is_safe_name, names_in(given["max_failed"]))), name, given)
    _insist(accept == list(given.get("accept", ())), name, given.get("accept"))


def _check_order(tasks: Tasks) -> None:
    """References exist, joins are where something comes in, and all tasks can be reached from the first ones."""
    waits = dict.fromkeys(tasks, 0)
    for name, task in tasks.items():
        followers = task.get("on-success", ())
        _insist("on-success" not in task or (isinstance(followers, list) and bool(followers)), name, followers)
        _insist(all(isinstance(follower, str) for follower in followers), name, followers)
        _insist(len(set(followers)) == len(followers) and set(followers) <= waits.keys(), name, followers)
        for follower in followers:
            waits[follower] += 1
    for name, count in waits.items():
        # Mistral does not pause before a join, so an approval must not be one.
        joins = "join" in tasks[name]
        _insist(count < 2 and not joins if _is_approval(name) else bool(count) == joins, name, tasks[name])
    ready = [name for name, count in waits.items() if not count]
    reached = 0
    while ready:
        reached += 1
        for follower in tasks[ready.pop()].get("on-success", ()):
            waits[follower] -= 1
            if not waits[follower]:
                ready.append(follower)
    _insist(0 < reached == len(tasks), "the order of the tasks", "a circle" if tasks else "no tasks")


def _is_approval(name: str) -> bool:
    return not is_batch(name) and not name.endswith(DUE)


def _insist(is_so: bool, what: str, found: object) -> None:
    if not is_so:
        raise BadPlan(f"the workbook is not as it must be, at {what}: {str(found)[:200]}")
