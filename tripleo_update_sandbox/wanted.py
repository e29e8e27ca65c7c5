"""From what ``up`` was asked for to what has to be there: a stack, its nested stacks, nodes, packages to be had."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tripleo_update_plugin.errors import SandboxError
from tripleo_update_sandbox.nodes.nodes import Host
from tripleo_update_sandbox.overcloud import sample_packages, stacks
from tripleo_update_sandbox.overcloud.sample import sample_outputs, services_data

CONTAINERS = "containers"
SAMPLES = (CONTAINERS, sample_packages.PACKAGES, sample_packages.OLD_PACKAGES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What ``up`` was asked for. Without a stack's name: the one that is there, else ``overcloud``."""

    stack: str | None = None
    with_overcloud: bool = True
    sample: str = CONTAINERS
    controllers: int = 3
    computes: int = 3
    ceph: int = 3
    outputs: Path | None = None
    service_chains: tuple[str, ...] = ()
    pace: float = 1.0
    heat_port: int | None = None
    mistral_port: int | None = None

    @property
    def is_particular(self) -> bool:
        """Whether it asks for anything but the usual overcloud."""
        usual = (CONTAINERS, 3, 3, 3, None, ())
        return usual != (self.sample, self.controllers, self.computes, self.ceph, self.outputs, self.service_chains)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """*services* are the data of single services, for nested stacks; *repository* the packages that can be had."""

    outputs: dict[str, Any]
    hosts: tuple[Host, ...]
    services: stacks.Services = field(default_factory=dict)
    repository: Mapping[str, int] = field(default_factory=dict)
    has_nodes: bool = True

    @property
    def digest(self) -> str:
        return stacks.digest({"outputs": self.outputs, "services": self.services})


def wanted(wish: Wish, name: str) -> Wanted:
    """What *wish* asks for, with *name* for the stack."""
    if wish.sample != CONTAINERS:
        return _packages(wish, name)
    if wish.outputs is None:
        outputs = sample_outputs(name, wish.controllers, wish.computes, wish.ceph)
        return _of(outputs, services=_chains(wish, services_data()))
    if wish.service_chains:
        raise SandboxError("Captured outputs have no data of single services.", "Leave --service-chains out.")
    outputs = stacks.read_outputs(wish.outputs)
    updatable = stacks.is_updatable(outputs)
    return _of(stacks.made_harmless(outputs) if updatable else outputs, has_nodes=updatable)


def _of(outputs: dict[str, Any], **more: Any) -> Wanted:
    return Wanted(outputs=outputs, hosts=tuple(stacks.hosts_of(outputs)), **more)


def _packages(wish: Wish, name: str) -> Wanted:
    if wish.outputs or wish.service_chains:
        raise SandboxError(f"The sample {wish.sample} is whole.", "Leave --outputs and --service-chains out.")
    old = wish.sample == sample_packages.OLD_PACKAGES
    outputs = sample_packages.packages_outputs(name, wish.controllers, wish.computes)
    return Wanted(
        outputs=outputs,
        hosts=tuple(sample_packages.packages_hosts(outputs, old)),
        services=sample_packages.services_data(old),
        repository=sample_packages.repository(),
    )


def _chains(wish: Wish, data: stacks.Services) -> stacks.Services:
    """The data of the services asked for, on each role that has them."""
    unknown = set(wish.service_chains).difference(*data.values())
    if unknown:
        raise SandboxError(f"The sample has no {min(unknown)}.", "'openstack overcloud update services' lists them.")
    chosen = {role: {s: own[s] for s in wish.service_chains if s in own} for role, own in data.items()}
    return {role: own for role, own in chosen.items() if own}
