"""Who is told the result of a job: everybody who asked, as soon as Mistral listens."""

import time
from collections.abc import Callable
from typing import Any

from tripleo_update_plugin.executor import logs
from tripleo_update_plugin.executor.jobs.job import Job

#: Tells one action execution {"state": …, "output": {…}}; raises whatever keeps Mistral from hearing it.
Teller = Callable[[str, dict[str, Any]], None]

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds between two tries


def tell_all(job: Job, lock: int, tell: Teller, log: logs.Log, stopped: Callable[[], bool], seconds: float) -> None:
    """Tell everybody who waits for *job*, also those who join meanwhile, then give up its *lock*.

    Tries again until *stopped* says so or *seconds* have passed; then the result stays in the job's folder.
    """
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    while True:
        waiting = [each for each in job.pending() if not _tell(job, each, tell, log)]
        if not waiting and job.leave(lock):
            return
        if waiting and (stopped() or time.monotonic() > deadline):
            log.error("gave up telling Mistral; the result stays in %s", job.folder)
            job.abandon(lock)
            return
        if waiting:
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _tell(job: Job, action_execution: str, tell: Teller, log: logs.Log) -> bool:
    result = job.result()
    try:
        tell(action_execution, result)
    except Exception as error:
        log.warning("Mistral was not told (%s): %s: %s", action_execution, type(error).__name__, error)
        return False
    job.told(action_execution)
    log.info("Mistral was told (%s): %s", action_execution, result["state"])
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
