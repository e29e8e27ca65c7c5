"""Hosts: systemd as PID 1 in namespaces and control groups of its own, over the one image; reached by ssh."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from lab import network, preflight
from lab.commands import attempt, run
from lab.errors import LabError
from lab.site import Site
from lab.topology import STACK, VIP, Host, Topology
from tripleo_update_undercloud.processes import Process, identify, is_alive

_SCRIPT = Path(__file__).parent / "files" / "host.sh"
_GROUP = "tulab"
_PATIENCE = 60.0  # seconds for a host to answer over ssh; 2 on a quiet machine


def start_all(site: Site, topology: Topology) -> None:
    _make_key(site)
    for number, host in enumerate(topology.hosts):
        network.join(host, f"port{number}")
        start(site, topology, host)
    for host in topology.hosts:
        wait(site, host)


def _make_key(site: Site) -> None:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(site.key))


def start(site: Site, topology: Topology, host: Host) -> None:
    """Starts a host whose network is there; what was written on it before is kept."""
    folder = site.host(host.name)
    for part in ("upper", "work", "root"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    _prepare(site, topology, host)
    groups = [str(_make_group(path, host)) for _, path in _hierarchies()]
    netns = str(network.path_of(network.name_of(host)))
    with (folder / "console.log").open("ab") as log:
        outer = subprocess.Popen(
            [_SCRIPT, "enter", host.name, str(folder), str(site.image), netns, *groups],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    outer.returncode = 0  # it outlives this command; without this Python warns about a child not waited for
    process = identify(outer.pid)
    if process is None:
        raise LabError(f"{host.name} did not start; see {folder / 'console.log'}")
    site.remember(f"hosts/{host.name}/process", process.to_dict())


def _prepare(site: Site, topology: Topology, host: Host) -> None:
    """What is different on each host before it starts."""
    etc, home = site.host(host.name) / "upper" / "etc", site.host(host.name) / "upper" / "root" / ".ssh"
    etc.mkdir(mode=0o755, exist_ok=True)
    home.parent.mkdir(mode=0o700, exist_ok=True)
    home.mkdir(mode=0o700, exist_ok=True)
    lines = [f"{each.address} {each.fqdn} {each.name}" for each in topology.hosts]
    (etc / "hosts").write_text("\n".join(["127.0.0.1 localhost", f"{VIP} {STACK}", *lines]) + "\n")
    (etc / "hostname").write_text(host.name + "\n")
    (etc / "resolv.conf").write_text("")
    if not (etc / "machine-id").exists():
        (etc / "machine-id").write_text(os.urandom(16).hex() + "\n")
    shutil.copy(f"{site.key}.pub", home / "authorized_keys")
    (home / "authorized_keys").chmod(0o600)


def _hierarchies() -> list[tuple[str, Path]]:
    return preflight.cgroup_mounts(preflight.CGROUPS.read_text())


def _make_group(hierarchy: Path, host: Host) -> Path:
    group = hierarchy / _GROUP / host.name
    group.mkdir(parents=True, exist_ok=True)
    return group


def wait(site: Site, host: Host) -> None:
    """Returns when the host answers over ssh."""
    deadline = time.monotonic() + _PATIENCE
    while attempt(*ssh(site, host), "true", timeout=30).returncode:
        if time.monotonic() > deadline:
            raise LabError(f"{host.name} does not answer over ssh; see {site.host(host.name) / 'console.log'}")
        time.sleep(0.2)


def ssh(site: Site, host: Host) -> list[str]:
    options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=5")
    chosen = [word for option in options for word in ("-o", option)]
    return ["ssh", "-i", str(site.key), *chosen, f"root@{host.address}"]


def outer(site: Site, host: Host) -> Process | None:
    """The process that holds the host; None if it is gone."""
    process = Process.from_dict(site.recall(f"hosts/{host.name}/process"))
    return process if process and is_alive(process) else None


def init(site: Site, host: Host) -> int:
    """The number of the host's PID 1 out here. LabError if the host is not up."""
    holder = outer(site, host)
    children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split() if holder else []
    if not children:
        raise LabError(f"{host.name} is not up")
    return int(children[0])


def root(site: Site, host: Host) -> Path:
    """The root of the host's file system, as long as it is up."""
    return Path(f"/proc/{init(site, host)}/root")


def execute(site: Site, host: Host, *argv: str, stdin: str | None = None, timeout: float = 600) -> str:
    """Runs a command on the host, without the network. LabError if it fails."""
    return run(*_enter(site, host), *argv, stdin=stdin, timeout=timeout)


def try_execute(site: Site, host: Host, *argv: str, timeout: float = 600) -> "subprocess.CompletedProcess[str]":
    return attempt(*_enter(site, host), *argv, timeout=timeout)


def _enter(site: Site, host: Host) -> list[str]:
    return ["nsenter", "-t", str(init(site, host)), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w"]


def write(site: Site, host: Host, path: str, text: str, mode: int = 0o644, owner: str = "") -> None:
    """Writes a file of the host; *owner* is a user of the host."""
    file = root(site, host) / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    file.touch(mode=mode)
    file.write_text(text)
    file.chmod(mode)
    if owner:
        execute(site, host, "chown", f"{owner}:{owner}", path)


def wait_until(what: str, is_so: Callable[[], bool], seconds: float) -> None:
    """LabError if it is not so within *seconds*."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise LabError(f"after {seconds:.0f} s still not: {what}")
        time.sleep(0.5)


def stop(site: Site, host: Host) -> None:
    """As if the power was cut."""
    holder = outer(site, host)
    if holder:
        with suppress(LabError, ProcessLookupError):
            os.kill(init(site, host), signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(holder.pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while is_alive(holder) and time.monotonic() < deadline:
            time.sleep(0.05)


def remove_groups() -> None:
    for _, hierarchy in _hierarchies():
        top = hierarchy / _GROUP
        deadline = time.monotonic() + 10
        while top.exists() and time.monotonic() < deadline:  # a group is busy until its last process is reaped
            _remove_tree(top)
            time.sleep(0.1)


def _remove_tree(top: Path) -> None:
    for folder, _, _ in sorted(os.walk(top), reverse=True):
        with suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106 - a control group's files are the kernel's


def stop_all(site: Site, topology: Iterable[Host]) -> None:
    for host in topology:
        stop(site, host)
    remove_groups()
