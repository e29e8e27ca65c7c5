"""The overclouds of the lab as values: hosts, roles, services, addresses."""

from collections.abc import Mapping
from dataclasses import dataclass

NETWORK = "10.77.0"
VIP = f"{NETWORK}.100"
UNDERCLOUD = f"{NETWORK}.1"
STACK = "overcloud"

_CORE = ("clustercheck", "haproxy", "keystone", "memcached", "mysql", "oslo_messaging_rpc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """``word`` is the middle of its hosts' names, ``first`` the last number of its first host's address."""

    name: str
    word: str
    first: int
    count: int
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    name: str
    role: str
    address: str
    services: tuple[str, ...]

    @property
    def fqdn(self) -> str:
        """Its name on the network of the services, as TripleO's HAProxy calls its servers."""
        return f"{self.name}.internalapi.localdomain"


_COMPUTE = Role(name="Compute", word="novacompute", first=30, count=2, services=("nova_compute",))


def _controllers(*more: str) -> Role:
    return Role(name="Controller", word="controller", first=10, count=3, services=(*_CORE, *more))


_ROLES: Mapping[str, tuple[Role, ...]] = {
    "keepalived": (_controllers("keepalived"), _COMPUTE),
    "pacemaker-core": (_controllers("pacemaker", "redis"), _COMPUTE),
    "pacemaker": (_controllers("pacemaker", "redis"), _COMPUTE),
    "composable": (
        Role(
            name="ControllerOpenstack",
            word="controller",
            first=10,
            count=3,
            services=("haproxy", "keystone", "memcached", "pacemaker"),
        ),
        Role(name="Database", word="database", first=15, count=3, services=("clustercheck", "mysql", "pacemaker")),
        Role(name="Messaging", word="messaging", first=20, count=3, services=("oslo_messaging_rpc", "pacemaker")),
        _COMPUTE,
    ),
}

ARCHITECTURES = tuple(_ROLES)

#: {architecture: services that Pacemaker runs}
_CLUSTERED: Mapping[str, frozenset[str]] = {
    "keepalived": frozenset(),
    "pacemaker-core": frozenset({"haproxy", "mysql", "oslo_messaging_rpc", "redis"}),
    "pacemaker": frozenset({"haproxy", "mysql", "oslo_messaging_rpc", "redis", "memcached", "keystone"}),
    "composable": frozenset({"haproxy", "mysql", "oslo_messaging_rpc"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """One overcloud of the lab."""

    architecture: str
    roles: tuple[Role, ...]

    @property
    def hosts(self) -> tuple[Host, ...]:
        return tuple(
            Host(
                name=f"{STACK}-{role.word}-{index}",
                role=role.name,
                address=f"{NETWORK}.{role.first + index}",
                services=role.services,
            )
            for role in self.roles
            for index in range(role.count)
        )

    def host(self, name: str) -> Host:
        """The host called *name*; StopIteration never: names come from this topology."""
        return next(host for host in self.hosts if host.name == name)

    def having(self, service: str) -> tuple[Host, ...]:
        """Hosts that have *service*, in the order of their numbers."""
        return tuple(host for host in self.hosts if service in host.services)

    @property
    def clustered(self) -> frozenset[str]:
        return _CLUSTERED[self.architecture]


def topology(architecture: str) -> Topology:
    """
    >>> [host.name for host in topology("keepalived").having("mysql")][:2]
    ['overcloud-controller-0', 'overcloud-controller-1']
    """
    return Topology(architecture=architecture, roles=_ROLES[architecture])
