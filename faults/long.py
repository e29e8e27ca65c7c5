"""A long update, and something killed again and again in its middle: does it end well, whoever is hit and when?"""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faults import injection, moments, processes, trial
from faults.matrix import PHASES, Cell
from faults.operator import Operator
from faults.site import PLAN, Site, site
from faults.witness import Witness
from tripleo_update_sandbox.wanted import Wish

Say = Callable[[str], None]

#: What may be hit. All of it heals by itself; what does not, an operator's `retry` has to heal.
_KILLS = ("mistral", "heat", "runner", "ansible", "prober", "undercloud", "workfolder")

_PACE = 60.0  # seconds that a node takes
_PATIENCE = 2 * 3600.0  # seconds for all of it

_VERBS = {"PAUSED": "resume", "ERROR": "retry"}


def kills(seed: int, count: int) -> list[tuple[float, str]]:
    """(seconds after the one before, component) of each kill; the same for the same *seed*."""
    dice = random.Random(seed)  # noqa: S311 - it has to be the same again
    return [(dice.uniform(5.0, 60.0), dice.choice(_KILLS)) for _ in range(count)]


def run(folder: Path, seed: int, count: int, say: Say) -> list[str]:
    """Complaints about an update of nine nodes with *count* kills."""
    wish = Wish(controllers=3, computes=3, ceph=3, pace=_PACE)
    with site(folder, wish=wish) as here, Witness(here.state.nodes) as witness:
        plan = here.plan(limits=())
        since = time.time()
        update = here.operator.start(PLAN)
        hit: set[str] = set()
        for pause, component in kills(seed, count):
            time.sleep(pause)
            hit |= _strike(here, component, plan, say)
            _help(here.operator, update, say)
        state = _see_through(here.operator, update, say)
        ended = [] if state == "SUCCESS" else [f"the update ended as {state}"]
        return ended + trial.verdict(here, plan, since, witness, sorted(hit), whole=True)


def _strike(here: Site, component: str, plan: dict[str, Any], say: Say) -> set[str]:
    """Hit *component* in the phase that some batch is in now; the nodes whose update that may have broken off."""
    batch, phase = _at_work(here, plan)
    if not batch:
        return set()
    say(f"{time.strftime('%H:%M:%S')}  {component} killed, {batch} in {phase}")
    injection.strike(here, Cell(component, "gone" if component == "workfolder" else "killed", phase), batch)
    return set(next(each["nodes"] for each in plan["batches"] if each["id"] == batch)) if phase == "update" else set()


def _at_work(here: Site, plan: dict[str, Any]) -> tuple[str, str]:
    """(a batch, its phase) whose runner lives; two empty texts where none does."""
    for batch in plan["batches"]:
        for phase in PHASES:
            if processes.of_job(moments.job_of(phase, batch["id"]), processes.RUNNER, here.state.folder):
                return str(batch["id"]), phase
    return "", ""


def _help(operator: Operator, update: str, say: Say) -> str:
    """What an operator does about an update that has stopped: one command. The state before that."""
    state = operator.state_of(update)
    if verb := _VERBS.get(state):
        say(f"{time.strftime('%H:%M:%S')}  the update is {state}: {verb}")
        operator.update(verb, "--yes", update)
    return state


def _see_through(operator: Operator, update: str, say: Say) -> str:
    """The state in which the update ends, with a command for each time that it stops before."""
    deadline = time.monotonic() + _PATIENCE
    while (state := _help(operator, update, say)) != "SUCCESS" and time.monotonic() < deadline:
        operator.wait_while(update, ("RUNNING",), 600.0)
    return state
