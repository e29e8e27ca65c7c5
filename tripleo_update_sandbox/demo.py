"""What is the whole story on this machine: plan, update, report, with the commands an operator would type?"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

from tripleo_update_sandbox.errors import SandboxError
from tripleo_update_sandbox.lifecycle import Say
from tripleo_update_sandbox.state import NAME, State

#: What other plugins of the OpenStack client say about themselves whenever any command runs.
_NOISE = ("Journal socket does not exist", "Could not load '", "DeprecationWarning", "  warnings.warn(")


def client_environment(state: State) -> dict[str, str]:
    """The environment in which every ``openstack`` command talks to this sandbox."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OS_")}
    return kept | {
        "OS_CLOUD": NAME,
        "OS_CLIENT_CONFIG_FILE": str(state.clouds),
        "PYTHONWARNINGS": "ignore",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]),
    }


def run(state: State, stack: str, say: Say) -> int:
    """Plans an update of *stack*, starts it, follows it and reports; the exit code of the first that fails."""
    plan = state.folder / "plan.yaml"
    before = _updates(state)
    for arguments in (["plan", "--stack", stack, "--save", str(plan)], ["start", "--yes", "--wait", str(plan)]):
        code = _openstack(state, arguments, say)
        if code and arguments[0] == "plan":
            return code
    new = [update for update in _updates(state) if update not in before]
    if not new:
        return code or 1
    return _openstack(state, ["report", new[0]], say) or code


def _command(arguments: list[str]) -> list[str]:
    return ["openstack", "overcloud", "update", *arguments]


def _openstack(state: State, arguments: list[str], say: Say) -> int:
    say(f"\n$ {shlex.join(_command(arguments))}")
    with subprocess.Popen(
        _program(arguments), env=client_environment(state), stderr=subprocess.PIPE, text=True
    ) as client:
        for line in client.stderr or ():
            if not is_noise(line):
                sys.stderr.write(line)
                sys.stderr.flush()
    return client.returncode


def _updates(state: State) -> list[str]:
    """IDs of the updates Mistral knows, newest first."""
    done = subprocess.run(
        _program(["list", "-f", "json"]), env=client_environment(state), check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SandboxError(f"'openstack overcloud update list' failed: {done.stderr.strip()[-500:]}")
    return [str(row["id"]) for row in json.loads(done.stdout or "[]")]


def _program(arguments: list[str]) -> list[str]:
    return [openstack(), *_command(arguments)[1:]]


def openstack() -> str:
    """The client's program: the one beside this interpreter, else the one in PATH."""
    beside = Path(sys.executable).with_name("openstack")
    return str(beside) if beside.exists() else "openstack"


def is_noise(line: str) -> bool:
    """Whether a *line* of the client's is from another plugin than ours."""
    return any(noise in line for noise in _NOISE)
