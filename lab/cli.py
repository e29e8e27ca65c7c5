"""``python -m lab``: real hosts, a real overcloud, a real update, and the table of what its clients noticed."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

from lab import cluster, faults, gates, image, lifecycle, network, preflight, services, table, update, verdict
from lab.site import VARIABLE, Site, default_folder
from lab.table import Row
from lab.topology import ARCHITECTURES
from tripleo_update_plugin.errors import UpdateError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_EPILOG = f"Everything is kept in one folder: --work DIR, else ${VARIABLE}, else /var/tmp/tripleo-update-lab."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__, epilog=_EPILOG)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--work", type=Path, metavar="DIR", help="the lab's folder")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser("up", parents=[common], help="bring an overcloud up, and the undercloud")
    one.add_argument("--architecture", choices=ARCHITECTURES, default="keepalived")
    one = commands.add_parser("run", parents=[common], help="bring up what is not, update it once, judge, take it down")
    one.add_argument("--architecture", choices=ARCHITECTURES, default="keepalived")
    ways = one.add_mutually_exclusive_group()
    ways.add_argument("--control", choices=update.CONTROLS, help="an update that clients have to notice")
    ways.add_argument("--fault", choices=faults.FAULTS, help="what goes wrong in the middle")
    one.add_argument("--busy", action="store_true", help="other work goes on: 1 in 250 first attempts may fail")
    one.add_argument("--keep", action="store_true", help="leave the lab up afterwards")
    many = commands.add_parser("suite", parents=[common], help="all runs, then the table")
    many.add_argument("--short", action="store_true", help="one careful update of one architecture")
    one = commands.add_parser("gates", parents=[common], help="make every service sick: do the gates stay shut?")
    one.add_argument("--architecture", choices=ARCHITECTURES, default="keepalived")
    commands.add_parser("check", parents=[common], help="whether the lab can run on this machine")
    shown = commands.add_parser("table", parents=[common], help="the results of all runs and trials so far")
    shown.add_argument("--rst", action="store_true", help="as the documentation has it")
    commands.add_parser("status", parents=[common], help="what of it is well")
    commands.add_parser("down", parents=[common], help="remove everything but the image and the results")
    return parser


def _say(text: str) -> None:
    print(text, flush=True)


def _up(site: Site, options: argparse.Namespace) -> int:
    lifecycle.up(site, options.architecture, _say)
    return 0


def _status(site: Site, _options: argparse.Namespace) -> int:
    topology = site.topology()
    network.enter()
    _say("\n".join(services.status(site, topology)))
    if topology.having("pacemaker"):
        _say(cluster.status(site, topology))
    return 0


def _down(site: Site, _options: argparse.Namespace) -> int:
    _say("The lab is down." if lifecycle.down(site) else "No lab is up.")
    return 0


def _run(site: Site, options: argparse.Namespace) -> int:
    row = _one(site, options.architecture, options.control or options.fault or "careful", options.keep, options.busy)
    _say(table.text([row]))
    return 0 if row.is_as_it_should_be else 1


def _gates(site: Site, options: argparse.Namespace) -> int:
    _be_there(site, options.architecture)
    try:
        trials = gates.try_all(site, site.topology(), _say)
    finally:
        lifecycle.down(site)
    gates.save(trials, site.results / "gates")
    _say(table.grid([gates.HEAD, *(trial.cells() for trial in trials)]))
    return 0 if all(trial.is_as_it_should_be for trial in trials) else 1


def _be_there(site: Site, architecture: str) -> None:
    """Brings the overcloud up unless it is, and enters its network."""
    if site.recall("lab").get("architecture") == architecture:
        network.enter()
    else:
        lifecycle.up(site, architecture, _say)


def _one(site: Site, architecture: str, how: str, keep: bool, busy: bool) -> Row:
    _be_there(site, architecture)
    try:
        row = update.run(site, site.topology(), how, _say)
    finally:
        if not keep:
            lifecycle.down(site)
    row = replace(row, tolerated=verdict.TOLERATED_IF_BUSY if busy else verdict.TOLERATED)
    table.save(row, site.results)
    return row


def _suite(site: Site, options: argparse.Namespace) -> int:
    results = [_in_a_process(site, command) for command in suite(options.short)]
    _table(site, argparse.Namespace(rst=False))
    return 0 if all(results) else 1


def suite(short: bool) -> list[tuple[str, ...]]:
    """The commands of a suite, each for a lab of its own."""
    if short:
        return [("run", "--architecture", "keepalived", "--busy")]
    runs = [
        ("run", "--architecture", architecture, *flag)
        for architecture in ARCHITECTURES
        for flag in ((), *(("--control", how) for how in update.CONTROLS))
    ]
    runs += [("run", "--architecture", "pacemaker-core", "--fault", how) for how in faults.FAULTS]
    return runs + [("gates", "--architecture", architecture) for architecture in ("keepalived", "pacemaker-core")]


def _in_a_process(site: Site, command: Sequence[str]) -> bool:
    """A process that has entered one lab's network cannot leave it for the next one's."""
    argv = [sys.executable, "-m", "lab", *command, "--work", str(site.folder)]
    process = subprocess.Popen(argv)
    try:
        return process.wait() == 0
    except KeyboardInterrupt:
        process.terminate()  # it may not have been told
        process.wait()  # until it has taken its lab down
        raise


def _check(site: Site, _options: argparse.Namespace) -> int:
    preflight.check(site.folder, image.is_there(site))
    _say("The lab can run here.")
    return 0


def _table(site: Site, options: argparse.Namespace) -> int:
    rows, trials = table.load(site.results), gates.load(site.results / "gates")
    _say(table.rst(rows) if options.rst else table.text(rows))
    if trials:
        tried = [gates.HEAD, *(trial.cells() for trial in trials)]
        _say(table.list_table(tried) if options.rst else table.grid(tried))
    return 0


_COMMANDS = {
    "check": _check, "down": _down, "gates": _gates, "run": _run, "status": _status, "suite": _suite,
    "table": _table, "up": _up,
}  # fmt: skip


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    """Once: what takes the lab down afterwards is not to be interrupted in its turn."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0; 1 when it did not work or clients noticed the update; 2 for wrong arguments."""
    options = _parser().parse_args(argv)
    for each in _SIGNALS:
        signal.signal(each, _interrupt)
    site = Site((options.work or default_folder(os.environ)).expanduser().resolve())
    try:
        if options.command in ("check", "suite", "table"):  # a suite's runs lock for themselves
            return _COMMANDS[options.command](site, options)
        with site.lock():
            return _COMMANDS[options.command](site, options)
    except UpdateError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
