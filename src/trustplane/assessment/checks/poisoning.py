"""Whether somebody tampered with the rows that the model learned from: triggers, wrong labels, blocks that do harm."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from trustplane.assessment.checks.contract import (
    UNKNOWN_TRAINING,
    CheckInput,
    CheckResult,
    Descriptor,
    Examined,
    Parameter,
    Rows,
    Stricter,
)
from trustplane.assessment.poisoning.blocks import doubtful_block, doubts, harm, unseen
from trustplane.assessment.poisoning.proof import Proof, prove
from trustplane.assessment.poisoning.triggers import suspects
from trustplane.assessment.privacy.learners import one_thread
from trustplane.data.poisoning.signs import surprising
from trustplane.values.outcomes import Failed, Inconclusive, Passed, Verdict

ROWS = 20_000
"""Training rows that are looked at, drawn evenly and kept in their order."""
DESCRIPTOR = Descriptor(
    "poisoning",
    "Was the model taught something by rows that somebody tampered with?",
    (
        Parameter(
            "max_triggers",
            0,
            Stricter.LOWER,
            "legal: EU AI Act art. 15(5), measures against data poisoning and model poisoning",
        ),
        Parameter(
            "max_doubtful_rise",
            0.02,
            Stricter.LOWER,
            "convention: two points more doubtful labels in the training than in the hold-out, as at the door of the data",
        ),
        Parameter(
            "max_block_harm",
            0.1,
            Stricter.LOWER,
            "convention: an eighth of the rows without which the loss falls by a tenth",
        ),
        Parameter("min_rows", 200, Stricter.HIGHER, "convention: fewer rows do not tell a trigger from chance"),
    ),
    on_request=True,
)


class Poisoning:
    """Triggers by their surprising labels, proved by retraining; labels that models which did not see them doubt; blocks that do harm."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        return DESCRIPTOR

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Passes if no trigger is proved, labels are no more doubtful than in the hold-out, and no block of rows does harm."""
        model = data.examined
        if model is None or model.training is None:
            return CheckResult(UNKNOWN_TRAINING)
        training, holdout = _drawn(model.training, data.seed), model.holdout
        sizes = {"training_rows": float(len(training.label)), "holdout_rows": float(len(holdout.label))}
        least = max(int(parameters["min_rows"]), 20)
        fewest = min(min(np.bincount(rows.label, minlength=2)) for rows in (training, holdout))
        if min(sizes.values()) < least or fewest < 10:
            why = f"the training has {sizes['training_rows']:,.0f} rows and the hold-out {sizes['holdout_rows']:,.0f}"
            return CheckResult(
                Inconclusive(f"{why}; {least} of each, of both classes, are needed", "train on more rows"), sizes
            )
        with one_thread():
            proofs = _proofs(model, training, data.seed)
            figures, intervals, apart = _labels(training, holdout, data.seed)
        figures = sizes | _figures(proofs) | figures
        names = [", ".join(model.names[c] for c in p.combination.columns) for p in proofs if p.poisoned]
        return CheckResult(_judge(figures, intervals, (names, apart), parameters), figures, intervals)


def _drawn(rows: Rows, seed: int) -> Rows:
    if len(rows.label) <= ROWS:
        return rows
    chosen = np.sort(np.random.default_rng(seed).permutation(len(rows.label))[:ROWS])
    return Rows(rows.features[chosen], rows.label[chosen], {})


def _proofs(model: Examined, training: Rows, seed: int) -> list[Proof]:
    given = training.features, training.label
    others = model.holdout.features, model.holdout.label
    return [prove(model.score, given, others, suspect, seed) for suspect in suspects(*given, seed)]


def _figures(proofs: list[Proof]) -> dict[str, float]:
    found = [p for p in proofs if p.poisoned]
    rows: Any = np.any([p.rows for p in found], axis=0) if found else np.zeros(1, bool)
    figures = {
        "suspect_combinations": float(len(proofs)),
        "triggers": float(len(found)),
        "triggers_learned": float(sum(p.learned for p in found)),
        "trigger_rows": float(rows.sum()),
    }
    if found:
        worst = max(found, key=lambda p: p.flips)
        figures |= {"trigger_flips": worst.flips, "trigger_flips_without_its_rows": worst.flips_without}
    return figures


def _labels(training: Rows, holdout: Rows, seed: int) -> tuple[dict[str, float], dict[str, tuple[float, float]], bool]:
    """Figures of labels and blocks, intervals, and whether one block's labels are doubted beyond chance."""
    seen = unseen((training.features, training.label), holdout.features, seed)
    if seen is None:
        return {}, {}, False
    size = len(training.label)
    said = np.concatenate([seen.training, seen.holdout.mean(axis=0)])
    doubted = doubts(said, np.concatenate([training.label, holdout.label]))
    shares = float(doubted[:size].mean()), float(doubted[size:].mean())
    most, apart = doubtful_block(seen, doubted[:size])
    gained, ends = harm(seen, holdout.label)
    rise = shares[0] - shares[1]
    likely = surprising(int(doubted[:size].sum()), size, (doubted[size:].sum() + 1) / (len(said) - size + 2), 1)
    figures = {
        "doubtful_labels": shares[0],
        "doubtful_labels_of_holdout": shares[1],
        "doubtful_rise": max(rise, 0.0) if likely else 0.0,
        "doubtful_labels_of_worst_block": most,
        "block_harm": gained,
    }
    return figures, {"block_harm": ends}, apart


def _judge(
    figures: Mapping[str, float],
    intervals: Mapping[str, tuple[float, float]],
    found: tuple[list[str], bool],
    parameters: Mapping[str, float],
) -> Verdict:
    triggers, apart = found
    if figures["triggers"] > parameters["max_triggers"]:
        said = "the model learned it" if figures["triggers_learned"] else "the model did not learn it"
        return Failed(
            f"{figures['trigger_rows']:,.0f} training rows share values of {triggers[0]} and a label that nothing else in them speaks for; {said}",
            "find where these rows came from, take them out, and train again",
        )
    if "block_harm" not in figures:
        return Inconclusive(
            "all rows of one class follow each other, so no block of rows can be left out",
            "have the script write training.parquet in a random order",
        )
    if apart or figures["doubtful_rise"] > parameters["max_doubtful_rise"]:
        where = (
            f"{figures['doubtful_labels_of_worst_block']:.1%} of the labels of one block of rows"
            if apart
            else f"{figures['doubtful_labels']:.1%} of the training's labels, and {figures['doubtful_labels_of_holdout']:.1%} of the hold-out's,"
        )
        return Failed(f"{where} are doubted by models that did not see them", "have the labels looked at again")
    if intervals["block_harm"][0] > parameters["max_block_harm"]:
        return Failed(
            f"without one block of rows the loss on the hold-out falls by {figures['block_harm']:.1%}",
            "look where that block came from, and train without it",
        )
    return Passed(
        f"no trigger among {figures['suspect_combinations']:.0f} suspect combinations of values, no block that does harm, "
        f"and {figures['doubtful_labels']:.1%} doubtful labels in the training, {figures['doubtful_labels_of_holdout']:.1%} in the hold-out"
    )
