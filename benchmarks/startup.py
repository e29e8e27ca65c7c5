"""What ``openstack overcloud update plan`` takes above ``openstack --version``, and whose time that is."""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.table import Result
from benchmarks.topologies import roles
from tripleo_update_plugin.testing import stack_outputs

PAIRS = 7
MOST_ABOVE = 0.5
OPENSTACK = str(Path(sys.executable).with_name("openstack"))

_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def measure() -> Result:
    with tempfile.TemporaryDirectory() as folder:
        outputs = Path(folder) / "outputs.json"
        outputs.write_text(json.dumps(stack_outputs(roles(Controller=3, Compute=100, CephStorage=10))))
        commands = {
            "--version": ["--version"],
            "module list": ["module", "list"],
            "overcloud update plan": ["overcloud", "update", "plan", "--outputs", str(outputs)],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            _run(command, folder)  # compiles what is not compiled, fills caches
        for _ in range(PAIRS):
            for name, command in commands.items():
                times[name].append(_run(command, folder))
        shares = _shares(commands["overcloud update plan"], commands["--version"], folder)
    return _result(times, shares)


def _result(times: Mapping[str, Sequence[float]], shares: Mapping[str, float]) -> Result:
    def above(name: str) -> float:
        return statistics.median(t - v for t, v in zip(times[name], times["--version"], strict=True))

    rows = [
        [f"``openstack {name}``", f"{statistics.median(each):.2f} s", f"{min(each):.2f} s", f"{above(name):+.2f} s"]
        for name, each in times.items()
    ]
    ours = shares.get("tripleo_update_plugin", 0.0)
    largest = [(name, seconds) for name, seconds in shares.items() if name != "tripleo_update_plugin"][:6]
    others = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in largest)
    plan, own = above("overcloud update plan"), min(times["overcloud update plan"]) - min(times["module list"])
    return Result(
        title="Start of the command",
        columns=("command", "median", "best", "above --version, median of pairs"),
        rows=rows,
        targets=[(f"at most {MOST_ABOVE} s above ``openstack --version`` ({plan:.2f} s)", plan <= MOST_ABOVE)],
        notes=[
            "``openstack --version`` ends before the client does what it does for every other command: it loads all "
            "commands of all clients that are installed. ``openstack module list`` is a command of the client itself "
            f"that only prints. Planning takes {own:+.2f} s beside that one (best of each): that is our share. Of "
            f"the imports that ``--version`` does not make, our modules take {ours * 1000:.0f} ms (with the garbage "
            f"collections of the client's heap that fall into them); the largest others are {others}.",
        ],
    )


def _run(command: Sequence[str], folder: str) -> float:
    began = time.perf_counter()
    subprocess.run([OPENSTACK, *command], cwd=folder, env=_environment(folder), capture_output=True, check=True)
    return time.perf_counter() - began


def _environment(folder: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    return kept | {"PYTHONWARNINGS": "ignore", "HOME": folder}


def _shares(command: Sequence[str], baseline: Sequence[str], folder: str) -> dict[str, float]:
    """{package: seconds its own modules take to import}, the most first, without what *baseline* imports."""
    known = _imports(baseline, folder)
    shares: dict[str, float] = {}
    for module, seconds in _imports(command, folder).items():
        if module not in known:
            package = module.partition(".")[0]
            shares[package] = shares.get(package, 0.0) + seconds
    return dict(sorted(shares.items(), key=lambda share: -share[1]))


def _imports(command: Sequence[str], folder: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", OPENSTACK, *command],
        cwd=folder, env=_environment(folder), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {module: int(micro) / 1e6 for micro, module in _IMPORT.findall(done.stderr)}
