"""After the fault: does the update end well by itself, after one command, or does it stop and say why?"""

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from faults.operator import Operator, last_words

#: How a trial ends, the better ways first.
BY_ITSELF, BY_COMMAND, STOPPED, LOST = "by itself", "after one command", "stopped, said why", "not survived"

_TOLD = 300.0  # seconds within which an update has to go on, or to stop, after the fault is over
_REST = 420.0  # seconds that the rest of the update may take

#: What a reason has to name, whatever words it finds.
_NAMES = {
    "heat": r"Heat", "mistral": r"Mistral", "disk": r"space|full|ENOSPC", "ansible": r"Ansible|ansible",
    "node": r"controller-0|answer", "ssh": r"controller-0|answer|cut",
}  # fmt: skip
_NO_REASON = re.compile(r"unexpected|Traceback|Failed to handle|Failed to run", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """``state`` is Mistral's when nobody had helped yet; ``commands`` are those that were typed then."""

    how: str
    state: str
    reason: str = ""
    commands: tuple[str, ...] = ()
    doubts: tuple[str, ...] = field(default=())


def end(
    operator: Operator, update: str, mend: Callable[[], None], component: str, drained: Callable[[], Sequence[str]]
) -> Ending:
    """Wait for the update's own end; then mend what is broken, and type what its state asks for.

    *drained* says which nodes have something out of use.
    """
    state = _settled(operator, update)
    if state == "SUCCESS":
        mend()
        return Ending(how=BY_ITSELF, state=state)
    reason = _reason(operator, update, state)
    doubts = tuple(_doubts(reason, component, state))
    mend()
    verb = "resume" if state == "PAUSED" else "retry"
    done = operator.update(verb, "--yes", update)
    commands: tuple[str, ...] = (verb,)
    if done.returncode == 0 and _settled(operator, update, _REST) == "SUCCESS":
        return Ending(how=LOST if doubts else BY_COMMAND, state=state, reason=reason, commands=commands, doubts=doubts)
    doubts += (f"'{verb}' did not help: {_said(done) or _reason(operator, update, state)}",)
    if left := drained():
        put_back = operator.update("restore", "--yes", "--stack", "overcloud", *left)
        commands += ("restore",)
        if put_back.returncode:
            doubts += (f"'restore' did not help: {_said(put_back)}",)
    how = STOPPED if len(doubts) == 1 and not drained() else LOST
    return Ending(how=how, state=state, reason=reason, commands=commands, doubts=doubts)


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """What a command that failed says; empty if it did not."""
    return (last_words(done.stderr) or last_words(done.stdout)) if done.returncode else ""


def _settled(operator: Operator, update: str, seconds: float = _TOLD) -> str:
    """The state in which nothing is at work any more; that at the end of patience otherwise."""
    state = operator.wait_while(update, ("RUNNING",), seconds)
    if state == "PAUSED":
        operator.wait_until_idle(update, seconds)
    return state


def _reason(operator: Operator, update: str, state: str) -> str:
    """What the plugin's commands say of an update that does not go on."""
    shown = operator.update("show", "-f", "json", update)
    rows = json.loads(shown.stdout) if shown.returncode == 0 else []
    errors = [f"{row['batch']}: {row['error']}" for row in rows if row.get("error")]
    if errors or state == "RUNNING":
        return "; ".join(errors)
    try:
        return last_words(operator.update("follow", update, seconds=60.0).stderr)
    except subprocess.TimeoutExpired:
        return ""


def _doubts(reason: str, component: str, state: str) -> list[str]:
    if not reason:
        return [f"{state} without a word"]
    if _NO_REASON.search(reason):
        return [f"the reason explains nothing: {reason}"]
    if not re.search(_NAMES.get(component, ""), reason):
        return [f"the reason does not name the {component}: {reason}"]
    return []
