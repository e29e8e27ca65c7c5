"""The sign of life of a phase: a thread tells Mistral every few seconds that it is at work, and at what.

So who looks on sees the task and the nodes, and who finds no sign any more knows that the process died. The same thread
looks after other jobs of this machine whose process died (see ``jobs.tending``).
"""

import contextlib
import os
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

from tripleo_update_plugin.adapters.ansible import Event
from tripleo_update_plugin.adapters.update_state import UpdateState
from tripleo_update_plugin.executor.jobs import tending
from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.outcome.control import Beat

PERIOD = 10.0  # seconds between two signs of life

_MOST_NODES = 10  # of a beat
_LAST = 5.0  # seconds that the end of a phase waits for a sign that is being told


@dataclass(slots=True, kw_only=True)
class Heart:
    """Beats while it is entered, as ``beat`` says, for the update whose root execution is ``root``; "" if for none.

    ``notes`` makes a client of its own; it may raise whatever it likes. ``tend`` looks after dead jobs.
    """

    root: str
    beat: Beat
    notes: Callable[[], UpdateState]
    tend: Callable[[], object]
    period: float = PERIOD
    _ended: threading.Event = field(default_factory=threading.Event)
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None
    _tended: float = float("-inf")

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._beat_on, daemon=True, name="heart")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join(_LAST)
        if self.root:
            with self._writing, contextlib.suppress(Exception):
                self.notes().drop_beat(self.root, self.beat.batch)

    def hear(self, event: Event) -> None:
        """What Ansible has come to: the task it is at, and the nodes that have still to end it, so far as is known."""
        if event.kind == "began":
            self.beat = replace(self.beat, doing=event.task, nodes=())
        elif event.node and event.kind in ("start", "retry"):
            self.beat = replace(self.beat, nodes=_some({*self.beat.nodes, event.node}))
        elif event.node:
            self.beat = replace(self.beat, nodes=_some({*self.beat.nodes} - {event.node}))

    def wait_for(self, what: str) -> None:
        """Say at once what the phase waits for, "" if it goes on: others go by it."""
        if what != self.beat.waits_for:
            self.beat = replace(self.beat, waits_for=what)
        if self.root:
            self._write()

    def _beat_on(self) -> None:
        while not self._ended.is_set():
            if self.root:
                self._write()
            if time.monotonic() - self._tended >= tending.PERIOD:
                self._tended = time.monotonic()
                self.tend()
            self._ended.wait(self.period)

    def _write(self) -> None:
        """Where Mistral is away, or nobody says where it is, nobody hears it: the phase itself will say so."""
        with self._writing, contextlib.suppress(Exception):
            if not self._ended.is_set():
                self.notes().beat(self.root, replace(self.beat, beat=time.time()))


def beat_of(request: dict[str, Any]) -> Beat:
    """The first sign of life of the phase that *request* of a job asks for."""
    given = request["parameters"]
    moment = given.get("moment")
    return Beat(
        batch=str(given.get("batch") or request["phase"]),
        phase=f"{request['phase']}_{moment}" if moment else str(request["phase"]),
        machine=platform.node(), pid=os.getpid(), attempt=int(request.get("attempt") or 1),
        action_execution=str(request.get("report_to") or ""), since=time.time(), beat=time.time(),
    )  # fmt: skip


def _some(nodes: set[str]) -> tuple[str, ...]:
    return naturally(nodes)[:_MOST_NODES]
