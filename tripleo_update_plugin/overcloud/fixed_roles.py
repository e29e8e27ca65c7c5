"""What does each of the five fixed roles of Liberty and Mitaka run, whose outputs name neither roles nor services?

This was read in the Puppet manifests of these releases (``overcloud_controller_pacemaker.pp`` and its siblings); the
services have the names that Newton gave them. What a parameter of the stack decides is looked up in STACK_SETTINGS,
where it is known.
"""

from collections.abc import Mapping, Sized

#: The pseudo-output with the settings of the stack that decide what a role runs, {name: value}.
STACK_SETTINGS = "StackSettings"

#: The type in the stack's registry whose template says whether Pacemaker runs the controllers' services.
CONTROLLER_CONFIG = "OS::TripleO::ControllerConfig"

#: Parameters of the stack that add services to its controllers, or take some away.
PARAMETERS = ("ControllerEnableCephStorage", "ControllerEnableSwiftStorage", "EnableGalera")

_HOST = frozenset({"kernel", "ntp", "snmp", "sshd", "timezone", "tripleo_firewall", "tripleo_packages"})

#: What Pacemaker runs on the controllers of a cluster; the rest is systemd's.
_CLUSTERED = frozenset(
    (
        "ceilometer_agent_central", "ceilometer_agent_notification", "ceilometer_api", "ceilometer_collector",
        "cinder_api", "cinder_scheduler", "cinder_volume", "glance_api", "glance_registry", "haproxy", "heat_api",
        "heat_api_cfn", "heat_api_cloudwatch", "heat_engine", "horizon", "keystone", "memcached", "mongodb", "mysql",
        "neutron_api", "neutron_dhcp", "neutron_l3", "neutron_metadata", "neutron_ovs_agent", "nova_api",
        "nova_conductor", "nova_consoleauth", "nova_scheduler", "nova_vnc_proxy", "rabbitmq", "redis",
    )
)  # fmt: skip

#: What it runs there as well since Mitaka.
_CLUSTERED_SINCE_MITAKA = frozenset(
    (
        "aodh_api", "aodh_evaluator", "aodh_listener", "aodh_notifier", "core", "gnocchi_api", "gnocchi_metricd",
        "gnocchi_statsd", "sahara_api", "sahara_engine",
    )
)  # fmt: skip

_OTHERS: Mapping[str, frozenset[str]] = {
    "Compute": _HOST
    | {"ceilometer_agent_compute", "neutron_ovs_agent", "neutron_plugin_ml2", "nova_compute", "nova_libvirt"},
    "BlockStorage": _HOST | {"cinder_volume"},
    "ObjectStorage": _HOST | {"swift_ringbuilder", "swift_storage"},
    "CephStorage": _HOST | {"ceph_osd"},
}
ROLES = ("Controller", *_OTHERS)


def services_of(release: str, settings: Mapping[str, str], nodes: Mapping[str, Sized]) -> dict[str, frozenset[str]]:
    """{role: its services} for *release*, one of ``liberty`` and ``mitaka``.

    *settings* is what STACK_SETTINGS holds. *nodes* is {role: its nodes}: the controllers run what they do because of
    how many they are, and of whether there are nodes for Ceph.
    """
    controller = _HOST | _CLUSTERED | {"ceilometer_expirer", "neutron_plugin_ml2", "swift_proxy", "swift_ringbuilder"}
    if release == "mitaka":
        controller |= _CLUSTERED_SINCE_MITAKA
    if _is_on(settings, "ControllerEnableSwiftStorage", default=True):
        controller |= {"swift_storage"}
    if not _is_on(settings, "EnableGalera", default=True):
        controller -= {"mysql"}
    own_ceph = _is_on(settings, "ControllerEnableCephStorage", default=False)
    if own_ceph or nodes.get("CephStorage"):
        controller |= {"ceph_mon"}
    if own_ceph:
        controller |= {"ceph_osd"}
    if is_clustered(settings, len(nodes.get("Controller", ()))):
        controller |= {"pacemaker"}
    else:
        controller = (controller - {"core"}) | {"keepalived"}
    return {"Controller": controller, **_OTHERS}


def is_clustered(settings: Mapping[str, str], controllers: int) -> bool:
    """Whether Pacemaker runs the controllers: as their template says, or, where it is not known, by their number."""
    template = settings.get(CONTROLLER_CONFIG)
    return "pacemaker" in template if template else controllers > 1


def runners_of(role: str, services: frozenset[str]) -> dict[str, str]:
    """{service: ``pacemaker`` or ``systemd``} of a role's *services*."""
    inside = _CLUSTERED | _CLUSTERED_SINCE_MITAKA if role == "Controller" and "pacemaker" in services else frozenset()
    return {service: "pacemaker" if service in inside else "systemd" for service in services}


def _is_on(settings: Mapping[str, str], name: str, default: bool) -> bool:
    return str(settings.get(name, default)).lower() in ("true", "1", "yes", "on")
