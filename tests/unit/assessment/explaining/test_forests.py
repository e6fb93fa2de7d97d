"""Explanations of forests are Shapley values: of shap's own games, of the definition, and whatever the way they are taken."""

import warnings
from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier, GradientBoostingClassifier, RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from trustplane.assessment.explaining.deep import deep, explain_deep
from trustplane.assessment.explaining.forest import Forest, Scale, Unexplained, covers, paths
from trustplane.assessment.explaining.games import Against, Along
from trustplane.assessment.explaining.onnx_reading import read_onnx
from trustplane.assessment.explaining.subset_tables import explain, tabled
from trustplane.assessment.scoring import score

EXACT = 1e-6
ESTIMATORS = {
    "boosting": lambda: GradientBoostingClassifier(n_estimators=20, max_depth=4, random_state=0),
    "forest": lambda: RandomForestClassifier(8, max_depth=6, random_state=1),
    "extra": lambda: ExtraTreesClassifier(8, max_depth=5, random_state=1),
    "tree": lambda: DecisionTreeClassifier(max_depth=3, random_state=0),
    "one leaf": lambda: DecisionTreeClassifier(max_leaf_nodes=2, random_state=0),
}


@pytest.fixture(scope="module")
def made(exported, rows):
    """Estimators with the forests that were read of them."""
    found = {}
    for name, make in ESTIMATORS.items():
        estimator = make()
        found[name] = (estimator, exported(estimator))
    return found


def oracle(shap, estimator, features, **said):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = shap.TreeExplainer(estimator, **said).shap_values(features, check_additivity=False)
    return values[..., 1] if values.ndim == 3 else values


@pytest.mark.parametrize("name", ESTIMATORS)
def test_what_is_read_gives_the_models_scores(made, rows, name) -> None:
    forest = read_onnx(made[name][1], rows[0].shape[1])
    said = forest.probability(forest.predict(rows[0]))
    assert np.abs(said - score(made[name][1], rows[0])).max() < EXACT


@pytest.mark.parametrize("name", ESTIMATORS)
def test_against_a_reference_it_is_shaps_interventional_value(made, rows, shap, name) -> None:
    estimator, artifact = made[name]
    forest, reference, some = read_onnx(artifact, rows[0].shape[1]), rows[0][:50], rows[0][100:120]
    said = {"data": reference.astype(np.float64), "feature_perturbation": "interventional"}
    wanted = oracle(shap, estimator, some, **said)
    tables, prepared = tabled(forest, Against(reference)), deep(forest, Against(reference))
    assert np.abs(explain(tables, some) - wanted).max() < EXACT
    assert np.abs(explain_deep(prepared, some) - wanted).max() < EXACT
    assert tables.base == pytest.approx(forest.predict(reference).mean(), abs=1e-9)
    assert prepared.base == pytest.approx(tables.base, abs=1e-9)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_along_the_paths_it_is_shaps_path_dependent_value(made, rows, shap, name) -> None:
    estimator, artifact = made[name]
    forest, some = read_onnx(artifact, rows[0].shape[1]), rows[0][100:120]
    trees = getattr(estimator, "estimators_", [estimator])
    cover = np.concatenate([t.tree_.weighted_n_node_samples for t in np.ravel(trees)])
    wanted = oracle(shap, estimator, some, feature_perturbation="tree_path_dependent")
    assert np.abs(explain(tabled(forest, Along(cover)), some) - wanted).max() < EXACT
    assert np.abs(explain_deep(deep(forest, Along(cover)), some) - wanted).max() < EXACT


def test_covers_count_the_rows_that_reach_a_node(made, rows) -> None:
    estimator, artifact = made["tree"]
    assert (covers(read_onnx(artifact, rows[0].shape[1]), rows[0]) == estimator.tree_.n_node_samples).all()


