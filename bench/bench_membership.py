"""An audit of membership in 10,000 census rows, beside the global threshold on the loss, for three kinds of models.

Needs the Adult table (Becker and Kohavi 1996) as CSV with its header: ``TRUSTPLANE_ADULT=adult.csv python bench/bench_membership.py``.
"""

import os
import time

import numpy as np
import pyarrow as pa
import pyarrow.csv
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from measure import Figure, options, report
from trustplane.assessment.checks.contract import CheckInput, Examined, Rows
from trustplane.assessment.checks.membership import DESCRIPTOR, Membership
from trustplane.training.private import Bounds, fit_logistic

LABEL = "income"
MODELS = {
    "a forest": RandomForestClassifier(100, random_state=0),
    "boosted trees": GradientBoostingClassifier(n_estimators=200, max_depth=6, random_state=0),
    "a regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
}


def encoded(table: pa.Table) -> np.ndarray:
    """Each kind of a text a column of its own."""
    made = []
    for name in table.column_names:
        column = table[name].combine_chunks()
        if pa.types.is_string(column.type):
            made += [(column.dictionary_encode().indices.to_numpy() == k) for k in range(len(column.unique()))]
        else:
            made.append(column.to_numpy())
    return np.stack(made, axis=1).astype(np.float32)


def main() -> None:
    settings = options("An audit of membership.")
    table = pyarrow.csv.read_csv(os.environ["TRUSTPLANE_ADULT"])
    chosen = np.random.default_rng(0).permutation(table.num_rows)[: 1000 if settings.quick else 10_000]
    table = table.take(pa.array(chosen))
    label = np.array([">50K" in said for said in table[LABEL].to_pylist()]).astype(np.int64)
    features = encoded(table.drop_columns([LABEL]))
    half = len(label) // 2
    figures = []
    for name, model in MODELS.items():
        model.fit(features[:half], label[:half])
        artifact = to_onnx(model, features[:1], options={"zipmap": False}).SerializeToString()
        figures += audited(name, lambda rows, m=model: m.predict_proba(rows)[:, 1], artifact, (features, label))
    spread = features.max(axis=0) + 1e-3
    private = fit_logistic(
        features[:half], label[:half], 1.0, Bounds((0.0,) * len(spread), tuple(spread.tolist()), 4.0)
    )
    figures += audited("a private regression, epsilon 1", private.predict_proba, b"", (features, label))
    report(figures, settings, rows=f"{len(label):,}, {features.shape[1]} columns, half of them in the training")


def audited(name: str, score, artifact: bytes, table: tuple[np.ndarray, np.ndarray]) -> list[Figure]:
    features, label = table
    half = len(label) // 2
    learned, held = Rows(features[:half], label[:half], {}), Rows(features[half:], label[half:], {})
    model = Examined(score, tuple(map(str, range(features.shape[1]))), held, learned, artifact, "onnx")
    said = score(held.features)
    data = CheckInput(held.label, said, (said >= 0.5).astype(np.int64), {}, 0, 0, model)
    start = time.process_time()
    result = Membership().run(data, {p.name: p.default for p in DESCRIPTOR.parameters})
    spent = time.process_time() - start
    found = result.figures
    peer = found["threshold_tpr_at_1pct_fpr"]
    print(name, result.verdict.reason, {k: round(v, 4) for k, v in found.items()}, sep="\n  ")
    if not artifact:  # a private model: there is nothing to find
        return [
            Figure(
                f"{name}: members found at 1 % of false alarms", found["rmia_tpr_at_1pct_fpr"], "", 0.02, least=False
            ),
            Figure(f"{name}: area", found["rmia_auc"], "", 0.52, least=False),
        ]
    return [
        Figure(
            f"{name}: members found at 1 % of false alarms, beside {peer:.3f}", found["rmia_tpr_at_1pct_fpr"], "", peer
        ),
        Figure(
            f"{name}: area, beside {found['threshold_auc']:.3f}", found["rmia_auc"], "", found["threshold_auc"] - 0.05
        ),
        Figure(f"{name}: epsilon at least", found["epsilon_at_least"], "", 0.0),
        Figure(f"{name}: CPU of the audit", spent, "s", 30.0, least=False),
    ]


if __name__ == "__main__":
    main()
