"""What is read of models of several exporters is what they compute; what is not known here is left alone."""

import json

import lightgbm
import numpy as np
import onnx
import pytest
import xgboost
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from trustplane.assessment.explaining.deep import deep, explain_deep
from trustplane.assessment.explaining.forest import Scale, Unexplained
from trustplane.assessment.explaining.games import Along
from trustplane.assessment.explaining.native_reading import read_lightgbm, read_xgboost
from trustplane.assessment.explaining.onnx_reading import read_onnx
from trustplane.assessment.explaining.subset_tables import explain, tabled
from trustplane.assessment.scoring import score


@pytest.fixture(scope="module")
def gappy(rows):
    """The rows with values missing."""
    features = rows[0].copy()
    features[np.random.default_rng(1).random(features.shape) < 0.1] = np.nan
    return features, rows[1]


@pytest.fixture(scope="module")
def xgb(gappy):
    data = xgboost.DMatrix(*gappy)
    return xgboost.train({"max_depth": 4, "objective": "binary:logistic", "nthread": 1}, data, 20)


def lgb(features, label, **said):
    settings = {"objective": "binary", "verbose": -1, "num_threads": 1, "min_data_in_leaf": 5, **said}
    return lightgbm.train(settings, lightgbm.Dataset(features.astype(np.float64), label), 20)


def test_xgboost_is_read_as_it_predicts_and_explains(xgb, gappy) -> None:
    forest = read_xgboost(bytes(xgb.save_raw("json")))
    data = xgboost.DMatrix(gappy[0])
    assert np.abs(forest.predict(gappy[0]) - xgb.predict(data, output_margin=True)).max() < 1e-5
    wanted = xgb.predict(data, pred_contribs=True)[:50]
    tables = tabled(forest, Along(forest.cover))
    assert np.abs(explain(tables, gappy[0][:50]) - wanted[:, :-1]).max() < 1e-5  # theirs are sums of float32
    assert tables.base == pytest.approx(wanted[0, -1], abs=1e-5)


