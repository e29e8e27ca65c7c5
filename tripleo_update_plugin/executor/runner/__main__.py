"""The process that carries a job out: ``python -m tripleo_update_plugin.executor.runner FOLDER LOCK``.

It outlives the executor that started it, and tells Mistral the result as soon as Mistral listens.
LOCK is the inherited descriptor of the job's lock. Standard output and error are the job's private log.
"""

import os
import platform
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.errors import UpdateError
from tripleo_update_plugin.executor.jobs import leftovers
from tripleo_update_plugin.executor.jobs.job import Job, answer

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds between two tries to tell Mistral
_PATIENCE = 10.0  # seconds that a phase waits for the prober to begin


class Runner:
    def __init__(self, job: Job, lock: int) -> None:
        self._job = job
        self._lock = lock
        self._stopped = False

    def stop(self, *_: object) -> None:
        """Asked to end (SIGTERM): end Ansible, tell so, and leave."""
        self._stopped = True

    def main(self) -> int:
        request = self._job.request()
        conf = options.load(tuple(request["config_files"]), tuple(request["config_dirs"]))
        if not self._job.result():
            leftovers.end(self._job.folder)
            prober = _see_to_probes(request, conf)
            output = self._probed(prober, lambda: self._output(conf))
            self._job.write("result.json", {"state": "SUCCESS" if output["ok"] else "ERROR", "output": output})
        self._report(conf)
        return 0

    def _probed(self, prober: Job | None, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Nothing is touched before the prober asks: a gate, which touches nothing, need not wait to begin."""
        is_gate = self._job.request()["phase"] == "gate"
        if prober and not is_gate:
            prober.wait_for_begin(_PATIENCE)
        output = work()
        if prober and is_gate:
            prober.wait_for_begin(_PATIENCE)
        return output

    def _output(self, conf: Any) -> dict[str, Any]:
        request = self._job.request()
        _note(f"{self._job.folder}: attempt {request['attempt']}")
        try:
            from tripleo_update_plugin.executor.runner.work import Work

            work = Work(job=self._job, request=request, conf=conf, cancelled=lambda: self._stopped)
            try:
                return work.carry_out()
            except UpdateError as error:
                _note(traceback.format_exc())
                return work.output(error=f"{error.message}. {error.remedy}" if error.remedy else error.message)
        except Exception as error:
            _note(traceback.format_exc())
            where = f"the log is {self._job.log} on {platform.node()}"
            return answer(request, error=f"unexpected {type(error).__name__} in phase {request['phase']}; {where}")

    def _report(self, conf: Any) -> None:
        """Tell everybody who asked; whoever joins meanwhile is told as well."""
        deadline = time.monotonic() + conf[options.GROUP].report_timeout
        pause = _FIRST_PAUSE
        tell = _teller(conf)
        while True:
            waiting = [each for each in self._job.pending() if not self._tell(tell, each)]
            if not waiting and self._job.leave(self._lock):
                return
            if waiting and (self._stopped or time.monotonic() > deadline):
                _note(f"gave up telling Mistral; the result stays in {self._job.folder}")
                self._job.abandon(self._lock)
                return
            if waiting:
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _tell(self, tell: Callable[[str, dict[str, Any]], None], action_execution: str) -> bool:
        try:
            tell(action_execution, self._job.result())
        except Exception as error:
            _note(f"Mistral was not told ({action_execution}): {type(error).__name__}: {error}")
            return False
        self._job.told(action_execution)
        _note(f"Mistral was told ({action_execution}): {self._job.result()['state']}")
        return True


def _see_to_probes(request: dict[str, Any], conf: Any) -> Job | None:
    """The job that probes the update; None if there is none, which costs the update its proof, not its phase."""
    try:
        from tripleo_update_plugin.executor.runner import prober_start

        return prober_start.see_to_it(request, conf)
    except Exception as error:
        _note(f"probes: not started: {type(error).__name__}: {error}")
        return None


def _teller(conf: Any) -> Callable[[str, dict[str, Any]], None]:
    """A function that tells Mistral a result; one that nobody can be told any more counts as told."""
    from mistralclient.api.base import APIException

    from tripleo_update_plugin.adapters import keystone

    def tell(action_execution: str, result: dict[str, Any]) -> None:
        client = keystone.mistral_client(conf)
        try:
            client.action_executions.update(action_execution, state=result["state"], output=result["output"])
        except APIException as error:
            if error.error_code not in (400, 404, 409):
                raise
            _note(f"Mistral does not want to know any more ({action_execution}): {error}")

    return tell


def _note(text: str) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S"), text, flush=True)


def main(arguments: list[str]) -> int:
    os.umask(0o077)
    folder, lock = arguments
    runner = Runner(Job(Path(folder)), int(lock))
    signal.signal(signal.SIGTERM, runner.stop)
    return runner.main()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
