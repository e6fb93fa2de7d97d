"""Whether the model withstands attacks within its threat model, and noise that nobody means."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from trustplane.assessment.attackable import attackable
from trustplane.assessment.changed import changed_table
from trustplane.assessment.checks.contract import (
    CheckInput,
    CheckResult,
    Descriptor,
    Examined,
    Floats,
    Ints,
    Parameter,
    Rows,
    Stricter,
)
from trustplane.training.attacks.contract import Model
from trustplane.training.attacks.engine import Effort, Outcome, attack
from trustplane.training.attacks.figures import curve, figures, weaknesses, wilson
from trustplane.training.attacks.registry import further_attacks
from trustplane.training.attacks.space import price, repaired, space_of
from trustplane.training.threats.draft import LEAST_ROWS, draft_threat
from trustplane.training.threats.model import Knowledge, ThreatModel
from trustplane.training.threats.validator import holding, validate
from trustplane.values.errors import BadInput
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed, Verdict

SHOWN, KEPT = 20, 300
MOST_BACKGROUND = 4000
NOISE = 0.02
"""Of a feature's scale: the standard deviation of noise that nobody means."""
DESCRIPTOR = Descriptor(
    "robustness",
    "Can somebody who changes what the threat model lets them change make the model decide otherwise?",
    (
        Parameter(
            "min_withstood",
            0.5,
            Stricter.HIGHER,
            "convention: no law or standard sets a number; below it most decisions can be turned. Article 15(5) of the EU AI Act asks for resilience",
        ),
        Parameter("max_noise_flips", 0.05, Stricter.LOWER, "convention: no law or standard sets a number"),
        Parameter("rows", 300, Stricter.HIGHER, "convention: it gives an interval of six points on either side"),
        Parameter("min_rows", 50, Stricter.HIGHER, "convention: below it the interval is wider than fourteen points"),
        Parameter("queries", 1200, Stricter.HIGHER, "convention: bench/bench_attacks.py, where more finds little more"),
        Parameter("seconds", 120, Stricter.NEITHER, "convention: a check that ran out of time does not pass"),
    ),
    on_request=True,
)
_REMEDY = "harden the model (trustplane.training.hardening), or take out the features that give way"


class Robustness:
    """Robust accuracy with a Wilson interval, success by distance, the features that give way, and flips by noise."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Passes if the interval of the share that withstands lies above its least value; never under a draft, nor out of time."""
        examined = data.examined
        if examined is None:
            return CheckResult(NotApplicable("the model itself is not at hand"))
        try:
            threat = examined.threat or _drafted(examined)
            chosen = _chosen(examined, threat, parameters, data.seed)
            if len(chosen) < max(parameters["min_rows"], 1):
                return CheckResult(
                    Inconclusive(
                        f"the hold-out has {len(chosen)} rows of class {threat.goal.start} to attack",
                        "hold out more rows for assessment",
                    ),
                    {"rows_attacked": float(len(chosen))},
                )
            return _result(examined, threat, chosen, parameters, data.seed)
        except BadInput as error:
            return CheckResult(Inconclusive(str(error), error.fix))


def _drafted(examined: Examined) -> ThreatModel:
    """From the rows the model learned from, or the hold-out where the run left none; all features are the attacker's to change."""
    known = examined.training or examined.holdout
    if len(known.label) < LEAST_ROWS:
        raise BadInput("TP-RUN-046", f"{len(known.label)} rows are too few to draft a threat model from")
    return draft_threat("draft", examined.names, known.features.astype(np.float64))


def _chosen(examined: Examined, threat: ThreatModel, parameters: Mapping[str, float], seed: int) -> Ints:
    held: Rows = examined.holdout
    places = np.flatnonzero(held.label == threat.goal.start)
    random = np.random.default_rng(seed)
    return np.sort(random.permutation(places)[: int(max(parameters["rows"], 1))])


