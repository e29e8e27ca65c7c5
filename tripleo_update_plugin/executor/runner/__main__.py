"""The process that carries a job out: ``python -m tripleo_update_plugin.executor.runner FOLDER LOCK``.

It outlives the executor that started it, and tells Mistral the result as soon as Mistral listens.
LOCK is the inherited descriptor of the job's lock. Standard output and error are the job's private log.
"""

import os
import platform
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.errors import UpdateError
from tripleo_update_plugin.executor import logs
from tripleo_update_plugin.executor.jobs import leftovers
from tripleo_update_plugin.executor.jobs.job import Job, answer
from tripleo_update_plugin.executor.runner import telling

_PATIENCE = 10.0  # seconds that a phase waits for the prober to begin


class Runner:
    """One life of the process: from the request in the job's folder to the last who was told."""

    def __init__(self, job: Job, lock: int) -> None:
        self._job = job
        self._lock = lock
        self._request = job.request()
        files, folders = self._request["config_files"], self._request["config_dirs"]
        self._conf = options.load(tuple(files), tuple(folders))
        self._log = logs.to_standard_output(self._conf[options.GROUP].log_level, **logs.about(self._request))
        self._stopped = False

    def stop(self, *_: object) -> None:
        """Asked to end (SIGTERM): end Ansible, tell so, and leave."""
        self._stopped = True

    def main(self) -> int:
        if not self._job.result():
            leftovers.end(self._job.folder)
            output = self._probed(self._see_to_probes(), self._output)
            self._job.write("result.json", {"state": "SUCCESS" if output["ok"] else "ERROR", "output": output})
        patience = self._conf[options.GROUP].report_timeout
        tell = telling.teller(self._conf, self._log)
        telling.tell_all(self._job, self._lock, tell, self._log, lambda: self._stopped, patience)
        return 0

    def _probed(self, prober: Job | None, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Nothing is touched before the prober asks: a gate, which touches nothing, need not wait to begin."""
        is_gate = self._request["phase"] == "gate"
        if prober and not is_gate:
            prober.wait_for_begin(_PATIENCE)
        output = work()
        if prober and is_gate:
            prober.wait_for_begin(_PATIENCE)
        return output

    def _see_to_probes(self) -> Job | None:
        """The job that probes the update; None if there is none, which costs the update its proof, not its phase."""
        try:
            from tripleo_update_plugin.executor.runner import prober_start

            return prober_start.see_to_it(self._request, self._conf)
        except Exception as error:
            self._log.warning("probes: not started: %s: %s", type(error).__name__, error)
            return None

    def _output(self) -> dict[str, Any]:
        self._log.info("attempt %s begins in %s", self._request["attempt"], self._job.folder)
        try:
            from tripleo_update_plugin.executor.runner import phases
            from tripleo_update_plugin.executor.runner.work import Work

            work = Work(
                job=self._job, request=self._request, conf=self._conf, cancelled=lambda: self._stopped, log=self._log
            )
            try:
                return phases.carry_out(work)
            except UpdateError as error:
                self._log.exception("%s", error.message)
                return work.output(error=f"{error.message}. {error.remedy}" if error.remedy else error.message)
        except Exception as error:
            self._log.exception("unexpected")
            where = f"the log is {self._job.log} on {platform.node()}"
            phase = self._request["phase"]
            return answer(self._request, error=f"unexpected {type(error).__name__} in phase {phase}; {where}")


def main(arguments: list[str]) -> int:
    os.umask(0o077)
    folder, lock = arguments
    runner = Runner(Job(Path(folder)), int(lock))
    signal.signal(signal.SIGTERM, runner.stop)
    return runner.main()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
