"""What do the outputs say of the services of a role, and of one service by itself?"""

from collections.abc import Mapping, Sequence
from typing import Any

from tripleo_update_sandbox.overcloud.services import Service, service
from tripleo_update_sandbox.overcloud.tasks import (
    bundle_deploy_task,
    bundle_update_tasks,
    image,
    post_update_tasks,
    update_tasks,
)

_PUPPET = "include tripleo::profile::base"


def role_data(services: Sequence[str], container: Mapping[str, Any], password: str) -> dict[str, Any]:
    """RoleData of a role with *services*; *container* is what each is started with, besides its image."""
    own = [service(name) for name in services]
    kept = sorted(name for each in own for name in each.images)
    step_config = [f"{_PUPPET}::database::mysql::client", "include tripleo::packages"]
    if "pacemaker" in services:
        step_config.insert(1, f"{_PUPPET}::pacemaker")
    return {
        "service_names": list(services),
        "config_settings": {"tripleo_enabled_services": list(services), "keystone::admin_password": password},
        "deploy_steps_tasks": [bundle_deploy_task(each) for each in own if each.bundle],
        "docker_config": _docker_config(own, container),
        "external_deploy_tasks": [],
        "external_update_tasks": [],
        "host_prep_tasks": [],
        "kolla_config": {f"/var/lib/kolla/config_files/{c}.json": {"command": f"/usr/bin/{c}"} for c in kept},
        "monitoring_subscriptions": [],
        "post_update_tasks": post_update_tasks(services),
        "puppet_config": [
            {"config_image": image(c), "config_volume": c, "step_config": f"{_PUPPET}::{c}"} for c in kept
        ],
        "step_config": "\n".join(step_config) + "\n",
        "update_tasks": update_tasks(services),
        "upgrade_tasks": [],
    }


def service_data(name: str, container: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a service in a nested stack of its own, as far as an update of it alone needs them."""
    own = service(name)
    return {
        "service_name": name,
        "docker_config": _docker_config([own], container),
        "deploy_steps_tasks": [bundle_deploy_task(own)] if own.bundle else [],
        "update_tasks": bundle_update_tasks(name) if own.bundle else [],
        "post_update_tasks": [],
    }


def _docker_config(services: Sequence[Service], settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Containers that systemd keeps running are of step 4; those that wait for a bundle, of step 2."""

    def started(name: str) -> dict[str, Any]:
        return {"image": image(name), **settings}

    plain = {name: started(name) for each in services for name in each.containers}
    waits = {f"{s.name}_wait_bundle": started(s.name) for s in services if s.bundle and s.bundle.awaited}
    steps = {"step_2": waits, "step_4": plain}
    return {step: containers for step, containers in steps.items() if containers}
