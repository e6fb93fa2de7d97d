"""Whether people who are decided about unfavourably could turn the decision within their means, and whether people of every group could alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from trustplane.assessment.attackable import attackable
from trustplane.assessment.changed import changed_table
from trustplane.assessment.checks.contract import (
    CheckInput,
    CheckResult,
    Descriptor,
    Examined,
    Ints,
    Matrix,
    Parameter,
    Stricter,
    Texts,
)
from trustplane.assessment.explaining.recourse import Option, of_person, seek
from trustplane.assessment.explaining.reference import favourable_rows
from trustplane.training.attacks.engine import Effort
from trustplane.training.attacks.figures import wilson
from trustplane.training.threats.model import ThreatModel
from trustplane.training.threats.validator import holding
from trustplane.values.errors import BadInput
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed, Verdict

KEPT = 300
MOST_GROUPS, LEAST_GROUP = 50, 5
DESCRIPTOR = Descriptor(
    "counterfactuals",
    "Can people who are decided about unfavourably turn the decision by what they can change, in every group alike?",
    (
        Parameter(
            "min_recourse",
            0.0,
            Stricter.HIGHER,
            "convention: no law asks that everybody can turn a decision, so by default none need to; article 22(3) of the GDPR asks that it can be contested",
        ),
        Parameter(
            "max_gap",
            0.2,
            Stricter.LOWER,
            "convention: no law or standard sets a number; a fifth, as in the four-fifths rule of 29 CFR 1607.4(D)",
        ),
        Parameter("rows", 200, Stricter.HIGHER, "convention: it gives an interval of seven points on either side"),
        Parameter("min_rows", 30, Stricter.HIGHER, "convention: below it the interval is wider than seventeen points"),
        Parameter(
            "min_group", 20, Stricter.NEITHER, "convention: a smaller group says too little, and much of its few"
        ),
        Parameter("queries", 400, Stricter.HIGHER, "convention: more finds little more for rows near the threshold"),
        Parameter("seconds", 120, Stricter.NEITHER, "convention: a check that ran out of time does not pass"),
    ),
    on_request=True,
)
_REMEDY = "look at what keeps the group from turning decisions: features that they cannot change, or a threshold that lies further from them"
_DECLARE = "let the run leave threat.toml, or name a threat model in the suite, that says what people can change"


@dataclass(frozen=True, slots=True)
class _Sought:
    """The rows that were looked at by their place in the hold-out, and the cheapest option of each, None where there is none."""

    threat: ThreatModel
    chosen: Ints = field(repr=False)
    options: Sequence[Option | None] = field(repr=False)
    complete: bool

    @property
    def turned(self) -> Ints:
        """Which of them have an option."""
        return np.array([n for n, option in enumerate(self.options) if option is not None], np.int64)


class Counterfactuals:
    """The share of declined rows with a valid counterfactual, what it takes in the median, and both by group."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Fails where fewer than asked for can turn a decision, or clearly fewer of one group than of another; never passes under a draft."""
        model = data.examined
        if model is None:
            return CheckResult(NotApplicable("the model itself is not at hand"))
        if model.threat is None or model.threat.draft:
            why = (
                "no threat model says what people can change" if model.threat is None else "the threat model is a draft"
            )
            return CheckResult(Inconclusive(why, _DECLARE))
        threat = of_person(model.threat, {*model.immutable, *data.groups}, data.favourable)
        declined = np.flatnonzero(data.y_pred != data.favourable)
        held = np.asarray(holding(threat, model.names, model.holdout.features[declined].astype(np.float64)).valid)
        figures = {
            "rows_declined": float(len(declined)),
            "rows_outside_relations": float((~held).sum()),
        }
        few, declined = max(int(parameters["min_rows"]), 1), declined[held]
        reference = favourable_rows(model.holdout.features, data.y_score, model.threshold, data.favourable)
        if len(declined) < few or not len(reference):
            lacking = f"{len(declined)} rows are decided about unfavourably, {few} are needed"
            said = lacking if len(declined) < few else "nobody is decided about favourably"
            return CheckResult(Inconclusive(said, "hold out more rows, or choose another threshold"), figures)
        some = np.random.default_rng(data.seed).permutation(declined)[: max(int(parameters["rows"]), few)]
        try:
            sought = _seek(model, threat, np.sort(some), reference, data, parameters)
        except BadInput as error:
            return CheckResult(Inconclusive(str(error), error.fix), figures)
        found, intervals = _figures(sought, data.groups, int(max(parameters["min_group"], LEAST_GROUP)))
        verdict = _judge(sought, found, intervals, parameters)
        return CheckResult(verdict, figures | found, intervals, {"threat": threat.name}, _evidence(model, data, sought))


