"""Rows of runs, and the table of them. Pure but for the files of rows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import verdict
from lab.verdict import Judgement
from tripleo_update_plugin.outcome.verdicts import DOWNTIME, NO_DOWNTIME

HEAD = (
    "architecture", "update", "new connections", "failed at first", "pooled failed at first",
    "failed in spite of retries", "longest gap", "lost", "stale", "took", "ended", "the plugin says", "load", "verdict",
)  # fmt: skip

#: Faults after which an update may not go on; the others may heal meanwhile.
MUST_STOP = ("no-return", "ssh-cut", "stuck-vip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run. ``doubts``: what else is wrong, beyond what the clients noticed. ``claims`` is what the plugin's own
    probes made it say, {probe: verdict}."""

    architecture: str
    how: str
    state: str
    seconds: int
    judgement: Judgement
    doubts: tuple[str, ...]
    load: float
    date: str
    claims: Mapping[str, str] = field(default_factory=dict)
    tolerated: float = verdict.TOLERATED

    @property
    def complaints(self) -> tuple[str, ...]:
        return (*verdict.faults(self.judgement, self.tolerated), *self.doubts, *self._disagreement())

    def _disagreement(self) -> tuple[str, ...]:
        """Clients ask more often than probes, and a few first attempts are allowed to fail: in between, both may be
        right. That no probe could say anything, of a run that has a judgement, is wrong."""
        said, found = set(self.claims.values()), self.judgement
        if NO_DOWNTIME not in said and DOWNTIME not in said:
            return ("the plugin claims nothing",)
        if DOWNTIME in said and not found.failed_first + found.failed + found.failed_first_pooled:
            return ("the plugin saw downtime, but no client did",)
        if DOWNTIME not in said and verdict.faults(found, self.tolerated):
            return ("the plugin saw no downtime, but clients did",)
        return ()

    def _said(self) -> str:
        by_verdict: dict[str, list[str]] = {}
        for probe, said in sorted(self.claims.items()):
            by_verdict.setdefault(said, []).append(probe)
        return "; ".join(f"{said}: {', '.join(probes)}" for said, probes in sorted(by_verdict.items()))

    @property
    def went_well(self) -> bool:
        return not self.complaints

    @property
    def is_control(self) -> bool:
        return self.how in ("no-gates", "all-at-once")

    @property
    def is_as_it_should_be(self) -> bool:
        """A careful update that nobody notices, a control that somebody does, a fault that stops the update only."""
        if self.is_control:
            return bool(verdict.faults(self.judgement, self.tolerated)) and not self._disagreement()
        if self.how == "careful":
            return self.went_well
        went_on = self.state == "SUCCESS" and self.how in MUST_STOP
        return not (went_on or self.judgement.failed or self.judgement.lost or self.judgement.stale)

    def cells(self) -> tuple[str, ...]:
        found = self.judgement
        return (
            self.architecture, self.how, str(found.fresh_requests), str(found.failed_first),
            str(found.failed_first_pooled), str(found.failed), f"{found.longest_gap:.1f} s", str(found.lost),
            str(found.stale), f"{self.seconds} s", self.state, self._said(), str(self.load),
            self._verdict(),
        )  # fmt: skip

    def _verdict(self) -> str:
        if self.went_well:
            allowed = f" (1 in {1 / self.tolerated:.0f} allowed)" if self.tolerated != verdict.TOLERATED else ""
            return f"nobody noticed{allowed}"
        if self.how in MUST_STOP and self.is_as_it_should_be:
            return "the update stopped, the control plane answered"
        return "; ".join(self.complaints)

    def to_dict(self) -> dict[str, Any]:
        return {
            "architecture": self.architecture, "how": self.how, "state": self.state, "seconds": self.seconds,
            "judgement": self.judgement.to_dict(), "doubts": list(self.doubts), "load": self.load, "date": self.date,
            "claims": dict(self.claims), "tolerated": self.tolerated,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Row":
        own = {**data, "judgement": Judgement.from_dict(data["judgement"]), "doubts": tuple(data["doubts"])}
        return cls(**own)


def text(rows: Iterable[Row]) -> str:
    """The rows as lines for a terminal."""
    return grid([HEAD, *(row.cells() for row in rows)])


def grid(cells: Sequence[Sequence[str]]) -> str:
    """Lines of cells, the first of them the head, for a terminal."""
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    rule = "  ".join("=" * width for width in widths)
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule]) + "\n"


def rst(rows: Iterable[Row]) -> str:
    """The rows as a table for the documentation, with where and when they were measured."""
    return list_table([(*HEAD, "measured"), *((*row.cells(), f"{row.date} UTC") for row in rows)])


def list_table(cells: Iterable[Sequence[str]]) -> str:
    """Lines of cells, the first of them the head, as reStructuredText."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for line in cells:
        lines += [f"   {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(line)]
    return "\n".join(lines) + "\n"


def save(row: Row, folder: Path) -> Path:
    """One file a run; a later run of the same kind takes its place."""
    path = folder / f"{row.architecture}.{row.how}.json"
    path.write_text(json.dumps(row.to_dict(), indent=2))
    return path


def load(folder: Path) -> list[Row]:
    rows = [Row.from_dict(json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]
    return sorted(rows, key=lambda row: (row.architecture, row.is_control, row.how))
