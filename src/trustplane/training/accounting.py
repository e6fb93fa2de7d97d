"""What runs used: totals for each principal, from what was measured of every run."""

from collections.abc import Iterable
from dataclasses import dataclass

from trustplane.training.tables import Run


@dataclass(frozen=True, slots=True)
class RunTotals:
    """The runs of one principal, or of all: how many there are and ended well, and what they used; memory is the highest peak of one."""

    runs: int = 0
    done: int = 0
    failed: int = 0
    measured: int = 0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    output_bytes: int = 0


def totals(rows: Iterable[Run]) -> RunTotals:
    """What runs used together. A run that ended before its script did was not measured."""
    found = list(rows)
    measured = [row.environment for row in found if "wall_seconds" in row.environment]
    return RunTotals(
        runs=len(found),
        done=sum(row.state == "done" for row in found),
        failed=sum(row.state == "failed" for row in found),
        measured=len(measured),
        wall_seconds=round(sum(float(e["wall_seconds"]) for e in measured), 3),
        cpu_seconds=round(sum(float(e["cpu_seconds"]) for e in measured), 3),
        peak_memory_bytes=max((int(e["peak_memory_bytes"]) for e in measured), default=0),
        output_bytes=sum(int(o["size"]) for row in found for o in row.outputs.values()),
    )


def by_author(rows: Iterable[Run]) -> dict[str, RunTotals]:
    """The totals of each author's runs, by the author's id."""
    mine: dict[str, list[Run]] = {}
    for row in rows:
        mine.setdefault(row.author_id, []).append(row)
    return {author: totals(found) for author, found in sorted(mine.items())}
