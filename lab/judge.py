"""The judge: the clients of ``clients`` until it is told to stop, then what ``verdict`` makes of them, as JSON.

Run as ``python -m lab.judge OUTPUT BROKER…`` inside the lab's network; SIGTERM stops it. ``OUTPUT.ready`` says that the
clients are at work.
"""

import json
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab.clients import Client, Database, Findings, Identity, Messages, load, lost
from lab.verdict import Judgement, stream_of


def judge(brokers: tuple[str, ...], stop: threading.Event, ready: threading.Event) -> Judgement:
    """What the clients met with until *stop*."""
    findings = Findings()
    identity, messages = Identity(findings), Messages(brokers, findings)
    identity.prepare()
    messages.prepare()
    databases = [
        Database("sql-new", 10.0, True, findings),
        Database("sql-pooled", 10.0, False, findings),
    ]
    clients: list[Client] = [*databases, identity, messages]
    began = findings.began = time.monotonic()
    ready.set()
    with ThreadPoolExecutor(len(clients)) as pool:
        requests = list(pool.map(lambda client: load(client, findings, stop), clients))
    ended = time.monotonic()
    missing = sum(map(lost, clients))
    streams = {
        client.name: stream_of(own, client.fresh, began, ended) for client, own in zip(clients, requests, strict=True)
    }
    return Judgement(
        streams=streams, lost=missing, stale=findings.stale, seconds=ended - began, errors=tuple(findings.errors)
    )


def main(output: Path, brokers: tuple[str, ...]) -> None:
    stop, ready = threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def tell() -> None:
        ready.wait()
        output.with_suffix(".ready").touch()

    threading.Thread(target=tell, daemon=True).start()
    draft = output.with_suffix(".draft")
    draft.write_text(json.dumps(judge(brokers, stop, ready).to_dict(), indent=2))
    draft.rename(output)


if __name__ == "__main__":
    main(Path(sys.argv[1]), tuple(sys.argv[2:]))
