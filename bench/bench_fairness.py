"""Fairness figures with intervals on a million rows in twelve groups, beside fairlearn's figures without intervals, in one run.

fairlearn recomputes its figures from the rows for each group; its own intervals (``n_boot``) repeat that for each resample, so that a thousand
take hours and are not tried here.
"""

import time

import numpy as np
from fairlearn import metrics as fair
from sklearn.metrics import accuracy_score, precision_score

from measure import Figure, options, report
from trustplane.assessment.checks.contract import CheckInput
from trustplane.assessment.checks.fairness import DESCRIPTOR, Fairness
from trustplane.assessment.checks.group_counts import RESAMPLES, counts, grouped, rates, redrawn
from trustplane.assessment.checks.resampling import intervals

THEIRS = {
    "selection_rate": fair.selection_rate,
    "true_positive_rate": fair.true_positive_rate,
    "false_positive_rate": fair.false_positive_rate,
    "precision": precision_score,
    "accuracy": accuracy_score,
}


def main() -> None:
    settings = options("Fairness with intervals from one count.")
    rows = 100_000 if settings.quick else 1_000_000
    random = np.random.default_rng(0)
    groups = random.choice([f"group {n}" for n in range(12)], rows)
    score = random.random(rows)
    came, said = (random.random(rows) < score).astype(np.int64), (score >= 0.5).astype(np.int64)

    start = time.process_time()
    found = grouped(groups)
    table = counts(came, said, found.place, len(found.names))
    ours = rates(table.astype(np.float64))
    ends = intervals(
        {f"{n}[{g}]": v[:, k] for n, v in rates(redrawn(table, 0)).items() for k, g in enumerate(found.names)}
    )
    spent = time.process_time() - start

    start = time.process_time()
    frame = fair.MetricFrame(metrics=THEIRS, y_true=came, y_pred=said, sensitive_features=groups).by_group
    theirs = time.process_time() - start
    apart = max(float(np.abs(frame.loc[list(found.names), n].to_numpy() - v).max()) for n, v in ours.items())

    start = time.process_time()
    given = CheckInput(came, score, said, {"group": groups}, favourable=1)
    Fairness().run(given, {p.name: p.default for p in DESCRIPTOR.parameters})
    whole = time.process_time() - start
    report(
        [
            Figure(
                f"5 rates of 12 groups, {len(ends)} intervals of {RESAMPLES:,} resamples",
                spent,
                "s of CPU",
                0.2,
                least=False,
            ),
            Figure(f"beside fairlearn without intervals: {theirs:.1f} s", theirs / spent, "times faster", 60),
            Figure("distance from fairlearn's figures", apart, "", 1e-12, least=False),
            Figure("the whole check, calibration and verdict with it", whole, "s of CPU", 0.5, least=False),
        ],
        settings,
        rows=f"{rows:,}",
    )


if __name__ == "__main__":
    main()
