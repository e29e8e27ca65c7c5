"""Who is told the result of a job: everybody who asked, as soon as Mistral listens.

The result and who asked first are known in memory, too: a work folder that is gone, or a disk that is full, keeps
nobody from hearing it.
"""

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tripleo_update_plugin.executor import logs
from tripleo_update_plugin.executor.jobs.job import Job

#: Tells one action execution {"state": …, "output": {…}}; raises whatever keeps Mistral from hearing it.
Teller = Callable[[str, dict[str, Any]], None]

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds between two tries


@dataclass(slots=True, kw_only=True)
class Telling:
    """The *result* of a *job* whose *lock* is held, for all who wait for it; *first* asked for it."""

    job: Job
    lock: int
    result: dict[str, Any]
    first: str
    tell: Teller
    log: logs.Log
    _told: set[str] = field(default_factory=set)

    def all(self, stopped: Callable[[], bool], seconds: float) -> None:
        """Tell everybody, also those who join meanwhile, then give up the lock.

        Tries again until *stopped* says so or *seconds* have passed; then another runner may try, see jobs.tending.
        """
        deadline = time.monotonic() + seconds
        pause = _FIRST_PAUSE
        while True:
            waiting = [each for each in self._waiting() if not self._tell(each)]
            if not waiting and self._leave():
                return
            if waiting and (stopped() or time.monotonic() > deadline):
                self.log.error("gave up telling Mistral; the result stays in %s", self.job.folder)
                os.close(self.lock)
                return
            if waiting:
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _waiting(self) -> list[str]:
        known = self.job.pending() if self.job.folder.is_dir() else [self.first]
        return [each for each in known if each and each not in self._told]

    def _tell(self, action_execution: str) -> bool:
        try:
            self.tell(action_execution, self.result)
        except Exception as error:
            self.log.warning("Mistral was not told (%s): %s: %s", action_execution, type(error).__name__, error)
            return False
        self._told.add(action_execution)
        self.log.info("Mistral was told (%s): %s", action_execution, self.result["state"])
        with contextlib.suppress(OSError):
            self.job.told(action_execution)
        return True

    def _leave(self) -> bool:
        """Whether nobody waits any more. What cannot be written down any more nobody can read either."""
        try:
            return self.job.leave(self.lock) or not self._waiting()
        except OSError:
            return True


def teller(conf: Any, log: logs.Log) -> Teller:
    """Tells Mistral a result; one that nobody can be told any more counts as told."""
    from mistralclient.api.base import APIException

    from tripleo_update_plugin.adapters import keystone

    def tell(action_execution: str, result: dict[str, Any]) -> None:
        client = keystone.mistral_client(conf)
        try:
            client.action_executions.update(action_execution, state=result["state"], output=result["output"])
        except APIException as error:
            if error.error_code not in (400, 404, 409):
                raise
            log.warning("Mistral does not want to know any more (%s): %s", action_execution, error)

    return tell
