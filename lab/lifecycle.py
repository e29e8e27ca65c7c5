"""Up and down."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from lab import cluster, hosts, image, network, preflight, services, undercloud
from lab.commands import attempt, run
from lab.errors import LabError
from lab.site import Site
from lab.topology import topology

Say = Callable[[str], None]


def up(site: Site, architecture: str, say: Say) -> None:
    """Brings an overcloud up, the undercloud beside it; takes it down again if it cannot."""
    preflight.check(site.folder, image.is_there(site))
    if site.recall("lab"):
        raise LabError(f"a lab is up in {site.folder}: {site.recall('lab')['architecture']}", "Take it down first.")
    image.build(site, say)
    try:
        _up(site, architecture, say)
    except BaseException:
        down(site)
        raise


def _up(site: Site, architecture: str, say: Say) -> None:
    began = time.monotonic()

    def tell(what: str, text: str) -> None:
        say(f"{what:<12}{text} ({time.monotonic() - began:.0f} s)")

    overcloud = topology(architecture)
    network.make()
    site.run.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", "size=8g,mode=700", "tulab", str(site.run))
    (site.run / "hosts").mkdir()
    site.remember("lab", {"architecture": architecture})
    network.enter()
    hosts.start_all(site, overcloud)
    tell("hosts", f"{len(overcloud.hosts)} answer over ssh")
    services.configure(site, overcloud)
    services.start(site, overcloud)
    tell("services", "every server of HAProxy is up")
    if overcloud.having("pacemaker"):
        cluster.take_over(site, overcloud)
        tell("cluster", "Pacemaker runs " + ", ".join(sorted(overcloud.clustered)))
    undercloud.up(site, overcloud)
    tell("undercloud", "Heat has the stack, Mistral waits")


def down(site: Site) -> bool:
    """Ends and removes everything but the image and the results; False if there was nothing."""
    found = (site.run.is_dir() and any(site.run.iterdir())) or network.path_of(network.HOME).exists()
    if known := site.recall("lab"):
        undercloud.down(site)
        hosts.stop_all(site, topology(str(known["architecture"])).hosts)
    network.remove()
    hosts.remove_groups()
    _unmount(site.run)
    return bool(found)


def _unmount(folder: Path) -> None:
    deadline = time.monotonic() + 10
    while folder.is_mount() and attempt("umount", str(folder)).returncode and time.monotonic() < deadline:
        time.sleep(0.2)
    if folder.is_mount():
        raise LabError(f"{folder} is still in use", "See 'fuser -m' for whom by.")
    shutil.rmtree(folder, ignore_errors=True)
