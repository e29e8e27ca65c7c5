"""Jobs: one phase of one batch each, carried out by one process at a time, whoever asks and how often.

A job is a folder::

    <work_dir>/jobs/<workflow execution>/<phase>.<batch>/
      guard         flock, held for moments: who starts, who joins, who leaves
      lock          flock, held by the runner as long as it lives
      pid           the runner's process id; it leads its session
      request.json  what to do, and the number of the attempt
      reports.json  the action executions still to be told the result
      result.json   the result, written before anybody is told
      log           what Ansible printed (0600)

While anybody has still to be told its result, a link in ``<work_dir>/open`` leads to the job: there jobs are looked
for whose runner died (see ``tending``).

The prober of an update is a job as well, ``<workflow execution>/probes``. Nobody waits for its result, so it has
neither reports nor result, but ``begun``, which is there once everything was asked once, and ``state.json``.

Only light imports: Mistral's executors load this module.
"""

import contextlib
import fcntl
import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tripleo_update_plugin.executor.jobs import folders
from tripleo_update_plugin.names import is_safe_name, is_uuid

#: In the environment of a runner and of everything it starts: the folder of its job.
JOB_VARIABLE = "TRIPLEO_UPDATE_JOB"

#: How often a request whose runner died is begun anew by itself.
MOST_REVIVALS = 2

_SETTLED = 20.0  # seconds after which a runner that was started holds its lock, or is dead

#: Beside the folder of the jobs: links to those that have not come to their end.
OPEN = "open"

#: Characters of a job's name, which stands with the id of its execution in the name of a link.
_LONGEST_NAME = 200

#: Gets the job and the descriptor of its lock, which the started process inherits; returns its process id.
Launcher = Callable[["Job", int], int]


