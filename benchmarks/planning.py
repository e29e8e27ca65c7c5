"""What planning costs: time and memory of a process of its own for each size.

``python -m benchmarks.planning NODES`` is that process; it prints JSON.
"""

import json
import math
import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.table import Result

SIZES = (100, 1_000, 10_000)
MOST_SECONDS, MOST_MEGABYTES = 2.0, 300


def measure() -> Result:
    found = {size: _best(size) for size in SIZES}
    base = found[SIZES[0]]["seconds"] / _work(SIZES[0])
    ratios = {size: each["seconds"] / _work(size) / base for size, each in found.items()}
    rows = [
        [
            size, each["batches"], f"{each['seconds']:.3f} s", f"{each['before']} MB", f"{each['peak']} MB",
            f"{ratios[size]:.2f}",
        ]
        for size, each in found.items()
    ]  # fmt: skip
    largest = found[SIZES[-1]]
    return Result(
        title="Planning",
        columns=("nodes", "batches", "time", "memory before", "at the most", "time per n·log n, against the first"),
        rows=rows,
        targets=[
            (f"{SIZES[-1]:,} nodes in under {MOST_SECONDS:.0f} s", largest["seconds"] < MOST_SECONDS),
            (f"in under {MOST_MEGABYTES} MB, Python and all", largest["peak"] < MOST_MEGABYTES),
            ("growth no worse than n·log n from 1,000 nodes on", ratios[SIZES[-1]] <= ratios[SIZES[-2]] * 1.1),
        ],
        notes=[
            "Overclouds in which every function has nodes of its own. Best of three processes; the time is that of "
            "``plan_update`` on an overcloud that has been read, memory is the process's resident set.",
        ],
    )


def _work(size: int) -> float:
    return size * math.log(size)


def _best(size: int) -> dict[str, float]:
    runs = [
        json.loads(subprocess.run([sys.executable, "-m", __name__, str(size)], capture_output=True, check=True).stdout)
        for _ in range(3)
    ]
    return min(runs, key=lambda run: float(run["seconds"]))


def _megabytes() -> int:
    """The most memory this process has had; getrusage() would tell its parent's, which fork hands down."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) // 1024


def _plan(size: int) -> dict[str, float]:
    from benchmarks.topologies import composable
    from tripleo_update_plugin.adapters import plugins
    from tripleo_update_plugin.model import Facts
    from tripleo_update_plugin.planner import plan_update

    catalogue, overcloud = plugins.load_catalogue(), composable(size)
    before, began = _megabytes(), time.perf_counter()
    plan = plan_update(overcloud, catalogue, facts=Facts())
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "before": before, "peak": _megabytes(), "batches": len(plan.batches)}


if __name__ == "__main__":
    print(json.dumps(_plan(int(sys.argv[1]))))
