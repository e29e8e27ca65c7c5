"""What may be claimed of each probe? No downtime seen, downtime and in which batch, or that nothing is proved."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tripleo_update_plugin.outcome.execution import Execution, PhaseRun
from tripleo_update_plugin.outcome.track import Blind, Outage, Track
from tripleo_update_plugin.plan.plan import Plan
from tripleo_update_plugin.plan.words import some_names

NO_DOWNTIME, DOWNTIME, NOT_PROVED = "no downtime seen", "downtime", "not proved"

#: Seconds without a word from the prober of a running update after which it counts as gone.
SILENCE = 30.0

#: Mistral's times are whole seconds: what began at 12 may have begun at 12.9.
_RESOLUTION = 1.0

_MOST_PLACES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One probe: what was asked (``level``, e.g. 'new connection, greeting'), and what came of it."""

    name: str
    kind: str
    level: str
    track: Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """The budget of availability was exceeded at ``time`` (Unix seconds); ``paused`` if that paused the update."""

    probe: str
    time: float
    text: str
    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a prober knows at ``until`` (Unix seconds). ``error`` says why it could not ask at all.

    ``ended`` says that it has told all. ``left_out`` are public endpoints that it does not ask, because nobody deployed
    what they lead to.
    """

    until: float
    ended: bool = False
    error: str = ""
    left_out: tuple[str, ...] = ()
    probes: tuple[Watched, ...] = ()
    breaches: tuple[Breach, ...] = ()

    def covers(self, time: float) -> bool:
        """Whether nothing more is to be heard of what happened until *time*."""
        return bool(self.error) or (self.ended and self.until >= time)

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        probes = [{"name": p.name, "kind": p.kind, "level": p.level, "track": p.track.to_dict()} for p in self.probes]
        breaches = [{"probe": b.probe, "time": b.time, "text": b.text, "paused": b.paused} for b in self.breaches]
        return {
            "until": self.until, "ended": self.ended, "error": self.error, "left_out": list(self.left_out),
            "probes": probes, "breaches": breaches,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Watch":
        """A Watch from what to_dict() gave; KeyError, TypeError or ValueError for anything else."""
        return cls(
            until=float(data["until"]),
            ended=bool(data["ended"]),
            error=str(data["error"]),
            left_out=tuple(data["left_out"]),
            probes=tuple(Watched(**{**each, "track": Track.from_dict(each["track"])}) for each in data["probes"]),
            breaches=tuple(Breach(**each) for each in data["breaches"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What may be claimed of one probe.

    ``seconds`` are those of downtime, ``places`` where in the update; ``unproved`` are the seconds of the update for
    which there is no data, ``why`` not.
    """

    probe: str
    kind: str
    level: str
    verdict: str
    seconds: float = 0.0
    places: tuple[str, ...] = ()
    unproved: float = 0.0
    why: str = ""
    error: str = ""
    track: Track = field(default_factory=lambda: Track(retry=0, period=1))

    def __str__(self) -> str:
        if self.verdict == DOWNTIME:
            named = "; ".join(self.places[:_MOST_PLACES])
            rest = len(self.places) - _MOST_PLACES
            text = f"downtime of {self.seconds:.1f} s in {named}" + (f" and {rest} more" if rest > 0 else "")
            text += f" ({self.error})" if self.error else ""
            return f"{text}; {self._unproved()}" if self.unproved else text
        return self._unproved() if self.verdict == NOT_PROVED else self.verdict

    def _unproved(self) -> str:
        asked = self.unproved and self.track.requests
        return "not proved" + (f" for {self.unproved:.1f} s" if asked else "") + f": {self.why}"


def verdicts_of(plan: Plan, execution: Execution, watch: Watch | None, now: float) -> tuple[Verdict, ...]:
    """One verdict for each probe, and one of all that says why where nobody could ask. *now* is in Unix seconds."""
    seen = [_verdict(watched, plan, execution, watch, now) for watched in watch.probes] if watch else []
    why = watch.error if watch else "no prober has reported"
    if why or not seen:
        seen.append(Verdict(probe="*", kind="", level="", verdict=NOT_PROVED, why=why or "there was nothing to ask"))
    return tuple(seen)


