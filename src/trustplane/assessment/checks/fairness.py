"""Whether the model's decisions differ by protected attributes: the four-fifths rule, and equalised odds.

The figures are fairlearn's. Their intervals come from resampling the counts of (group, came, predicted), which is the same as resampling the
rows and takes no time.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trustplane.assessment.checks.contract import (
    CheckInput,
    CheckResult,
    Descriptor,
    Floats,
    Ints,
    Parameter,
    Stricter,
    Texts,
)
from trustplane.assessment.checks.resampling import intervals
from trustplane.values.errors import Unavailable
from trustplane.values.outcomes import Failed, Inconclusive, Passed, Verdict

RESAMPLES = 1000
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
_ODDS = ("odds_difference", "odds_ratio")


@dataclass(frozen=True, slots=True)
class _Attribute:
    """One protected attribute: ``verdict`` on it, and what it stands on."""

    name: str
    verdict: Verdict
    figures: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]


class Fairness:
    """Demographic parity ratio, equalised odds difference and ratio for each protected attribute."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Fails if one attribute clearly fails, is inconclusive if one may fail or none could be compared."""
        found = [_attribute(data, name, groups, parameters) for name, groups in data.groups.items()]
        figures = {f"{k}[{a.name}]": v for a in found for k, v in a.figures.items()}
        ends = {f"{k}[{a.name}]": v for a in found for k, v in a.intervals.items()}
        return CheckResult(_judge(found), figures, ends)


def counts(came: Ints, said: Ints, groups: Ints, number: int) -> Ints:
    """How often each (group, came, said) is there: shape (groups, 2, 2)."""
    return np.bincount(groups * 4 + came * 2 + said, minlength=number * 4).reshape(number, 2, 2)


def measures(table: Floats) -> dict[str, Floats]:
    """The measures of tables of shape (..., groups, 2, 2); each has shape (...), and is NaN where a share has no rows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        selected = table[..., 1].sum(-1) / table.sum((-1, -2))
        right = table[..., 1, 1] / table[..., 1, :].sum(-1)
        wrong = table[..., 0, 1] / table[..., 0, :].sum(-1)
        spread = [rates.max(-1) - rates.min(-1) for rates in (right, wrong)]
        ratios = [rates.min(-1) / rates.max(-1) for rates in (right, wrong)]
        return {
            "parity_ratio": selected.min(-1) / selected.max(-1),
            "odds_difference": np.maximum(*spread),
            "odds_ratio": np.minimum(*ratios),
        }


def _attribute(data: CheckInput, name: str, groups: Texts, parameters: Mapping[str, float]) -> _Attribute:
    values, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    came, said = (data.y_true == data.favourable).astype(np.int64), (data.y_pred == data.favourable).astype(np.int64)
    table = counts(came, said, place, len(values))
    large = sizes >= max(parameters["min_rows"], 1)
    rated = large & (table.sum(-1) >= max(parameters["min_rows_per_class"], 1)).all(-1)
    left_out = {"groups": float(len(values)), "groups_compared": float(large.sum()), "groups_rated": float(rated.sum())}
    if rated.sum() < 2:
        why = f"{name}: fewer than two groups have {int(parameters['min_rows_per_class'])} rows of each class"
        return _Attribute(name, Inconclusive(why, "hold out more rows for assessment"), left_out, {})
    figures = _by_fairlearn(came, said, groups, large[place], rated[place])
    ends = _intervals(table[large], data.seed, ("parity_ratio",)) | _intervals(table[rated], data.seed, _ODDS)
    favourable = table[large][..., 1].sum(-1) / sizes[large]
    kept = {k: v for k, v in figures.items() if math.isfinite(v)} | left_out
    kept |= {"favourable_share_least": float(favourable.min()), "favourable_share_most": float(favourable.max())}
    verdict = _verdict(name, figures, ends, parameters)
    return _Attribute(name, verdict, kept, {k: v for k, v in ends.items() if k in kept})


def _intervals(table: Ints, seed: int, names: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    rows = int(table.sum())
    drawn = np.random.default_rng(seed).multinomial(rows, (table / rows).ravel(), RESAMPLES)
    found = measures(drawn.reshape(-1, *table.shape).astype(np.float64))
    return intervals({name: found[name].tolist() for name in names})


def _by_fairlearn(
    came: Ints, said: Ints, groups: Texts, large: npt.NDArray[np.bool_], rated: npt.NDArray[np.bool_]
) -> dict[str, float]:
    """The parity of the rows in ``large`` groups, the odds of those in ``rated`` groups."""
    try:
        from fairlearn import metrics as fair
    except ImportError as error:
        raise Unavailable("TP-SETUP-001", "fairlearn is not installed: it comes with trustplane[ml]") from error
    if not said[large].any():
        return {"parity_ratio": math.nan, "odds_difference": math.nan, "odds_ratio": math.nan}
    odds = {"y_true": came[rated], "y_pred": said[rated], "sensitive_features": groups[rated]}
    return {
        "parity_ratio": float(
            fair.demographic_parity_ratio(came[large], said[large], sensitive_features=groups[large])
        ),
        "odds_difference": float(fair.equalized_odds_difference(**odds)),
        "odds_ratio": float(fair.equalized_odds_ratio(**odds)),
    }


def _verdict(
    name: str,
    figures: Mapping[str, float],
    ends: Mapping[str, tuple[float, float]],
    parameters: Mapping[str, float],
) -> Verdict:
    """A limit that is missed by the figure but not by the whole interval is not established: 29 CFR 1607.4(D) asks for significance."""
    least, most = parameters["min_parity_ratio"], parameters["max_odds_difference"]
    ratio, spread = figures["parity_ratio"], figures["odds_difference"]
    if not (math.isfinite(ratio) and math.isfinite(spread)):
        return Inconclusive(f"{name}: nobody is decided about favourably", "choose another threshold")
    said = f"{name}: parity ratio {ratio:.3f}, odds difference {spread:.3f}"
    missed = [("parity_ratio", ratio < least), ("odds_difference", spread > most)]
    if not any(is_missed for _, is_missed in missed):
        return Passed(said)
    low, high = ends.get("odds_difference", (0.0, 1.0))[0], ends.get("parity_ratio", (0.0, 1.0))[1]
    clear = (missed[0][1] and high < least) or (missed[1][1] and low > most)
    said = f"{said}; asked are at least {least:g} and at most {most:g}"
    if clear:
        return Failed(said, "look at what drives the difference, retrain, or have it justified and waived")
    return Inconclusive(f"{said}, but the intervals reach across", "hold out more rows for assessment")


def _judge(found: list[_Attribute]) -> Verdict:
    failed = [a.verdict for a in found if isinstance(a.verdict, Failed)]
    if failed:
        return Failed("; ".join(v.reason for v in failed), failed[0].remedy)
    doubtful = [a.verdict for a in found if isinstance(a.verdict, Inconclusive)]
    if doubtful:
        return Inconclusive("; ".join(v.reason for v in doubtful), doubtful[0].remedy)
    if not found:
        return Inconclusive("the hold-out has no protected attribute", "keep protected attributes in the hold-out")
    return Passed("; ".join(a.verdict.reason for a in found))
