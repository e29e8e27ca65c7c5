"""One server as a process: started, waited for, killed with all it started, started again."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_PATIENCE = 120.0  # seconds until a server must answer; 10 on an idle machine
_GRACE = 20.0  # seconds between asking a server to end and killing it


@dataclass(kw_only=True)
class Server:
    """A server whose log is ``<folder>/<name>.log``; *answers* says whether it can be used."""

    name: str
    folder: Path
    command: list[str]
    env: Mapping[str, str]
    answers: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=dict(self.env), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def wait(self) -> None:
        """Returns when it answers. AssertionError, with the end of its log, if it does not."""
        deadline = time.monotonic() + _PATIENCE
        while not self.answers():
            assert self.is_alive and time.monotonic() < deadline, f"{self.name} does not answer:\n{self._last_words()}"
            time.sleep(0.2)

    def kill(self, signum: signal.Signals = signal.SIGKILL) -> None:
        """Send *signum* to it and to whatever it started, but for what has a session of its own."""
        assert self.is_alive, f"{self.name} had died before:\n{self._last_words()}"
        os.killpg(self.process.pid, signum)
        if signum == signal.SIGKILL:
            self.process.wait(_GRACE)

    def end(self) -> None:
        """Kill it if it is there: nothing of it is kept, so nothing has to be put in order."""
        if self.is_alive:
            self.kill()

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:]) if self.log.exists() else "(no log)"
