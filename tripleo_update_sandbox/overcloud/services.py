"""What is known of a service of the Zed release: in which containers it runs, who runs it, by which names it goes?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tripleo_update_sandbox import tables
from tripleo_update_sandbox.nodes.host import Installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A service that Pacemaker runs in a container; ``services.yaml`` says what each field means."""

    name: str
    resource: str
    profile: str
    copies: str
    awaited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service; ``services.yaml`` says what each field means."""

    name: str
    containers: tuple[str, ...] = ()
    unit: bool = False
    bundle: Bundle | None = None
    vip: bool = False
    process: bool = False
    names: tuple[str, ...] = ()

    @property
    def is_of_systemd(self) -> bool:
        """Whether systemd keeps it running: in plain containers, or as a daemon of Ceph."""
        return bool(self.containers or self.unit)

    @property
    def images(self) -> tuple[str, ...]:
        """The containers that have images of their own; that of a bundle has the service's name."""
        return (self.name,) if self.bundle else self.containers

    def installed(self) -> Installed:
        """What a node is made from for this service."""
        if self.bundle is None:
            return Installed(
                name=self.name,
                containers=self.containers,
                names=self._other_names(self.containers),
                has_process=self.process,
            )
        return Installed(
            name=self.name,
            containers=(f"{self.bundle.name}-podman-0",),
            resource=self.bundle.resource,
            copies=self.bundle.copies,
            names=self._other_names((self.bundle.resource, f"{self.bundle.name}*")),
            has_process=self.process,
        )

    def _other_names(self, by_runner: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in (*by_runner, *self.names) if name != self.name)


@cache
def known_services() -> Mapping[str, Service]:
    """Raises SandboxError if two services have the same container."""
    table: Mapping[str, Mapping[str, Any]] = tables.load("tripleo_update_sandbox.overcloud", "services")
    found = {name: _service(name, **entry) for name, entry in table.items()}
    owned = [container for each in found.values() for container in each.images]
    if twice := {container for container in owned if owned.count(container) > 1}:
        raise tables.wrong("services.yaml", f"the container {min(twice)} belongs to two services")
    return found


def _service(
    name: str,
    bundle: Mapping[str, Any] | None = None,
    containers: Iterable[str] = (),
    names: Iterable[str] = (),
    **flags: bool,
) -> Service:
    made = Bundle(**{"resource": bundle["name"], **bundle}) if bundle else None
    return Service(name=name, bundle=made, containers=tuple(containers), names=tuple(names), **flags)


def service(name: str) -> Service:
    """What is known of a service; of one that nothing is known of, that it runs."""
    return known_services().get(name) or Service(name=name)
