"""Whether the model's decisions, its errors and its probabilities differ by protected attributes, alone and two together.

Every figure comes with an interval and the rows that it stands on. Groups too small to tell are counted and named as such; they never pass.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trustplane.assessment.checks.contract import CheckInput, CheckResult, Descriptor, Ints, Parameter, Stricter
from trustplane.assessment.checks.group_counts import (
    Calibration,
    Groups,
    calibration,
    calibration_measures,
    counts,
    grouped,
    measures,
    rates,
    redrawn,
)
from trustplane.assessment.checks.intersections import SHOWN, Intersections, intersections
from trustplane.assessment.checks.resampling import intervals
from trustplane.values.outcomes import Failed, Inconclusive, Passed, Verdict

DESCRIPTOR = Descriptor(
    "fairness",
    "Do the model's favourable decisions and its errors fall on all groups alike?",
    (
        Parameter(
            "min_parity_ratio",
            0.8,
            Stricter.HIGHER,
            "legal rule of thumb for selection in employment in the United States: 29 CFR 1607.4(D), the four-fifths rule; elsewhere a convention",
        ),
        Parameter(
            "max_odds_difference",
            0.1,
            Stricter.LOWER,
            "convention: equalised odds (Hardt, Price and Srebro 2016); no law sets a number",
        ),
        Parameter(
            "max_calibration_spread",
            0.1,
            Stricter.LOWER,
            "convention: a score should mean the same for every group (Pleiss and others 2017); no law sets a number",
        ),
        Parameter(
            "min_rows",
            50,
            Stricter.LOWER,
            "convention, for shares of a group: 29 CFR 1607.4(D) warns of small numbers without saying how small",
        ),
        Parameter(
            "min_rows_per_class",
            30,
            Stricter.LOWER,
            "convention, for error rates of a group: they are shares of one class alone, known to 0.1 from about 30 rows on",
        ),
    ),
)
_PARITY = ("parity_ratio", "parity_difference")
_RATED = ("odds_difference", "odds_ratio", "equal_opportunity_difference")
_SHOWN_GROUPS = 20
_MORE = "hold out more rows for assessment"
_LOOK = "look at what drives the difference, retrain, or have it justified and waived"


@dataclass(frozen=True, slots=True)
class _Attribute:
    """One protected attribute: ``verdict`` on it, and what it stands on."""

    name: str
    verdict: Verdict
    figures: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]


class Fairness:
    """Parity, equalised odds, equal opportunity and calibration for each protected attribute, and parity for each two of them."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Fails if an attribute or an intersection clearly fails, is inconclusive if one may fail or none could be compared."""
        columns = {name: grouped(texts) for name, texts in data.groups.items()}
        found = [_attribute(data, name, groups, parameters) for name, groups in columns.items()]
        if len(columns) > 1:
            found.append(_together(data, columns, parameters))
        figures = {k: v for a in found for k, v in a.figures.items()}
        ends = {k: v for a in found for k, v in a.intervals.items()}
        return CheckResult(_judge([a.verdict for a in found]), figures, ends)


def _attribute(data: CheckInput, name: str, groups: Groups, parameters: Mapping[str, float]) -> _Attribute:
    came, said = (data.y_true == data.favourable).astype(np.int64), (data.y_pred == data.favourable).astype(np.int64)
    table, number = counts(came, said, groups.place, len(groups.names)), len(groups.names)
    sizes = groups.sizes
    large = sizes >= max(parameters["min_rows"], 1)
    rated = large & (table.sum(-1) >= max(parameters["min_rows_per_class"], 1)).all(-1)
    rows = float(sizes[large].sum())
    sizes_of = {"groups": number, "groups_compared": large.sum(), "groups_rated": rated.sum(), "rows": rows}
    left = {f"{k}[{name}]": float(v) for k, v in sizes_of.items()}
    if rated.sum() < 2:
        why = f"{name}: insufficient data, as fewer than two groups have {int(parameters['min_rows_per_class'])} rows of each class"
        return _Attribute(name, Inconclusive(why, _MORE), left, {})
    scored = calibration(data.y_true, data.y_score, groups.place, number).of(np.flatnonzero(rated))
    figures, ends = _measured(table[large], data.seed, _PARITY)
    for more, also in (_measured(table[rated], data.seed, _RATED), _calibrated(scored, data.seed)):
        figures |= more
        ends |= also
    verdict = _verdict(name, figures, ends, parameters, rows, number - int(large.sum()))
    kept = {f"{k}[{name}]": v for k, v in figures.items() if math.isfinite(v)} | left
    share = table[large][..., 1].sum(-1) / sizes[large]
    kept |= {
        f"favourable_share_least[{name}]": float(share.min()),
        f"favourable_share_most[{name}]": float(share.max()),
    }
    each, each_ends = _each(name, groups, table, np.flatnonzero(large), data.seed)
    found = {f"{k}[{name}]": v for k, v in ends.items()} | each_ends
    kept |= each
    return _Attribute(name, verdict, kept, {k: v for k, v in found.items() if k in kept})