def test_a_deep_forest_goes_the_other_way(exported, rows, shap) -> None:
    estimator = RandomForestClassifier(3, random_state=3)
    forest = read_onnx(exported(estimator), rows[0].shape[1])
    assert paths(forest).steps.max() > 12
    with pytest.raises(Unexplained, match="too deep"):
        tabled(forest, Against(rows[0][:5]))
    wanted = oracle(shap, estimator, rows[0][:5], data=rows[0][:20].astype(np.float64))
    assert np.abs(explain_deep(deep(forest, Against(rows[0][:20])), rows[0][:5]) - wanted).max() < EXACT


def planted(rng, depth, features, trees):
    """A random forest of random splits, equal splits and directions of missing values among them."""
    parts = {n: [] for n in ("feature", "threshold", "yes", "no", "missing_yes", "equal", "value")}

    def grow(left):
        at = len(parts["yes"])
        inner = left > 0 and rng.random() < 0.8
        given = (int(rng.integers(features)), float(rng.integers(-1, 2)), -1, -1, bool(rng.integers(2)) and inner)
        for name, value in zip(("feature", "threshold", "yes", "no", "missing_yes"), given, strict=True):
            parts[name].append(value)
        parts["equal"].append(inner and rng.random() < 0.3)
        parts["value"].append(0.0 if inner else float(rng.normal()))
        if inner:
            parts["yes"][at], parts["no"][at] = grow(left - 1), grow(left - 1)
        return at

    roots = [grow(depth) for _ in range(trees)]
    kinds = {"threshold": np.float32, "missing_yes": bool, "equal": bool, "value": np.float64}
    arrays = {n: np.array(v, kinds.get(n, np.int64)) for n, v in parts.items()}
    return Forest(**arrays, roots=np.array(roots), base=0.5, features=features, scale=Scale.LOG_ODDS)


def defined(forest, row, reference):
    """Shapley values by the definition, over all coalitions."""
    features = len(row)

    def worth(known):
        mixed = reference.copy()
        mixed[:, list(known)] = row[list(known)]
        return forest.predict(mixed).mean()

    found = np.zeros(features)
    for n in range(features):
        others = [f for f in range(features) if f != n]
        for size in range(features):
            weight = factorial(size) * factorial(features - size - 1) / factorial(features)
            for known in combinations(others, size):
                found[n] += weight * (worth((*known, n)) - worth(known))
    return found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 9))
def test_it_is_the_shapley_value_by_definition(seed, depth) -> None:
    rng = np.random.default_rng(seed)
    forest = planted(rng, depth, 4, 2)
    rows = rng.integers(-2, 3, (9, 4)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    row, reference = rows[0], rows[1:]
    wanted = defined(forest, row, reference)
    assert explain_deep(deep(forest, Against(reference)), row[None])[0] == pytest.approx(wanted, abs=1e-9)
    tables = tabled(forest, Against(reference))
    assert explain(tables, row[None])[0] == pytest.approx(wanted, abs=1e-9)
    assert tables.base + wanted.sum() == pytest.approx(forest.predict(row[None])[0], abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 7))
def test_both_ways_agree_along_the_paths(seed, depth) -> None:
    rng = np.random.default_rng(seed)
    forest, rows = planted(rng, depth, 4, 2), rng.integers(-2, 3, (30, 4)).astype(np.float32)
    game = Along(covers(forest, rows))
    tables, prepared = tabled(forest, game), deep(forest, game)
    assert explain(tables, rows[:5]) == pytest.approx(explain_deep(prepared, rows[:5]), abs=1e-9)
    assert explain(tables, rows).sum(1) + tables.base == pytest.approx(forest.predict(rows), abs=1e-9)


def test_nodes_in_a_ring_are_refused() -> None:
    ring = planted(np.random.default_rng(0), 3, 3, 1)
    ring.yes[np.flatnonzero(ring.yes >= 0)[-1]] = 0
    with pytest.raises(Unexplained):
        paths(ring)
