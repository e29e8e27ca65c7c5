"""The process that probes one update: ``python -m tripleo_update_plugin.executor.prober FOLDER LOCK``.

It outlives the executor and the phase that started it. LOCK is the inherited descriptor of the job's lock. Standard
output and error are the job's private log. What it knows is in ``state.json``: the next prober of the same update
goes on from there.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tripleo_update_plugin import conf as options
from tripleo_update_plugin.adapters import keystone
from tripleo_update_plugin.adapters.heat import Heat
from tripleo_update_plugin.adapters.mistral import Mistral
from tripleo_update_plugin.errors import UpdateError
from tripleo_update_plugin.executor import logs
from tripleo_update_plugin.executor.jobs.job import Job
from tripleo_update_plugin.executor.jobs.tending import PERIOD, tend
from tripleo_update_plugin.executor.prober import turns
from tripleo_update_plugin.executor.prober.access import Means
from tripleo_update_plugin.executor.prober.session import Session, Superseded
from tripleo_update_plugin.outcome.verdicts import Watch
from tripleo_update_plugin.overcloud import outputs as stack_outputs
from tripleo_update_plugin.rules import probes
from tripleo_update_plugin.workflows.workbook import WORKFLOW, stack_of

STATE = "state.json"

_PAUSE = 2.0  # seconds between two tries to tell Mistral the last word


class Update:
    """The update being probed, in Mistral."""

    def __init__(self, mistral: Mistral, execution: str, prober: str) -> None:
        self._mistral = mistral
        self._execution = execution
        self._prober = prober

    def state(self) -> str:
        return self._mistral.state_of(self._execution)

    def pause(self) -> bool:
        return self._mistral.pause(self._execution)

    def tell(self, watch: Mapping[str, Any]) -> None:
        if turns.is_another(self._mistral, self._execution, self._prober):
            raise Superseded("another machine probes the update now")
        # After the last word anybody may begin again, should the update go on.
        self._mistral.save_watch(self._execution, watch, self._prober, 0.0 if watch["ended"] else time.time())

    def known(self) -> Watch | None:
        """What was told so far, by whichever machine; None as well while Mistral is away."""
        with contextlib.suppress(UpdateError):
            if told := self._mistral.load_watch(self._execution):
                return Watch.from_dict(told)
        return None


class Prober:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._request = job.request()
        files, folders = self._request["config_files"], self._request["config_dirs"]
        self._conf = options.load(tuple(files), tuple(folders))
        about = {**logs.about(self._request), "stack": stack_of(self._request["workflow"]), "phase": "probes"}
        self._log = logs.to_standard_output(self._conf[options.GROUP].log_level, **about)
        self._mistral = Mistral(keystone.mistral_client(self._conf))
        self._update = Update(self._mistral, self._request["execution"], turns.name_of(self._conf))

    def main(self) -> int:
        self._log.info("probing %s", self._request["workflow"])
        try:
            watch = asyncio.run(self._probe())
        except Exception as error:
            self._log.exception("unexpected")
            why = error.message if isinstance(error, UpdateError) else f"unexpected {type(error).__name__}"
            known = self._before() or Watch(until=time.time())
            watch = replace(known, ended=False, error=f"the prober could not go on: {why}")
        self._keep(watch.to_dict())
        self._tell(watch)
        return 0

    async def _probe(self) -> Watch:
        session = self._session()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, session.stop.set)
        tending = asyncio.create_task(self._tend())
        try:
            return await session.run()
        finally:
            tending.cancel()

    async def _tend(self) -> None:
        """Look after phases whose process died on this machine: of all processes this one lives longest."""
        while True:
            for each in await asyncio.to_thread(tend, self._conf[options.GROUP].work_dir):
                self._log.warning("the process of %s died: another %s", each.job, each.done)
            await asyncio.sleep(PERIOD)

    def _session(self) -> Session:
        workflow = self._request["workflow"]
        policy = self._mistral.load_plan(workflow.removesuffix(f".{WORKFLOW}"))["policy"]
        wanted, tolerance = probes.parse(policy)
        outputs = Heat(keystone.heat_client(self._conf)).outputs(stack_of(workflow))
        selection = probes.select(wanted, stack_outputs.parse(outputs, stack_of(workflow)), outputs)
        return Session(
            probes=selection.probes, left_out=selection.left_out, tolerance=tolerance, means=Means.of(self._conf),
            undercloud=self._update, keep=self._keep, begun=self._begun, say=self._log.info, before=self._before(),
            patience=float(self._conf[options.GROUP].report_timeout),
        )  # fmt: skip

    def _before(self) -> Watch | None:
        """What an earlier prober of the update knew, of this machine or of another: whichever asked last."""
        path = self._job.folder / STATE
        own = Watch.from_dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
        told = self._update.known()
        return max((each for each in (own, told) if each), key=lambda each: each.until, default=None)

    def _begun(self) -> None:
        (self._job.folder / "begun").touch(mode=0o600)

    def _keep(self, watch: Mapping[str, Any]) -> None:
        self._job.write(STATE, watch)

    def _tell(self, watch: Watch) -> None:
        """The last word: without it the report could not say how the update ended."""
        deadline = time.monotonic() + self._conf[options.GROUP].report_timeout
        while True:
            try:
                self._update.tell(watch.to_dict())
                return
            except Superseded:
                return
            except UpdateError as error:
                self._log.warning("Mistral was not told: %s", error.message)
            if time.monotonic() > deadline:
                return
            time.sleep(_PAUSE)


def main(arguments: list[str]) -> int:
    os.umask(0o077)
    folder, lock = arguments
    job = Job(Path(folder))
    try:
        return Prober(job).main()
    finally:
        with job.guard():
            job.finish(int(lock))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
