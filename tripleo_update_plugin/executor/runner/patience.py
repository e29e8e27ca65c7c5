"""How long does a phase wait for a service of the undercloud that is away?"""

import time
from collections.abc import Callable
from typing import TypeVar

from tripleo_update_plugin.errors import Unavailable
from tripleo_update_plugin.executor.runner.work import Work

Answer = TypeVar("Answer")

_PAUSE = 5.0  # seconds between two tries


def patiently(work: Work, ask: Callable[[], Answer]) -> Answer:
    """What *ask* returns; while it raises Unavailable it is called again, as long as [tripleo_update] patience says.

    Then, at the deadline of the phase, or when the job is asked to end, the last Unavailable is raised.
    """
    deadline = time.monotonic() + min(work.options.patience, work.seconds_left)
    while True:
        try:
            return ask()
        except Unavailable as error:
            if work.cancelled() or time.monotonic() + _PAUSE > deadline:
                raise
            work.log.warning("waits: %s", error.message)
            time.sleep(_PAUSE)
