"""What does an update do to a sandbox node: which tasks stand where TripleO has its own?

Every list of names goes to a command as arguments, never as text to a shell.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from string import Template
from typing import Any

from tripleo_update_sandbox import tables
from tripleo_update_sandbox.overcloud.services import Service, service

Task = dict[str, Any]


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = tables.load("tripleo_update_sandbox.overcloud", "tasks")
    return table


def image(container: str) -> str:
    """The name of a container's image."""
    return Template(_table()["image"]).substitute(name=container.replace("_", "-"))


def update_tasks(services: Sequence[str]) -> list[Task]:
    """The ``update_tasks`` of a role with *services*."""
    return _tasks("update_tasks", services)


def post_update_tasks(services: Sequence[str]) -> list[Task]:
    """The ``post_update_tasks`` of a role with *services*."""
    return _tasks("post_update_tasks", services)


def bundle_update_tasks(name: str) -> list[Task]:
    """The ``update_tasks`` of a bundle by itself; *name* is its service's."""
    return _tasks("bundle_update_tasks", [name])


def bundle_deploy_task(own: Service) -> Task:
    """How TripleO deploys the bundle of a service that has one."""
    assert own.bundle is not None
    names = {"service": own.name, "bundle": own.bundle.name}
    task: Task = _filled(
        _table()["bundle_deploy_task"], names | {"resource": own.bundle.resource, "profile": own.bundle.profile}
    )
    return task


def _tasks(which: str, services: Sequence[str]) -> list[Task]:
    own = [service(name) for name in services]
    lists = {
        "$services": list(services),
        "$units": [f"tripleo_{each.name}.service" for each in own if each.is_of_systemd],
        "$images": [image(container) for each in own for container in each.images],
    }
    entries = [e for e in _table()[which] if e.get("needs") is None or e["needs"] in services]
    return [
        {**entry["task"], "command": {"argv": _arguments(argv, lists)}}
        for entry in entries
        for argv in [entry["task"]["command"]["argv"]]
        if all(lists[each] for each in argv if each in lists)
    ]


def _arguments(argv: Sequence[str], lists: Mapping[str, Sequence[str]]) -> list[str]:
    return [argument for each in argv for argument in lists.get(each, (each,))]


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    """*value* with names for the ``$name`` in its texts."""
    if isinstance(value, Mapping):
        return {key: _filled(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, names) for each in value]
    return Template(value).substitute(names) if isinstance(value, str) else value
