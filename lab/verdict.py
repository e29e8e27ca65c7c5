"""What the judge makes of the clients' requests. Pure: times in seconds of any one clock."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Of new connections, this part may fail at the first attempt.
TOLERATED = 1 / 1000
#: The same where the machine has other work to do: a quarter of what clients notice of an update without any care.
TOLERATED_IF_BUSY = 1 / 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing a client wanted: how the first attempt ended, and how all of them did."""

    started: float
    finished: float
    first_ok: bool
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Requests of one kind. ``fresh`` ones open a connection each."""

    fresh: bool
    requests: int
    failed_first: int
    failed: int
    longest_gap: float

    def to_dict(self) -> dict[str, Any]:
        return {
            "fresh": self.fresh, "requests": self.requests, "failed_first": self.failed_first, "failed": self.failed,
            "longest_gap": round(self.longest_gap, 2),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All of a run. ``lost``: confirmed messages and committed rows that were not there at the end."""

    streams: Mapping[str, Stream]
    lost: int
    stale: int
    seconds: float
    errors: Sequence[str] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        streams = {name: stream.to_dict() for name, stream in self.streams.items()}
        return {
            "streams": streams, "lost": self.lost, "stale": self.stale, "seconds": round(self.seconds, 1),
            "errors": list(self.errors),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Judgement":
        streams = {name: Stream(**stream) for name, stream in data["streams"].items()}
        return cls(
            streams=streams, lost=data["lost"], stale=data["stale"], seconds=data["seconds"], errors=data["errors"]
        )

    @property
    def fresh(self) -> tuple[Stream, ...]:
        return tuple(stream for stream in self.streams.values() if stream.fresh)

    @property
    def fresh_requests(self) -> int:
        return sum(stream.requests for stream in self.fresh)

    @property
    def failed_first(self) -> int:
        """Of new connections."""
        return sum(stream.failed_first for stream in self.fresh)

    @property
    def failed_first_pooled(self) -> int:
        return sum(stream.failed_first for stream in self.streams.values() if not stream.fresh)

    @property
    def failed(self) -> int:
        return sum(stream.failed for stream in self.streams.values())

    @property
    def longest_gap(self) -> float:
        return max(stream.longest_gap for stream in self.streams.values())


def stream_of(requests: Iterable[Request], fresh: bool, began: float, ended: float) -> Stream:
    """The figures of one kind of request between *began* and *ended*.

    The gap is the longest time without a success; a client that never succeeds has one as long as the run.
    """
    all_of_them = list(requests)
    moments = sorted([began, *(request.finished for request in all_of_them if request.ok), ended])
    return Stream(
        fresh=fresh,
        requests=len(all_of_them),
        failed_first=sum(not request.first_ok for request in all_of_them),
        failed=sum(not request.ok for request in all_of_them),
        longest_gap=max(after - before for before, after in itertools.pairwise(moments)),
    )


def faults(judgement: Judgement, tolerated: float = TOLERATED) -> tuple[str, ...]:
    """Why the clients noticed something; empty if nobody did. *tolerated* is a part of the new connections."""
    found = []
    if not all(stream.requests for stream in judgement.streams.values()):
        found.append("some clients asked for nothing, so nothing is proved")
    if judgement.failed:
        found.append(f"{judgement.failed} failed in spite of retries")
    if judgement.lost:
        found.append(f"{judgement.lost} lost")
    if judgement.stale:
        found.append(f"{judgement.stale} stale reads")
    if judgement.failed_first > judgement.fresh_requests * tolerated:
        found.append(f"{judgement.failed_first} of {judgement.fresh_requests} new connections failed at first")
    return tuple(found)
