"""How long does a phase wait for a service of the undercloud that is away?"""

from collections.abc import Callable
from typing import TypeVar

from tripleo_update_plugin.adapters.retrying import Patience
from tripleo_update_plugin.errors import Unavailable
from tripleo_update_plugin.executor.runner.work import Work

Answer = TypeVar("Answer")


def patiently(work: Work, ask: Callable[[], Answer]) -> Answer:
    """What *ask* returns; while it raises Unavailable it is called again, as long as [tripleo_update] patience says.

    Then, at the deadline of the phase, or when the job is asked to end, the last Unavailable is raised.
    """
    seconds = min(float(work.options.patience), work.seconds_left)
    patience = Patience(seconds=seconds, say=work.log.warning, stopped=work.cancelled)
    return patience.call(ask, lambda error: isinstance(error, Unavailable))
