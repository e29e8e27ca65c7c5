"""``python -m lab``: real hosts, a real overcloud, a real update, and the table of what its clients noticed."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from lab import cluster, faults, lifecycle, network, services, table, update
from lab.site import VARIABLE, Site, default_folder
from lab.table import Row
from lab.topology import ARCHITECTURES
from tripleo_update_plugin.errors import UpdateError

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
    one.add_argument("--keep", action="store_true", help="leave the lab up afterwards")
    many = commands.add_parser("suite", parents=[common], help="all runs, then the table")
    many.add_argument("--short", action="store_true", help="one architecture: a careful update, and its control")
    shown = commands.add_parser("table", parents=[common], help="the results of all runs so far")
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
    row = _one(site, options.architecture, options.control or options.fault or "careful", options.keep)
    _say(table.text([row]))
    return 0 if row.is_as_it_should_be else 1


def _one(site: Site, architecture: str, how: str, keep: bool = False) -> Row:
    if site.recall("lab").get("architecture") == architecture:
        network.enter()
    else:
        lifecycle.up(site, architecture, _say)
    try:
        row = update.run(site, site.topology(), how, _say)
    finally:
        if not keep:
            lifecycle.down(site)
    table.save(row, site.results)
    return row


def _suite(site: Site, options: argparse.Namespace) -> int:
    architectures = ("keepalived",) if options.short else ARCHITECTURES
    ways = ("careful", "all-at-once") if options.short else ("careful", *update.CONTROLS, *faults.FAULTS)
    rows = [
        _in_a_process(site, architecture, how)
        for architecture in architectures
        for how in ways
        if how not in faults.FAULTS or architecture == "pacemaker-core"
    ]
    _say(table.text(table.load(site.results)))
    return 0 if all(rows) else 1


def _in_a_process(site: Site, architecture: str, how: str) -> bool:
    """A run of its own: a process that has entered one lab's network cannot leave it for the next one's."""
    flag = [] if how == "careful" else ["--control" if how in update.CONTROLS else "--fault", how]
    argv = [sys.executable, "-m", "lab", "run", "--work", str(site.folder), "--architecture", architecture, *flag]
    return subprocess.run(argv, check=False).returncode == 0


def _table(site: Site, options: argparse.Namespace) -> int:
    rows = table.load(site.results)
    _say(table.rst(rows) if options.rst else table.text(rows))
    return 0


_COMMANDS = {"run": _run, "suite": _suite, "table": _table, "up": _up, "status": _status, "down": _down}


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0; 1 when it did not work or clients noticed the update; 2 for wrong arguments."""
    options = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    site = Site((options.work or default_folder(os.environ)).expanduser().resolve())
    try:
        if options.command in ("suite", "table"):  # a suite's runs lock for themselves
            return _COMMANDS[options.command](site, options)
        with site.lock():
            return _COMMANDS[options.command](site, options)
    except UpdateError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