def test_a_value_at_the_threshold_goes_right_in_xgboost(xgb) -> None:
    forest = read_xgboost(bytes(xgb.save_raw("json")))
    model = json.loads(xgb.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"][0]
    at = np.zeros((1, 6), np.float32)
    at[0, model["split_indices"][0]] = np.float32(model["split_conditions"][0])
    assert not forest.decisions(at[0])[0]
    said = xgb.predict(xgboost.DMatrix(at), output_margin=True)
    assert forest.predict(at) == pytest.approx(said, abs=1e-5)


@pytest.mark.parametrize("said", [{}, {"max_depth": 4}, {"use_missing": False}])
def test_lightgbm_is_read_as_it_predicts_and_explains(gappy, rows, said) -> None:
    features = rows[0] if said else gappy[0]  # without missing values in training, those at prediction count as zero
    booster = lgb(features, gappy[1], **said)
    forest = read_lightgbm(booster.model_to_string().encode())
    for shown in (gappy[0], rows[0], np.zeros_like(rows[0])):
        wanted = booster.predict(shown.astype(np.float64), raw_score=True)
        assert np.abs(forest.predict(shown.astype(np.float64)) - wanted).max() < 1e-12
    wanted = booster.predict(gappy[0][:20].astype(np.float64), pred_contrib=True)
    found = explain_deep(deep(forest, Along(forest.cover)), forest.as_compared(gappy[0][:20]))
    assert np.abs(found - wanted[:, :-1]).max() < 1e-9


@pytest.mark.parametrize("broken", [b"", b"{", b"{}", b"tree\n", b"\xff", b'{"learner": []}'])
def test_what_is_no_booster_is_left_alone(broken) -> None:
    for read in (read_xgboost, read_lightgbm):
        with pytest.raises(Unexplained):
            read(broken)


def test_other_boosters_are_left_alone(gappy) -> None:
    regression = xgboost.train({"objective": "reg:squarederror", "nthread": 1}, xgboost.DMatrix(*gappy), 2)
    with pytest.raises(Unexplained, match="two classes"):
        read_xgboost(bytes(regression.save_raw("json")))
    with pytest.raises(Unexplained, match="two classes"):
        read_lightgbm(lgb(*gappy, objective="regression").model_to_string().encode())
    with pytest.raises(Unexplained, match="zeros"):
        read_lightgbm(lgb(*gappy, zero_as_missing=True).model_to_string().encode())


@pytest.mark.parametrize("scaled", [False, True])
def test_a_linear_model_is_read_with_its_scaler(exported, rows, scaled) -> None:
    estimator = make_pipeline(StandardScaler(), LogisticRegression()) if scaled else LogisticRegression()
    artifact = exported(estimator)
    linear = read_onnx(artifact, 6)
    assert linear.scale is Scale.LOG_ODDS
    assert np.abs(linear.probability(linear.predict(rows[0])) - score(artifact, rows[0])).max() < 1e-6
    found = linear.explain(rows[0], rows[0][:40])
    assert found.sum(1) + linear.predict(rows[0][:40]).mean() == pytest.approx(linear.predict(rows[0]))


@pytest.mark.parametrize("gemm", [False, True])
def test_a_layer_and_a_sigmoid_are_a_linear_model(rows, gemm) -> None:
    weights = np.linspace(-1, 1, 6, dtype=np.float32)
    held = [numpy_helper.from_array(weights.reshape((1, 6) if gemm else (6, 1)), "w")]
    held.append(numpy_helper.from_array(np.float32([0.25]), "b"))
    product = (
        [helper.make_node("Gemm", ["x", "w", "b"], ["z"], transB=1)]
        if gemm
        else [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Add", ["y", "b"], ["z"])]
    )
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, w]) for n, w in (("x", 6), ("p", 1))]
    graph = helper.make_graph([*product, helper.make_node("Sigmoid", ["z"], ["p"])], "layer", ends[:1], ends[1:], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    linear = read_onnx(model, 6)
    assert linear.weight == pytest.approx(weights)
    assert linear.probability(linear.predict(rows[0])) == pytest.approx(score(model, rows[0]), abs=1e-6)


def test_a_network_is_left_alone(exported) -> None:
    with pytest.raises(Unexplained, match="neither"):
        read_onnx(exported(MLPClassifier((3,), max_iter=3, random_state=0, tol=10, n_iter_no_change=1)), 6)
    with pytest.raises(Unexplained):
        read_onnx(b"\x08", 6)


def ensemble(mode, tracks, kind="TreeEnsembleClassifier", **changed):
    """A stump on feature 0 at 1.5, by one way of comparing: 0.9 where it holds, 0.2 where it does not."""
    leaf = "class" if kind.endswith("Classifier") else "target"
    said = {
        "nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2], "nodes_featureids": [0, 0, 0],
        "nodes_modes": [mode, "LEAF", "LEAF"], "nodes_values": [1.5, 0.0, 0.0],
        "nodes_truenodeids": [1, 0, 0], "nodes_falsenodeids": [2, 0, 0], "nodes_missing_value_tracks_true": [tracks, 0, 0],
        f"{leaf}_treeids": [0, 0], f"{leaf}_nodeids": [1, 2], f"{leaf}_ids": [0, 0], f"{leaf}_weights": [0.9, 0.2],
        "post_transform": "LOGISTIC", **({"classlabels_int64s": [0, 1]} if leaf == "class" else {"n_targets": 1}), **changed,
    }  # fmt: skip
    outputs = ["label", "p"] if leaf == "class" else ["p"]
    node = helper.make_node(kind, ["x"], outputs, domain="ai.onnx.ml", **said)
    graph = helper.make_graph(
        [node], "stump", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, None])],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


@pytest.mark.parametrize("kind", ["TreeEnsembleClassifier", "TreeEnsembleRegressor"])
@pytest.mark.parametrize("tracks", [0, 1])
@pytest.mark.parametrize("mode", ["LEQ", "LT", "GTE", "GT", "EQ", "NEQ"])
def test_every_way_of_comparing_is_that_of_the_runtime(mode, tracks, kind) -> None:
    model = ensemble(f"BRANCH_{mode}", tracks, kind)
    just = np.nextafter(np.float32(1.5), np.float32([-9, 9]))
    rows = np.array([[v, 0] for v in (1.0, *just, 1.5, 2.0, -np.inf, np.inf, np.nan)], np.float32)
    forest = read_onnx(model, 2)
    assert forest.probability(forest.predict(rows)) == pytest.approx(score(model, rows), abs=1e-6)


def test_a_graph_that_does_not_fit_together_is_left_alone() -> None:
    for changed in (
        {"nodes_truenodeids": [7, 0, 0]},
        {"nodes_featureids": [9, 0, 0]},
        {"nodes_values": [1.5]},
        {"class_ids": [0, 2]},
        {"post_transform": "PROBIT"},
    ):
        with pytest.raises(Unexplained):
            read_onnx(ensemble("BRANCH_LEQ", 0, **changed), 2)
    model = onnx.load_model_from_string(ensemble("BRANCH_LEQ", 0))
    model.graph.node.append(helper.make_node("Neg", ["p"], ["q"]))
    with pytest.raises(Unexplained):
        read_onnx(model.SerializeToString(), 2)
