"""What is there? Nodes, the services on them, and the overcloud they make up."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tripleo_update_plugin.names import naturally

#: What Pacemaker runs: nearly every service of the controllers (up to Mitaka); database, broker, load balancer and what
#: is active on one node only, from packages or in containers (since Newton, since Pike); or there is none.
ARCHITECTURES = ("pacemaker", "pacemaker-core", "pacemaker-bundles", "none")
PACKAGINGS = ("packages", "containers")

#: Releases whose containers are Docker's; from Train on they are podman's.
_OF_DOCKER = ("pike", "queens", "rocky", "stein")

#: The VIP that goes where a service has its leader → that service; every other VIP leads to a load balancer.
VIPS_OF_SERVICES = {"redis": "redis", "ovn_dbs": "ovn_dbs"}

#: Who runs a service on a node.
RUNNERS = ("pacemaker", "systemd", "container", "bundle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One host; its short host name is the only key.

    ``services`` have the names of TripleO's ``service_name``. ``address`` is its IP address in the network ctlplane,
    ``server_id`` Nova's UUID; "" where the outputs do not tell. ``domain`` is the failure domain that the policy puts
    it into, "" for none.
    """

    name: str
    role: str
    services: frozenset[str]
    address: str = ""
    server_id: str = ""
    domain: str = ""
    excluded: str = ""  # why it is left out; empty when it is not


@dataclass(frozen=True, slots=True, kw_only=True)
class Overcloud:
    """What Heat says there is.

    ``release`` is the first one whose stacks have such outputs, e.g. ``wallaby``; ``architecture`` and ``packaging``
    are of ARCHITECTURES and PACKAGINGS. ``nodes`` stand in natural order. ``digest`` is the SHA-256 (hex) of the
    outputs it was read from. ``runners`` tells who runs a service of a role: {role: {service: one of RUNNERS}}.
    ``vips`` is {network or service: IP address}, ``endpoints`` {name in EndpointMap: URI}. ``has_update_tasks`` says
    whether the stack brings a playbook of its own for updates.
    """

    stack: str
    release: str
    architecture: str
    packaging: str
    nodes: tuple[Node, ...]
    digest: str
    runners: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    vips: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    has_update_tasks: bool = True

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        data = asdict(self)
        data["nodes"] = [{**node, "services": sorted(node["services"])} for node in data["nodes"]]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Overcloud":
        """What to_dict() gave. KeyError or TypeError for anything else."""
        nodes = [Node(**{**node, "services": frozenset(node["services"])}) for node in data["nodes"]]
        return cls(**{**data, "nodes": tuple(nodes)})

    @property
    def container_engine(self) -> str:
        """The command by which its release runs containers."""
        return "docker" if self.release in _OF_DOCKER else "podman"

    @property
    def services(self) -> tuple[str, ...]:
        """Every service that some node has, in natural order."""
        return naturally(frozenset().union(*{node.services for node in self.nodes}))

    def node(self, name: str) -> Node:
        """The node of that *name*; KeyError if there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def hosts_of(self, service: str) -> frozenset[str]:
        """Names of the nodes that have *service*."""
        return frozenset(node.name for node in self.nodes if service in node.services)

    def hosts(self) -> dict[str, frozenset[str]]:
        """{service: names of the nodes that have it}, for every service: quicker than hosts_of() for each."""
        alike: dict[frozenset[str], list[str]] = {}
        for node in self.nodes:
            alike.setdefault(node.services, []).append(node.name)
        hosts: dict[str, list[str]] = {}
        for services, names in alike.items():
            for service in services:
                hosts.setdefault(service, []).extend(names)
        return {service: frozenset(names) for service, names in hosts.items()}
