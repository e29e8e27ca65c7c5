"""The faults of the matrix, done to a sandbox. What ends by itself has ended when ``strike`` returns."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from faults import processes
from faults.matrix import Cell
from faults.moments import job_of
from faults.site import Site
from tripleo_update_sandbox.nodes import power

#: What a person does in the end, so that the update can go on.
Mend = Callable[[], None]

_MOMENT, _MINUTE = 5.0, 60.0
_WATCHDOG = 90.0  # seconds until somebody kills a server that hangs
_LONG = 240.0  # seconds that a Mistral which is gone stays so


def _nothing() -> None:
    pass


def strike(site: Site, cell: Cell, batch: str) -> Mend:
    """Do what *cell* says to the phase of *batch* that is at work."""
    return _FAULTS[cell.component](site, cell, batch)


def _server(site: Site, cell: Cell, _batch: str) -> Mend:
    process = site.state.process(cell.component)
    assert process is not None
    if cell.how == "hung":
        processes.send([process.pid], signal.SIGSTOP)
        time.sleep(_WATCHDOG)
    processes.send([process.pid], signal.SIGKILL)
    if cell.how == "gone" and cell.component != "mistral":
        return site.bring_back
    # Without Mistral nothing is told, so nobody can wait for what it says.
    time.sleep({"away": _MINUTE, "gone": _LONG}.get(cell.how, _MOMENT))
    site.bring_back()
    return _nothing


def _undercloud(site: Site, cell: Cell, _batch: str) -> Mend:
    for _ in range(2):  # what was just being started as well
        processes.send(processes.of_undercloud(site.state.folder), signal.SIGKILL)
    time.sleep(_MINUTE if cell.how == "away" else _MOMENT)
    site.bring_back()
    return _nothing


def _process(site: Site, cell: Cell, batch: str) -> Mend:
    kind = {"runner": processes.RUNNER, "ansible": processes.ANSIBLE, "prober": processes.PROBER}[cell.component]
    job = "/probes" if cell.component == "prober" else job_of(cell.phase, batch)

    def send(signum: signal.Signals) -> None:
        processes.send(processes.of_job(job, kind, site.state.folder), signum)

    if cell.how in ("killed", "gone"):
        send(signal.SIGKILL)
        return _kept_away(site, cell, lambda: send(signal.SIGKILL)) if cell.how == "gone" else _nothing
    send(signal.SIGSTOP)
    if cell.how == "away":
        time.sleep(_MINUTE)
        send(signal.SIGCONT)
        return _nothing
    return lambda: send(signal.SIGKILL)


def _kept_away(site: Site, cell: Cell, kill: Callable[[], None]) -> Mend:
    if cell.component == "ansible":
        return _without_ansible(site)
    done = threading.Event()
    until = time.monotonic() + (20.0 if cell.component == "runner" else 3600.0)

    def keep() -> None:
        while time.monotonic() < until and not done.wait(0.2):
            kill()

    threading.Thread(target=keep, daemon=True).start()
    return done.set


def _without_ansible(site: Site) -> Mend:
    """The executor's configuration, which every phase reads anew, names a program that is not there."""
    told = site.state.folder / "mistral.conf"
    before = told.read_text()
    line = f"ansible_playbook = {site.state.folder / 'removed' / 'ansible-playbook'}"
    told.write_text(before.replace("[tripleo_update]\n", f"[tripleo_update]\n{line}\n"))

    def mend() -> None:
        told.write_text(before)

    return mend


def _node(site: Site, cell: Cell, _batch: str) -> Mend:
    target = site.node

    def boot() -> None:
        processes.send(processes.on_node(target.folder), signal.SIGKILL)
        power.power(target, False)
        power.connect(target)
        power.power(target, True)

    if cell.how == "hung":
        power.connect(target, "hang")
        processes.send(processes.on_node(target.folder), signal.SIGSTOP)
        return boot
    processes.send(processes.on_node(target.folder), signal.SIGKILL)
    power.power(target, False)
    if cell.how == "gone":
        return boot
    time.sleep(_MINUTE if cell.how == "away" else _MOMENT)
    boot()
    return _nothing


def _ssh(site: Site, cell: Cell, _batch: str) -> Mend:
    target = site.node
    power.connect(target, "hang" if cell.how == "hung" else "cut")
    if cell.how in ("hung", "gone"):
        return lambda: power.connect(target)
    time.sleep(_MINUTE if cell.how == "away" else 1.0)
    power.connect(target)
    return _nothing


def _work_folder(site: Site, cell: Cell, _batch: str) -> Mend:
    work = site.state.work
    aside = work.with_name("work.away")
    work.rename(aside)
    if cell.how == "gone":
        shutil.rmtree(aside, ignore_errors=True)
        return _nothing
    time.sleep(_MINUTE)
    if work.exists():  # what was written where the mounted folder should have been
        work.rename(work.with_name("work.lost"))
    aside.rename(work)
    return _nothing


def _disk(site: Site, cell: Cell, _batch: str) -> Mend:
    filler = site.state.work / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(os.urandom(4096))
    if cell.how == "gone":
        return filler.unlink
    time.sleep(_MINUTE)
    filler.unlink()
    return _nothing


_FAULTS: dict[str, Callable[[Site, Cell, str], Mend]] = {
    "mistral": _server, "heat": _server, "undercloud": _undercloud, "runner": _process, "ansible": _process,
    "prober": _process, "node": _node, "ssh": _ssh, "workfolder": _work_folder, "disk": _disk,
}  # fmt: skip
