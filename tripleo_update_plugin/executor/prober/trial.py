"""A session without an update: for some seconds, and nobody is paused."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from tripleo_update_plugin.executor.prober.access import Means
from tripleo_update_plugin.executor.prober.session import Session
from tripleo_update_plugin.outcome.track import Track
from tripleo_update_plugin.outcome.verdicts import Watch
from tripleo_update_plugin.overcloud.model import Overcloud
from tripleo_update_plugin.rules import probes


class _Alone:
    """Nothing is updated; it ends after some seconds, or when asked to."""

    def __init__(self, seconds: float, cancelled: Callable[[], bool]) -> None:
        self._deadline = time.monotonic() + seconds
        self._cancelled = cancelled

    def state(self) -> str:
        return "SUCCESS" if time.monotonic() > self._deadline or self._cancelled() else "RUNNING"

    def pause(self) -> bool:
        return False

    def tell(self, watch: Mapping[str, Any]) -> None:
        """Nobody has to be told before the end."""


def try_out(
    given: Mapping[str, Any], overcloud: Overcloud, outputs: Mapping[str, Any], conf: Any,
    cancelled: Callable[[], bool], say: Callable[[str], None],
) -> dict[str, Any]:  # fmt: skip
    """What probes of *overcloud* come to. *given* has ``seconds``, and ``probes`` as a policy has it.

    Raises BadPolicy for probes that cannot be, BadInput for files of the executor that cannot be used.
    """
    wanted, _ = probes.parse({"probes": given.get("probes")})
    selection = probes.select(wanted, overcloud, outputs)
    session = Session(
        probes=selection.probes, left_out=selection.left_out, tolerance=probes.Tolerance(failed=None),
        means=Means.of(conf), undercloud=_Alone(float(given["seconds"]), cancelled), keep=lambda watch: None,
        begun=lambda: None, say=say,
    )  # fmt: skip
    return _figures(asyncio.run(session.run()))


def _figures(watch: Watch) -> dict[str, Any]:
    return {
        "probes": {
            each.name: {
                "kind": each.kind, "level": each.level, "requests": each.track.requests,
                "answered": each.track.answered, "error": _error(each.track),
            }
            for each in watch.probes
        },
        "left_out": list(watch.left_out),
    }  # fmt: skip


def _error(track: Track) -> str:
    if track.outages:
        return track.outages[-1].error
    return track.blind[-1].why if track.blind else ""
