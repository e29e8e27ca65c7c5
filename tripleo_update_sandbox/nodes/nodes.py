"""Sandbox nodes: folders on this machine that real Ansible takes for hosts."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tripleo_update_plugin.errors import SandboxError
from tripleo_update_plugin.names import is_safe_name, natural_key
from tripleo_update_sandbox.overcloud.sample_services import BUNDLES, CONTAINERS, WITH_PROCESS
from tripleo_update_sandbox.state import State, write_private
from tripleo_update_sandbox.undercloud.servers import environment
from tripleo_update_undercloud.processes import Process, is_alive

COMMANDS = (
    *("ceph", "clustercheck", "crm_mon", "crm_node", "crm_resource", "dnf", "docker", "ip", "mysql"),
    *("needs-restarting", "ovs-appctl", "pcs", "podman", "rabbitmq-diagnostics", "rabbitmq-upgrade", "rabbitmqctl"),
    *("rpm", "sandbox-node", "sandbox-recreate", "sandbox-update", "ss", "stand-in", "systemctl", "virsh", "yum"),
)

STATS_PORT = 1993
#: Where the dashboard is, whose own port 80 takes a privilege.
HORIZON_PORT = 8090

_STAND_INS = Path(__file__).parent / "stand_ins"


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    state: str  # running, stopped or failed
    version: int


@dataclass(frozen=True, slots=True)
class Node:
    """A node that exists in the state folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def is_on(self) -> bool:
        return not (self.folder / "off").exists()

    @property
    def journal(self) -> list[dict[str, Any]]:
        """Every start, stop, update, drain, restore, boot and shutdown of this node, oldest first."""
        path = self.folder / "journal.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def address(self) -> str:
        """The node's own loopback address, for endpoints that are asked over the network."""
        return (self.folder / "internal_address").read_text().strip()

    def serves(self, service: str) -> bool:
        """Whether *service* runs there now. Cheaper than ``services``: the endpoints ask this for every request."""
        folder = self.folder / "services" / service
        if not self.is_on or (folder / "broken").exists() or _first_line(folder / "state") != "running":
            return False
        return not (folder / "process").exists() or any(is_alive(p) for p in _noted(folder / "pid"))

    def services(self) -> tuple[Service, ...]:
        lines = [line.split() for line in self.run("sandbox-node", "services").stdout.splitlines()]
        return tuple(Service(name, state, int(version)) for name, state, version in lines)

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What one of the node's commands says and returns."""
        return subprocess.run(
            [str(self.folder / "bin" / command), *arguments],
            env=environment(self.folder.parent.parent, os.environ) | {"SANDBOX_NODE": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )


def nodes_in(folder: Path) -> tuple[Node, ...]:
    if not folder.is_dir():
        return ()
    found = (Node(each) for each in folder.iterdir() if (each / "bin").is_dir() and not each.name.startswith("."))
    return tuple(sorted(found, key=lambda node: natural_key(node.name)))


def all_nodes(state: State) -> tuple[Node, ...]:
    return nodes_in(state.nodes)


def vip_of(address: str) -> str:
    """The virtual address of the nodes that *address* is one of.

    >>> vip_of("127.42.1.7")
    '127.42.0.5'
    """
    return f"127.{address.split('.')[1]}.0.5"


def _first_line(path: Path) -> str:
    try:
        return path.read_text().split("\n")[0]
    except OSError:
        return ""


def _noted(note: Path) -> list[Process]:
    with suppress(OSError, ValueError):
        pid, started, boot = note.read_text().split()
        return [Process(int(pid), int(started), boot)]
    return []


def node(state: State, name: str) -> Node:
    for each in all_nodes(state):
        if each.name == name:
            return each
    raise SandboxError(f"There is no node {name}.", "'tripleo-update-sandbox status' shows the nodes there are.")


@dataclass(frozen=True, slots=True)
class Host:
    """What a node is made from.

    Of a node with packages: *units* are (unit or resource, service, package of the unit), *packages* those of the
    services, and *resources* the names that Pacemaker has for services.
    """

    name: str
    services: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)  # {container: image}
    units: tuple[tuple[str, str, str], ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, str] = field(default_factory=dict)