def _evidence(examined: Examined, model: Model, found: Outcome, chosen: Ints) -> dict[str, pa.Table]:
    """The evasions as rows before and after, those that cost least first; each is judged by the validator once more."""
    costs = price(found.space, found.origins, found.evasions)
    fell = np.flatnonzero(found.evaded)
    order = fell[np.lexsort((found.distance[fell], costs[fell]))][:KEPT]
    before, after = found.origins[order], found.evasions[order]
    valid = validate(found.space.threat, found.space.names, before, after).valid
    order, before, after = order[valid], before[valid], after[valid]
    if not len(order):
        return {}
    said = {
        "row": chosen[order],
        "cost": costs[order],
        "distance": found.distance[order],
        "score_before": model.score(before),
        "score_after": model.score(after),
    }
    return {"evasions": changed_table(examined.names, before, after, said)}


def _background(examined: Examined, threat: ThreatModel) -> Floats:
    known = examined.training or examined.holdout
    order = np.argsort(known.label == threat.goal.start, kind="stable")[:MOST_BACKGROUND]
    return known.features[order].astype(np.float64)


def _result(
    examined: Examined, threat: ThreatModel, chosen: Ints, parameters: Mapping[str, float], seed: int
) -> CheckResult:
    rows = examined.holdout.features[chosen].astype(np.float64)
    seen = examined.artifact if threat.knowledge is Knowledge.WHITE_BOX else b""
    model = attackable(seen, examined.format, examined.score, examined.threshold)
    effort = Effort(int(max(parameters["queries"], 1)), max(parameters["seconds"], 1.0), seed, near=True)
    found = attack(model, threat, examined.names, rows, _background(examined, threat), effort, further_attacks())
    measured, intervals = figures(found)
    flips, of = _noise_flips(model, threat, examined.names, rows, seed)
    measured["noise_flips"] = flips / max(1, of)
    intervals["noise_flips"] = wilson(flips, of)
    verdict = _judge(found, threat, measured, intervals, parameters)
    return CheckResult(verdict, measured, intervals, _details(found, threat), _evidence(examined, model, found, chosen))


def _noise_flips(model: Model, threat: ThreatModel, names: Sequence[str], rows: Floats, seed: int) -> tuple[int, int]:
    """How many rows are decided otherwise when every feature that can change does so a little, of how many that could be changed validly."""
    space = space_of(threat, names)
    random, noisy = np.random.default_rng(seed), rows.copy()
    scale = space.scale[space.moves]
    noisy[:, space.moves] += random.normal(size=(len(rows), len(space.moves))) * NOISE * scale
    made, good = repaired(space, rows, noisy)
    before, after = model.score(rows[good]), model.score(made[good])
    return int(((before >= model.threshold) != (after >= model.threshold)).sum()), int(good.sum())


def _judge(
    found: Outcome,
    threat: ThreatModel,
    measured: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
    parameters: Mapping[str, float],
) -> Verdict:
    least, most = parameters["min_withstood"], parameters["max_noise_flips"]
    low, high = intervals["withstood"]
    said = (
        f"of {int(found.right.sum())} rows that are decided rightly {measured['withstood']:.0%} withstand ({low:.0%} to {high:.0%}); "
        f"noise turns {measured['noise_flips']:.1%}"
    )
    if threat.draft or not found.right.any():
        why = "the threat model is a draft" if threat.draft else "the model decides no row of the class rightly"
        return Inconclusive(f"{said}; {why}", "let the run leave threat.toml, or name a threat model in the suite")
    if high < least or (low < least and not found.out_of_time):
        return Failed(f"{said}, and the interval reaches below {least:.0%}", _REMEDY)
    if measured["noise_flips"] > most:
        return Failed(f"{said}, more than {most:.0%}", _REMEDY)
    if found.out_of_time:
        return Inconclusive(f"{said} as far as the attack came before its time was up", "give the check more seconds")
    return Passed(said)


def _details(found: Outcome, threat: ThreatModel) -> dict[str, Any]:
    """Aggregates alone: rows are governed content and stay out of the record."""
    return {
        "threat": threat.name,
        "draft": threat.draft,
        "knowledge": str(threat.knowledge),
        "won_by": dict(found.won_by),
        "curve": [[d, s] for d, s in curve(found)],
        "weaknesses": [[w.feature, w.share, w.move] for w in weaknesses(found)[:SHOWN]],
        "rows_outside_relations": int((~holding(threat, found.space.names, found.origins).valid).sum()),
    }
