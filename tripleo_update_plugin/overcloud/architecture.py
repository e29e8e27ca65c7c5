"""Which HA architecture has an overcloud, do its services come as packages or in containers, and who runs each?

The signs are those of the upstream templates. ``tripleo_ha_wrapper_service_name`` names the bundles that Pacemaker runs
(Train and later), ``tripleo::profile::pacemaker::`` in a service's own Puppet step names one of its resources in any
release, and ``kolla_config``, ``docker_config`` or a ``config_image`` means a container. To look for the word
"pacemaker" would mislead: many services carry scripts that mention it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

#: A role's data as the output RoleData has it, or one service's as the nested stacks have it: ``step_config``, ….
RoleData = Mapping[str, Any]

#: {role: {service: its data}}
PerService = Mapping[str, Mapping[str, RoleData]]

#: Which resource a task of Train and later makes for Pacemaker.
_WRAPPER = "tripleo_ha_wrapper_service_name"

_PROFILE = re.compile(r"tripleo::profile::pacemaker::([a-z0-9_:]+)")

#: Pacemaker profiles that create no resource of their own.
_NO_RESOURCE = {"clustercheck"}

#: Profile paths whose words are not those of the service name.
_PROFILE_SERVICES = {
    "apache": "horizon",
    "ceilometer::agent::central": "ceilometer_agent_central",
    "ceilometer::agent::notification": "ceilometer_agent_notification",
    "ceph_nfs": "ceph_nfs",
    "database::mongodb": "mongodb",
    "database::mysql": "mysql",
    "database::redis": "redis",
    "glance": "glance_api",
    "manila": "manila_share",
    "manila::share": "manila_share",
    "neutron::ovs": "neutron_ovs_agent",
    "neutron::plugins::ml2": "neutron_plugin_ml2",
    "nova::vncproxy": "nova_vnc_proxy",
}

#: Services that Pacemaker runs in the old architecture only, and their resources in it.
OLD_SIGNS = {
    "core": "openstack-core-clone",
    "keystone": "openstack-keystone-clone",
    "nova_api": "openstack-nova-api-clone",
    "glance_api": "openstack-glance-api-clone",
    "heat_api": "openstack-heat-api-clone",
    "cinder_api": "openstack-cinder-api-clone",
    "neutron_api": "neutron-server-clone",
}


def packaging_of(roles: Iterable[RoleData]) -> str:
    """``containers`` if any of these role or service data starts one, else ``packages``."""
    return "containers" if any(_has_container(data) for data in roles) else "packages"


def architecture_of(has_pacemaker: bool, packaging: str, release: str, pacemaker_runs: Iterable[str]) -> str:
    """One of model.ARCHITECTURES.

    *pacemaker_runs* are the services found to be Pacemaker resources. Liberty and Mitaka have no other data and were
    always of the old architecture.
    """
    if not has_pacemaker:
        return "none"
    if packaging == "containers":
        return "pacemaker-bundles"
    if release in ("liberty", "mitaka") or OLD_SIGNS.keys() & set(pacemaker_runs):
        return "pacemaker"
    return "pacemaker-core"


def runners_of(services: Iterable[str], data: RoleData, packaging: str) -> dict[str, str]:
    """{service: one of model.RUNNERS} of a role's *services*, from the role's merged *data*, {} where there is none."""
    clustered = pacemaker_services(data)
    inside, outside = ("bundle", "container") if packaging == "containers" else ("pacemaker", "systemd")
    return {service: inside if _names_of(service) & clustered else outside for service in services}


def runners_per_service(services: Mapping[str, RoleData]) -> dict[str, str]:
    """{service: one of model.RUNNERS}, from the data of each service by itself, {service: its data} of one role.

    This is exact, unlike what the merged data of a role tells. A service that has no data of its own, because it is
    only another name for one that runs (the broker of notifications is the one of RPC as well), is left out.
    """
    runners = {}
    for service, data in services.items():
        if not has_own_data(data):
            continue
        contained = _has_container(data)
        if pacemaker_services(data):
            runners[service] = "bundle" if contained else "pacemaker"
        else:
            runners[service] = "container" if contained else "systemd"
    return runners


def pacemaker_services(data: RoleData) -> set[str]:
    """Names of the services that this data makes Pacemaker resources of."""
    found = set(_wrapped(data.get("deploy_steps_tasks") or ()))
    for path in _PROFILE.findall(_puppet_text(data)):
        path = path.strip(":").removesuffix("_bundle")
        if path not in _NO_RESOURCE:
            found.add(_PROFILE_SERVICES.get(path, path.replace("::", "_")))
    return found


def role_signs(services: Iterable[str], data: RoleData) -> dict[str, Any]:
    """What this module reads of a role's merged *data*: names of *services* and yes or no, and no other text of it."""
    known = frozenset().union(*(_names_of(service) for service in services))
    return _signs(pacemaker_services(data) & known, data)


def service_signs(service: str, data: RoleData) -> dict[str, Any]:
    """What this module reads of one *service*'s own *data*, and no other text of it."""
    return _signs({service} if pacemaker_services(data) else (), data)


def _signs(clustered: Iterable[str], data: RoleData) -> dict[str, Any]:
    """The least data in which the functions above find the same as in *data*."""
    signs: dict[str, Any] = {}
    if clustered:
        signs["deploy_steps_tasks"] = [{"vars": {_WRAPPER: name}} for name in sorted(clustered)]
    if has_own_data(data):
        signs["puppet_config"] = [{}]
    if _has_container(data):
        signs["kolla_config"] = {"container": {}}
    return signs


def has_own_data(data: RoleData) -> bool:
    """Whether *data* configures or runs anything."""
    return any(data.get(key) for key in ("step_config", "puppet_config", "docker_config", "kolla_config"))


def _names_of(service: str) -> set[str]:
    """The names a service goes by among Pacemaker's: the message broker has kept its Puppet name."""
    if service in ("oslo_messaging_rpc", "oslo_messaging_notify"):
        return {service, "rabbitmq", "oslo_messaging_rpc"}
    return {service}


def _wrapped(tasks: Iterable[Any]) -> Iterable[str]:
    for task in tasks:
        if not isinstance(task, Mapping):
            continue
        variables = task.get("vars")
        name = variables.get(_WRAPPER) if isinstance(variables, Mapping) else None
        if isinstance(name, str):
            yield name
        for part in ("block", "rescue", "always"):
            inner = task.get(part)
            yield from _wrapped(inner if isinstance(inner, list) else ())


def _puppet_text(data: RoleData) -> str:
    puppet = data.get("puppet_config") or ()
    entries = puppet if isinstance(puppet, list | tuple) else (puppet,)
    texts = [data.get("step_config"), *(entry.get("step_config") for entry in entries if isinstance(entry, Mapping))]
    return "\n".join(text if isinstance(text, str) else "\n".join(map(str, text)) for text in texts if text)


def _has_container(data: RoleData) -> bool:
    puppet = data.get("puppet_config") or ()
    entries = puppet if isinstance(puppet, list | tuple) else (puppet,)
    return bool(
        data.get("kolla_config")
        or data.get("docker_config")
        or any(isinstance(entry, Mapping) and entry.get("config_image") for entry in entries)
    )
