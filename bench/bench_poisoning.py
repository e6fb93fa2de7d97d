"""Flipped labels found by their neighbours, beside sorting by the out-of-fold confidence of gradient boosting that is told how many there are.

Needs the table of phishing URLs (Hannousse and Yahiouche 2021) as CSV: ``TRUSTPLANE_PHISHING=phishing.csv python bench/bench_poisoning.py``.
"""

import os
import time

import numpy as np
import pyarrow as pa
import pyarrow.csv
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_predict

from measure import Figure, options, report
from trustplane.data.poisoning.labels import Labels

LABEL = "status"
SHARE = 0.05


def main() -> None:
    settings = options("Flipped labels found by their neighbours.")
    table = pyarrow.csv.read_csv(os.environ["TRUSTPLANE_PHISHING"])
    table = table.slice(0, 3000) if settings.quick else table
    labels = table[LABEL].combine_chunks().dictionary_encode().indices.to_numpy()
    flipped = np.random.default_rng(3).random(len(labels)) < SHARE
    poisoned = np.where(flipped, 1 - labels, labels)
    table = table.set_column(table.schema.get_field_index(LABEL), LABEL, pa.array(poisoned))
    numbers = [c for c in table.column_names if c != LABEL and not pa.types.is_string(table[c].type)]
    points = np.stack([table[c].to_numpy().astype(float) for c in numbers], axis=1)

    start = time.process_time()
    look = Labels(LABEL, [c for c in table.column_names if c != LABEL], table.num_rows, seed=1)
    for batch in table.to_batches(max_chunksize=4096):
        look.add(batch)
    places, doubted, _ = look.doubts()
    ours = time.process_time() - start
    start = time.process_time()
    told = cross_val_predict(
        HistGradientBoostingClassifier(random_state=0), points, poisoned, cv=5, method="predict_proba"
    )
    theirs = time.process_time() - start
    least = np.argsort(told[np.arange(len(poisoned)), poisoned])[: int(flipped.sum())]
    right = flipped[places]
    report(
        [
            Figure(
                f"recall of {SHARE:.0%} random flips, beside {flipped[least].mean():.2f}",
                right[doubted].sum() / right.sum(),
                "",
                0.75,
            ),
            Figure("precision, not told how many", float(right[doubted].mean()), "", 0.7),
            Figure(f"CPU: {ours:.1f} s beside {theirs:.1f} s", ours / theirs, "times", 1.0, least=False),
        ],
        settings,
        rows=f"{len(labels):,}, of which {len(places):,} looked at",
    )


if __name__ == "__main__":
    main()
