"""How are single services of a containerized overcloud updated? By plays from each service's own data.

A service's data are its ``update_tasks``, ``post_update_tasks`` and ``docker_config`` {step: {container: {...}}}. Plain
containers are made anew by the role that the overcloud itself starts containers with (tripleo_container_manage of
tripleo-ansible), narrowed to the service's containers; how it is called is read from the overcloud's own deploy tasks.
Bundles of Pacemaker get their new image from the service's update tasks, which give it the tag that the bundle runs,
and are restarted on the node.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from tripleo_update_plugin.errors import BadOutputs
from tripleo_update_plugin.names import is_safe_name, naturally
from tripleo_update_plugin.overcloud.architecture import PerService
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.playbooks.plays import Phase, Play, Task, in_order, services_of
from tripleo_update_plugin.rules.catalogue import Catalogue

_ROLES = ("tripleo_container_manage", "tripleo-container-manage")
_UPDATE_STEPS, _POST_UPDATE_STEPS = range(6), range(4)
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:@-]*\Z")


def refusal(overcloud: Overcloud, config: Mapping[str, Any], data: PerService, role: str, service: str) -> str:
    """Why *service* cannot be updated alone on the nodes of *role*; empty if it can.

    *config* is the stack's output RoleConfig.
    """
    own = (data.get(role) or {}).get(service)
    if own is None:
        return f"Heat has no data of {service} by itself on role {role}"
    if overcloud.runners.get(role, {}).get(service) == "bundle":
        return "" if own.get("update_tasks") else f"{service} is a bundle without update tasks of its own"
    if not own.get("docker_config"):
        # Its tasks, if there are any, are those of the host: all packages, the container engine, the whole cluster.
        return f"{service} has no container of its own on role {role}"
    return "" if _start_task(config, role) else f"{overcloud.release} cannot start {service}'s containers alone"


def update(
    overcloud: Overcloud,
    catalogue: Catalogue,
    config: Mapping[str, Any],
    data: PerService,
    nodes: Sequence[str],
    only: Iterable[str],
) -> Phase:
    """A playbook to go beside those of the stack: what prepares the overcloud's own update, and a play for each role.

    *data* is {role: {service: its own data}}, of which refusal() has nothing against the services *only* of *nodes*.
    BadOutputs for a container or an image whose name is none.
    """
    by_role: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name in naturally(nodes):
        node = overcloud.node(name)
        by_role.setdefault((node.role, in_order(services_of(node, only), catalogue)), []).append(name)
    plays: list[Play] = [dict(play) for play in _playbook(config) if "import_playbook" in play]
    for (role, services), hosts in by_role.items():
        frame = _frame(config, role)
        tasks = list(_tasks(overcloud, catalogue, config, data[role], role, services))
        plays.append({**frame, "name": f"Update {', '.join(services)}", "hosts": hosts, "tasks": tasks})
    return Phase(plays=tuple(plays))


def _playbook(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return _parsed(config.get("update_steps_playbook"))


def _parsed(text: Any) -> list[Mapping[str, Any]]:
    """Playbooks and tasks in RoleConfig are text."""
    value = yaml.safe_load(text) if isinstance(text, str) else text
    return [each for each in value or () if isinstance(each, Mapping)] if isinstance(value, list) else []


def _frame(config: Mapping[str, Any], role: str) -> Play:
    """What surrounds the tasks of *role* in the overcloud's own update: variables, privileges, facts."""
    play = next((play for play in _playbook(config) if play.get("hosts") == role), {})
    kept = {key: play[key] for key in ("become", "gather_facts", "vars") if key in play}
    return {"gather_facts": False, **kept, "any_errors_fatal": True}


def _start_task(config: Mapping[str, Any], role: str) -> Mapping[str, Any] | None:
    """The overcloud's own task that starts containers by the role; None where it does so by other means (paunch)."""
    if (_frame(config, role).get("vars") or {}).get("enable_paunch"):
        return None
    return next(_role_tasks(_parsed(config.get("common_deploy_steps_tasks"))), None)


