"""How is a node made from a host: which folders and files?"""

import hashlib
import shutil
import socket
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from tripleo_update_plugin.names import is_safe_name
from tripleo_update_sandbox import tables
from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.nodes.host import Host, Installed
from tripleo_update_sandbox.nodes.ports import port_of
from tripleo_update_sandbox.state import State
from tripleo_update_undercloud.files import write_private

_STAND_INS = Path(__file__).parent / "stand_ins"


@cache
def commands() -> Mapping[str, str]:
    """{command of a node: the function of the stand-ins that speaks for it}."""
    found: Mapping[str, str] = tables.load("tripleo_update_sandbox.nodes", "commands")
    return found


def create(state: State, hosts: Sequence[Host], vips: Mapping[str, str], pace: float) -> None:
    """Makes a node for each of *hosts*; none is switched on yet. Those that are there stay.

    *vips* is {address: the service whose leader holds it}; *pace* the seconds that updating a node takes.
    """
    for host in hosts:
        if not is_safe_name(host.name) or not all(is_safe_name(service.name) for service in host.services):
            raise SandboxError(
                f"The node {host.name!r} or one of its services has a name that cannot be that of a folder."
            )
    _bring_stand_ins(state.folder / "stand_ins")
    write_private(state.folder / "member", f"{state.folder}\n")
    write_private(state.folder / "pace", f"{pace:g}\n")
    write_private(state.folder / "vips", _lines(vips))
    number = _loopback(state)
    for index, host in enumerate(hosts):
        if not (state.nodes / host.name).exists():
            _create(state.nodes / host.name, host, f"127.{number}.{1 + index // 250}.{1 + index % 250}")


def stock(state: State, repository: Mapping[str, int]) -> None:
    """Puts packages where the nodes' yum finds them: {package: version}."""
    (state.folder / "repo").mkdir(mode=0o700, exist_ok=True)
    for package, version in repository.items():
        write_private(state.folder / "repo" / package, f"{version}\n")


def _bring_stand_ins(folder: Path) -> None:
    shutil.copytree(_STAND_INS, folder, dirs_exist_ok=True)
    (folder / "command.sh").chmod(0o700)
    (folder / "commands").write_text(_lines(commands()))


def _loopback(state: State) -> int:
    """The second number of the loopback addresses of this sandbox: one that no other sandbox uses just now."""
    first = int.from_bytes(hashlib.sha256(str(state.folder).encode()).digest()[:2], "big")
    for number in ((first + i) % 239 + 16 for i in range(239)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((f"127.{number}.0.5", port_of("keystone")))
            except OSError:
                continue
            return number
    raise SandboxError("No loopback addresses are left for the nodes.")


def _create(folder: Path, host: Host, internal_address: str) -> None:
    draft = folder.with_name(f".{folder.name}")
    shutil.rmtree(draft, ignore_errors=True)
    for part in ("bin", "tmp", "services"):
        (draft / part).mkdir(parents=True, mode=0o700)
    for command in commands():
        (draft / "bin" / command).symlink_to("../../../stand_ins/command.sh")
    for service in host.services:
        _create_service(draft / "services" / service.name, service)
    if host.has_packages:
        _add_packages(draft, host)
    (draft / "names").write_text("".join(f"{name} {s.name}\n" for s in host.services for name in s.names))
    (draft / "images").write_text(_lines(host.images))
    (draft / "addresses").write_text("".join(f"{address}\n" for address in host.addresses))
    (draft / "internal_address").write_text(f"{internal_address}\n")
    draft.rename(folder)


def _create_service(folder: Path, service: Installed) -> None:
    """The files that ``stand_ins/command.sh`` describes."""
    folder.mkdir(mode=0o700)
    files = {"state": "stopped\n", "wanted": "running\n", "version": "1\n"}
    if service.resource:
        files |= {"resource": f"{service.resource}\n", "copies": f"{service.copies}\n"}
    if service.containers:
        files["container"] = "".join(f"{name}\n" for name in service.containers)
    if service.package:
        files["package"] = f"{service.package}\n"
    if service.has_process:
        files["process"] = ""
    for name, text in files.items():
        (folder / name).write_text(text)


def _add_packages(folder: Path, host: Host) -> None:
    """Version 1 of each package; the commands find services by their units there."""
    for part in ("packages", "units"):
        (folder / part).mkdir(mode=0o700)
    for service in host.services:
        for unit, package in service.units.items():
            (folder / "units" / unit).write_text(f"{service.name} {package}\n")
        for package in (service.package, *service.units.values()):
            (folder / "packages" / package).write_text("1\n")


def _lines(pairs: Mapping[str, str]) -> str:
    return "".join(f"{key} {value}\n" for key, value in pairs.items())
