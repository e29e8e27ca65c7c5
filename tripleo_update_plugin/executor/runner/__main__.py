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

from oslo_config import cfg

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.errors import UpdateError
from tripleo_update_plugin.executor import logs
from tripleo_update_plugin.executor.jobs import leftovers, machine, tending
from tripleo_update_plugin.executor.jobs.job import Job, answer
from tripleo_update_plugin.executor.runner.beat import Heart, beat_of
from tripleo_update_plugin.executor.runner.telling import Telling, teller

_PATIENCE = 10.0  # seconds that a phase waits for the prober to begin


class Runner:
    """One life of the process: from the request in the job's folder to the last who was told."""

    def __init__(self, job: Job, lock: int, request: dict[str, Any], conf: Any) -> None:
        self._job = job
        self._lock = lock
        self._request = request
        self._conf = conf
        self._log = logs.to_standard_output(conf[options.GROUP].log_level, **logs.about(request))
        self._stopped = False

    def stop(self, *_: object) -> None:
        """Asked to end (SIGTERM): end Ansible, tell so, and leave."""
        self._stopped = True

    def main(self) -> int:
        # The sign of life ends before the result is told: then the next phase of the batch gives its own.
        result = self._job.result() or self._carried_out()
        telling = Telling(
            job=self._job, lock=self._lock, result=result, first=str(self._request.get("report_to") or ""),
            tell=teller(self._conf, self._log), log=self._log,
        )  # fmt: skip
        telling.all(lambda: self._stopped, self._conf[options.GROUP].report_timeout)
        return 0

    def _heart(self) -> Heart:
        def notes() -> Any:
            from tripleo_update_plugin.adapters import keystone
            from tripleo_update_plugin.adapters.update_state import UpdateState

            return UpdateState(keystone.mistral_client(self._conf))

        work_dir = self._conf[options.GROUP].work_dir
        root = str(self._request["parameters"].get("update") or "")
        return Heart(root=root, beat=beat_of(self._request), notes=notes, tend=lambda: tending.tend(work_dir))

    def _carried_out(self) -> dict[str, Any]:
        """The result, kept in the job's folder if that can be; where it cannot, Mistral is told all the same."""
        with self._heart() as heart:
            leftovers.end(self._job.folder)
            output = self._probed(self._see_to_probes(), lambda: self._output(heart))
        result = {"state": "SUCCESS" if output["ok"] else "ERROR", "output": output}
        try:
            self._job.write("result.json", result)
        except OSError as error:
            self._log.error("the result is not kept: %s", machine.in_words(error))
        return result

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

    def _output(self, heart: Heart) -> dict[str, Any]:
        self._log.info("attempt %s begins in %s", self._request["attempt"], self._job.folder)
        try:
            from tripleo_update_plugin.executor.runner import phases
            from tripleo_update_plugin.executor.runner.work import Work

            work = Work(
                job=self._job, request=self._request, conf=self._conf, cancelled=lambda: self._stopped, log=self._log,
                hear=heart.hear, wait_for=heart.wait_for,
            )  # fmt: skip
            try:
                return phases.carry_out(work)
            except UpdateError as error:
                self._log.exception("%s", error.message)
                return work.output(error=f"{error.message}. {error.remedy}" if error.remedy else error.message)
        except Exception as error:
            self._log.exception("unexpected")
            where = f"the log is {self._job.log} on {platform.node()}"
            phase = self._request["phase"]
            why = machine.in_words(error) or f"unexpected {type(error).__name__} in phase {phase}; {where}"
            return answer(self._request, error=why)


def main(arguments: list[str]) -> int:
    os.umask(0o077)
    job, lock = Job(Path(arguments[0])), int(arguments[1])
    request = job.request()
    files, folders = request["config_files"], request["config_dirs"]
    try:
        conf = options.load(tuple(files), tuple(folders))
    except cfg.Error as error:
        # Without it nobody knows where Mistral is. Whoever looks after dead jobs tries again.
        print(f"the configuration of Mistral's executor cannot be read: {error}", file=sys.stderr)
        return 1
    runner = Runner(job, lock, request, conf)
    signal.signal(signal.SIGTERM, runner.stop)
    return runner.main()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
