"""What planning costs: time and memory of a process of its own for each size.

``python -m benchmarks.planning KIND NODES`` is that process; it prints JSON.
"""

import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.table import Result

#: {kind of overcloud: its sizes}
KINDS = {"composable": (100, 1_000, 10_000), "40 roles of 60 services": (1_000, 10_000)}
MOST_SECONDS, MOST_MEGABYTES = 2.0, 300


def measure() -> Result:
    rows: list[list[object]] = []
    targets: list[tuple[str, bool]] = []
    for kind, sizes in KINDS.items():
        found = {size: _best(kind, size) for size in sizes}
        ratios = {size: each["seconds"] / _work(size) for size, each in found.items()}
        rows += [
            [
                kind, size, each["batches"], f"{each['seconds']:.3f} s", f"{each['before']} MB", f"{each['peak']} MB",
                f"{ratios[size] / ratios[sizes[0]]:.2f}",
            ]
            for size, each in found.items()
        ]  # fmt: skip
        targets += _targets(kind, sizes, found[sizes[-1]], ratios)
    return Result(
        title="Planning",
        columns=("overcloud", "nodes", "batches", "time", "memory before", "at the most", "time per n·log n"),
        rows=rows,
        targets=targets,
        notes=[
            "*Composable*: every function has nodes of its own. *40 roles*: services drawn at random. Best of three "
            "processes; the time is that of ``plan_update`` on an overcloud that has been read, memory is the "
            "process's resident set. The last column is relative to the smallest overcloud of the kind.",
        ],
    )


def _targets(
    kind: str, sizes: Sequence[int], largest: Mapping[str, float], ratios: Mapping[int, float]
) -> Iterator[tuple[str, bool]]:
    yield f"{kind}: {sizes[-1]:,} nodes in under {MOST_SECONDS:.0f} s", largest["seconds"] < MOST_SECONDS
    yield f"{kind}: in under {MOST_MEGABYTES} MB, Python and all", largest["peak"] < MOST_MEGABYTES
    growth = f"{kind}: growth no worse than n·log n from {sizes[-2]:,} nodes on"
    yield growth, ratios[sizes[-1]] <= ratios[sizes[-2]] * 1.1


def _work(size: int) -> float:
    return size * math.log(size)


def _best(kind: str, size: int) -> dict[str, float]:
    command = [sys.executable, "-m", __name__, kind, str(size)]
    runs = [json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(3)]
    return min(runs, key=lambda run: float(run["seconds"]))


def _megabytes() -> int:
    """The most memory this process has had; getrusage() would tell its parent's, which fork hands down."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) // 1024


def _plan(kind: str, size: int) -> dict[str, float]:
    from benchmarks.topologies import composable, many_roles
    from tripleo_update_plugin.adapters import extensions
    from tripleo_update_plugin.overcloud.facts import Facts
    from tripleo_update_plugin.planner.planner import plan_update

    catalogue = extensions.load_catalogue()
    overcloud = composable(size) if kind == "composable" else many_roles(catalogue, size // 40)
    before, began = _megabytes(), time.perf_counter()
    plan = plan_update(overcloud, catalogue, facts=Facts())
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "before": before, "peak": _megabytes(), "batches": len(plan.batches)}


if __name__ == "__main__":
    print(json.dumps(_plan(sys.argv[1], int(sys.argv[2]))))
