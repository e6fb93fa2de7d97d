"""The training script writes a model that is the trained one, and a holdout that fairness can be measured on."""

import json

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from trustplane.examples.credit import train
from trustplane.examples.credit.table import PERSON_COLUMNS, write_credit_table

ROWS = 1500


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "credit.csv"
    write_credit_table(path, rows=ROWS)
    table = pa.csv.read_csv(path).drop_columns(list(PERSON_COLUMNS))
    return table.rename_columns({"customer_id": "subject"})


def run(view: pa.Table, folder, monkeypatch: pytest.MonkeyPatch, *, seed: int = 7):
    source, output = folder / "in", folder / f"out{seed}"
    source.mkdir(exist_ok=True)
    output.mkdir()
    pq.write_table(view, source / "credit.parquet")
    monkeypatch.setenv("TRUSTPLANE_INPUT", str(source))
    monkeypatch.setenv("TRUSTPLANE_OUTPUT", str(output))
    monkeypatch.setenv("TRUSTPLANE_SEED", str(seed))
    train.main()
    return output


@pytest.fixture(scope="module")
def output(view, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        return run(view, tmp_path_factory.mktemp("run"), patch)


def test_it_writes_five_files(output):
    assert {path.name for path in output.iterdir()} == {
        "model.onnx",
        "holdout.parquet",
        "features.json",
        "metrics.json",
        "training.parquet",
    }


def test_the_model_is_valid_onnx_with_plain_tensors(output):
    model = onnx.load(output / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(output / "model.onnx", providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert (given.name, given.type, given.shape[1]) == ("features", "tensor(float)", len(train.FEATURES))
    assert [(each.name, each.type) for each in session.get_outputs()] == [
        ("label", "tensor(int64)"),
        ("probabilities", "tensor(float)"),
    ]


def test_the_model_is_the_trained_one_and_gives_the_reported_figures(output):
    """The area under the curve of the exported model on the holdout, computed by ranks, is the one in metrics.json."""
    holdout = pq.read_table(output / "holdout.parquet")
    session = onnxruntime.InferenceSession(output / "model.onnx", providers=["CPUExecutionProvider"])
    scores = session.run(["probabilities"], {"features": train.matrix(holdout)})[0][:, 1]
    labels = holdout[train.LABEL].to_numpy()
    above = (scores[labels == 1][:, None] > scores[labels == 0]).mean()
    equal = (scores[labels == 1][:, None] == scores[labels == 0]).mean()
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["roc_auc"] == pytest.approx(above + equal / 2, abs=1e-3)
    assert metrics["roc_auc"] > 0.6
    assert metrics["export_difference"] <= train.TOLERANCE


def test_the_holdout_has_ids_groups_features_and_label(output):
    holdout = pq.read_table(output / "holdout.parquet")
    assert holdout.column_names == ["subject", *train.GROUPS, *train.FEATURES, train.LABEL]
    assert holdout.num_rows == ROWS * train.HOLDOUT
    metrics = json.loads((output / "metrics.json").read_text())
    assert (metrics["rows_train"], metrics["rows_holdout"]) == (ROWS * 0.7, ROWS * 0.3)


def test_the_training_rows_are_kept_in_the_same_columns_and_are_the_others(output, view):
    holdout, training = (pq.read_table(output / f"{name}.parquet") for name in ("holdout", "training"))
    assert training.schema.equals(holdout.schema)
    assert sorted([*training["subject"].to_pylist(), *holdout["subject"].to_pylist()]) == sorted(
        view["subject"].to_pylist()
    )


def test_protected_traits_are_no_features():
    assert not set(train.GROUPS) & set(train.FEATURES)


def test_features_have_the_order_and_ranges_of_training(output, view):
    described = json.loads((output / "features.json").read_text())
    assert [each["name"] for each in described] == list(train.FEATURES)
    held = set(pq.read_table(output / "holdout.parquet")["subject"].to_pylist())
    trained = view.filter(pa.array([subject not in held for subject in view["subject"].to_pylist()]))
    assert trained.num_rows == ROWS * 0.7
    for each in described:
        values = trained[each["name"]].to_numpy()
        assert (each["minimum"], each["maximum"], each["type"]) == (values.min(), values.max(), "float32")


def test_the_same_seed_gives_the_same_bytes(output, view, tmp_path, monkeypatch):
    again = run(view, tmp_path, monkeypatch)
    for path in output.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_another_seed_gives_another_split(output, view, tmp_path, monkeypatch):
    other = run(view, tmp_path, monkeypatch, seed=8)
    subjects = [pq.read_table(folder / "holdout.parquet")["subject"].to_pylist() for folder in (output, other)]
    assert subjects[0] != subjects[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda view: view.drop_columns(["PAY_0"]), "does not show these columns: PAY_0"),
        (lambda view: view.drop_columns([train.LABEL]), f"does not show these columns: {train.LABEL}"),
        (lambda view: view.set_column(1, "LIMIT_BAL", pa.nulls(len(view), pa.int64())), "missing values: LIMIT_BAL"),
    ],
)
def test_a_view_that_cannot_be_trained_on_ends_the_script_with_a_reason(view, tmp_path, monkeypatch, change, message):
    with pytest.raises(SystemExit, match=message):
        run(change(view), tmp_path, monkeypatch)


def test_exactly_one_view_is_needed(tmp_path):
    with pytest.raises(SystemExit, match="holds 0"):
        train.read_view(tmp_path)


def test_labels_keep_their_share_in_the_split():
    labels = np.repeat([0, 1], [800, 200])
    rows = train.split(labels, seed=1)
    assert labels[rows.holdout].mean() == labels[rows.train].mean() == 0.2
    assert sorted([*rows.train, *rows.holdout]) == list(range(1000))
