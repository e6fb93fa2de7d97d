"""Reading a hold-out, and scoring it."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trustplane.assessment.holdout import MISSING, feature_names, read_holdout
from trustplane.assessment.scoring import score
from trustplane.values.errors import BadInput


def parquet(**columns):
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written)
    return written.getvalue()


def usual(rows=100, **more):
    return {"x": [float(n) for n in range(rows)], **more, "y": [n % 2 for n in range(rows)]}


def test_groups_are_what_repeats_and_ids_are_not() -> None:
    held = read_holdout(
        parquet(
            **usual(
                id=[f"C{n}" for n in range(100)],
                number=list(range(100)),
                sex=["f", "m", None, "f"] * 25,
                code=[1, 2] * 50,
                married=[True, False] * 50,
            )
        ),
        ["x"],
    )
    assert set(held.groups) == {"sex", "code", "married"}
    assert set(held.groups["sex"].tolist()) == {"f", "m", MISSING}
    assert set(held.groups["code"].tolist()) == {"1", "2"}
    assert held.features.shape == (100, 1)
    assert held.features.dtype == np.float32
    assert held.label.tolist() == [0, 1] * 50


def test_ages_are_banded_and_other_numbers_by_quarters() -> None:
    held = read_holdout(
        parquet(**usual(200, AGE=[18 + n % 60 for n in range(200)], points=[n % 40 for n in range(200)])), ["x"]
    )
    assert set(held.groups["AGE"].tolist()) == {
        "below 25", "25 to below 35", "35 to below 45", "45 to below 55", "55 to below 62", "from 62",
    }  # fmt: skip
    by_age = dict(zip([18 + n % 60 for n in range(200)], held.groups["AGE"].tolist(), strict=True))
    assert (by_age[24], by_age[25], by_age[61], by_age[62]) == (
        "below 25", "25 to below 35", "55 to below 62", "from 62",
    )  # fmt: skip
    assert [(held.groups["points"] == g).sum() for g in np.unique(held.groups["points"])] == [50] * 4


def test_missing_numbers_are_a_group_of_their_own() -> None:
    ages = [None if n % 10 == 0 else 20 + n % 40 for n in range(200)]
    held = read_holdout(parquet(**usual(200, age=ages)), ["x"])
    assert (held.groups["age"] == MISSING).sum() == 20


def test_a_protected_column_is_added_even_where_it_is_a_feature_and_none_can_be_left_out() -> None:
    held = read_holdout(parquet(**usual(sex=["f", "m"] * 50)), ["x"], "y", ("x",))
    assert set(held.groups) == {"sex", "x"}


@pytest.mark.parametrize(
    ("columns", "features", "label"),
    [
        (usual(), ["x", "z"], ""),
        (usual(), [], ""),
        (usual(), ["x"], "z"),
        (usual(), ["x", "y"], "y"),
        (usual(0), ["x"], ""),
        ({"x": ["secret"], "y": [1]}, ["x"], ""),
        ({"x": [None, 1.0], "y": [1, 0]}, ["x"], ""),
        ({"x": [0.0, 1.0], "y": [1, 2]}, ["x"], ""),
        ({"x": [0.0, 1.0], "y": [1, None]}, ["x"], ""),
        ({"x": [0.0, 1.0], "y": ["secret", "no"]}, ["x"], ""),
    ],
)
def test_a_hold_out_that_is_not_usable_is_refused_without_a_value(columns, features, label) -> None:
    with pytest.raises(BadInput) as caught:
        read_holdout(parquet(**columns), features, label)
    assert caught.value.code == "TP-ASSESS-003"
    assert "secret" not in str(caught.value)


def test_what_is_no_parquet_or_no_list_of_features_is_refused() -> None:
    for read in (lambda: read_holdout(b"PAR1", ["x"]), lambda: feature_names(b'{"name": 1}')):
        with pytest.raises(BadInput) as caught:
            read()
        assert caught.value.code == "TP-ASSESS-003"
    assert feature_names(b'[{"name": "b", "minimum": 1}, {"name": "a"}]') == ["b", "a"]


def test_scores_are_probabilities_of_class_one_in_any_batching(model, table, monkeypatch) -> None:
    rows = np.column_stack([table["income"].to_numpy(), table["debt"].to_numpy()])
    told = []
    scores = score(model, rows, lambda done, of: told.append((done, of)))
    assert scores.shape == (1200,)
    assert np.corrcoef(scores, table["label"].to_numpy())[0, 1] > 0.5
    assert told == [(1200, 1200)]
    monkeypatch.setattr("trustplane.assessment.scoring.BATCH", 7)
    assert np.abs(score(model, rows) - scores).max() < 1e-6


@pytest.mark.parametrize("given", [b"", b"not a model", None])
def test_what_is_no_model_for_these_rows_is_refused(model, given) -> None:
    with pytest.raises(BadInput) as caught:
        score(model if given is None else given, np.zeros((5, 9), np.float32))
    assert caught.value.code == "TP-ASSESS-004"