@dataclass(frozen=True, slots=True)
class Job:
    folder: Path

    @classmethod
    def make(cls, work_dir: str, owner: str, name: str) -> "Job":
        """The job *name* of the execution *owner*, its folder made if need be.

        Whoever creates an execution may choose its id, and any text is one to Mistral: ValueError unless it is a UUID.
        PhaseFailed if the folder is not ours alone.
        """
        if not is_uuid(owner):
            raise ValueError(f"execution {owner!r:.100}: its id is no UUID, so nothing is done for it")
        if not is_safe_name(name) or len(name) > _LONGEST_NAME:
            raise ValueError(f"{name!r:.100} cannot be the name of a job")
        folders.private(Path(work_dir), OPEN)
        return cls(folders.private(Path(work_dir), "jobs", owner.lower(), name))

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def private(self) -> Path:
        """A folder for secrets, removed after use."""
        return self.folder / "private"

    def guard(self) -> contextlib.AbstractContextManager[None]:
        """Alone among all starters and the runner of this job."""
        return alone(self.folder / "guard")

    def try_lock(self) -> int | None:
        """A descriptor that holds the job's lock; None while a runner holds it."""
        return try_flock(self.folder / "lock")

    def attach(self, request: Mapping[str, Any], report_to: str, launch: Launcher) -> str:
        """See to it that *request* is carried out once, and that the action execution *report_to* hears the result.

        Returns ``started`` (a new attempt), ``joined`` (one was running) or ``repeated`` (it had succeeded already).
        """
        with self.guard():
            lock = self.try_lock()
            outcome = "joined"
            if lock is not None:
                try:
                    outcome = "repeated" if self._has_succeeded(request) else "started"
                    if outcome == "started":
                        self._begin({**request, "report_to": report_to})
                    self._launch(launch, lock)
                finally:
                    os.close(lock)
            self._set_pending([*self.pending(), report_to])
        return outcome

    def _launch(self, launch: Launcher, lock: int) -> None:
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(self.folder)
        self.write("pid", launch(self, lock))

    @property
    def _link(self) -> Path:
        return self.folder.parents[2] / OPEN / f"{self.folder.parent.name}.{self.folder.name}"

    def keep_going(self, request: Mapping[str, Any], launch: Launcher) -> str:
        """See to it that a process carries *request* out that nobody waits for: ``started``, or ``joined`` one."""
        with self.guard():
            lock = self.try_lock()
            if lock is None:
                return "joined"
            try:
                (self.folder / "begun").unlink(missing_ok=True)
                self.write("request.json", dict(request))
                self._launch(launch, lock)
            finally:
                os.close(lock)
        return "started"

    def wait_for_begin(self, patience: float) -> bool:
        """Whether the process that keep_going() started is at work, after at most *patience* seconds."""
        deadline = time.monotonic() + patience
        while not (self.folder / "begun").exists():
            if time.monotonic() > deadline or not (self.folder / "pid").exists():
                return False
            time.sleep(0.1)
        return True

    def _has_succeeded(self, request: Mapping[str, Any]) -> bool:
        """Whether the stored result answers *request*: a later task of the same workflow is new work."""
        result, before = self.result(), self.request()
        return bool(result) and result.get("state") == "SUCCESS" and before.get("task") == request.get("task")

    def _begin(self, request: Mapping[str, Any]) -> None:
        attempt = int(self.request().get("attempt", 0)) + 1
        (self.folder / "result.json").unlink(missing_ok=True)
        self.write("request.json", {**request, "attempt": attempt})

    def revive(self, launch: Launcher, now: float) -> str:
        """Where the runner died before everybody was told, start another: ``began anew``, or ``tells`` the result.

        A request that was begun MOST_REVIVALS times already without a result has failed. Returns "" where nothing is to
        be done: a runner lives, has been started less than _SETTLED seconds before *now*, or has told everybody.
        """
        with self.guard():
            lock = self.try_lock()
            if lock is None:
                return ""
            try:
                if not self.pending():
                    self._link.unlink(missing_ok=True)
                    return ""
                if now - self._launched < _SETTLED:
                    return ""
                answered = bool(self.result()) or not self._begin_anew()
                self._launch(launch, lock)
            finally:
                os.close(lock)
        return "tells" if answered else "began anew"

    def keep_alive(self, launch: Launcher, now: float) -> str:
        """Start another process for what keep_going() began and nobody waits for: ``began anew``, or "" as above."""
        with self.guard():
            lock = self.try_lock()
            if lock is None:
                return ""
            try:
                if now - self._launched < _SETTLED:
                    return ""
                self._launch(launch, lock)
            finally:
                os.close(lock)
        return "began anew"

    @property
    def _launched(self) -> float:
        """When a runner was started last; 0.0 if nobody knows."""
        try:
            return (self.folder / "pid").stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _begin_anew(self) -> bool:
        """Let the next runner carry the same request out once more; False if that has been tried often enough."""
        request = self.request()
        revived = int(request.get("revived", 0))
        if revived < MOST_REVIVALS:
            self.write("request.json", {**request, "attempt": int(request["attempt"]) + 1, "revived": revived + 1})
            return True
        died = f"its process died {revived + 1} times without a word; the log is {self.log} on {platform.node()}"
        self.write("result.json", {"state": "ERROR", "output": answer(request, error=died)})
        return False

    def leave(self, lock: int) -> bool:
        """Give up the job's *lock* if everybody has been told; False if somebody joined in the meantime."""
        with self.guard():
            if self.pending():
                return False
            self.finish(lock)
        return True

    def finish(self, lock: int) -> None:
        """Give up the job's *lock*: nothing is left to do."""
        self._link.unlink(missing_ok=True)
        (self.folder / "pid").unlink(missing_ok=True)
        os.close(lock)

    def pending(self) -> list[str]:
        """Action executions that have not been told the result yet."""
        return list(self._read("reports.json").get("pending", ()))

    def told(self, action_execution: str) -> None:
        with self.guard():
            self._set_pending([each for each in self.pending() if each != action_execution])

    def _set_pending(self, ids: list[str]) -> None:
        self.write("reports.json", {"pending": list(dict.fromkeys(ids))})

    def request(self) -> dict[str, Any]:
        return self._read("request.json")

    def result(self) -> dict[str, Any]:
        """{"state": SUCCESS or ERROR, "output": {...}}; empty while there is none."""
        return self._read("result.json")

    def write(self, name: str, value: object) -> None:
        """Store *value* so that a reader sees all of it or nothing, even after a crash."""
        path = self.folder / name
        draft = path.with_name(f".{name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(descriptor)
        draft.rename(path)

    def _read(self, name: str) -> dict[str, Any]:
        try:
            value = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return dict(value)


def answer(
    request: Mapping[str, Any], error: str = "", nodes: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """What Mistral is told about a job; ``ok`` says whether its phase is done."""
    given = request["parameters"]
    moment = {"moment": given["moment"]} if "moment" in given else {}
    return {
        "batch": given.get("batch", ""), "phase": request["phase"], **moment, "ok": not error,
        "nodes": dict(nodes or {}), "error": error, "nothing_to_do": False, **more,
    }  # fmt: skip


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Alone among all that ask for the same *path*, for moments."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def try_flock(path: Path) -> int | None:
    """A descriptor holding an exclusive flock on *path*; None if another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def launch_runner(job: Job, lock: int) -> int:
    """Start the process that carries a phase out, in a session of its own so that it outlives this one."""
    return _launch("tripleo_update_plugin.executor.runner", job, lock)


def launch_prober(job: Job, lock: int) -> int:
    """Start the process that probes an update, in a session of its own as well."""
    return _launch("tripleo_update_plugin.executor.prober", job, lock)


def _launch(module: str, job: Job, lock: int) -> int:
    log = os.open(job.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", module, str(job.folder), str(lock)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            start_new_session=True,
            env={**os.environ, JOB_VARIABLE: str(job.folder)},
        )
    finally:
        os.close(log)
    # Somebody has to take note of its end, or it stays behind as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    return process.pid
