"""``python -m benchmarks [NAME …]``: measure, print, and write the table of the documentation."""

import argparse
import datetime
import os
import platform
from importlib import metadata
from pathlib import Path

from benchmarks import table

#: Name → what it measures; modules are loaded when asked for, so that one does not weigh on another.
NAMES = ("orders", "planning", "upload", "reports", "startup")
#: What is not in that table, but measured when it is asked for.
ALONE = ("phases",)
TARGET = Path(__file__).resolve().parents[1] / "docs" / "source" / "benchmarks-table.rst"
_SHOWN = ("tripleo-update-plugin", "mistral", "python-mistralclient", "python-openstackclient", "python-tripleoclient")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    words = f"{', '.join(NAMES)}, which together write the table; or {', '.join(ALONE)}"
    parser.add_argument("names", metavar="NAME", nargs="*", help=words)
    names = parser.parse_args().names or list(NAMES)
    if unknown := sorted({*names} - {*NAMES, *ALONE}):
        parser.error(f"there is no {', '.join(unknown)}")
    results = []
    for name in names:
        result = _measure(name)
        print(table.text(result), flush=True)
        results.append(result)
    if names == list(NAMES):
        parts = [_conditions(), *map(table.rst, results)]
        TARGET.write_text("\n".join(parts), encoding="utf-8")
        print(f"written: {TARGET}")
    return 0


def _measure(name: str) -> table.Result:
    module = __import__(f"benchmarks.{name}", fromlist=["measure"])
    result: table.Result = module.measure()
    return result


def _conditions() -> str:
    """When and where it was measured."""
    versions = ", ".join(f"{name} {_version(name)}" for name in _SHOWN)
    today = datetime.datetime.now(datetime.UTC).date()
    text = (
        f"Measured on {today} by ``python -m benchmarks``: {_processor()}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {versions}."
    )
    return f"{table.prose(text)}\n"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    raise SystemExit(main())
