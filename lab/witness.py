"""What really happened on the hosts: which processes are new, how often packages were installed."""

from collections.abc import Mapping
from dataclasses import dataclass

from lab import hosts
from lab.errors import LabError
from lab.site import Site
from lab.topology import Host, Topology

#: {service: the name of its process}, as the kernel cuts it.
PROCESSES = {
    "haproxy": "haproxy",
    "keepalived": "keepalived",
    "keystone": "uwsgi_python311",
    "memcached": "memcached",
    "mysql": "mariadbd",
    "nova_compute": "socat",
    "oslo_messaging_rpc": "beam.smp",
    "pacemaker": "pacemakerd",
    "redis": "redis-server",
}
_HISTORY = "/var/log/apt/history.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One host at one moment. ``processes`` is {service: its processes, each told apart by when it started}."""

    processes: Mapping[str, frozenset[str]]
    installs: int


def look(site: Site, topology: Topology) -> dict[str, Sight]:
    """{host: what is there}; a host that is off has nothing."""
    return {host.name: _look(site, host) for host in topology.hosts}


def _look(site: Site, host: Host) -> Sight:
    try:
        listed = hosts.execute(site, host, "ps", "-eo", "comm=,pid=,lstart=")
        history = hosts.root(site, host) / _HISTORY.lstrip("/")
        installs = history.read_text().count("Start-Date:") if history.exists() else 0
    except LabError:
        return Sight(processes={}, installs=0)
    return Sight(processes=processes_of(listed, host.services), installs=installs)


def processes_of(listed: str, services: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """From the lines of ``ps -eo comm=,pid=,lstart=``."""
    return {
        service: frozenset(" ".join(line.split()) for line in listed.splitlines() if line.split()[:1] == [name])
        for service, name in PROCESSES.items()
        if service in services
    }


def doubts(before: Mapping[str, Sight], after: Mapping[str, Sight]) -> tuple[str, ...]:
    """Why it is not so that every host was updated once and every service restarted; empty if it is so."""
    found = []
    for name, first in before.items():
        then = after[name]
        if (times := then.installs - first.installs) != 1:
            found.append(f"{name} was updated {times} times")
        for service, old in first.processes.items():
            new = then.processes.get(service, frozenset())
            if not new:
                found.append(f"{service} does not run on {name}")
            elif old & new:
                found.append(f"{service} was not restarted on {name}")
    return tuple(found)
