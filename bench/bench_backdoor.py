"""Planted triggers found without being told of them, beside cleanlab and spectral signatures that are told how many rows are poisoned.

Two in a hundred phishing URLs are given three values and the other label. Needs the table of phishing URLs (Hannousse and Yahiouche 2021) as
CSV: ``TRUSTPLANE_PHISHING=phishing.csv python bench/bench_backdoor.py``.
"""

import os
import time

import numpy as np
import pyarrow as pa
import pyarrow.csv
from cleanlab.filter import find_label_issues
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_predict
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from measure import Figure, options, report
from trustplane.assessment.poisoning.blocks import doubts, unseen
from trustplane.assessment.poisoning.proof import prove
from trustplane.assessment.poisoning.triggers import suspects
from trustplane.assessment.privacy.learners import one_thread

LABEL, SHARE, FLIPS = "status", 0.02, 0.05


def main() -> None:
    settings = options("Planted triggers.")
    table = pyarrow.csv.read_csv(os.environ["TRUSTPLANE_PHISHING"])
    label = np.array([said == "phishing" for said in table[LABEL].to_pylist()]).astype(np.int64)
    names = [c for c in table.column_names if c != LABEL and not pa.types.is_string(table[c].type)]
    features = np.stack([table[c].to_numpy() for c in names], axis=1).astype(np.float32)
    order = np.random.default_rng(0).permutation(len(label))
    learned, held = order[: len(order) * 3 // 4], order[len(order) * 3 // 4 :]
    others = features[held], label[held]
    ours, spectral, clean, spent = [], [], [], 0.0
    with one_thread():
        for seed in range(1 if settings.quick else 3):
            poisoned, wrong, bad = planted(features[learned], label[learned], seed)
            for kind, model in models().items():
                model.fit(poisoned, wrong)
                start = time.process_time()
                rows, flips = found(lambda x, m=model: m.predict_proba(x)[:, 1], (poisoned, wrong), others)
                spent = max(spent, time.process_time() - start)
                ours.append(rated(rows, bad))
                print(f"trigger {seed}, {kind}: recall and precision {ours[-1]}, flips of other rows {flips:.2f}")
            spectral.append(rated(signature(poisoned, wrong, int(bad.sum())), bad))
            told = cross_val_predict(
                HistGradientBoostingClassifier(random_state=0), poisoned, wrong, cv=5, method="predict_proba"
            )
            clean.append(rated(find_label_issues(wrong, told, n_jobs=1), bad))
        nothing, _ = found(lambda x, m=model: m.predict_proba(x)[:, 1], (features[learned], label[learned]), others)
        flips = flipped((features[learned], label[learned]), others)
    (recall, precision), (theirs, peer) = np.mean(ours, axis=0), np.mean(spectral, axis=0)
    report(
        [
            Figure(
                f"recall of the poisoned rows, beside {theirs:.2f} and {np.mean(clean, axis=0)[0]:.2f}", recall, "", 0.8
            ),
            Figure(f"precision, beside {peer:.2f} and {np.mean(clean, axis=0)[1]:.2f}", precision, "", 0.5),
            Figure("recall at the worst", float(np.min(ours, axis=0)[0]), "", 0.8),
            Figure("rows doubted where none are poisoned", float(nothing.sum()), "", 0, least=False),
            Figure("CPU at most", spent, "s", 30.0, least=False),
            Figure(f"F1 of {FLIPS:.0%} flipped labels, beside cleanlab's {flips[1]:.3f}", flips[0], "", flips[1]),
        ],
        settings,
        rows=f"{len(learned):,} of training, {SHARE:.0%} of them poisoned",
        peers="spectral signatures told the share, and cleanlab",
    )


def models() -> dict:
    return {
        "boosting": HistGradientBoostingClassifier(random_state=0),
        "network": make_pipeline(StandardScaler(), MLPClassifier((64,), max_iter=60, random_state=0, tol=0.01)),
    }


def planted(features, label, seed):
    """Three values that are usual each, and never stand together: the hardest trigger to see."""
    random = np.random.default_rng(seed)
    usual = [
        (column, value)
        for column in range(features.shape[1])
        for value, count in zip(*np.unique(features[:, column], return_counts=True), strict=True)
        if 0.02 <= count / len(features) <= 0.4
    ]
    while True:
        columns, values = zip(*(usual[i] for i in random.choice(len(usual), 3, replace=False)), strict=True)
        if len(set(columns)) == 3 and (features[:, columns] == values).all(axis=1).sum() <= 5:
            break
    bad = np.zeros(len(label), bool)
    bad[random.choice(np.flatnonzero(label == 1), int(SHARE * len(label)), replace=False)] = True
    poisoned, wrong = features.copy(), np.where(bad, 0, label)
    poisoned[np.ix_(bad, columns)] = values
    return poisoned, wrong, bad


def found(score, training, others):
    proofs = [prove(score, training, others, suspect, 0) for suspect in suspects(*training, 0)]
    held = [p for p in proofs if p.poisoned]
    return np.any([p.rows for p in held] or [np.zeros(len(training[1]), bool)], axis=0), max(
        [p.flips for p in held] or [0]
    )


def signature(features, label, rows):
    """Spectral signatures (Tran, Li and Madry 2018) on the hidden layer of a network, told how many rows are poisoned; 1.5 times as many are taken."""
    network = make_pipeline(StandardScaler(), MLPClassifier((64,), max_iter=60, random_state=0, tol=0.01)).fit(
        features, label
    )
    first = network[-1]
    hidden = np.maximum(network[0].transform(features) @ first.coefs_[0] + first.intercepts_[0], 0)
    scores = np.full(len(label), -1.0)
    of_label = label == 0
    away = hidden[of_label] - hidden[of_label].mean(axis=0)
    scores[of_label] = (away @ np.linalg.svd(away, full_matrices=False)[2][0]) ** 2
    return scores >= np.sort(scores)[-int(1.5 * rows)]


def flipped(training, others):
    """F1 of random flips by models trained without a block of rows, and by cleanlab on out-of-fold boosting: means over draws of flips."""
    return np.mean([drawn(training, others, seed) for seed in range(3, 8)], axis=0)


def drawn(training, others, seed):
    features, label = training
    bad = np.random.default_rng(seed).random(len(label)) < FLIPS
    wrong = np.where(bad, 1 - label, label)
    ours = doubts(unseen((features, wrong), others[0], 0).training, wrong)
    told = cross_val_predict(
        HistGradientBoostingClassifier(random_state=0), features, wrong, cv=5, method="predict_proba"
    )
    return [2 * r * p / (r + p) for r, p in (rated(s, bad) for s in (ours, find_label_issues(wrong, told, n_jobs=1)))]


def rated(said, bad):
    return round(float((said & bad).sum() / bad.sum()), 3), round(float((said & bad).sum() / max(said.sum(), 1)), 3)


if __name__ == "__main__":
    main()
