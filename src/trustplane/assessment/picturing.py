"""The result of a check as plots: figures with their intervals, and the curves that some checks give. No I/O."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trustplane.data.reports.plots import Bars, Range, bars, curve, figure, ranges, reach

MOST = 16
"""Figures of one plot."""
_STEP = re.compile(r"cost\[([0-9.]+)\]\Z")


def plots(result: Mapping[str, Any]) -> list[str]:
    """SVG texts of a check's result as it is kept."""
    return [
        plot
        for plot in (
            *_intervals(result),
            *_costs(result["figures"]),
            *_budget(result.get("details", {})),
            *_weaknesses(result.get("details", {})),
        )
        if plot
    ]


def trend(name: str, points: Sequence[tuple[int, float, Sequence[float] | None]]) -> str:
    """A figure over versions: each with its number, value and interval."""
    rows = [
        Range(f"version {number}", value, None if ends is None else (float(ends[0]), float(ends[1])))
        for number, value, ends in points
    ]
    return ranges(f"{name} by version", rows, figure, _span(rows))


def _intervals(result: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        Range(name, float(result["figures"][name]), (float(ends[0]), float(ends[1])))
        for name, ends in result["intervals"].items()
        if name in result["figures"] and not _STEP.match(name) and -1 <= float(result["figures"][name]) <= 1
    ]
    if rows:
        yield ranges("Figures with their 95 % intervals", rows[:MOST], figure, _span(rows[:MOST]))


def _span(rows: Sequence[Range]) -> tuple[float, float]:
    """From 0, or -1 where a value lies below, to 1 or as far as the values go."""
    ends = [end for row in rows for end in (row.value, *(row.ends or ()))]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    reach = next((r for r in (0.1, 0.2, 0.5, 1.0) if high <= r), high)
    return (0.0 if low >= 0 else -next((r for r in (0.1, 0.2, 0.5, 1.0) if -low <= r), -low)), reach


def _costs(figures: Mapping[str, float]) -> Iterator[str]:
    points = [(float(found[1]), value) for name, value in figures.items() if (found := _STEP.match(name))]
    if points:
        yield curve(
            "Cost of a decision by threshold",
            points,
            "threshold; the mark is the best one",
            figures.get("best_threshold"),
        )


def _budget(details: Mapping[str, Any]) -> Iterator[str]:
    points = [(float(distance), float(success)) for distance, success in details.get("curve", ())]
    if len(points) > 1:
        yield curve(
            "Rows that are evaded by the distance that an attacker may go", points, "distance within the budget"
        )


def _weaknesses(details: Mapping[str, Any]) -> Iterator[str]:
    rows = [Bars(str(feature), (float(share),)) for feature, share, *_ in details.get("weaknesses", ())]
    if rows:
        most = reach(row.values[0] for row in rows)
        yield bars("Features by the share of evasions that change them", rows, most=most)
