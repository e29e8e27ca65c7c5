"""What do the sample overclouds of packages look like: stack outputs in Newton's shape, for both of its architectures?

Newton's outputs do not say who runs a service; each service's own data does, in the nested stacks of its role.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tripleo_update_sandbox import tables
from tripleo_update_sandbox.nodes.host import EQUAL, Host, Installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Packaged:
    """A service; ``packages.yaml`` says what each field means."""

    name: str
    unit: str
    package: str
    more_units: tuple[str, ...] = ()
    code: str = ""
    resource: str = ""
    copies: str = EQUAL
    clustered: bool = False
    profile: str = ""
    process: bool = False
    names: tuple[str, ...] = ()

    def resource_in(self, old: bool) -> str:
        """Pacemaker's name for it; empty where systemd runs it."""
        return self.resource or (self.unit if old and self.clustered else "")

    def installed(self, old: bool) -> Installed:
        """What a node is made from for this service. Commands know it by its units and by its resource."""
        resource = self.resource_in(old)
        return Installed(
            name=self.name,
            resource=resource,
            copies=self.copies,
            package=self.code or self.package,
            units=dict.fromkeys([self.unit, *self.more_units, resource or self.unit], self.package),
            names=self.names,
            has_process=self.process,
        )

    def role_data(self) -> dict[str, Any]:
        """The data by which it is known that Pacemaker runs it."""
        profile = self.profile or self.name.replace("_", "::", 1)
        return {"service_name": self.name, "step_config": f"include ::tripleo::profile::pacemaker::{profile}\n"}


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = tables.load("tripleo_update_sandbox.overcloud", "packages")
    return table


@cache
def services() -> Mapping[str, Packaged]:
    """{name: service}."""
    return {name: _packaged(name, **entry) for name, entry in _table()["services"].items()}


def _packaged(name: str, more_units: Iterable[str] = (), names: Iterable[str] = (), **more: Any) -> Packaged:
    return Packaged(name=name, more_units=tuple(more_units), names=tuple(names), **more)


@cache
def _roles() -> Mapping[str, tuple[Packaged, ...]]:
    """{role: its services}. Raises SandboxError if one has a service that there is not."""
    found = {}
    for role, entry in _table()["roles"].items():
        if unknown := set(entry["services"]) - set(services()):
            raise tables.wrong("packages.yaml", f"there is no service {min(unknown)}, which {role} has")
        found[role] = tuple(services()[name] for name in entry["services"])
    return found


@dataclass(frozen=True, slots=True)
class Sample:
    """An overcloud of packages of that size; in an *old* one Pacemaker runs every service that it can."""

    stack: str
    controllers: int
    computes: int
    old: bool = False

    def outputs(self) -> dict[str, Any]:
        """Outputs as Newton's: services and host names, nothing about who runs what."""
        domain = _table()["domain"]
        return {
            "EnabledServices": {role: [each.name for each in own] for role, own in _roles().items()},
            "HostsEntry": "\n".join(f"{address} {name}.{domain} {name}" for _, name, address in self._named()),
            "KeystoneURL": _table()["keystone_url"],
        }

    def services_data(self) -> dict[str, dict[str, dict[str, Any]]]:
        """The data of each service that Pacemaker runs, {role: {service: role_data}}; the others need none."""
        found = {
            role: {each.name: each.role_data() for each in own if each.resource_in(self.old)}
            for role, own in _roles().items()
        }
        return {role: data for role, data in found.items() if data}

    def hosts(self) -> list[Host]:
        """What the nodes are made from."""
        return [
            Host(
                name=name,
                services=tuple(each.installed(self.old) for each in _roles()[role]),
                addresses=(address,),
            )
            for role, name, address in self._named()
        ]

    def _named(self) -> Iterator[tuple[str, str, str]]:
        """(role, name, address) of each host."""
        counts = zip(_table()["roles"].items(), (self.controllers, self.computes), strict=True)
        for (role, entry), count in counts:
            first = ipaddress.ip_address(entry["first"])
            for i in range(count):
                yield role, f"{self.stack}-{entry['hosts']}-{i}", str(first + i)


def unchanged() -> frozenset[str]:
    """The packages of which there are no new versions."""
    return frozenset(_table()["unchanged"])


def repository() -> dict[str, int]:
    """{package: the version that can be had}; nodes begin with version 1."""
    named = {name for each in services().values() for name in (each.package, each.code) if name}
    return {name: 1 if name in unchanged() else 2 for name in sorted(named)}
