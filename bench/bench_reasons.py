"""Exact contributions of one row at a time, 200 trees of depth 6, beside xgboost's and shap's own in one run, in CPU time of one thread."""

import time
import warnings
from collections.abc import Callable

import numpy as np
import xgboost

from measure import Figure, options, report
from trustplane.assessment.explaining.deep import deep, explain_deep
from trustplane.assessment.explaining.games import Against, Along
from trustplane.assessment.explaining.native_reading import read_xgboost
from trustplane.assessment.explaining.reasons import Decided, basis, tell
from trustplane.assessment.explaining.subset_tables import explain, tabled
from trustplane.assessment.scoring import scorer

FEATURES, TREES, DEPTH, REFERENCE = 63, 200, 6, 100  # more than 100 reference rows shap draws from


def percentile(work: Callable[[np.ndarray], object], rows: np.ndarray, share: float = 99) -> float:
    """A percentile of the milliseconds of this thread that single rows take, after a few to warm up."""
    for row in rows[:20]:
        work(row[None])
    spent = []
    for row in rows:
        start = time.thread_time()
        work(row[None])
        spent.append((time.thread_time() - start) * 1e3)
    return float(np.percentile(spent, share))


def main() -> None:
    settings = options("Reason codes, one row at a time.")
    random = np.random.default_rng(0)
    features = random.normal(size=(6000, FEATURES)).astype(np.float32)
    came = (features[:, :8].sum(1) + features[:, 8] * features[:, 9] + random.normal(size=6000) > 0).astype(int)
    booster = xgboost.train(
        {"max_depth": DEPTH, "objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(features, came), TREES
    )
    artifact = bytes(booster.save_raw("json"))
    forest = read_xgboost(artifact)
    start = time.process_time()
    tables = tabled(forest, Against(features[:REFERENCE]))
    made = time.process_time() - start
    along = tabled(forest, Along(forest.cover))
    rows = features[: 300 if settings.quick else 3000]
    ours = percentile(lambda row: explain(tables, row), rows)
    theirs = percentile(lambda row: booster.predict(xgboost.DMatrix(row, nthread=1), pred_contribs=True), rows[:500])
    decided = Decided(artifact, scorer(artifact, "xgboost"), tuple(f"f{n}" for n in range(FEATURES)), form="xgboost")
    on = basis(decided, features)
    whole = percentile(lambda row: tell(on, row), rows)
    scored = percentile(decided.score, rows)
    said = tell(on, rows[:50])
    sums = np.array([sum(each.contributions.values()) + on.explainer.base for each in said])
    apart_told = float(np.abs(1 / (1 + np.exp(-sums)) - [each.score for each in said]).max())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

        explainer = shap.TreeExplainer(booster, data=features[:REFERENCE].astype(np.float64))
        oracle = percentile(lambda row: explainer.shap_values(row, check_additivity=False), rows[:50])
        wanted = explainer.shap_values(rows[:50], check_additivity=False)
    apart = float(np.abs(explain(tables, rows[:50]) - wanted).max())
    start = time.thread_time()
    explain(tables, rows)
    batch = (time.thread_time() - start) * 1e3 / len(rows)
    prepared = deep(forest, Along(forest.cover))
    slow = float(np.abs(explain_deep(prepared, rows[:20]) - explain(along, rows[:20])).max())
    report(
        [
            Figure("p99 of one row", ours, "ms of CPU", 0.5, least=False),
            Figure(
                f"p99 of one row told from its file, of which {scored:.2f} ms are xgboost's score",
                whole,
                "ms of CPU",
                0.5,
                least=False,
            ),
            Figure("distance of what is told from the score", apart_told, "", 1e-5, least=False),
            Figure(f"beside xgboost's pred_contribs: {theirs:.2f} ms", theirs / ours, "times faster", 3),
            Figure(f"beside shap against the same {REFERENCE} rows: {oracle:.1f} ms", oracle / ours, "times faster", 3),
            Figure("distance from shap", apart, "", 1e-6, least=False),
            Figure("distance of the two ways from each other", slow, "", 1e-9, least=False),
            Figure("a row of a batch", batch, "ms of CPU", 0.5, least=False),
            Figure(f"making the tables, {tables.table.nbytes / 1e6:.0f} MB", made, "s of CPU", 3, least=False),
        ],
        settings,
        model=f"{len(forest.roots)} trees of depth {DEPTH}, {FEATURES} features, {len(forest.yes):,} nodes",
    )


if __name__ == "__main__":
    main()