def _role_tasks(tasks: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for task in tasks:
        called = task.get("include_role") or task.get("import_role") or {}
        if isinstance(called, Mapping) and called.get("name") in _ROLES:
            yield task
        yield from _role_tasks(task.get("block") or ())


def _tasks(
    overcloud: Overcloud,
    catalogue: Catalogue,
    config: Mapping[str, Any],
    data: Mapping[str, Mapping[str, Any]],
    role: str,
    services: Sequence[str],
) -> Iterator[Task]:
    yield from _own_tasks(data, services, "update_tasks", _UPDATE_STEPS)
    bundles = [s for s in services if overcloud.runners.get(role, {}).get(s) == "bundle"]
    names = [name for s in bundles for name in catalogue.profile(s).units.get("bundle", ())]
    if names:
        yield from _bundle_tasks(list(dict.fromkeys(names)))
    start = _start_task(config, role)
    for service in services:
        if start and service not in bundles:
            yield from _container_tasks(start, data[service].get("docker_config") or {}, service)
    yield from _own_tasks(data, services, "post_update_tasks", _POST_UPDATE_STEPS)


def _own_tasks(
    data: Mapping[str, Mapping[str, Any]], services: Sequence[str], kind: str, steps: Iterable[int]
) -> Iterator[Task]:
    """The services' tasks, step after step; they ask for the variable ``step`` themselves."""
    for step in steps:
        for service in services:
            if tasks := data[service].get(kind):
                yield {"name": f"{kind} of {service}, step {step}", "vars": {"step": str(step)}, "block": list(tasks)}


def _bundle_tasks(resources: list[str]) -> list[Task]:
    """Where a bundle runs on the node, it starts again there, from the image that has its tag now."""
    here = "item.stdout is search(' is running on: ' ~ (inventory_hostname | regex_escape) ~ '( |$)', multiline=True)"
    restart = ["crm_resource", "--restart", "--resource", "{{ item.item }}", "--node", "{{ inventory_hostname }}"]
    wait = ["timeout", "--kill-after=10", "1800", "crm_resource", "--wait"]
    return [
        {
            "name": "Where the bundles run",
            "command": {"argv": ["crm_resource", "--resource", "{{ item }}", "--locate"]},
            "loop": resources,
            "register": "tripleo_update_places",
            "changed_when": False,
        },
        {
            "name": "Restart the bundles on this node",
            "command": {"argv": restart},
            "loop": "{{ tripleo_update_places.results }}",
            "loop_control": {"label": "{{ item.item }}"},
            "when": here,
            "throttle": 1,
        },
        {"name": "The cluster has nothing left to do", "command": {"argv": wait}, "changed_when": False},
    ]


def _container_tasks(start: Mapping[str, Any], docker_config: Mapping[str, Any], service: str) -> Iterator[Task]:
    """Pull the images, then have the role make each container anew, in the order of steps and of ``start_order``."""
    containers = sorted(
        (int(step.removeprefix("step_")), int(own.get("start_order") or 0), name, own.get("image"))
        for step, group in docker_config.items() for name, own in (group or {}).items()
    )  # fmt: skip
    for *_, name, image in containers:
        if not is_safe_name(name) or not _IMAGE.match(image or "none"):
            raise BadOutputs(f"container {name!r} of {service} has a name or an image that is none")
    for image in dict.fromkeys(image for *_, image in containers if image):
        yield {
            "name": f"Pull the images of {service}",
            "command": {"argv": ["{{ container_cli | default('podman') }}", "pull", image]},
            "register": "tripleo_update_pull",
            "until": "tripleo_update_pull.rc == 0",
            "retries": 3,
            "delay": 3,
        }
    for step, _, name, image in containers:
        yield _narrowed(start, step, name, image)


def _narrowed(start: Mapping[str, Any], step: int, name: str, image: str | None) -> Task:
    """The overcloud's own task for one container only. What the role takes for orphans are the other containers."""
    narrow = {
        "tripleo_container_manage_config_patterns": f"{name}.json",
        "tripleo_container_manage_clean_orphans": False,
        "tripleo_container_manage_config_overrides": {name: {"image": image}} if image else {},
        "step": str(step),
    }
    called = start.get("include_role") or start["import_role"]
    own = {"name": f"Make the container {name} anew", "include_role": dict(called)}
    return {
        "name": f"The container {name}",
        "environment": {"TRIPLEO_MINOR_UPDATE": "true"},  # include_role takes none itself
        "block": [{**own, "vars": {**(start.get("vars") or {}), **narrow}}],
    }
