"""The services of the sample overcloud: TripleO's defaults of the Zed release, role by role."""

from dataclasses import dataclass

CONTROLLER, COMPUTE, CEPH = "Controller", "Compute", "CephStorage"
ROLES = (CONTROLLER, COMPUTE, CEPH)

#: The middle of a host's name, as each role's HostnameFormatDefault has it.
HOST_WORDS = {CONTROLLER: "controller", COMPUTE: "novacompute", CEPH: "cephstorage"}

_EVERYWHERE = (
    "boot_params_service ca_certs chrony kernel logrotate_crond mysql_client podman snmp_disabled sshd timezone "
    "tripleo_firewall tripleo_packages tuned"
)
_OF_ROLE = {
    CONTROLLER: (
        "ceph_client ceph_mgr ceph_mon ceph_rgw cinder_api cinder_backend_nfs cinder_backend_rbd cinder_scheduler "
        "cinder_volume clustercheck container_image_prepare glance_api glance_api_internal haproxy heat_api "
        "heat_api_cfn heat_engine horizon iscsid keystone keystone_admin_api keystone_public_api memcached mysql "
        "neutron_api neutron_plugin_ml2_ovn nova_api nova_conductor nova_metadata nova_scheduler nova_vnc_proxy "
        "oslo_messaging_notify oslo_messaging_rpc ovn_controller ovn_dbs pacemaker placement redis"
    ),
    COMPUTE: (
        "ceph_client iscsid nova_compute nova_libvirt nova_libvirt_guests nova_migration_target ovn_controller "
        "ovn_metadata"
    ),
    CEPH: "ceph_osd",
}

SERVICES: dict[str, tuple[str, ...]] = {
    role: tuple(sorted(f"{_EVERYWHERE} {_OF_ROLE[role]}".split())) for role in ROLES
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """A service that Pacemaker runs in a container: its bundle, and the resource inside."""

    bundle: str
    resource: str
    profile: str


BUNDLES = {
    "cinder_volume": Bundle("openstack-cinder-volume", "openstack-cinder-volume", "cinder::volume_bundle"),
    "haproxy": Bundle("haproxy-bundle", "haproxy-bundle", "haproxy_bundle"),
    "mysql": Bundle("galera-bundle", "galera", "database::mysql_bundle"),
    "oslo_messaging_rpc": Bundle("rabbitmq-bundle", "rabbitmq", "rabbitmq_bundle"),
    "ovn_dbs": Bundle("ovn-dbs-bundle", "ovndbs_servers", "ovn_dbs_bundle"),
    "redis": Bundle("redis-bundle", "redis", "database::redis_bundle"),
}

_ONE_CONTAINER = (
    "cinder_api cinder_scheduler clustercheck glance_api glance_api_internal heat_api heat_api_cfn heat_engine horizon "
    "iscsid keystone logrotate_crond memcached neutron_api nova_api nova_compute nova_conductor nova_metadata "
    "nova_migration_target nova_scheduler nova_vnc_proxy ovn_controller"
)

#: {service: its containers}, where a service has any that stay.
CONTAINERS: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in _ONE_CONTAINER.split()},
    "nova_libvirt": ("nova_virtlogd_wrapper", "nova_virtqemud"),
    "ovn_metadata": ("ovn_metadata_agent",),
    "placement": ("placement_api",),
}

#: Services for which a sandbox node runs a process of its own, whose death shows.
WITH_PROCESS = frozenset(("keystone", "haproxy", "mysql", "oslo_messaging_rpc", "nova_api", "nova_compute", "ceph_osd"))
