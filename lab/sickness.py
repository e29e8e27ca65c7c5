"""Services made sick on one host, each in a way that its unit alone does not show where there is one, and healed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab import cluster, hosts
from lab.site import Site
from lab.topology import Host, Topology

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sickness:
    """``words`` say what was done to ``service``; ``cause`` and ``cure`` are commands for the host, {host} its name."""

    service: str
    words: str
    cause: Command
    cure: Command


def _signal(unit: str, name: str) -> Command:
    return ("systemctl", "kill", f"--signal={name}", unit)


def _sql(statement: str) -> Command:
    return ("mariadb", "-e", statement)


_ANYWHERE = (
    Sickness(
        service="mysql", words="galera lets the others run ahead",
        cause=_sql("SET GLOBAL wsrep_desync = ON"), cure=_sql("SET GLOBAL wsrep_desync = OFF"),
    ),
    Sickness(
        service="oslo_messaging_rpc", words="RabbitMQ has left its cluster, its unit is active",
        cause=("rabbitmqctl", "stop_app"), cure=("rabbitmqctl", "start_app"),
    ),
    Sickness(
        service="redis", words="hangs, its process is there",
        cause=("pkill", "-STOP", "-x", "redis-server"), cure=("pkill", "-CONT", "-x", "redis-server"),
    ),
)  # fmt: skip
_BY_SYSTEMD = (
    Sickness(
        service="keystone", words="hangs, its unit is active",
        cause=_signal("keystone", "STOP"), cure=_signal("keystone", "CONT"),
    ),
    Sickness(
        service="memcached", words="hangs, its unit is active",
        cause=_signal("memcached", "STOP"), cure=_signal("memcached", "CONT"),
    ),
    Sickness(
        service="haproxy", words="is stopped",
        cause=("systemctl", "stop", "haproxy"), cure=("systemctl", "start", "haproxy"),
    ),
    Sickness(
        service="keepalived", words="is stopped",
        cause=("systemctl", "stop", "keepalived"), cure=("systemctl", "start", "keepalived"),
    ),
    Sickness(
        service="nova_compute", words="is stopped",
        cause=("systemctl", "stop", "openstack-nova-compute"), cure=("systemctl", "start", "openstack-nova-compute"),
    ),
)  # fmt: skip
_MEMBER = Sickness(
    service="pacemaker", words="the member is in standby",
    cause=("pcs", "node", "standby", "{host}", "--wait=120"), cure=("pcs", "node", "unstandby", "{host}", "--wait=240"),
)  # fmt: skip


def sicknesses(topology: Topology) -> Iterator[Sickness]:
    """One of every service that somebody runs here, those that bring others down last."""
    own = [*_ANYWHERE, *(each for each in _BY_SYSTEMD if each.service not in topology.clustered)]
    own += [_banned(service) for service in sorted(topology.clustered - {each.service for each in _ANYWHERE})]
    yield from (each for each in [*own, _MEMBER] if topology.having(each.service))


def _banned(service: str) -> Sickness:
    """Pacemaker starts what is stopped behind its back, so it is told not to run it there."""
    resource = f"{cluster.RESOURCES[service]}-clone"
    return Sickness(
        service=service, words="Pacemaker may not run it there",
        cause=("pcs", "resource", "ban", resource, "{host}", "--wait=60"),
        cure=("pcs", "resource", "clear", resource, "{host}", "--wait=60"),
    )  # fmt: skip


def do(site: Site, host: Host, command: Sequence[str]) -> None:
    hosts.execute(site, host, *(word.format(host=host.name) for word in command))
