"""``python -m faults``: all that an update needs goes wrong, in each phase, and the nodes say what came of it."""

import argparse
import random
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

from faults import long as long_run
from faults import table, trial
from faults.matrix import COMPONENTS, HOWS, SHORT, Cell, cells, chosen
from faults.trial import Row
from tripleo_update_plugin.errors import UpdateError

_FOLDER = Path("/var/tmp/tripleo-update-faults")  # noqa: S108 - chosen with --work where others could write there
TARGET = Path(__file__).resolve().parents[1] / "docs" / "source" / "faults-table.rst"
_EPILOG = f"Results are kept in --work DIR (default: {_FOLDER}), and taken from there by 'table' and 'run --rest'."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__, epilog=_EPILOG)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--work", type=Path, default=_FOLDER, metavar="DIR", help="the folder of trials and results")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    one = commands.add_parser("run", parents=[common], help="try cells of the matrix, all of them if none is named")
    one.add_argument("cells", nargs="*", metavar="CELL", help="component.how.phase; '*' stands for any part")
    one.add_argument("--short", action="store_true", help="one of each component, in less than ten minutes")
    one.add_argument("--rest", action="store_true", help="only what was not tried or not survived")
    one.add_argument("--beside", type=int, default=2, metavar="N", help="trials beside one another (default: 2)")
    one = commands.add_parser("long", parents=[common], help="a long update with random kills, one after the other")
    one.add_argument("--seed", type=int, help="of an earlier run, to have the same kills (default: a new one)")
    one.add_argument("--kills", type=int, default=20, metavar="N", help="how many (default: 20)")
    commands.add_parser("list", parents=[common], help="what there is to try")
    one = commands.add_parser("table", parents=[common], help="all results so far, as the documentation has them")
    one.add_argument("--write", action="store_true", help="into the documentation; 'run' of all cells does so, too")
    return parser


def _say(text: str) -> None:
    print(text, flush=True)


def _cells(options: argparse.Namespace) -> list[Cell]:
    wanted = chosen(SHORT if options.short else tuple(options.cells) or ("*",))
    if not options.rest:
        return wanted
    known = table.load(options.work / "results")
    return [cell for cell in wanted if str(cell) not in known or not known[str(cell)].survived]


def _run(options: argparse.Namespace) -> int:
    wanted = _cells(options)
    with ThreadPoolExecutor(options.beside) as pool:
        rows = list(pool.map(lambda cell: _one(cell, options.work), wanted))
    if not (options.short or options.cells):
        _write(options.work)
    _say(table.summary(rows))
    return 0 if rows and all(row.survived for row in rows) else 1


def _one(cell: Cell, work: Path) -> Row:
    folder = work / "trials" / str(cell)
    shutil.rmtree(folder, ignore_errors=True)
    row = trial.run(cell, folder)
    shutil.rmtree(folder, ignore_errors=True)
    table.save(row, work / "results")
    _say(table.line(row))
    return row


def _long(options: argparse.Namespace) -> int:
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    folder = options.work / "long"
    shutil.rmtree(folder, ignore_errors=True)
    complaints = long_run.run(folder, seed, options.kills, _say)
    for complaint in complaints:
        _say(f"  {complaint}")
    _say(f"seed {seed}: {'NOT survived' if complaints else 'survived'}")
    return 1 if complaints else 0


def _list(_options: argparse.Namespace) -> int:
    for line in _lines():
        _say(line)
    _say(f"{len(list(cells()))} cells: each of these in each of the five phases")
    return 0


def _lines() -> Iterator[str]:
    for how, words in HOWS.items():
        yield f"{how:<8}{words}"
    for component, hows in COMPONENTS.items():
        yield from (f"{component}.{how:<10} {words}" for how, words in hows.items())


def _table(options: argparse.Namespace) -> int:
    if options.write:
        _write(options.work)
    else:
        sys.stdout.write(table.rst(table.load(options.work / "results")))
    return 0


def _write(work: Path) -> None:
    TARGET.write_text(table.rst(table.load(work / "results")), encoding="utf-8")
    _say(f"written: {TARGET}")


_COMMANDS = {"run": _run, "long": _long, "list": _list, "table": _table}


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code: 0; 1 when something was not survived or could not be tried; 2 for wrong arguments."""
    options = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _COMMANDS[options.command](options)
    except UpdateError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
