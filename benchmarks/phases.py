"""What one batch costs where it is carried out: processor time, memory and requests, phase by phase."""

import http.server
import json
import os
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.table import Result
from faults import processes
from faults.operator import Operator
from tripleo_update_sandbox import lifecycle
from tripleo_update_sandbox.state import State
from tripleo_update_sandbox.undercloud import servers
from tripleo_update_sandbox.wanted import Wish

SIZES = (1, 20)  # nodes in the batch
_PHASES = ("gate-before", "drain", "update", "restore", "gate-after")
_TICKS = os.sysconf("SC_CLK_TCK")
_KINDS = ("runner", "ansible", "fork")


def measure() -> Result:
    rows = []
    for size in SIZES:
        costs, requests, prober = _batch(size)
        rows += [_row(size, phase, costs[phase]) for phase in _PHASES if phase in costs]
        rows.append([size, "prober", f"{prober.seconds:.1f} s", f"{prober.memory['runner']:.0f} MB", "", ""])
        rows.append([size, "requests to Mistral", sum(requests.values()), "", "", ""])
    gate = {size: costs_of(rows, size, "gate-before") for size in SIZES}
    update = {size: costs_of(rows, size, "update") for size in SIZES}
    fifth = [(f"a gate before {n} nodes costs {gate[n] / update[n]:.0%} of their update", gate[n] <= update[n] / 5)
             for n in SIZES[1:]]  # fmt: skip
    return Result(
        title="Phases",
        columns=("nodes in the batch", "phase", "processor time", "runner", "Ansible", "each fork"),
        rows=rows,
        targets=fifth,
        notes=["Processor time of the runner and of all it started, simulated nodes included. Memory is the largest "
               "proportional share (PSS)."],
    )  # fmt: skip


def costs_of(rows: list[list[Any]], size: int, phase: str) -> float:
    return next(float(str(row[2]).split()[0]) for row in rows if row[:2] == [size, phase])


class Cost:
    """Of one process that leads a job, and of all below it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.memory: dict[str, float] = dict.fromkeys(_KINDS, 0.0)


def _row(size: int, phase: str, cost: Cost) -> list[Any]:
    return [size, phase, f"{cost.seconds:.1f} s", *(f"{cost.memory[kind]:.0f} MB" for kind in _KINDS)]


def _batch(size: int) -> tuple[dict[str, Cost], Counter[str], Cost]:
    """What updating *size* nodes in one batch costs: {phase: cost}, requests to Mistral, the prober."""
    with tempfile.TemporaryDirectory() as folder:
        state = State(Path(folder) / "sandbox")
        lifecycle.up(state, Wish(controllers=1, computes=size, ceph=0, pace=0.0), lambda _: None)
        try:
            where = servers.endpoints(state)
            assert where is not None
            operator = Operator.of(state, where.mistral)
            policy = state.folder / "policy.json"
            policy.write_text(json.dumps({"waivers": [{"service": "*", "reason": "what one batch costs"}]}))
            operator.plan("plan.json", "--no-facts", f"--policy={policy}", "--limit=role:Compute")
            with _counted(state, where.mistral_port) as requests, _watched(state.folder) as costs:
                update = operator.start("plan.json")
                ended = operator.wait_while(update, ("RUNNING",), 900.0)
                time.sleep(2.0)
            assert ended == "SUCCESS", ended
            return {name: cost for name, cost in costs.items() if name in _PHASES}, requests, costs["probes"]
        finally:
            lifecycle.down(state)


@contextmanager
def _counted(state: State, port: int) -> Iterator[Counter[str]]:
    """Requests of runners and prober go through a proxy meanwhile; {method: how many} of them."""
    requests: Counter[str] = Counter()

    class Proxy(http.server.BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            requests[self.command] += 1
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            kept = {k: v for k, v in self.headers.items() if k.lower() in ("content-type", "accept")}
            url = f"http://127.0.0.1:{port}{self.path}"
            asked = urllib.request.Request(url, body, kept, method=self.command)
            try:
                with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
                    self._answer(answer.status, answer.read())
            except urllib.error.HTTPError as error:
                self._answer(error.code, error.read())

        do_GET = do_POST = do_PUT = do_DELETE = pass_on  # noqa: N815

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    told = state.folder / "mistral.conf"
    told.write_text(told.read_text().replace(
        f"mistral_endpoint = http://127.0.0.1:{port}/", f"mistral_endpoint = http://127.0.0.1:{server.server_port}/"
    ))  # fmt: skip
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield requests
    finally:
        server.shutdown()


@contextmanager
def _watched(folder: Path) -> Iterator[dict[str, Cost]]:
    """{job without its batch: what it cost} of what is done in the sandbox meanwhile."""
    costs: dict[str, Cost] = defaultdict(Cost)
    done = threading.Event()

    def look_on() -> None:
        while not done.wait(0.1):
            for pid in processes.of_undercloud(folder):
                with suppress(OSError, ValueError, IndexError, KeyError):
                    _add(costs, pid)

    watcher = threading.Thread(target=look_on, daemon=True)
    watcher.start()
    try:
        yield costs
    finally:
        done.set()
        watcher.join()


def _add(costs: dict[str, Cost], pid: int) -> None:
    job = processes.job_of(pid)
    if not job:
        return
    cost, command = costs[job.split(".")[0]], processes.command(pid)
    leads = processes.RUNNER in command or processes.PROBER in command
    if leads:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        # Its own, and that of children that have ended and were waited for.
        cost.seconds = max(cost.seconds, sum(map(int, fields[11:15])) / _TICKS)
    kind = "runner" if leads else _kind(pid) if processes.ANSIBLE in command else ""
    if kind:
        cost.memory[kind] = max(cost.memory[kind], _share(pid))


def _kind(pid: int) -> str:
    """Whether an Ansible is the one that was started, or one of its forks."""
    parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
    return "fork" if processes.ANSIBLE in processes.command(int(parent)) else "ansible"


def _share(pid: int) -> float:
    """Proportional memory in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
