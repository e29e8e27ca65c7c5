"""The root file system of every host: Debian packages, unmodified, made once by debootstrap and kept."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from lab.commands import run
from lab.errors import LabError
from lab.site import Site

Say = Callable[[str], None]

RELEASE = "bookworm"
#: What an update installs again; everything else only has to be there.
UPDATED = (
    "corosync galera-4 haproxy keepalived keystone mariadb-server mariadb-server-core memcached pacemaker "
    "python3-keystone rabbitmq-server redis-server redis-tools socat"
).split()
_PACKAGES = (
    "systemd systemd-sysv dbus udev openssh-server sudo python3 python3-apt python3-pymysql iproute2 iputils-ping "
    "iputils-arping procps psmisc curl ca-certificates rsync lsof mariadb-client pacemaker-cli-utils pcs "
    "resource-agents uwsgi uwsgi-plugin-python3 python3-memcache"
).split()
_DISABLED = (
    "corosync pacemaker pcsd pcsd-ruby haproxy keepalived mariadb rabbitmq-server redis-server memcached keystone "
    "epmd.socket epmd.service e2scrub_all.timer fstrim.timer apt-daily.timer apt-daily-upgrade.timer "
    "dpkg-db-backup.timer"
).split()
_MASKED = (
    "systemd-udevd.service systemd-udev-trigger.service systemd-remount-fs.service e2scrub_reap.service "
    "getty@tty1.service console-getty.service"
).split()
_FILES = Path(__file__).parent / "files"

_UNITS = {
    "clustercheck.service": """\
[Unit]
Description=Tells HAProxy on port 9200 whether the database of this host is in sync
[Service]
ExecStart=/usr/bin/clustercheck --serve
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
""",
    "openstack-nova-compute.service": """\
[Unit]
Description=Stands in for nova-compute: echoes on port 8774
[Service]
ExecStart=/usr/bin/socat TCP-LISTEN:8774,fork,reuseaddr EXEC:/bin/cat
Restart=always
[Install]
WantedBy=multi-user.target
""",
}


def recipe() -> str:
    """Changes when an image made earlier no longer fits."""
    parts = [RELEASE, UPDATED, _PACKAGES, _DISABLED, _MASKED, _UNITS, (_FILES / "clustercheck.py").read_text()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def is_there(site: Site) -> bool:
    marker = site.folder / "image.json"
    return marker.exists() and json.loads(marker.read_text()).get("recipe") == recipe()


def build(site: Site, say: Say) -> None:
    """Makes the image unless it is there; takes about two minutes on a quiet machine."""
    if is_there(site):
        return
    (site.folder / "image.json").unlink(missing_ok=True)
    if site.image.exists():
        shutil.rmtree(site.image)
    say(f"image       made in {site.image}, once")
    main, security = mirrors(_apt_sources())
    _debootstrap(site, main)
    _settle(site.image, main, security)
    _install(site.image)
    _finish(site.image)
    (site.folder / "image.json").write_text(json.dumps({"recipe": recipe()}))


def _apt_sources() -> Iterable[str]:
    folder = Path("/etc/apt")
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    return [line for file in files if file.is_file() for line in file.read_text().splitlines()]


def mirrors(lines: Iterable[str]) -> tuple[str, str]:
    """The mirrors this machine uses itself: (packages, security updates).

    >>> mirrors(["deb http://deb.example/debian bookworm main", "URIs: http://deb.example/debian-security"])
    ('http://deb.example/debian', 'http://deb.example/debian-security')
    """
    urls = [
        word
        for line in lines if line.startswith(("deb ", "URIs:"))
        for word in line.split() if "://" in word
    ]  # fmt: skip
    main = next((url for url in urls if "security" not in url), "http://deb.debian.org/debian")
    security = next((url for url in urls if "security" in url), "http://deb.debian.org/debian-security")
    return main.rstrip("/"), security.rstrip("/")


def _debootstrap(site: Site, mirror: str) -> None:
    site.tools.mkdir(parents=True, exist_ok=True)
    program = site.tools / "usr/sbin/debootstrap"
    if not program.exists():
        unpack = 'cd "$1" && apt-get download debootstrap && dpkg-deb -x debootstrap_*.deb .'
        run("sh", "-c", unpack, "sh", str(site.tools))
    scripts = site.tools / "usr/share/debootstrap"
    run(
        "env", f"DEBOOTSTRAP_DIR={scripts}", str(program), "--variant=minbase", "--include=ca-certificates",
        RELEASE, str(site.image), mirror, timeout=1800,
    )  # fmt: skip


def _settle(image: Path, main: str, security: str) -> None:
    """What apt and dpkg need to know inside: where packages are, that no service starts, that nothing is precious."""
    sources = [f"deb {main} {RELEASE} main", f"deb {main} {RELEASE}-updates main"]
    sources.append(f"deb {security} {RELEASE}-security main")
    (image / "etc/apt/sources.list").write_text("\n".join(sources) + "\n")
    policy = image / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    (image / "etc/dpkg/dpkg.cfg.d/lab").write_text("force-unsafe-io\nforce-confold\npath-exclude=/usr/share/man/*\n")
    (image / "etc/apt/apt.conf.d/lab").write_text('Binary::apt-get::APT::Keep-Downloaded-Packages "true";\n')
    (image / "etc/apt/apt.conf.d/docker-clean").unlink(missing_ok=True)
    for name in ("resolv.conf", "hosts"):
        shutil.copy(f"/etc/{name}", image / "etc" / name)


def _install(image: Path) -> None:
    _inside(image, "apt-get update -q")
    _inside(image, f"apt-get install -q -y --no-install-recommends {' '.join([*_PACKAGES, *UPDATED])}")
    _inside(image, "apt-get clean")
    # The hosts reach no mirror: what an update installs lies ready where apt looks for it.
    _inside(image, f"apt-get install -q -y --reinstall --download-only {' '.join(UPDATED)}")


def _finish(image: Path) -> None:
    for name, text in _UNITS.items():
        (image / "etc/systemd/system" / name).write_text(text)
    check = image / "usr/bin/clustercheck"
    shutil.copy(_FILES / "clustercheck.py", check)
    check.chmod(0o755)
    (image / "etc/ssh/sshd_config.d").mkdir(exist_ok=True)
    (image / "etc/ssh/sshd_config.d/lab.conf").write_text("UseDNS no\nMaxStartups 50:30:200\n")
    _inside(image, f"systemctl disable -q {' '.join(_DISABLED)} || true")
    _inside(image, f"systemctl mask -q {' '.join(_MASKED)}")
    (image / "usr/sbin/policy-rc.d").unlink()
    if not list((image / "var/cache/apt/archives").glob("mariadb-server*.deb")):
        raise LabError("the packages for the update are not in the image", f"Remove {image}, and try again.")


_INSIDE = """\
set -e
mount --make-rprivate /
mount -t proc proc "$1/proc"
mount -t sysfs -o ro sysfs "$1/sys"
mount -t tmpfs tmpfs "$1/run"
mount --bind /dev "$1/dev"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
exec chroot "$1" sh -ec "$2"
"""


def _inside(image: Path, script: str) -> None:
    """Runs a script of this module in the image; its mounts vanish with their namespace."""
    run("unshare", "-m", "sh", "-c", _INSIDE, "sh", str(image), script, timeout=3000)
