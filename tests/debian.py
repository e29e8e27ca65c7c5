"""Are the servers there that some tests need, and can they be had?

``python tests/debian.py distributed`` (or ``ceph``, ``ssh``) installs what is missing; it has to be root for that. No
service of the system is started: what the tests need they start themselves, in folders of their own.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: {tests: {program: package that has it}}
PROGRAMS = {
    "distributed": {
        "/usr/lib/rabbitmq/bin/rabbitmq-server": "rabbitmq-server",
        "/usr/sbin/mariadbd": "mariadb-server",
        "/usr/bin/mariadb-install-db": "mariadb-server",
    },
    "ceph": {
        "/usr/bin/ceph": "ceph-common",
        "/usr/bin/ceph-mon": "ceph-mon",
        "/usr/bin/ceph-mgr": "ceph-mgr",
        "/usr/bin/ceph-osd": "ceph-osd",
        "/usr/bin/unshare": "util-linux",
        "/usr/bin/pkill": "procps",
        "/usr/sbin/ip": "iproute2",
    },
    "ssh": {"/usr/sbin/sshd": "openssh-server", "/usr/bin/ssh": "openssh-client"},
}

#: What Debian's packages ask before they start a service; 101 says that they may not.
_POLICY = Path("/usr/sbin/policy-rc.d")


def missing(tests: str) -> list[str]:
    """Names of the packages that are not installed."""
    return sorted({package for program, package in PROGRAMS[tests].items() if not os.access(program, os.X_OK)})


@contextmanager
def no_service_starts() -> Iterator[None]:
    """As long as this lasts, no package that is installed starts a service; a policy that is there already stays."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def install(packages: list[str]) -> None:
    """Install Debian *packages*. Raises CalledProcessError if they cannot be had."""
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with no_service_starts():
        subprocess.run(["apt-get", "update", "-q"], env=env, check=True)  # noqa: S607
        subprocess.run(["apt-get", "install", "-qy", "--no-install-recommends", *packages], env=env, check=True)  # noqa: S607


def main(tests: str) -> int:
    """The exit code: 0 if everything is there now."""
    wanted = missing(tests)
    if not wanted:
        return 0
    if os.geteuid() or not shutil.which("apt-get"):
        print(f"These tests need the servers of Debian's packages {' and '.join(wanted)}. Install them, or run this as "
              "root on Debian, which does it.", file=sys.stderr)  # fmt: skip
        return 1
    try:
        install(wanted)
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(wanted)} cannot be installed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
