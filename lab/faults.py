"""Things that go wrong in the middle of an update, made to go wrong."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from lab import hosts
from lab.errors import LabError
from lab.site import Site
from lab.topology import VIP, Host, Topology

Say = Callable[[str], None]
_GRASTATE = "/var/lib/mysql/grastate.dat"


def _power_off(site: Site, host: Host) -> None:
    hosts.stop(site, host)


def _forget_data(site: Site, host: Host) -> None:
    """Galera no longer knows what the host has, so it gets everything."""
    hosts.execute(site, host, "rm", "-f", _GRASTATE, "/var/lib/mysql/gvwstate.dat", "/var/lib/mysql/galera.cache")


def _cut_ssh(site: Site, host: Host) -> None:
    hosts.execute(site, host, "systemctl", "mask", "--now", "ssh.service", "ssh.socket")
    hosts.try_execute(site, host, "killall", "sshd")


#: {fault: what is done to the first database host whose packages are being installed}
_MOMENTS: Mapping[str, Callable[[Site, Host], None]] = {
    "no-return": _power_off,
    "state-transfer": _forget_data,
    "ssh-cut": _cut_ssh,
}
FAULTS = (*_MOMENTS, "stuck-vip")


@contextmanager
def injected(site: Site, topology: Topology, how: str, say: Say) -> Iterator[None]:
    """The fault *how* while the block runs; nothing if it is none."""
    if how == "stuck-vip":
        _fix_address(site, topology)
    if how not in _MOMENTS:
        yield
        return
    done = threading.Event()
    watcher = threading.Thread(target=_strike, args=(site, topology, how, done, say))
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _fix_address(site: Site, topology: Topology) -> None:
    if not topology.having("pacemaker"):
        raise LabError("only Pacemaker can be told to leave an address where it is", "Choose another architecture.")
    hosts.execute(site, topology.having("pacemaker")[0], "pcs", "resource", "unmanage", f"ip-{VIP}")


def _strike(site: Site, topology: Topology, how: str, done: threading.Event, say: Say) -> None:
    while not done.is_set():
        for host in topology.having("mysql"):
            if hosts.try_execute(site, host, "pgrep", "-x", "dpkg").returncode == 0:
                say(f"{how}: {host.name}")
                _MOMENTS[how](site, host)
                return
        time.sleep(0.3)
