"""What will happen? A plan says all of it, as data."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from tripleo_update_plugin.overcloud.external import Beyond
from tripleo_update_plugin.overcloud.facts import Facts
from tripleo_update_plugin.plan.words import some_names, table, waiver_in_words
from tripleo_update_plugin.rules import acceptance, related
from tripleo_update_plugin.rules.acceptance import Accepted
from tripleo_update_plugin.times import in_words

#: Of a saved plan. It changes when a plan of an older version could not be read any more.
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What a batch does to one service: ``down`` at once, of ``of`` replicas, where ``allowed`` may be."""

    down: int
    of: int
    allowed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Nodes updated together.

    ``wave`` is its place in the longest chain of batches that ends with it, from 1 on. It takes ``seconds``. ``after``
    are the ids of the batches it waits for, ``because`` is {such an id: why}; ``closed_by`` says what kept it from
    growing. ``impact`` is {service: what it does to it}. ``only`` names the services it updates, all of its nodes'
    services when empty. ``deadlines`` is {phase: seconds}, for phases that get another time than usual. ``members`` is
    {role: nodes} where there are several roles and what may fail depends on them.
    """

    id: str
    nodes: tuple[str, ...]
    roles: tuple[str, ...]
    wave: int
    seconds: int = 0
    after: tuple[str, ...] = ()
    because: Mapping[str, str] = field(default_factory=dict)
    closed_by: str = ""
    impact: Mapping[str, Impact] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    deadlines: Mapping[str, int] = field(default_factory=dict)
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def role_of(self, node: str) -> str:
        """The role of one of its nodes; "" where it does not tell."""
        if len(self.roles) == 1:
            return self.roles[0]
        return next((role for role, nodes in self.members.items() if node in nodes), "")

    def to_dict(self) -> dict[str, Any]:
        """As the schema ``plan.json`` has it; the last ones if there are any, so that older plans keep their keys."""
        data: dict[str, Any] = {
            "id": self.id,
            "wave": self.wave,
            "nodes": list(self.nodes),
            "roles": list(self.roles),
            "seconds": self.seconds,
            "after": list(self.after),
            "because": dict(self.because),
            "closed_by": self.closed_by,
            "impact": {s: {"down": i.down, "of": i.of, "allowed": i.allowed} for s, i in self.impact.items()},
        }
        members = {role: list(nodes) for role, nodes in self.members.items()}
        more = {"only": list(self.only), "deadlines": dict(self.deadlines), "members": members}
        return data | {key: value for key, value in more.items() if value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Batch":
        """What to_dict() gave. KeyError for other data."""
        return cls(
            id=data["id"],
            nodes=tuple(data["nodes"]),
            roles=tuple(data.get("roles", ())),
            wave=data["wave"],
            seconds=data["seconds"],
            after=tuple(data["after"]),
            because=dict(data["because"]),
            closed_by=data["closed_by"],
            impact={service: Impact(**numbers) for service, numbers in data["impact"].items()},
            only=tuple(data.get("only", ())),
            deadlines=dict(data.get("deadlines", {})),
            members={role: tuple(nodes) for role, nodes in data.get("members", {}).items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A place where the update waits for a person: ``before`` the batches of these ids; ``why`` is for that person.

    Nothing else is under way then: all batches that need not come after one of these come before them.
    """

    id: str
    before: tuple[str, ...]
    why: str

    def to_dict(self) -> dict[str, Any]:
        """As the schema ``plan.json`` has it."""
        return {"id": self.id, "before": list(self.before), "why": self.why}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Approval":
        """What to_dict() gave. KeyError for other data."""
        return cls(id=data["id"], before=tuple(data["before"]), why=data["why"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A rolling update in batches, of which each begins when those it comes ``after`` have ended, whatever others do.

    ``outputs_digest`` is the SHA-256 (hex) of the outputs it was made from, ``outputs`` {output: digest} of each, by
    which the difference is told. ``policy`` is the policy with its budgets in numbers, ``facts`` what the nodes said,
    None if they were not asked. ``excluded`` is {node: why it is not updated}; ``waivers`` are those that the plan
    makes use of, {service, services, reason}. ``lower_bound`` is the least number of waves that any plan under these
    constraints needs, ``makespan_bound`` the least number of seconds, ``batches_bound`` the least number of batches (0
    if unknown). ``proved`` says why no plan is shorter: this one meets the 'bound', or an 'exact' search found none;
    'no' where one may exist. ``beyond`` is what the update needs besides, in the order in which it is due.
    """

    stack: str
    release: str
    architecture: str
    packaging: str
    outputs_digest: str
    outputs: Mapping[str, str]
    policy: Mapping[str, Any]
    facts: Facts | None
    lower_bound: int
    batches: tuple[Batch, ...]
    excluded: Mapping[str, str]
    makespan_bound: int = 0
    batches_bound: int = 0
    proved: str = "no"
    approvals: tuple[Approval, ...] = ()
    waivers: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    beyond: tuple[Beyond, ...] = ()

    @property
    def waves(self) -> int:
        """The length of the longest chain of batches."""
        return max((batch.wave for batch in self.batches), default=0)

    @property
    def timeline(self) -> dict[str, tuple[int, int]]:
        """{batch: (start, end)} in seconds, where every batch starts when all it comes after has ended."""
        seconds = {batch.id: batch.seconds for batch in self.batches}
        after = {batch.id: batch.after for batch in self.batches}
        times: dict[str, tuple[int, int]] = {}
        for id in TopologicalSorter(after).static_order():
            start = max((times[before][1] for before in after.get(id, ())), default=0)
            times[id] = (start, start + seconds.get(id, 0))
        return times

    @property
    def makespan(self) -> int:
        """Seconds from the start to the end; 0 where batches wait for one another in a circle, which is no plan."""
        try:
            return max((end for _, end in self.timeline.values()), default=0)
        except CycleError:
            return 0

    def chain_to(self, id: str) -> tuple["Batch", ...]:
        """The batches that a batch had to wait for, one after the other, and itself; each is the last to end."""
        batches, times = {batch.id: batch for batch in self.batches}, self.timeline
        chain = [batches[id]]
        while chain[-1].after:
            last = max(chain[-1].after, key=lambda before: (times[before][1], batches[before].wave))
            chain.append(batches[last])
        return tuple(reversed(chain))

    @property
    def critical_path(self) -> tuple["Batch", ...]:
        """The chain of batches that makes the plan as long as it is."""
        times = self.timeline
        last = max(self.batches, key=lambda batch: (times[batch.id][1], batch.wave), default=None)
        return self.chain_to(last.id) if last else ()

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the outputs, the policy and the facts the plan was made from."""
        facts = self.facts.to_dict() if self.facts else None
        bound = json.dumps([self.outputs_digest, self.policy, facts], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(bound.encode()).hexdigest()

    @property
    def key(self) -> str:
        """Twelve hex digits that tell this plan from every other one, hand-edited ones too."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:12]

    @property
    def accepted(self) -> tuple[Accepted, ...]:
        """What may be sick as it was before the update."""
        return acceptance.parse(self.policy.get("accept") or ())

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node that some batch updates, in the order of the batches."""
        return tuple(dict.fromkeys(node for batch in self.batches for node in batch.nodes))

    def batch(self, id: str) -> Batch:
        """The batch of that *id*; KeyError if there is none."""
        for batch in self.batches:
            if batch.id == id:
                return batch
        raise KeyError(id)

    def to_dict(self) -> dict[str, Any]:
        """As the schema ``plan.json`` has it: what it holds, and what follows from that; ``beyond`` if there is any."""
        beyond = {"beyond": [step.to_dict() for step in self.beyond]} if self.beyond else {}
        return beyond | {
            "format": FORMAT,
            "stack": self.stack,
            "digest": self.digest,
            "release": self.release,
            "architecture": self.architecture,
            "packaging": self.packaging,
            "outputs_digest": self.outputs_digest,
            "outputs": dict(self.outputs),
            "policy": dict(self.policy),
            "facts": self.facts.to_dict() if self.facts else None,
            "lower_bound": self.lower_bound,
            "waves": self.waves,
            "makespan_bound": self.makespan_bound,
            "makespan": self.makespan,
            "proved": self.proved,
            "batches_bound": self.batches_bound,
            "batches": [batch.to_dict() for batch in self.batches],
            "approvals": [approval.to_dict() for approval in self.approvals],
            "excluded": dict(self.excluded),
            "waivers": [dict(waiver) for waiver in self.waivers],
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Plan":
        """A plan from data that the schema ``plan.json`` accepts; what follows from it is not looked at."""
        return cls(
            stack=data["stack"],
            release=data["release"],
            architecture=data["architecture"],
            packaging=data["packaging"],
            outputs_digest=data["outputs_digest"],
            outputs=dict(data["outputs"]),
            policy=dict(data["policy"]),
            facts=Facts.from_dict(data["facts"]) if data["facts"] is not None else None,
            lower_bound=data["lower_bound"],
            makespan_bound=data["makespan_bound"],
            proved=data["proved"],
            batches_bound=data.get("batches_bound", 0),
            batches=tuple(Batch.from_dict(batch) for batch in data["batches"]),
            approvals=tuple(Approval.from_dict(approval) for approval in data["approvals"]),
            excluded=dict(data["excluded"]),
            waivers=tuple(dict(waiver) for waiver in data["waivers"]),
            warnings=tuple(data["warnings"]),
            beyond=tuple(Beyond(**step) for step in data.get("beyond", ())),
        )

    def __str__(self) -> str:
        """The text an operator approves."""
        head = f"{self.stack}: {self.release}, {self.architecture}, {self.packaging}"
        lines = [head, f"{len(self.nodes)} nodes in {self._count()}, {self._length()}", ""]
        lines += table(COLUMNS, [row(batch) for batch in self.batches])
        lines += ["critical path:", *links(self.critical_path)] if self.batches else []
        lines += [f"waits at {a.id}, {a.why} ({some_names(a.before, what='batches')})" for a in self.approvals]
        lines += [f"related: {stack}" for stack in related.of_plan(self.policy)]
        lines += [f"excluded: {node}: {reason}" for node, reason in self.excluded.items()]
        lines += [f"waived: {waiver_in_words(waiver)}" for waiver in self.waivers]
        lines += [f"accepted: {each}" for each in self.accepted]
        lines += [f"warning: {warning}" for warning in self.warnings]
        lines += [f"{step.when} this plan, by yourself: {step.command} ({step.why})" for step in self.beyond]
        return "\n".join(lines) + "\n"

    def _count(self) -> str:
        """How many batches, and whether there could be fewer."""
        text = f"{len(self.batches)} batches"
        if not self.batches_bound:
            return text
        met = len(self.batches) == self.batches_bound
        return f"{text} ({'the fewest possible' if met else f'at least {self.batches_bound} are needed'})"

    def _length(self) -> str:
        """How long it takes, and whether it could be shorter; in hours only where the policy speaks of time."""
        text = f"{self.waves} waves"
        least = f"at least {self.lower_bound} are needed"
        if self.policy.get("durations"):
            text += f", {in_words(self.makespan)}"
            least = f"at least {in_words(self.makespan_bound)} are needed"
        return f"{text} ({'the least possible' if self.proved != 'no' else least})"


#: Of a batch, in a table for people.
COLUMNS = ("id", "wave", "nodes", "roles", "comes after", "takes down", "closed by")


def row(batch: Batch) -> tuple[str, int, str, str, str, str, str]:
    """One batch as a row of COLUMNS."""
    roles = ", ".join(batch.roles) + (f" (only {', '.join(batch.only)})" if batch.only else "")
    return (
        batch.id,
        batch.wave,
        some_names(batch.nodes),
        roles,
        ", ".join(batch.after),
        takes_down(batch.impact),
        batch.closed_by,
    )


def links(chain: Sequence[Batch]) -> list[str]:
    """A chain of batches as lines; batches in a row that wait for the same reason are on one line."""
    runs: list[tuple[str, list[str]]] = []
    before = ""
    for batch in chain:
        reason = batch.because.get(before, "")
        before = batch.id
        if len(runs) > 1 and runs[-1][0] == reason:
            runs[-1][1].append(batch.id)
        else:
            runs.append((reason, [batch.id]))
    return [f"  {some_names(ids, what='batches')}" + (f": {reason}" if reason else "") for reason, ids in runs]


def takes_down(impact: Mapping[str, Impact], most: int = 3) -> str:
    """The services hit hardest, as text: ``mysql 1/3, haproxy 1/3 and 20 more``."""
    hit = sorted(impact.items(), key=lambda entry: (-entry[1].down / entry[1].of, entry[1].allowed, entry[0]))
    text = ", ".join(f"{service} {numbers.down}/{numbers.of}" for service, numbers in hit[:most])
    return f"{text} and {len(hit) - most} more" if len(hit) > most else text
