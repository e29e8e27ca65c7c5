"""One cell of the matrix: a sandbox, an update, a fault in its middle, and what came of it."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from faults import injection, judge, moments, recovery
from faults.matrix import Cell
from faults.site import NODES, PLAN, Site, site
from faults.witness import Witness
from tripleo_update_sandbox.nodes.node import all_nodes

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One trial. ``how``: see recovery; ``complaints``: the judge's, and why it was not survived."""

    cell: str
    how: str
    state: str
    reason: str
    commands: tuple[str, ...]
    complaints: tuple[str, ...]
    seconds: int
    load: float
    date: str

    @property
    def survived(self) -> bool:
        return self.how != recovery.LOST and not self.complaints

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Row":
        lists = {key: tuple(data[key]) for key in ("commands", "complaints")}
        return cls(**{**data, **lists})


def run(cell: Cell, folder: Path) -> Row:
    """Try *cell* in a sandbox in *folder*, of which nothing is left afterwards."""
    date, began = time.strftime("%Y-%m-%d %H:%M", time.gmtime()), time.monotonic()
    try:
        with site(folder, disk=cell.component == "disk") as here:
            ending, complaints = _tried(here, cell)
    except Exception as error:  # one trial that cannot be made does not keep the others from being made
        ending = recovery.Ending(how=recovery.LOST, state="")
        complaints = (f"could not be tried: {type(error).__name__}: {error}",)
    return Row(
        cell=str(cell), how=ending.how, state=ending.state, reason=ending.reason, commands=ending.commands,
        complaints=(*(ending.doubts if ending.how == recovery.LOST else ()), *complaints),
        seconds=round(time.monotonic() - began), load=round(os.getloadavg()[0], 1), date=date,
    )  # fmt: skip


def _tried(here: Site, cell: Cell) -> tuple[recovery.Ending, tuple[str, ...]]:
    plan = here.plan()
    batch = next(each["id"] for each in plan["batches"] if NODES[0] in each["nodes"])
    since = time.time()
    with Witness(here.state.nodes) as witness:
        update = here.operator.start(PLAN)
        moments.wait_for(here, cell.phase, batch, since)
        mend = injection.strike(here, cell, batch)
        ending = recovery.end(here.operator, update, mend, cell.component, lambda: drained(here, since))
    again = (NODES[0],) if cell.phase == "update" else ()
    updated = ending.how in (recovery.BY_ITSELF, recovery.BY_COMMAND)
    return ending, tuple(verdict(here, plan, since, witness, again, whole=updated))


def verdict(
    here: Site, plan: Mapping[str, Any], since: float, witness: Witness, again: Sequence[str], *, whole: bool
) -> list[str]:
    """All that the judge complains about. Only of an update that is *whole* each node has to be updated."""
    notes = [note for note in here.operator.notes() if note["time"] >= since]
    done = {note["node"] for note in notes if note["event"] == "update"}
    expected = [node for batch in plan["batches"] for node in batch["nodes"] if whole or node in done]
    return [
        *judge.once(notes, expected, again), *judge.beyond_budget(notes, judge.budgets_of(plan)),
        *judge.at_once(witness.spans, plan), *left(here, since),
    ]  # fmt: skip


def left(here: Site, since: float) -> list[str]:
    """What is still out of use or held, by the journals and by the nodes themselves."""
    found = judge.left_out(note for note in here.operator.notes() if note["time"] >= since)
    for node in all_nodes(here.state):
        found += [f"{node.name}: {each.name} is {each.state}" for each in node.services() if each.state == "failed"]
        found += [f"{node.name} is held: {path.read_text()[:200]}" for path in node.folder.glob("marks/owner.json")]
    return found


def drained(here: Site, since: float) -> list[str]:
    """Names of the nodes that have something out of use."""
    text = " ".join(left(here, since))
    return [node.name for node in all_nodes(here.state) if node.name in text]
