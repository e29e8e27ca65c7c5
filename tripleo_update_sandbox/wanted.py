"""What has to be there for what ``up`` was asked for: which stack, nested stacks, nodes, and packages to be had?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.nodes.host import Host
from tripleo_update_sandbox.overcloud import captured, packages, stacks
from tripleo_update_sandbox.overcloud.containers import sample_outputs, services_data

CONTAINERS, PACKAGES, OLD_PACKAGES = "containers", "packages", "old-packages"
SAMPLES = (CONTAINERS, PACKAGES, OLD_PACKAGES)


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
    outputs = captured.read_outputs(wish.outputs)
    updatable = captured.is_updatable(outputs)
    return _of(captured.made_harmless(outputs) if updatable else outputs, has_nodes=updatable)


def _of(outputs: dict[str, Any], **more: Any) -> Wanted:
    return Wanted(outputs=outputs, hosts=tuple(captured.hosts_of(outputs)), **more)


def _packages(wish: Wish, name: str) -> Wanted:
    if wish.outputs or wish.service_chains:
        raise SandboxError(f"The sample {wish.sample} is whole.", "Leave --outputs and --service-chains out.")
    sample = packages.Sample(name, wish.controllers, wish.computes, old=wish.sample == OLD_PACKAGES)
    return Wanted(
        outputs=sample.outputs(),
        hosts=tuple(sample.hosts()),
        services=sample.services_data(),
        repository=packages.repository(),
    )


def _chains(wish: Wish, data: stacks.Services) -> stacks.Services:
    """The data of the services asked for, on each role that has them."""
    unknown = set(wish.service_chains).difference(*data.values())
    if unknown:
        raise SandboxError(f"The sample has no {min(unknown)}.", "'openstack overcloud update services' lists them.")
    chosen = {role: {s: own[s] for s in wish.service_chains if s in own} for role, own in data.items()}
    return {role: own for role, own in chosen.items() if own}
