"""Which plays keep the record on the nodes: who works on them, and whether services are out of use?

The record is what all underclouds go by (``module_utils/tripleo_update_record.py``). A phase that changes nodes claims
them first, carries a mark in everything that it runs there, and says at its end how it leaves them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tripleo_update_plugin.names import naturally
from tripleo_update_plugin.playbooks.plays import Phase, Play, Task

CLAIM_TASK = "The node is claimed for this batch"
KEEP_TASK = "The node's record says how the phase leaves it"
FREE_TASK = "The node is nobody's any more"
UNDO_TASK = "What was changed from here is put back"

#: The group of the nodes that a phase has claimed: what is done to others for their sake goes by it.
CLAIMED = "tripleo_update_claimed"

#: In the environment of whatever a phase runs on a node, so that what goes on after the phase is found there.
MARK = "TRIPLEO_UPDATE_TASK"

_FOLDER = "{{ tripleo_update_marks | default(omit) }}"
_IN_WORDS = "{{ tripleo_update_marks | default('/var/lib/tripleo-update') }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A batch as the record names it: ``update`` is the root execution, ``job`` the phase's job on ``machine``.

    ``services`` are those it updates, None for all of its nodes.
    """

    undercloud: str
    stack: str
    update: str
    batch: str
    phase: str
    attempt: int
    machine: str
    job: str
    services: tuple[str, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """As the module tripleo_update_record takes it."""
        fields = ("undercloud", "stack", "update", "batch", "phase", "attempt", "machine", "job")
        services = None if self.services is None else list(self.services)
        return {**{field: getattr(self, field) for field in fields}, "services": services}


def framed(
    phase: Phase, owner: Owner, nodes: Sequence[str], *, seconds: int, wait: int, drained: bool | None
) -> Phase:
    """*phase* between a claim of *nodes* and a word on how it leaves them.

    The claim holds for *seconds*; another owner is waited for so many seconds as *wait* says. *drained* is whether
    services are out of use afterwards; None leaves that as it is. A node that cannot be claimed is left alone.
    """
    hosts = list(naturally(nodes))
    claim = _record("claim", CLAIM_TASK, owner, seconds=seconds, wait=wait)
    group = {"name": "Only what is claimed is touched", "group_by": {"key": CLAIMED}}
    first = _play("Claim the nodes", hosts, [claim, group])
    last = _play("Note how the nodes are left", hosts, [kept(owner, seconds=seconds, drained=drained)])
    return Phase(plays=(first, *(marked(play, owner.job) for play in phase.plays), last))


def marked(play: Play, job: str) -> Play:
    """*play*, whose tasks carry the mark of *job*; another playbook that is imported carries none."""
    if "hosts" not in play:
        return play
    environment = play.get("environment")
    there = environment if isinstance(environment, list) else [environment] if environment else []
    return {**play, "environment": [*there, {MARK: f"{job}.{{{{ inventory_hostname }}}}@{_IN_WORDS}"}]}


def kept(owner: Owner, *, seconds: int, drained: bool | None, failed: str = "") -> Task:
    """A task that says that a phase has ended: why it *failed*, if it did, and whether services are out of use."""
    more: dict[str, Any] = {"seconds": seconds, "failed": failed}
    if drained is not None:
        more["drained"] = drained
    return _record("keep", KEEP_TASK, owner, **more)


def left(owner: Owner, reasons: Mapping[str, str], *, seconds: int, drained: bool | None) -> Phase:
    """What is told the nodes on which a phase failed, {node: why}."""
    hosts = list(naturally(reasons))
    task = kept(owner, seconds=seconds, drained=drained, failed="{{ tripleo_update_reasons[inventory_hostname] }}")
    play = _play("Note what failed", hosts, [task])
    return Phase(plays=({**play, "vars": {"tripleo_update_reasons": {name: reasons[name] for name in hosts}}},))


def freed(nodes: Iterable[str], owner: Owner | None, forget: bool = False) -> Phase:
    """The nodes are nobody's any more, if they were *owner*'s; whoever's they were if that is None.

    *forget* says that they are well, or shall count as well: then how sick they were before the update is not kept.
    """
    return Phase(plays=(_play("Let go of the nodes", list(naturally(nodes)), [free(owner, forget=forget)]),))


def claiming(phase: Phase, task: str, owner: Owner, nodes: Sequence[str], *, seconds: int) -> Phase:
    """The plays of a gate whose *task* claims *nodes* before it looks at them; others may be held by somebody."""
    plays = []
    for play in phase.plays:
        if any(each["name"] == task for each in play["tasks"]):
            tasks = [_claiming(each, task) for each in play["tasks"]]
        else:
            tasks = [{"name": "Nobody else has the node", "block": play["tasks"], "when": _NOT_HELD}]
        claims = {name: owner.to_dict() for name in nodes}
        known = {**play.get("vars", {}), "tripleo_update_claims": claims, "tripleo_update_lease": seconds}
        plays.append({**play, "tasks": tasks, "vars": known})
    return Phase(plays=tuple(plays))


#: Whether the node is ours, or nobody's: then its health is asked.
_NOT_HELD = (
    "inventory_hostname in tripleo_update_claims or not (tripleo_update_health.held | default({})).state | default('')"
)


def _claiming(task: Task, name: str) -> Task:
    if task["name"] != name:
        return task
    [module] = [key for key in task if key.startswith("tripleo_update_")]
    asked = {
        "claim": "{{ tripleo_update_claims[inventory_hostname] | default(omit) }}",
        "lease": "{{ tripleo_update_lease }}",
        "peers_may_be_held": True,
    }
    return {**task, module: {**task[module], **asked}}


def freeing(phase: Phase, owner: Owner, nodes: Sequence[str], outputs: str) -> Phase:
    """*phase*, and then the nodes on which all of it went well are nobody's any more.

    They are what *outputs*, a digest, says, unless *owner* has updated some of their services only.
    """
    last = free(owner, "" if owner.services else outputs, forget=True)
    return Phase(plays=(*phase.plays, _play("Let go of the nodes", list(naturally(nodes)), [last])))


def free(owner: Owner | None, outputs: str = "", forget: bool = False) -> Task:
    """The task of freed(); *outputs* is the digest that the node is brought to."""
    return _record("free", FREE_TASK, owner, forget=forget, **({"outputs": outputs} if outputs else {}))


def undone(nodes: Iterable[str], hosts: Iterable[str]) -> Phase:
    """What was changed for *nodes* is put back: first what was changed on them, then on all other *hosts*."""
    own = list(naturally(nodes))
    others = [name for name in naturally(hosts) if name not in own]
    task = _record("undo", UNDO_TASK, None, nodes=own)
    plays = [_play(f"Put back what was changed for {', '.join(own)}", each, [task]) for each in (own, others) if each]
    return Phase(plays=tuple(plays))


def _record(state: str, name: str, owner: Owner | None, **more: Any) -> Task:
    asked = {"state": state, "folder": _FOLDER, "node": "{{ inventory_hostname }}", **more}
    return {"name": name, "tripleo_update_record": {**asked, **({"owner": owner.to_dict()} if owner else {})}}


def _play(name: str, hosts: list[str], tasks: list[Task]) -> Play:
    return {"name": name, "hosts": hosts, "gather_facts": False, "tasks": tasks}
