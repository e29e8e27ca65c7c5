"""Pacemaker: corosync over every host of the core, then the core as its resources, called as TripleO calls them."""

import re

from lab import hosts, services
from lab.hosts import execute, wait_until
from lab.site import Site
from lab.topology import VIP, Host, Topology

_PASSWORD = "cluster-of-the-lab"  # noqa: S105 - opens nothing outside the lab's own namespaces
_FILE = "/root/cib.xml"

#: {service: (clone or promotable resource, its agent and options)}
_AGENTS = {
    "haproxy": "systemd:haproxy op monitor interval=10s clone interleave=true",
    "oslo_messaging_rpc": "systemd:rabbitmq-server op start timeout=200s op stop timeout=100s op monitor interval=20s "
    "clone interleave=true",
    "redis": "ocf:heartbeat:redis op monitor interval=15s op monitor role=Promoted interval=10s "
    "promotable notify=true interleave=true",
    "memcached": "systemd:memcached op monitor interval=20s clone interleave=true",
    "keystone": "systemd:keystone op start timeout=120s op stop timeout=60s op monitor interval=20s "
    "clone interleave=true",
}
_GALERA = (
    "ocf:heartbeat:galera binary=/usr/bin/mysqld_safe config=/etc/mysql/my.cnf datadir=/var/lib/mysql user=mysql "
    "group=mysql pid=/run/mysqld/mysqld.pid socket=/run/mysqld/mysqld.sock log=/var/log/mysql.log enable_creation=true "
    "wsrep_cluster_address=gcomm://{members} op promote timeout=120s on-fail=block op start timeout=60s "
    "op stop timeout=60s promotable promoted-max={count} interleave=true"
)
#: Service → its resource's name, as TripleO has it.
RESOURCES = {
    "haproxy": "haproxy",
    "oslo_messaging_rpc": "rabbitmq",
    "mysql": "galera",
    "redis": "redis",
    "memcached": "memcached",
    "keystone": "openstack-keystone",
}
_UNITS = {
    "haproxy": "haproxy",
    "oslo_messaging_rpc": "rabbitmq-server",
    "mysql": "mariadb",
    "redis": "redis-server",
    "memcached": "memcached",
    "keystone": "keystone",
}
ADDRESS = f"ip-{VIP}"


def take_over(site: Site, topology: Topology) -> None:
    """From systemd, which started everything; nobody is served meanwhile."""
    members = topology.having("pacemaker")
    _make_cluster(site, members)
    _stop_what_it_will_run(site, topology)
    for line in resources(topology):
        execute(site, members[0], *line)
    execute(site, members[0], "pcs", "cluster", "cib-push", _FILE)
    databases = len(topology.having("mysql"))
    wait_until("galera is whole under Pacemaker", lambda: services.galera_size(site, topology) == databases, 300)
    wait_until("every server of HAProxy is up", lambda: services.all_up(site, topology), 180)
    execute(site, members[0], "crm_resource", "--wait", timeout=300)


def _make_cluster(site: Site, members: tuple[Host, ...]) -> None:
    def start_pcsd(host: Host) -> None:
        execute(site, host, "chpasswd", stdin=f"hacluster:{_PASSWORD}\n")
        execute(site, host, "systemctl", "start", "pcsd")
        execute(site, host, "pcs", "cluster", "destroy")

    services.on_all(members, start_pcsd)
    addresses = [word for host in members for word in (host.name, f"addr={host.address}")]
    first = members[0]
    execute(site, first, "pcs", "host", "auth", *addresses, "-u", "hacluster", "-p", _PASSWORD)
    execute(site, first, "pcs", "cluster", "setup", "lab", *addresses, "--force")
    execute(site, first, "pcs", "cluster", "start", "--all")
    wait_until("all members are online", lambda: is_online(execute(site, first, "crm_mon", "-1"), members), 120)
    execute(site, first, "pcs", "property", "set", "stonith-enabled=false")


def is_online(said: str, members: tuple[Host, ...]) -> bool:
    """Whether ``crm_mon -1`` says that the cluster has quorum and all *members*."""
    online = re.search(r"Online: \[ (.*) \]", said)
    present = online.group(1).split() if online else []
    return "partition with quorum" in said and {host.name for host in members} <= set(present)


def _stop_what_it_will_run(site: Site, topology: Topology) -> None:
    """The last galera node to stop is the one that Pacemaker bootstraps from."""
    def stop(host: Host) -> None:
        units = [_UNITS[s] for s in sorted(topology.clustered) if s in host.services and s != "mysql"]
        if units:
            execute(site, host, "systemctl", "stop", *units)

    services.on_all(topology.hosts, stop)
    for host in reversed(topology.having("mysql")):
        execute(site, host, "systemctl", "stop", "mariadb")
    execute(site, topology.having("haproxy")[0], "ip", "address", "del", f"{VIP}/24", "dev", "eth0")


def resources(topology: Topology) -> list[list[str]]:
    """Commands that write the cluster's configuration to a file on one member."""
    pcs = ["pcs", "-f", _FILE]
    databases = topology.having("mysql")
    galera = _GALERA.format(members=",".join(host.name for host in databases), count=len(databases))
    lines = [
        ["pcs", "cluster", "cib", _FILE],
        [*pcs, "resource", "create", ADDRESS, "ocf:heartbeat:IPaddr2", f"ip={VIP}", "cidr_netmask=24", "nic=eth0",
         "op", "monitor", "interval=5s"],
        [*pcs, "resource", "create", RESOURCES["mysql"], *galera.split()],
    ]  # fmt: skip
    for service in sorted(topology.clustered - {"mysql"}):
        lines.append([*pcs, "resource", "create", RESOURCES[service], *_AGENTS[service].split()])
    constraint = [*pcs, "constraint"]
    lines.append([*constraint, "order", "start", ADDRESS, "then", "haproxy-clone", "kind=Optional"])
    lines.append([*constraint, "colocation", "add", ADDRESS, "with", "haproxy-clone"])
    if "keystone" in topology.clustered:
        lines.append([*constraint, "order", "promote", "galera-clone", "then", "openstack-keystone-clone"])
        for name in ("memcached", "rabbitmq", "haproxy"):
            lines.append([*constraint, "order", "start", f"{name}-clone", "then", "openstack-keystone-clone"])
    return lines + _places(topology, constraint)


def _places(topology: Topology, constraint: list[str]) -> list[list[str]]:
    """With composable roles a resource may run only where its service is."""
    lines = []
    for host in topology.having("pacemaker"):
        away = [RESOURCES[s] + "-clone" for s in sorted(topology.clustered) if s not in host.services]
        away += [] if "haproxy" in host.services else [ADDRESS]
        lines += [[*constraint, "location", resource, "avoids", host.name] for resource in away]
    return lines


def status(site: Site, topology: Topology) -> str:
    return hosts.execute(site, topology.having("pacemaker")[0], "crm_mon", "-1")
