"""Commands of this machine, and what they say when they fail."""

import subprocess
from collections.abc import Mapping, Sequence

from lab.errors import LabError

_TAIL = 1500  # characters of a failed command's words


def run(
    *argv: str, stdin: str | None = None, env: Mapping[str, str] | None = None, timeout: float = 900
) -> str:
    """What the command printed. LabError with the end of what it said if it fails."""
    done = attempt(*argv, stdin=stdin, env=env, timeout=timeout)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-_TAIL:]
        raise LabError(f"'{_short(argv)}' ended with {done.returncode}: {said or 'it said nothing'}")
    return done.stdout


def attempt(
    *argv: str, stdin: str | None = None, env: Mapping[str, str] | None = None, timeout: float = 900
) -> subprocess.CompletedProcess[str]:
    """The command's end, whatever it was. LabError if it takes more than *timeout* seconds or is not there."""
    try:
        return subprocess.run(
            argv,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            env=None if env is None else dict(env),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"'{_short(argv)}' did not end within {timeout:.0f} s") from error
    except FileNotFoundError as error:
        raise LabError(f"there is no command {argv[0]!r}", "Install the package that has it.") from error


def _short(argv: Sequence[str]) -> str:
    text = " ".join(argv)
    return text if len(text) < 160 else f"{text[:150]} …"
