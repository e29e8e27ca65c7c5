"""What answers at which port of a node, and of the nodes' virtual address?"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tripleo_update_sandbox import tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port, and what is said there while *service* runs; ``ports.yaml`` says what each field means."""

    port: int
    service: str
    at: tuple[str, ...]
    http: str | None = None
    line: str | None = None
    greeting: str | None = None
    proxy: str = ""
    instead_of: int | None = None
    variable: str = ""

    @property
    def is_on_nodes(self) -> bool:
        return "nodes" in self.at

    @property
    def is_at_vip(self) -> bool:
        return "vip" in self.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """The load balancer's service, and the port where it tells the state of its servers."""

    service: str
    port: int
    variable: str


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = tables.load("tripleo_update_sandbox.nodes", "ports")
    return table


@cache
def ports() -> tuple[Port, ...]:
    """Raises SandboxError if two of them have the same number."""
    found = tuple(Port(**{**entry, "at": tuple(entry["at"])}) for entry in _table()["answers"])
    numbers = [port.port for port in found] + [balancer().port]
    if twice := {number for number in numbers if numbers.count(number) > 1}:
        raise tables.wrong("ports.yaml", f"port {min(twice)} is there twice")
    return found


@cache
def balancer() -> Balancer:
    return Balancer(**_table()["balancer"])


def port_of(service: str) -> int:
    """The port at which *service* answers behind the load balancer; SandboxError if there is none."""
    for port in ports():
        if port.service == service and port.is_at_vip:
            return port.port
    raise tables.wrong("ports.yaml", f"{service} does not answer at the virtual address")