def _seek(
    examined: Examined,
    threat: ThreatModel,
    chosen: Ints,
    reference: Matrix,
    data: CheckInput,
    parameters: Mapping[str, float],
) -> _Sought:
    model = attackable(examined.artifact, examined.format, examined.score, examined.threshold)
    effort = Effort(int(max(parameters["queries"], 1)), max(parameters["seconds"], 1.0), data.seed)
    fixed = {*examined.immutable, *data.groups}
    rows = examined.holdout.features[chosen]
    found = seek(model, threat, examined.names, rows, reference, effort, fixed=fixed)
    return _Sought(threat, chosen, [options[0] if options else None for options in found.options], found.complete)


def _figures(
    sought: _Sought, groups: Mapping[str, Texts], fewest: int
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    of, turned = len(sought.chosen), sought.turned
    figures = {"rows_sought": float(of), "recourse": len(turned) / of, "out_of_time": float(not sought.complete)}
    intervals = {"recourse": wilson(len(turned), of)}
    costs = np.array([np.nan if option is None else option.cost for option in sought.options])
    if len(turned):
        figures["median_cost"] = float(np.median(costs[turned]))
        figures["median_features"] = float(np.median([len(o.changed) for o in sought.options if o is not None]))
    able = np.isfinite(costs)
    for attribute, values in groups.items():
        here = values[sought.chosen]
        names, counts = np.unique(here, return_counts=True)
        large = [str(n) for n, c in zip(names, counts, strict=True) if c >= fewest]
        if not 1 < len(large) <= MOST_GROUPS:
            continue
        share = {name: (int(able[here == name].sum()), int((here == name).sum())) for name in large}
        for name, (hits, rows) in share.items():
            figures[f"recourse[{attribute}={name}]"] = hits / rows
            intervals[f"recourse[{attribute}={name}]"] = wilson(hits, rows)
            if hits:
                figures[f"median_cost[{attribute}={name}]"] = float(np.median(costs[able & (here == name)]))
        low, high = (pick(share.values(), key=lambda s: s[0] / s[1]) for pick in (min, max))
        figures[f"recourse_gap[{attribute}]"] = high[0] / high[1] - low[0] / low[1]
        intervals[f"recourse_gap[{attribute}]"] = difference(high, low)
    return figures, intervals


def difference(one: tuple[int, int], other: tuple[int, int]) -> tuple[float, float]:
    """The 95 % interval of the difference of two shares (hits, rows), by Newcombe's tenth method (Statistics in Medicine 17, 1998)."""
    (p, (low, high)), (q, (least, most)) = ((hits / rows, wilson(hits, rows)) for hits, rows in (one, other))
    return p - q - float(np.hypot(p - low, most - q)), p - q + float(np.hypot(high - p, q - least))


def _judge(
    sought: _Sought,
    figures: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
    parameters: Mapping[str, float],
) -> Verdict:
    low, high = intervals["recourse"]
    said = f"of {len(sought.chosen)} declined rows {figures['recourse']:.0%} can be turned within the budget ({low:.0%} to {high:.0%})"
    gaps = {name: ends for name, ends in intervals.items() if name.startswith("recourse_gap[")}
    wide = sorted(name for name, ends in gaps.items() if ends[0] > parameters["max_gap"])
    if wide:
        return Failed(
            f"{said}; {wide[0]} is {figures[wide[0]]:.2f}, clearly more than {parameters['max_gap']:.2f}", _REMEDY
        )
    if high < parameters["min_recourse"]:
        return Failed(
            f"{said}, less than {parameters['min_recourse']:.0%}", "decide by features that people can change"
        )
    if not sought.complete:
        return Inconclusive(f"{said} as far as the search came before its time was up", "give the check more seconds")
    if low < parameters["min_recourse"]:
        return Inconclusive(f"{said}, which may be less than {parameters['min_recourse']:.0%}", "look at more rows")
    if not gaps:
        return Inconclusive(
            f"{said}; no two groups are large enough to compare", "hold out more rows, with their groups"
        )
    return Passed(f"{said}; no group clearly less than another")


def _evidence(model: Examined, data: CheckInput, sought: _Sought) -> dict[str, pa.Table]:
    """Rows and their cheapest counterfactuals, those that cost least first."""
    found = [(place, option) for place, option in zip(sought.chosen.tolist(), sought.options, strict=True) if option]
    found.sort(key=lambda each: (each[1].cost, each[0]))
    if not found:
        return {}
    places = np.array([place for place, _ in found[:KEPT]], np.int64)
    options = [option for _, option in found[:KEPT]]
    said = {
        "row": places,
        "cost": np.array([o.cost for o in options]),
        "distance": np.array([o.distance for o in options]),
        "score_before": data.y_score[places],
        "score_after": np.array([o.score for o in options]),
    }
    after = np.stack([o.row for o in options])
    return {
        "counterfactuals": changed_table(model.names, model.holdout.features[places].astype(np.float64), after, said)
    }
