"""CatBoost's JSON: symmetric trees over numbers are read, what needs the library is said to, and nothing points beyond what there is."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.corpora import boosters

from trustplane.training.runtimes.boosters import catboost
from trustplane.training.runtimes.boosters.sound import Unhandled, Unsound
from trustplane.training.runtimes.contract import Tensor

FILES = {label: data for label, (library, _, data) in boosters.files().items() if library == "catboost"}


def plain():
    return json.loads(FILES["catboost two classes"])


def split(model):
    return next(s for tree in model["oblivious_trees"] for s in tree["splits"])


NOT_SOUND = {
    "more beside it": (lambda m: m.update(code=1), "does not write"),
    "no scale": (lambda m: m.pop("scale_and_bias"), "lacks"),
    "a scale without end": (lambda m: m.update(scale_and_bias=[float("inf"), [0]]), "finite"),
    "no bias": (lambda m: m.update(scale_and_bias=[1, []]), "bias"),
    "more outputs than classes": (lambda m: m.update(scale_and_bias=[1, [0, 0]]), "outputs"),
    "no features": (lambda m: m["features_info"].update(float_features=[]), "features"),
    "features out of order": (lambda m: m["features_info"]["float_features"].reverse(), "order"),
    "borders out of order": (lambda m: m["features_info"]["float_features"][0].update(borders=[1, 0]), "order"),
    "an unknown way of what is missing": (lambda m: m["features_info"]["float_features"][0].update(nan_value_treatment="x"), "missing"),
    "a way that is a list": (lambda m: m["features_info"]["float_features"][0].update(nan_value_treatment=[]), "missing"),
    "a feature that is not there": (lambda m: split(m).update(float_feature_index=9), "not there"),
    "a feature before the first": (lambda m: split(m).update(float_feature_index=-1), "not there"),
    "a border that is not there": (lambda m: split(m).update(border=0.123), "not there"),
    "fewer leaves": (lambda m: m["oblivious_trees"][0]["leaf_values"].pop(), "should be"),
    "a leaf without end": (lambda m: m["oblivious_trees"][0]["leaf_values"].__setitem__(0, float("nan")), "finite"),
    "weights below zero": (lambda m: m["oblivious_trees"][0]["leaf_weights"].__setitem__(0, -1), "weights"),
    "splits without end": (lambda m: m["oblivious_trees"][0].update(splits=[split(m)] * 60), "too many"),
    "trees that are none": (lambda m: m.update(oblivious_trees={}), "no list"),
    "nothing of its training": (lambda m: m.update(model_info=[]), "trained"),
}  # fmt: skip

UNHANDLED = {
    "trees that are not symmetric": lambda m: m.update(trees=m.pop("oblivious_trees")),
    "categories": lambda m: m["features_info"].update(categorical_features=[{"feature_index": 0}]),
    "a table of categories": lambda m: m.update(ctr_data={}),
    "a split by categories": lambda m: split(m).update(split_type="OneHotFeature"),
    "another loss": lambda m: m["model_info"]["params"]["loss_function"].update(type="Poisson"),
}


@pytest.mark.parametrize("label", FILES)
def test_what_the_library_writes_is_read(label):
    read = catboost.read(FILES[label])
    assert read.takes == (Tensor("features", "FP32", (-1, 5)),)
    assert {tree.leaves_and_depth() for tree in read.trees} == {(8, 3)}


@pytest.mark.parametrize("attack", NOT_SOUND)
def test_a_file_that_points_where_nothing_is_is_not_read(attack):
    model = plain()
    change, words = NOT_SOUND[attack]
    change(model)
    with pytest.raises(Unsound, match=words):
        catboost.read(json.dumps(model).encode())


@pytest.mark.parametrize("what", UNHANDLED)
def test_what_needs_the_library_is_said_to(what):
    model = plain()
    UNHANDLED[what](model)
    with pytest.raises(Unhandled):
        catboost.read(json.dumps(model).encode())


@pytest.mark.parametrize("policy", ["Depthwise", "Lossguide"])
def test_other_trees_of_the_library_are_not_taken_for_symmetric_ones(policy):
    import catboost as library

    model = library.CatBoostClassifier(iterations=2, depth=3, grow_policy=policy, verbose=0, allow_writing_files=False)
    with pytest.raises(Unhandled):
        catboost.read(boosters.written("catboost", model.fit(boosters.X, boosters.BOTH)))


def test_its_trees_as_nodes_have_the_leaves_of_its_arithmetic():
    found = catboost.symmetric(FILES["catboost two classes"])
    for row in np.nan_to_num(boosters.X[:40]):
        for tree, splits in zip(found.booster.trees, found.splits, strict=True):
            node = 0
            while tree.left[node] >= 0:
                node = tree.left[node] if row[tree.feature[node]] <= tree.threshold[node] else tree.right[node]
            assert node - len(tree.left) // 2 == sum(int(row[f] > b) << n for n, (f, b) in enumerate(splits))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_changed_file_is_read_or_refused_and_nothing_else(data):
    held = FILES[data.draw(st.sampled_from(sorted(FILES)))]
    at = data.draw(st.integers(0, len(held) - 1))
    try:
        catboost.read(held[:at] + data.draw(st.binary(max_size=3)) + held[at + data.draw(st.integers(0, 9)) :])
    except Unsound:
        return
