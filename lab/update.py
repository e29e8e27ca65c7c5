"""One update, the judge beside it, and what came of both."""

import datetime
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from lab import faults, services, undercloud, witness
from lab.commands import attempt
from lab.errors import LabError
from lab.hosts import wait_until
from lab.site import Site
from lab.table import Row
from lab.topology import STACK, Topology
from lab.verdict import Judgement

Say = Callable[[str], None]

CONTROLS = ("no-gates", "all-at-once")
_QUIET = 8.0  # seconds of load before and after the update
_SETTLED = 120.0  # seconds for the checks of all servers to pass
_READY = 300.0  # seconds for the judge to set up what it works on
_UPDATE = 3600.0
#: What other plugins of the OpenStack client say about themselves whenever any command runs.
_NOISE = ("Journal socket does not exist", "Could not load '", "DeprecationWarning", "  warnings.warn(")


def run(site: Site, topology: Topology, how: str, say: Say) -> Row:
    """An update *how*: ``careful``, one of CONTROLS, or one of faults.FAULTS. Call it inside the lab's network."""
    # While hosts and undercloud come up at once, a check of HAProxy's may take too long; else nothing would be proved.
    wait_until("every server of HAProxy is up", lambda: services.all_up(site, topology), _SETTLED)
    undercloud.configure(site, undercloud.CARELESS if how in CONTROLS else undercloud.CAREFUL)
    before = witness.look(site, topology)
    with _judge(site, topology) as verdict_of:
        time.sleep(_QUIET)
        began = time.monotonic()
        with faults.injected(site, topology, how, say):
            state, words, claims = _update(site, topology, how, say)
        seconds = time.monotonic() - began
        time.sleep(_QUIET)
        judgement = verdict_of()
    doubts = witness.doubts(before, witness.look(site, topology)) if how not in faults.FAULTS else ()
    return Row(
        architecture=topology.architecture,
        how=how,
        state=state,
        seconds=round(seconds),
        judgement=judgement,
        doubts=(*doubts, *words),
        load=round(os.getloadavg()[1], 1),
        claims=claims,
        date=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M"),
    )


@contextmanager
def _judge(site: Site, topology: Topology) -> Iterator[Callable[[], Judgement]]:
    """The judge at work; the function given ends it and tells what it found."""
    output = site.run / "judgement.json"
    for path in (output, output.with_suffix(".ready")):
        path.unlink(missing_ok=True)
    brokers = [host.address for host in topology.having("oslo_messaging_rpc")]
    log = (site.run / "judge.log").open("wb")
    # Clients are other machines: they do not wait for the hosts' processors.
    argv = ["nice", "-n", "-10", sys.executable, "-m", "lab.judge", str(output), *brokers]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=Path(__file__).parents[1])

    def is_ready() -> bool:
        if process.poll() is not None:
            raise LabError(f"the judge ended at once: {(site.run / 'judge.log').read_text()[-800:]}")
        return output.with_suffix(".ready").exists()

    def end() -> Judgement:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(180)
        except subprocess.TimeoutExpired as error:
            raise LabError("the judge does not come to an end") from error
        if not output.exists():
            raise LabError(f"the judge ended without a word: {(site.run / 'judge.log').read_text()[-800:]}")
        return Judgement.from_dict(json.loads(output.read_text()))

    try:
        wait_until("the judge's clients are at work", is_ready, _READY)
        yield end
    finally:
        log.close()
        if process.poll() is None:
            process.kill()
            process.wait()


def policy(topology: Topology, how: str, folder: Path) -> dict[str, Any]:
    """What the operator of the lab allows: only the controls differ from the defaults.

    Without gates, nodes of the core still go one after the other; all at once has no budget left at all.
    """
    found: dict[str, Any] = {"services": [str(folder)]}
    if how == "no-gates":
        names = {service for role in topology.roles for service in role.services} - {"nova_compute"}
        found["budgets"] = dict.fromkeys(sorted(names), 1)
    return found


def _update(site: Site, topology: Topology, how: str, say: Say) -> tuple[str, tuple[str, ...], dict[str, str]]:
    """(state of the update at its end, what the plugin said went wrong, its verdict by probe)."""
    folder = undercloud.state(site).folder
    allowed, plan = folder / "policy.yaml", folder / f"plan-{how}.yaml"
    care = undercloud.CARELESS if how in CONTROLS else undercloud.CAREFUL
    allowed.write_text(yaml.safe_dump(policy(topology, how, undercloud.profiles(care))))
    plan.unlink(missing_ok=True)
    say(_openstack(site, "plan", "--stack", STACK, "--policy", str(allowed), "--save", str(plan)))
    say(_openstack(site, "start", str(plan), "--yes", "--wait"))
    updates = json.loads(_openstack(site, "list", "-f", "json", quiet=True) or "[]")
    if not updates:
        return "not started", ("the update did not start",), {}
    newest = updates[0]
    row = {key.lower(): value for key, value in newest.items()}
    say(_openstack(site, "report", str(row["id"])))
    probed = json.loads(_openstack(site, "report", "--availability", "-f", "json", str(row["id"]), quiet=True) or "[]")
    claims = {str(each["probe"]): str(each["verdict"]) for each in probed}
    return str(row["state"]), () if row["state"] == "SUCCESS" else (f"the update is {row['state']}",), claims


def _openstack(site: Site, *arguments: str, quiet: bool = False) -> str:
    """What an operator's command says, its errors included."""
    program = Path(sys.executable).with_name("openstack")
    done = attempt(
        str(program), "overcloud", "update", *arguments, env=undercloud.environment(site), timeout=_UPDATE
    )
    if quiet:
        return done.stdout
    words = [line for line in done.stderr.splitlines() if not any(noise in line for noise in _NOISE)]
    code = [f"(exit code {done.returncode})"] if done.returncode else []
    return "\n".join([f"$ openstack overcloud update {' '.join(arguments)}", done.stdout.rstrip(), *words, *code])