def _measured(
    table: Ints, seed: int, names: tuple[str, ...]
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    of, again = measures(table.astype(np.float64)), measures(redrawn(table, seed))
    return {n: float(of[n]) for n in names}, intervals({n: again[n] for n in names})


def _calibrated(scored: Calibration, seed: int) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    of = calibration_measures(scored.count.astype(np.float64), scored.score)
    again = calibration_measures(redrawn(scored.count, seed), scored.score)
    return {n: float(v) for n, v in of.items()}, intervals(again)


def _each(
    name: str, groups: Groups, table: Ints, large: Ints, seed: int
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """The share of favourable decisions and the rows of each group, where they are few enough to be read."""
    if len(large) > _SHOWN_GROUPS:
        return {}, {}
    share = rates(table[large].astype(np.float64))["selection_rate"]
    again = rates(redrawn(table[large], seed))["selection_rate"]
    called = [f"{name}={groups.names[n]}" for n in large]
    figures = {f"favourable_share[{c}]": float(s) for c, s in zip(called, share, strict=True)}
    figures |= {f"rows[{c}]": float(table[n].sum()) for c, n in zip(called, large, strict=True)}
    return figures, intervals({f"favourable_share[{c}]": again[:, n] for n, c in enumerate(called)})


def _verdict(
    name: str,
    figures: Mapping[str, float],
    ends: Mapping[str, tuple[float, float]],
    parameters: Mapping[str, float],
    rows: float,
    too_small: int,
) -> Verdict:
    """A limit that is missed by the figure but not by the whole interval is not established: 29 CFR 1607.4(D) asks for significance."""
    if not all(math.isfinite(figures[n]) for n in ("parity_ratio", "odds_difference")):
        return Inconclusive(f"{name}: nobody is decided about favourably", "choose another threshold")
    limits = {
        "parity_ratio": (parameters["min_parity_ratio"], -1.0),
        "odds_difference": (parameters["max_odds_difference"], 1.0),
        "calibration_spread": (parameters["max_calibration_spread"], 1.0),
    }
    said = f"{name}: " + ", ".join(_figure(n, figures[n], ends.get(n)) for n in limits) + f", over {rows:,.0f} rows"
    if too_small:
        said += f"; of {too_small} smaller groups there are insufficient data"
    missed = [n for n, (limit, way) in limits.items() if way * figures[n] > way * limit]
    if not missed:
        return Passed(said)
    said += "; asked are " + ", ".join(
        f"{n.replace('_', ' ')} of at {'least' if limits[n][1] < 0 else 'most'} {limits[n][0]:g}" for n in missed
    )
    if any(_clear(ends.get(n), *limits[n]) for n in missed):
        return Failed(said, _LOOK)
    return Inconclusive(f"{said}, but the intervals reach across", _MORE)


def _figure(name: str, value: float, ends: tuple[float, float] | None) -> str:
    reach = "" if ends is None else f" ({ends[0]:.3f} to {ends[1]:.3f})"
    return f"{name.replace('_', ' ')} {value:.3f}{reach}"


def _clear(ends: tuple[float, float] | None, limit: float, way: float) -> bool:
    return ends is not None and (ends[0] > limit if way > 0 else ends[1] < limit)


def _together(data: CheckInput, columns: Mapping[str, Groups], parameters: Mapping[str, float]) -> _Attribute:
    said = (data.y_pred == data.favourable).astype(np.int64)
    found = intersections(columns, said, parameters["min_rows"])
    figures = {"intersections_compared": float(len(found.names)), "intersections_too_small": float(found.too_small)}
    ends = {}
    for n, name in enumerate(found.names[:SHOWN]):
        figures |= {f"impact_ratio[{name}]": float(found.ratio[n]), f"rows[{name}]": float(found.rows[n])}
        ends[f"impact_ratio[{name}]"] = (float(found.low[n]), float(found.high[n]))
    return _Attribute("", _crossed_verdict(found, parameters), figures, ends)


def _crossed_verdict(found: Intersections, parameters: Mapping[str, float]) -> Verdict:
    """What two attributes together add; where no intersection is large enough, the attributes alone decide, and the reason says so."""
    if not found.names:
        return Passed("two attributes together: insufficient data, no group is large enough")
    worst = f"{found.names[0]} at an impact ratio of {found.ratio[0]:.3f} ({found.low[0]:.3f} to {found.high[0]:.3f})"
    said = f"two attributes together: of {len(found.names)} groups the worst is {worst}, over {found.rows[0]:,} rows"
    below = found.below(parameters["min_parity_ratio"])
    if below:
        return Failed(f"{said}; clearly below {parameters['min_parity_ratio']:g}: {'; '.join(below[:SHOWN])}", _LOOK)
    return Passed(said)


def _judge(found: list[Verdict]) -> Verdict:
    failed = [v for v in found if isinstance(v, Failed)]
    if failed:
        return Failed("; ".join(v.reason for v in failed), failed[0].remedy)
    doubtful = [v for v in found if isinstance(v, Inconclusive)]
    if doubtful:
        return Inconclusive("; ".join(v.reason for v in doubtful), doubtful[0].remedy)
    if not found:
        return Inconclusive("the hold-out has no protected attribute", "keep protected attributes in the hold-out")
    return Passed("; ".join(v.reason for v in found))
