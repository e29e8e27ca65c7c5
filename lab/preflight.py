"""May the lab run here? Everything is asked before anything is made."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from lab.commands import attempt
from lab.errors import LabError

_MEMORY = 5 * 1024  # MiB that three controllers, two computes, Heat and Mistral need
_DISK = 4 * 1024  # MiB for the image while it is made
_COMMANDS = ("ip", "mount", "nsenter", "ssh", "ssh-keygen", "sysctl", "umount", "unshare")
_FOR_THE_IMAGE = ("apt-get", "chroot", "dpkg-deb")

CGROUPS = Path("/proc/self/mountinfo")


def check(folder: Path, image_is_there: bool) -> None:
    """LabError with everything that is missing."""
    reasons = list(_reasons(folder, image_is_there))
    if reasons:
        raise LabError(
            "the lab cannot run on this machine: " + "; ".join(reasons),
            "It needs Linux with root, network and mount namespaces, cgroup v2 and Debian's package tools.",
        )


def _reasons(folder: Path, image_is_there: bool) -> Iterator[str]:
    if sys.platform != "linux":
        yield "it is no Linux"
        return
    if os.geteuid() != 0:
        yield "only root may make hosts of namespaces"
        return
    wanted = _COMMANDS if image_is_there else _COMMANDS + _FOR_THE_IMAGE
    if missing := [name for name in wanted if not shutil.which(name)]:
        yield f"commands are missing: {', '.join(missing)}"
        return
    yield from _kernel()
    if (free := memory()) < _MEMORY:
        yield f"{free} MiB of memory are free, {_MEMORY} are needed"
    space = shutil.disk_usage(_existing(folder)).free // 2**20
    if not image_is_there and space < _DISK:
        yield f"{space} MiB are free where {folder} is, {_DISK} are needed"


def _kernel() -> Iterator[str]:
    if attempt("unshare", "-m", "-u", "-i", "-n", "-p", "-C", "--fork", "true").returncode:
        yield "namespaces cannot be made (a container without privileges?)"
    if "overlay" not in Path("/proc/filesystems").read_text().split() and attempt("modprobe", "overlay").returncode:
        yield "the kernel has no overlay file system"
    mounts = cgroup_mounts(CGROUPS.read_text())
    if not any(kind == "cgroup2" for kind, _ in mounts):
        yield "no cgroup v2 is mounted"
    elif locked := [str(path) for _, path in mounts if not os.access(path, os.W_OK)]:
        yield f"{locked[0]} is read-only"


def cgroup_mounts(mountinfo: str) -> list[tuple[str, Path]]:
    """(kind, where) of the hierarchies systemd needs: cgroup v2, and the named one where v1 is mounted as well."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.partition(" ")
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options):
            found.append((kind, Path(before.split()[4])))
    return found


def memory() -> int:
    """MiB of memory that are free or can be freed."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return 0


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
