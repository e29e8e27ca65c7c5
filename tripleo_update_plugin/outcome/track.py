"""What do the answers to a probe come to? How much failed, for how long, and of what time nothing can be said.

Times are Unix seconds. Nothing here reads a clock: attempts are noted in the order they were sent.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

#: Spans of one kind that are kept one by one.
_MOST = 60

#: The edges of the latency histogram grow by this factor, from a millisecond on.
_STEP = 1.25

NOT_YET = "it had not answered yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request: when it was sent, whether it ``succeeded``, after how many ``seconds``, and the ``error`` if not.

    ``spoiled`` says why its failure says nothing about the other side; empty where it does.
    """

    sent: float
    succeeded: bool
    seconds: float = 0.0
    error: str = ""
    spoiled: str = ""


@dataclass(slots=True, kw_only=True)
class Outage:
    """From the first request that failed to the next one that succeeded; it is not over while ``end`` is None.

    ``attempts`` counts the requests that failed, ``failed`` those that failed in spite of retries: no later one
    succeeded in time. ``last`` is when the last failed one was sent.
    """

    start: float
    last: float
    end: float | None = None
    attempts: int = 0
    failed: int = 0
    error: str = ""

    @property
    def until(self) -> float:
        """Its end as far as it was seen."""
        return self.last if self.end is None else self.end

    @property
    def seconds(self) -> float:
        """How long it lasted, as far as it was seen."""
        return max(0.0, self.until - self.start)


@dataclass(slots=True, kw_only=True)
class Blind:
    """A time for which there is no data that could prove anything, and why."""

    start: float
    end: float
    why: str


@dataclass(slots=True, kw_only=True)
class Track:
    """What came of one probe so far. ``retry`` and ``period`` are seconds, as in its Pace."""

    retry: float
    period: float
    requests: int = 0
    answered: int = 0
    failed_first: int = 0
    failed: int = 0
    unanswered: int = 0  # before the first answer, when nobody knows whether there is anything to answer
    spoiled: int = 0
    longest_gap: float = 0.0
    slowest: float = 0.0
    latency: dict[int, int] = field(default_factory=dict)
    outages: list[Outage] = field(default_factory=list)
    more_outages: int = 0  # of which only their number and length is kept
    more_seconds: float = 0.0
    blind: list[Blind] = field(default_factory=list)
    pending: list[float] = field(default_factory=list)
    last_success: float | None = None
    first_sent: float | None = None
    last_sent: float | None = None

    def note(self, attempt: Attempt) -> None:
        """Take the next attempt into account; each was sent after the one before."""
        self.requests += 1
        self.first_sent = attempt.sent if self.first_sent is None else self.first_sent
        self.last_sent = attempt.sent
        self._decide(attempt.sent)
        if attempt.succeeded:
            self._succeed(attempt)
        elif attempt.spoiled:
            self.spoiled += 1
            self.be_blind(attempt.sent, attempt.sent + self.period, attempt.spoiled)
        elif not self.answered:
            self.unanswered += 1
            self.be_blind(attempt.sent, attempt.sent + self.period, f"{NOT_YET} ({attempt.error})")
        else:
            self._fail(attempt)

    def _decide(self, now: float) -> None:
        """Requests whose retry window has passed without a success have failed for good."""
        while self.pending and self.pending[0] + self.retry < now:
            self.pending.pop(0)
            self.failed += 1
            self._outage.failed += 1

    def _succeed(self, attempt: Attempt) -> None:
        self.answered += 1
        self.slowest = max(self.slowest, attempt.seconds)
        edge = max(0, math.ceil(math.log(max(attempt.seconds, 1e-6) / 0.001, _STEP)))
        self.latency[edge] = self.latency.get(edge, 0) + 1
        if self._is_out:
            self._outage.end = attempt.sent
        if self.last_success is not None:
            self.longest_gap = max(self.longest_gap, attempt.sent - self.last_success)
        self.pending.clear()
        self.last_success = attempt.sent

    def _fail(self, attempt: Attempt) -> None:
        self.failed_first += 1
        if not self._is_out:
            self.outages.append(Outage(start=attempt.sent, last=attempt.sent))
            self._forget_shortest()
        outage = self._outage
        outage.attempts += 1
        outage.last, outage.error = attempt.sent, attempt.error
        self.pending.append(attempt.sent)
        if self.last_success is not None:
            self.longest_gap = max(self.longest_gap, attempt.sent - self.last_success)

    def _forget_shortest(self) -> None:
        """Where there are too many outages, keep no more of the shortest one that is over than its length."""
        if len(self.outages) > _MOST:
            forgotten = self.outages.pop(min(range(_MOST), key=lambda i: self.outages[i].seconds))
            self.more_outages += 1
            self.more_seconds += forgotten.seconds

    @property
    def _outage(self) -> Outage:
        return self.outages[-1]

    @property
    def _is_out(self) -> bool:
        return bool(self.outages) and self._outage.end is None

    @property
    def is_down(self) -> bool:
        """Whether the last attempt failed."""
        return self._is_out

    def be_blind(self, start: float, end: float, why: str) -> None:
        """Nothing is known of the time from *start* to *end*: what was pending then is decided by nobody."""
        self.pending.clear()
        self.last_success = None
        if self._is_out:
            self._outage.end = max(self._outage.last, min(start, self._outage.last + self.period))
        last = self.blind[-1] if self.blind else None
        near = last is not None and start <= last.end + 2 * self.period and last.why == why
        if last is not None and (near or len(self.blind) >= _MOST):
            # Saying that too much is not proved is the safe side.
            last.end = max(last.end, end)
        else:
            self.blind.append(Blind(start=start, end=end, why=why))

    def percentile(self, share: float) -> float:
        """Seconds within which that share of the successes came, rounded up by at most a quarter.

        >>> track = Track(retry=15, period=1)
        >>> track.note(Attempt(sent=0, succeeded=True, seconds=0.01))
        >>> 0.01 <= track.percentile(0.5) <= 0.0125
        True
        """
        wanted = share * self.answered
        seen = 0
        for edge in sorted(self.latency):
            seen += self.latency[edge]
            if seen >= wanted:
                return float(min(0.001 * _STEP**edge, self.slowest) if self.slowest else 0.0)
        return 0.0

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return asdict(self) | {"latency": {str(edge): count for edge, count in self.latency.items()}}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Track":
        """A Track from what to_dict() gave; TypeError or ValueError for anything else."""
        known = dict(data)
        known["latency"] = {int(edge): int(count) for edge, count in known["latency"].items()}
        known["outages"] = [Outage(**each) for each in known["outages"]]
        known["blind"] = [Blind(**each) for each in known["blind"]]
        return cls(**known)