def _loopback(state: State) -> int:
    """The second number of the loopback addresses of this sandbox: one that no other sandbox uses just now."""
    first = int.from_bytes(hashlib.sha256(str(state.folder).encode()).digest()[:2], "big")
    for number in ((first + i) % 239 + 16 for i in range(239)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((f"127.{number}.0.5", 5000))
            except OSError:
                continue
            return number
    raise SandboxError("No loopback addresses are left for the nodes.")


def create(state: State, hosts: Sequence[Host], vips: Mapping[str, str], pace: float) -> None:
    """Makes a node for each of *hosts*; none is switched on yet. Those that are there stay.

    *vips* is {address: the service whose leader holds it}.
    """
    for host in hosts:
        name, services = host.name, host.services
        if not is_safe_name(name) or not all(is_safe_name(s) for s in services):
            raise SandboxError(f"The node {name!r} or one of its services has a name that cannot be that of a folder.")
    shutil.copytree(_STAND_INS, state.folder / "stand_ins", dirs_exist_ok=True)
    (state.folder / "stand_ins" / "command.sh").chmod(0o700)
    write_private(state.folder / "member", f"{state.folder}\n")
    write_private(state.folder / "pace", f"{pace:g}\n")
    write_private(state.folder / "vips", "".join(f"{address} {service}\n" for address, service in vips.items()))
    number = _loopback(state)
    for index, host in enumerate(hosts):
        if not (state.nodes / host.name).exists():
            _create(state.nodes / host.name, host, f"127.{number}.{1 + index // 250}.{1 + index % 250}")
    write_private(state.detours, json.dumps(_detours(state, hosts, vips)))


def _detours(state: State, hosts: Sequence[Host], vips: Mapping[str, str]) -> dict[str, str]:
    """{an address of the overcloud: the loopback address that stands for it}: where probes find what they ask."""
    own = {node.name: node.address for node in all_nodes(state)}
    detours = {address: own[host.name] for host in hosts for address in host.addresses}
    for address in vips if own else ():
        vip = vip_of(next(iter(own.values())))
        detours |= {address: vip, f"{address}:80": f"{vip}:{HORIZON_PORT}"}
    return detours


def _create(folder: Path, host: Host, internal_address: str) -> None:
    draft = folder.with_name(f".{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)
    for part in ("bin", "tmp", "services"):
        (draft / part).mkdir(parents=True, mode=0o700)
    for command in COMMANDS:
        (draft / "bin" / command).symlink_to("../../../stand_ins/command.sh")
    for service in host.services:
        _create_service(draft / "services" / service)
    (draft / "images").write_text("".join(f"{name} {image}\n" for name, image in host.images.items()))
    if host.packages:
        _add_packages(draft, host)
    (draft / "addresses").write_text("".join(f"{address}\n" for address in host.addresses))
    (draft / "internal_address").write_text(f"{internal_address}\n")
    draft.rename(folder)


def _create_service(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    facts = {"state": "stopped\n", "wanted": "running\n", "version": "1\n"}
    if folder.name in BUNDLES:
        facts["resource"] = BUNDLES[folder.name].resource + "\n"
        facts["container"] = f"{BUNDLES[folder.name].bundle}-podman-0\n"
    if containers := CONTAINERS.get(folder.name):
        facts["container"] = "".join(f"{name}\n" for name in containers)
    if folder.name in WITH_PROCESS:
        facts["process"] = ""
    for name, text in facts.items():
        (folder / name).write_text(text)


def _add_packages(folder: Path, host: Host) -> None:
    """Version 1 of each package; the commands find services by their units there."""
    for part in ("packages", "units"):
        (folder / part).mkdir(mode=0o700)
    for unit, service, package in host.units:
        (folder / "units" / unit).write_text(f"{service} {package}\n")
    for package in {*host.packages.values(), *(package for _, _, package in host.units)}:
        (folder / "packages" / package).write_text("1\n")
    for service in host.services:
        own = folder / "services" / service
        for name in ("resource", "container"):
            (own / name).unlink(missing_ok=True)
        (own / "package").write_text(host.packages[service] + "\n")
        if service in host.resources:
            (own / "resource").write_text(host.resources[service] + "\n")


def stock(state: State, repository: Mapping[str, int]) -> None:
    """Puts packages where the nodes' yum finds them: {package: version}."""
    (state.folder / "repo").mkdir(mode=0o700, exist_ok=True)
    for package, version in repository.items():
        write_private(state.folder / "repo" / package, f"{version}\n")


def switch_on(state: State) -> None:
    """Boots every node that is not switched off on purpose: their processes run, also after a crash killed them."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        results = list(pool.map(_boot_if_needed, [n for n in all_nodes(state) if n.is_on]))
    for name, problem in results:
        if problem:
            raise SandboxError(f"The node {name} did not boot: {problem}")


def _boot_if_needed(each: Node) -> tuple[str, str]:
    if each.journal and not any(s.state == "failed" for s in each.services()):
        return each.name, ""
    done = each.run("sandbox-node", "boot")
    broken = any(path.exists() for path in each.folder.glob("services/*/broken"))
    return each.name, "" if done.returncode == 0 or broken else done.stderr.strip()


def write_inventory(state: State, hosts: Iterable[str]) -> None:
    """The inventory that is merged over every generated one: how Ansible reaches each host. A host that is no sandbox
    node gets the same connection, which then says that there is no such node: nothing outside is ever contacted."""
    own = {node.name: node for node in all_nodes(state)}
    variables = {
        host: {
            "ansible_connection": "tripleo_update_sandbox",
            "sandbox_node": str(state.nodes / host),
            "ansible_python_interpreter": sys.executable,
            "ansible_become": False,
            "ansible_remote_tmp": str(state.nodes / host / "tmp"),
            "tripleo_update_marks": str(state.nodes / host / "marks"),
            **(_own_variables(own[host]) if host in own else {}),
        }
        for host in sorted(hosts, key=natural_key)
    }
    write_private(state.inventory, yaml.safe_dump({"all": {"hosts": variables}}))


def _own_variables(node: Node) -> dict[str, Any]:
    """Where the node's services answer: its loopback address, and no port that takes a privilege."""
    return {
        "tripleo_update_internal_host": node.address,
        "tripleo_update_haproxy_socket": f"{node.address}:{STATS_PORT}",
        "tripleo_update_horizon_port": HORIZON_PORT,
    }


def stand_ins(state: State) -> list[Process]:
    """The processes that nodes noted for their services, alive or not."""
    return [process for note in state.nodes.glob("*/services/*/pid") for process in _noted(note)]


def power(target: Node, on: bool) -> None:
    """Switches a node on or off; nothing happens to one that is so already."""
    if target.is_on != on:
        _change(target, "boot" if on else "shutdown")


def fault(target: Node, service: str, broken: bool) -> None:
    """Breaks a service, so that it fails and cannot be started, or mends it, so that it runs again if it was to."""
    if service not in {s.name for s in target.services()}:
        raise SandboxError(f"{target.name} has no service {service}.", f"It has: {_names(target)}")
    _change(target, "break" if broken else "mend", service)


def _names(target: Node) -> str:
    return " ".join(s.name for s in target.services())


def _change(target: Node, *arguments: str) -> None:
    done = target.run("sandbox-node", *arguments)
    if done.returncode:
        raise SandboxError(f"{target.name}: {done.stderr.strip() or f'exit code {done.returncode}'}")
