"""The lab's network: a namespace for the undercloud, which holds the bridge, and one for each host.

The machine's own network has no part in it: no address, no route, no interface.
"""

import ctypes
import os
from pathlib import Path

from lab.commands import attempt, run
from lab.errors import LabError
from lab.topology import UNDERCLOUD, Host

_PREFIX = "tulab"
_BRIDGE = "tulab0"
_NEWNET = 0x40000000  # CLONE_NEWNET of <sched.h>

HOME = f"{_PREFIX}-undercloud"


def name_of(host: Host) -> str:
    return f"{_PREFIX}-{host.name}"


def path_of(name: str) -> Path:
    return Path("/run/netns") / name


def make() -> None:
    """The namespace of the undercloud and its bridge. LabError if a lab has them already."""
    if path_of(HOME).exists():
        raise LabError(f"the network namespace {HOME} is there already", "Another lab is up: take it down first.")
    run("ip", "netns", "add", HOME)
    run("ip", "-n", HOME, "link", "set", "lo", "up")
    run("ip", "-n", HOME, "link", "add", _BRIDGE, "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
    run("ip", "-n", HOME, "address", "add", f"{UNDERCLOUD}/24", "dev", _BRIDGE)
    run("ip", "-n", HOME, "link", "set", _BRIDGE, "up")


def join(host: Host, port: str) -> None:
    """A namespace for *host*, its eth0 at the *port* of the bridge."""
    name = name_of(host)
    run("ip", "netns", "add", name)
    run("ip", "-n", HOME, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
    run("ip", "-n", HOME, "link", "set", port, "master", _BRIDGE, "up")
    run("ip", "-n", name, "address", "add", f"{host.address}/24", "dev", "eth0")
    run("ip", "-n", name, "link", "set", "lo", "up")
    run("ip", "-n", name, "link", "set", "eth0", "up")
    run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.ip_nonlocal_bind=1")


def enter() -> None:
    """From now on this process, and what it starts, is in the undercloud's network. Call it before threads start."""
    descriptor = os.open(path_of(HOME), os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _NEWNET):
            raise LabError(f"cannot enter the namespace {HOME}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(descriptor)


def remove() -> None:
    """All namespaces of the lab; interfaces and the bridge go with them."""
    folder = Path("/run/netns")
    for path in folder.glob(f"{_PREFIX}-*") if folder.is_dir() else ():
        attempt("ip", "netns", "delete", path.name)
