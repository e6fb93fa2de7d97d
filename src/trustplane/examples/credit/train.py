"""Train a model of credit default on a governed view and export it as ONNX.

This is the user's script: it runs in the sandbox, with no network, reads the one Parquet file in the folder
TRUSTPLANE_INPUT, takes its seed from TRUSTPLANE_SEED, and writes into the folder TRUSTPLANE_OUTPUT:

- ``model.onnx``: input ``features`` (float32, rows by features), outputs ``label`` and ``probabilities`` (float32)
- ``holdout.parquet``: the rows kept for assessment, as the view shows them: ids, groups, features, label
- ``training.parquet``: the rows that the model learned from, in the same columns, so that leakage between the two can be told
- ``features.json``: the features in the order of the model's input, with type and range in training
- ``metrics.json``: figures on the holdout

Sex, marriage, education and age are no features: the model must not decide by them. They stand in the holdout, since
whether its decisions differ by them can only be measured with them.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

LABEL = "default payment"
GROUPS = ("SEX", "EDUCATION", "MARRIAGE", "AGE")
MONTHS = range(1, 7)
FEATURES = (
    "LIMIT_BAL",
    *(f"PAY_{month}" for month in (0, 2, 3, 4, 5, 6)),
    *(f"BILL_AMT{month}" for month in MONTHS),
    *(f"PAY_AMT{month}" for month in MONTHS),
)
HOLDOUT = 0.3
TOLERANCE = 1e-5
THRESHOLD = 0.5


@dataclass(frozen=True)
class Split:
    """Rows of the view by their position, for training and for the holdout."""

    train: Any
    holdout: Any


def read_view(folder: Path) -> Any:
    """The view as an Arrow table; it must show all features and the label, without gaps."""
    found = sorted(folder.glob("*.parquet"))
    if len(found) != 1:
        sys.exit(f"one view is needed, the input folder holds {len(found)}")
    table = pq.read_table(found[0])
    missing = [name for name in (*FEATURES, LABEL) if name not in table.column_names]
    if missing:
        sys.exit(f"the view does not show these columns: {', '.join(missing)}")
    gaps = [name for name in (*FEATURES, LABEL) if table[name].null_count]
    if gaps:
        sys.exit(f"these columns have missing values: {', '.join(gaps)}")
    return table


def split(labels: Any, seed: int) -> Split:
    """A split that keeps the share of defaults, the same for the same seed and order of rows."""
    train, holdout = train_test_split(np.arange(len(labels)), test_size=HOLDOUT, random_state=seed, stratify=labels)
    return Split(np.sort(train), np.sort(holdout))


def matrix(table: Any) -> Any:
    """The features as float32, since that is what the exported model computes with."""
    return np.column_stack([table[name].cast(pa.float32()).to_numpy() for name in FEATURES])


def train(features: Any, labels: Any, seed: int) -> Any:
    """Gradient boosting with half of the rows for each tree."""
    model = GradientBoostingClassifier(
        n_estimators=100, max_depth=3, learning_rate=0.1, subsample=0.5, random_state=seed
    )
    return model.fit(features, labels)


def export(model: Any, features: Any, path: Path) -> float:
    """Write the model as ONNX; return how far its probabilities lie from those of ``model`` on ``features`` at most."""
    onnx_model = to_onnx(
        model,
        name="credit_default",  # else a random one, and the same model would have another digest each time
        initial_types=[("features", FloatTensorType([None, len(FEATURES)]))],
        options={id(model): {"zipmap": False}},
    )
    path.write_bytes(onnx_model.SerializeToString())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    exported = session.run(["probabilities"], {"features": features})[0]
    difference = float(np.abs(exported - model.predict_proba(features)).max())
    if difference > TOLERANCE:
        sys.exit(
            f"the exported model differs by {difference:.2e} from the trained one, at most {TOLERANCE:.0e} is allowed"
        )
    return difference


def rows_of(table: Any, rows: Any) -> Any:
    """Rows as they are kept for assessment: whatever the view shows beside features, groups and label comes first, as ids."""
    known = {*FEATURES, *GROUPS, LABEL}
    ids = [name for name in table.column_names if name not in known]
    groups = [name for name in GROUPS if name in table.column_names]
    return table.select([*ids, *groups, *FEATURES, LABEL]).take(pa.array(rows))


def described(table: Any) -> list[dict[str, Any]]:
    """Name, type and range in training of every feature, in the order of the model's input."""
    ranges = ((name, pc.min_max(table[name]).as_py()) for name in FEATURES)
    return [
        {"name": name, "type": "float32", "minimum": float(each["min"]), "maximum": float(each["max"])}
        for name, each in ranges
    ]


def measured(labels: Any, scores: Any) -> dict[str, float]:
    """Figures of probabilities ``scores`` of default against what came."""
    return {
        "roc_auc": float(roc_auc_score(labels, scores)),
        "accuracy": float(accuracy_score(labels, scores >= THRESHOLD)),
        "log_loss": float(log_loss(labels, scores)),
        "brier_score": float(brier_score_loss(labels, scores)),
        "prevalence": float(np.mean(labels)),
        "threshold": THRESHOLD,
    }


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` in a form that is the same for the same content."""
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", "utf-8")


def main() -> None:
    """Read, train, export, measure, write."""
    seed = int(os.environ["TRUSTPLANE_SEED"])
    output = Path(os.environ["TRUSTPLANE_OUTPUT"])
    table = read_view(Path(os.environ["TRUSTPLANE_INPUT"]))
    labels = table[LABEL].to_numpy()
    rows = split(labels, seed)
    features = matrix(table)
    model = train(features[rows.train], labels[rows.train], seed)
    difference = export(model, features[rows.holdout], output / "model.onnx")
    for name, kept in (("holdout", rows.holdout), ("training", rows.train)):
        pq.write_table(rows_of(table, kept), output / f"{name}.parquet")
    write_json(output / "features.json", described(table.take(pa.array(rows.train))))
    scores = model.predict_proba(features[rows.holdout])[:, 1]
    figures = measured(labels[rows.holdout], scores)
    sizes = {
        "rows_train": len(rows.train),
        "rows_holdout": len(rows.holdout),
        "export_difference": difference,
        "seed": seed,
    }
    write_json(output / "metrics.json", figures | sizes)
    sys.stdout.write(
        f"trained on {len(rows.train):,} rows; area under the curve on the holdout {figures['roc_auc']:.3f}\n"
    )


if __name__ == "__main__":
    main()
