"""Plots as SVG texts, made by pure functions. Colours come from classes of the page, so that a plot is light, dark or in print as its page is.

Every value also stands there as a word, so that nothing is told by colour or length alone. Shares are of 0 to 1.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite

WIDTH = 720
_LABELS = 250
_VALUES = 70
_ROW = 22
_LEFT = _LABELS + 12
_SPAN = WIDTH - _LEFT - _VALUES


@dataclass(frozen=True, slots=True)
class Bars:
    """One line of a plot: a bar for each value, in the order of the plot's series; ``mark`` is what to compare them with."""

    label: str
    values: tuple[float, ...]
    mark: float | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """One line of a plot: a value, and the interval that it may lie in."""

    label: str
    value: float
    ends: tuple[float, float] | None = None


def share(value: float) -> str:
    """A share in words."""
    if value in {0, 1}:
        return f"{100 * value:.0f} %"
    return "< 0.1 %" if 0 < value < 0.0005 else f"{100 * value:.1f} %"


def figure(value: float) -> str:
    """A number in words."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.3f}"


def reach(values: Iterable[float]) -> float:
    """How far an axis of shares goes so that small ones show."""
    largest = max(values, default=0.0)
    return next((end for end in (0.1, 0.2, 0.5) if largest <= end), 1.0)


def bars(
    title: str,
    rows: Sequence[Bars],
    series: Sequence[str] = ("after",),
    words: Callable[[float], str] = share,
    most: float = 1.0,
    marked: str = "",
) -> str:
    """Bars side by side from 0 to ``most``, one line for each of ``rows``. ``series`` are the classes of the bars and, where there are
    several, the words of a legend, with ``marked`` for the marks."""
    thick = 12
    height = max(_ROW, (thick + 2) * len(series)) + 10
    named = _legend(series, marked) if len(series) > 1 or marked else ""
    top = 24 if named else 4
    parts, at = [named, _grid(top, top + height * len(rows), words, most)], top
    for row in rows:
        middle = at + height / 2
        parts.append(_text(_LABELS, middle + 4, row.label, "end"))
        first = middle - (thick + 2) * len(series) / 2 + 1
        for place, (kind, value) in enumerate(zip(series, row.values, strict=True)):
            y, long = first + place * (thick + 2), _SPAN * _part(value, most)
            if value:
                parts.append(f'<rect class="{escape(kind)}" x="{_LEFT}" y="{y:.1f}" width="{max(long, 1):.1f}" height="{thick}" rx="1.5"/>')  # fmt: skip
            parts.append(_text(_LEFT + long + 6, y + thick - 2.5, words(value), "start", "value"))
        if row.mark is not None:
            x = _LEFT + _SPAN * _part(row.mark, most)
            parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{at + 3:.1f}" y2="{at + height - 3:.1f}"/>')
        at += height
    return _svg(title, at + 22, parts)


def columns(title: str, groups: Mapping[str, tuple[float, ...]], series: Sequence[str], words: Callable[[float], str] = figure) -> str:  # fmt: skip
    """Columns that stand side by side in groups, from 0 to the largest value."""
    high, left, bottom = 150, 8, 190
    most = max((v for values in groups.values() for v in values), default=0) or 1
    wide = (WIDTH - 2 * left) / max(len(groups), 1)
    thick = min(44.0, (wide - 16) / len(series))
    parts = [_legend(series), f'<line class="axis" x1="{left}" x2="{WIDTH - left}" y1="{bottom}" y2="{bottom}"/>']
    for number, (name, values) in enumerate(groups.items()):
        middle = left + wide * (number + 0.5)
        parts.append(_text(middle, bottom + 16, name, "middle"))
        for place, (kind, value) in enumerate(zip(series, values, strict=True)):
            tall, x = high * _part(value, most), middle - thick * len(series) / 2 + place * thick
            if value:
                parts.append(f'<rect class="{escape(kind)}" x="{x + 1:.1f}" y="{bottom - max(tall, 1):.1f}" width="{thick - 2:.1f}" height="{max(tall, 1):.1f}" rx="1.5"/>')  # fmt: skip
            parts.append(_text(x + thick / 2, bottom - tall - 4, words(value), "middle", "value"))
    return _svg(title, bottom + 26, parts)


def ranges(title: str, rows: Sequence[Range], words: Callable[[float], str] = figure, span: tuple[float, float] = (0.0, 1.0)) -> str:  # fmt: skip
    """Values as dots with their intervals as lines, on an axis over ``span``."""
    low, wide = span[0], (span[1] - span[0]) or 1.0
    top, parts = 4, [_ticks(4, 4 + _ROW * len(rows), words, span)]
    for at, row in enumerate(rows):
        middle = top + _ROW * (at + 0.5)
        parts.append(_text(_LABELS, middle + 4, row.label, "end"))
        x = _LEFT + _SPAN * _part(row.value - low, wide)
        furthest = x
        if row.ends is not None:
            first, furthest = (_LEFT + _SPAN * _part(end - low, wide) for end in row.ends)
            parts.append(f'<line class="range" x1="{first:.1f}" x2="{max(furthest, first + 1):.1f}" y1="{middle:.1f}" y2="{middle:.1f}"/>')  # fmt: skip
        parts.append(f'<circle class="after" cx="{x:.1f}" cy="{middle:.1f}" r="4"/>')
        parts.append(_text(max(x, furthest) + 8, middle + 4, words(row.value), "start", "value"))
    return _svg(title, top + _ROW * len(rows) + 22, parts)


def curve(title: str, points: Sequence[tuple[float, float]], across: str, mark: float | None = None) -> str:
    """A line through points in the order of their first numbers, from 0 to the largest second one. ``across`` says what runs along the axis."""
    left, top, high, wide = 56, 10, 150, WIDTH - 56 - 16
    inside = [(x, y) for x, y in sorted(points) if isfinite(x) and isfinite(y)]
    if not inside:
        return ""
    first, reached = inside[0][0], inside[-1][0]
    most = max((y for _, y in inside), default=0.0) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        return left + wide * _part(x - first, (reached - first) or 1.0), top + high * (1 - _part(y, most))

    path = "".join(f"{'L' if at else 'M'}{x:.1f} {y:.1f}" for at, (x, y) in enumerate(place(*p) for p in inside))
    bottom = top + high
    parts = [f'<line class="axis" x1="{left}" x2="{left + wide}" y1="{bottom}" y2="{bottom}"/>']
    for tick in (0, 0.5, 1):
        y = top + high * (1 - tick)
        parts.append(f'<line class="grid" x1="{left}" x2="{left + wide}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_text(left - 6, y + 4, figure(most * tick), "end", "tick"))
        x = first + (reached - first) * tick
        parts.append(
            _text(left + wide * tick, bottom + 15, figure(x), ("start", "middle", "end")[int(tick * 2)], "tick")
        )
    if mark is not None and first <= mark <= reached:
        x, _ = place(mark, 0)
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>')
    parts += [f'<path class="line" d="{path}"/>', _text(left + wide / 2, bottom + 30, across, "middle")]
    return _svg(title, bottom + 36, parts)


def _part(value: float, most: float) -> float:
    return min(max(value / most, 0.0), 1.0) if isfinite(value) else 0.0


def _grid(top: float, bottom: float, words: Callable[[float], str], most: float) -> str:
    return _ticks(top, bottom, words, (0.0, most))


def _ticks(top: float, bottom: float, words: Callable[[float], str], span: tuple[float, float]) -> str:
    lines = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        x, said = _LEFT + _SPAN * tick, words(span[0] + (span[1] - span[0]) * tick)
        kind = "axis" if tick == 0 else "grid"
        lines.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>')
        lines.append(_text(x, bottom + 16, said.replace(".0 %", " %"), "middle", "tick"))
    return "".join(lines)


def _legend(series: Iterable[str], marked: str = "") -> str:
    parts, x = [], float(_LEFT)
    for kind in series:
        parts.append(f'<rect class="{escape(kind)}" x="{x:.1f}" y="3" width="12" height="12" rx="1.5"/>')
        parts.append(_text(x + 18, 13.5, kind, "start"))
        x += 40 + 8 * len(kind)
    if marked:
        parts.append(f'<line class="mark" x1="{x + 6:.1f}" x2="{x + 6:.1f}" y1="2" y2="16"/>')
        parts.append(_text(x + 18, 13.5, marked, "start"))
    return "".join(parts)


def _text(x: float, y: float, words: str, anchor: str, kind: str = "label") -> str:
    shown = words if len(words) <= 40 else words[:39] + "…"
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(shown)}</text>'


def _svg(title: str, height: float, parts: Iterable[str]) -> str:
    said = escape(title)
    return f'<svg class="plot" role="img" aria-label="{said}" viewBox="0 0 {WIDTH} {height:.0f}"><title>{said}</title>{"".join(parts)}</svg>'  # fmt: skip