def _verdict(watched: Watched, plan: Plan, execution: Execution, watch: Watch, now: float) -> Verdict:
    track = watched.track
    # A word from a prober that runs may be some seconds old.
    blind = list(_blind(track, watch, _to_prove(execution, max(watch.until, now - SILENCE))))
    unproved = _length(blind)
    places = tuple(dict.fromkeys(p for outage in track.outages for p in _places(outage, track.period, plan, execution)))
    why = max(blind, key=lambda b: b.end - b.start).why if blind else ""
    if track.outages:
        verdict = DOWNTIME
    elif blind or not track.answered:
        verdict, why = NOT_PROVED, why or "it has not answered once"
    else:
        verdict = NO_DOWNTIME
    return Verdict(
        probe=watched.name, kind=watched.kind, level=watched.level, verdict=verdict, places=places, unproved=unproved,
        seconds=_downtime(track, watch.until), why=why, track=track,
        error=track.outages[-1].error if track.outages else "",
    )  # fmt: skip


def _downtime(track: Track, until: float) -> float:
    """Seconds of all outages; one that is not over lasts as long as it was looked at."""
    ends = [max(each.last, until) if each.end is None else each.end for each in track.outages]
    return track.more_seconds + sum(end - each.start for end, each in zip(ends, track.outages, strict=True))


def _to_prove(execution: Execution, now: float) -> list[tuple[float, float]]:
    """The times in which some node was touched or could be: all phases but the gates before, which change nothing."""
    phases = [p for run in execution.batches for p in run.phases if p.name != "gate_before" and p.started is not None]
    spans: list[tuple[float, float]] = []
    for start, end in sorted((p.started or 0.0, p.finished or execution.finished or now) for p in phases):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((start, end))
    return spans


def _blind(track: Track, watch: Watch, spans: list[tuple[float, float]]) -> Iterator[Blind]:
    """The parts of *spans* for which there is no data, each with the reason."""
    first, last = track.first_sent, track.last_sent
    if first is None or last is None:
        known = [Blind(start=-math.inf, end=math.inf, why=track.blind[-1].why if track.blind else "it was not asked")]
    else:
        gone = "the prober had ended" if watch.ended else "the prober was gone"
        known = [
            Blind(start=-math.inf, end=first - _RESOLUTION, why="the prober had not begun"),
            *track.blind,
            Blind(start=max(last + track.period, watch.until), end=math.inf, why=gone),
        ]
    for start, end in spans:
        for each in known:
            clipped = Blind(start=max(each.start, start), end=min(each.end, end), why=each.why)
            if clipped.end > clipped.start:
                yield clipped


def _length(spans: list[Blind]) -> float:
    """Seconds that the spans cover together."""
    covered, reached = 0.0, float("-inf")
    for span in sorted(spans, key=lambda b: b.start):
        covered += max(0.0, span.end - max(span.start, reached))
        reached = max(reached, span.end)
    return covered


def _places(outage: Outage, period: float, plan: Plan, execution: Execution) -> Iterator[str]:
    """The phases that were under way when it began; else the last one that had ended. What made the first attempt
    fail happened after the one before was sent."""
    runs = [(run.id, phase) for run in execution.batches for phase in run.phases if phase.started is not None]
    under_way = [(id, p) for id, p in runs if _overlaps(p, outage.start - period, outage.start)]
    if under_way:
        yield from (_place(id, phase, plan) for id, phase in under_way)
        return
    ended = [(p.finished, id, p) for id, p in runs if p.finished is not None and p.finished <= outage.start]
    if ended:
        _, id, phase = max(ended, key=lambda each: each[0])
        yield f"the time after {_place(id, phase, plan)}"
    else:
        yield "the time before the first batch"


def _overlaps(phase: PhaseRun, start: float, end: float) -> bool:
    assert phase.started is not None
    return phase.started <= end and (phase.finished is None or phase.finished >= start)


def _place(id: str, phase: PhaseRun, plan: Plan) -> str:
    nodes = next((batch.nodes for batch in plan.batches if batch.id == id), ())
    return f"{id} ({some_names(nodes)}), {phase.name}"


COLUMNS = (
    "probe", "kind", "verdict", "requests", "failed first attempts", "failed in spite of retries", "longest gap",
    "p50", "p95", "p99", "slowest", "detail",
)  # fmt: skip


def row(verdict: Verdict) -> tuple[Any, ...]:
    """One verdict as a row of COLUMNS; times are seconds."""
    track = verdict.track
    times = (track.longest_gap, *(track.percentile(share) for share in (0.5, 0.95, 0.99)), track.slowest)
    kind = f"{verdict.kind}: {verdict.level}" if verdict.level else verdict.kind
    detail = "" if verdict.verdict == NO_DOWNTIME else str(verdict)
    counts = (track.requests, track.failed_first, track.failed)
    return (verdict.probe, kind, verdict.verdict, *counts, *(round(t, 3) for t in times), detail)
