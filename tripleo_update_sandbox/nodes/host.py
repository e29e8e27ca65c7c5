"""What is a node made from?"""

from collections.abc import Mapping
from dataclasses import dataclass, field

#: How the copies that Pacemaker runs of a service stand to each other: there is one at a time, one of them leads
#: (in Pacemaker's words it is promoted), all of them lead, or they are all the same.
ONE_RUNS, ONE_LEADS, ALL_LEAD, EQUAL = "one-runs", "one-leads", "all-lead", "equal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A service as it is installed on a host.

    - *containers*: those that it runs in;
    - *resource*: Pacemaker's name for it, if Pacemaker runs it, and *copies*: one of the words above;
    - *package*: whose version is the service's, and *units*: {unit or resource: package that it comes in};
    - *names*: patterns of other names by which commands know it;
    - *has_process*: whether a process of its own runs for it, whose death shows.
    """

    name: str
    containers: tuple[str, ...] = ()
    resource: str = ""
    copies: str = EQUAL
    package: str = ""
    units: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    has_process: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host of an overcloud, with *images*: {container: image}."""

    name: str
    services: tuple[Installed, ...]
    addresses: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_packages(self) -> bool:
        return any(service.package for service in self.services)
