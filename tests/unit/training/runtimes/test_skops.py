"""skops files: what scikit-learn's estimators are written as passes and answers alike; a state that C code would follow out of bounds does not."""

import io
import json
import threading
import zipfile

import numpy as np
import pytest
import skops.io
from scipy.sparse import csr_matrix
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from trustplane.training.runtimes.skops.allowed import allowed
from trustplane.training.runtimes.skops.arrays import NotAdmitted
from trustplane.training.runtimes.skops.runtime import SkopsRuntime
from trustplane.training.runtimes.skops.verify import Zipped, verify
from trustplane.values.errors import Unavailable

RANDOM = np.random.RandomState(0)
ROWS = np.c_[RANDOM.randn(120, 3), RANDOM.randint(0, 4, 120)]
TWO = (ROWS[:, 0] > 0).astype(int)
THREE = np.digitize(ROWS[:, 1], [-0.5, 0.5])
TEXTS = np.array(["no", "maybe", "yes"])[THREE]
COLUMNS = ColumnTransformer([("n", StandardScaler(), [0, 1, 2]), ("c", OneHotEncoder(handle_unknown="ignore"), [3])])

SOUND = {
    "forest": RandomForestClassifier(4, random_state=0).fit(ROWS, TWO),
    "forest of texts": RandomForestClassifier(4, random_state=RANDOM).fit(ROWS, TEXTS),
    "forest of numbers": RandomForestRegressor(3).fit(ROWS, ROWS[:, 0]),
    "extra trees": ExtraTreesClassifier(3).fit(ROWS, TWO),
    "tree": DecisionTreeClassifier().fit(ROWS, THREE),
    "histograms": HistGradientBoostingClassifier(max_iter=4).fit(ROWS, TWO),
    "histograms, three classes": HistGradientBoostingClassifier(max_iter=3).fit(ROWS, THREE),
    "histograms with categories": HistGradientBoostingClassifier(max_iter=4, categorical_features=[3]).fit(ROWS, TWO),
    "histograms of numbers": HistGradientBoostingRegressor(max_iter=3).fit(ROWS, ROWS[:, 0]),
    "boosting": GradientBoostingClassifier(n_estimators=3).fit(ROWS, TWO),
    "boosting, three classes": GradientBoostingClassifier(n_estimators=3).fit(ROWS, THREE),
    "boosting of numbers": GradientBoostingRegressor(n_estimators=3).fit(ROWS, ROWS[:, 0]),
    "logistic": LogisticRegression().fit(ROWS, TWO),
    "ridge": make_pipeline(StandardScaler(), Ridge()).fit(ROWS, ROWS[:, 0]),
    "vectors": make_pipeline(StandardScaler(), CalibratedClassifierCV(SVC(), ensemble=False)).fit(ROWS, TWO),
    "network": MLPClassifier((4,), max_iter=5, solver="lbfgs", tol=1e9).fit(ROWS, THREE),
    "bayes": GaussianNB().fit(ROWS, TWO),
    "search": GridSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}, cv=2).fit(ROWS, TWO),
    "vote": VotingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier())], voting="soft").fit(ROWS, TWO),
    "stack": StackingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier())], cv=2).fit(ROWS, TWO),
    "bags": BaggingClassifier(max_features=0.5, n_estimators=3).fit(ROWS, TWO),
    "ada": AdaBoostClassifier(n_estimators=3).fit(ROWS, TWO),
    "columns": make_pipeline(COLUMNS, LogisticRegression()).fit(ROWS, TWO),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("which", SOUND)
def test_what_is_written_is_read_and_answers_alike(which):
    model = SOUND[which]
    loaded = SkopsRuntime().load(skops.io.dumps(model))
    assert [(t.name, t.datatype, t.shape) for t in loaded.inputs] == [("features", "FP64", (-1, 4))]
    said = loaded.run({"features": ROWS.astype(np.float32)})
    rows = ROWS.astype(np.float32).astype(np.float64)
    assert [t.name for t in loaded.outputs] == list(said)
    if "predictions" in said:
        np.testing.assert_array_equal(said["predictions"], model.predict(rows))
        return
    np.testing.assert_array_equal(said["label"], model.predict(rows))
    np.testing.assert_array_equal(said["probabilities"], model.predict_proba(rows))
    label, probabilities = loaded.outputs
    assert label.datatype == ("BYTES" if which == "forest of texts" else "INT64")
    assert probabilities.shape == (-1, len(model.classes_))


def test_a_frame_is_asked_by_its_columns():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ROWS, columns=list("abcd"))
    chosen = ColumnTransformer([("n", StandardScaler(), ["c", "a"])])
    model = make_pipeline(chosen, LogisticRegression()).fit(frame, TWO)
    said = SkopsRuntime().load(skops.io.dumps(model)).run({"features": ROWS})
    np.testing.assert_array_equal(said["probabilities"], model.predict_proba(frame))


def test_threads_get_the_same_answers():
    loaded = SkopsRuntime().load(skops.io.dumps(SOUND["histograms"]))
    wanted, found = loaded.run({"features": ROWS})["probabilities"], []

    def ask():
        found.append(loaded.run({"features": ROWS})["probabilities"])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 8
    assert all((each == wanted).all() for each in found)


@pytest.mark.parametrize("rows", [np.zeros((2, 3)), np.zeros(4), np.array([["a"] * 4])])
def test_rows_of_another_shape_break_nothing(rows):
    loaded = SkopsRuntime().load(skops.io.dumps(SOUND["logistic"]))
    with pytest.raises(Unavailable) as caught:
        loaded.run({"features": rows})
    assert caught.value.code == "TP-SERVING-006"
    assert caught.value.why == "ValueError"


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04", skops.io.dumps(SOUND["logistic"])[:-40], skops.io.dumps({"a": 1})]
)
def test_what_is_no_model_is_not_loaded(data):
    with pytest.raises(Unavailable) as caught:
        SkopsRuntime().load(data)
    assert caught.value.code == "TP-SERVING-005"


# --- what is refused


class File:
    """A file of skops, taken apart."""

    def __init__(self, model):
        with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as archive:
            self.members = {name: archive.read(name) for name in archive.namelist()}
        self.schema = json.loads(self.members["schema.json"])

    def at(self, *path):
        """A node, through attributes and places."""
        node = self.schema
        for part in path:
            if node["__loader__"] in {"ObjectNode", "TreeNode"}:
                node = node["content"]
            node = node["content"][part]
        return node

    def array(self, node):
        return np.load(io.BytesIO(self.members[node["file"]]))

    def put(self, node, array):
        """Other numbers in the place of an array's; every node that names the file has them."""
        sink = io.BytesIO()
        np.save(sink, array)
        self.members[node["file"]] = sink.getvalue()

    def plain(self, node, value):
        """Another value: with a number of its own, as small integers share one."""
        node["content"], node["__id__"] = json.dumps(value), 10**9 + id(node) % 10**6

    def refusal(self):
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w") as archive:
            for name, data in {**self.members, "schema.json": json.dumps(self.schema).encode()}.items():
                archive.writestr(name, data)
        with pytest.raises(NotAdmitted) as caught:
            verify(Zipped(sink.getvalue()))
        with pytest.raises(Unavailable):
            SkopsRuntime().load(sink.getvalue())
        return f"{caught.value.message} | {caught.value.path}"


TREE = ("estimators_", 1, "tree_")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("left_child", 10**6, "leads out of it, or back"),
        ("right_child", 0, "leads out of it, or back"),
        ("left_child", -7, "leads out of it, or back"),
        ("feature", 4, "a feature that is not there"),
        ("feature", -3, "a feature that is not there"),
    ],
)
def test_a_tree_that_leads_out_of_itself(field, value, said):
    file = File(SOUND["forest"])
    node = file.at(*TREE, "nodes")
    nodes = file.array(node)
    nodes[field][0] = value
    file.put(node, nodes)
    told = file.refusal()
    assert said in told
    assert told.endswith("model.estimators_[1]")


def test_a_leaf_with_one_child():
    file = File(SOUND["forest"])
    node = file.at(*TREE, "nodes")
    nodes = file.array(node)
    leaf = int(np.flatnonzero(nodes["left_child"] == -1)[0])
    nodes["right_child"][leaf] = leaf + 1
    file.put(node, nodes)
    assert "leads out of it" in file.refusal()


@pytest.mark.parametrize("cut", ["values", "nodes"])
def test_a_tree_with_fewer_values_than_nodes(cut):
    file = File(SOUND["forest"])
    node = file.at(*TREE, cut)
    file.put(node, file.array(node)[:-1])
    assert "tree" in file.refusal()


def test_a_tree_that_is_deeper_than_it_says():
    file = File(SOUND["tree"])
    file.plain(file.at("tree_", "max_depth"), 1)
    assert "deeper than it says" in file.refusal()


@pytest.mark.parametrize(("where", "path"), [("ensemble", ()), ("tree", ("estimators_", 1))])
def test_trees_of_more_features_than_the_rows_have(where, path):
    file = File(SOUND["forest"])
    file.plain(file.at(*path, "n_features_in_"), 2)
    assert "another number of features" in file.refusal()


def test_an_ensemble_that_does_not_look_at_the_number_of_features():
    file = File(SOUND["forest"])
    content = file.schema["content"]
    del content["content"]["n_features_in_"]
    content["key_types"]["content"].pop()
    assert "n_features_in_ is no count" in file.refusal()


def test_trees_on_a_part_of_the_features_that_are_not_looked_at_again():
    with pytest.raises(NotAdmitted, match="another number of features than the ensemble"):
        verify(Zipped(skops.io.dumps(IsolationForest(n_estimators=3, max_features=2).fit(ROWS))))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("left", 10**6, "leads out"),
        ("right", 0, "leads out"),
        ("feature_idx", 4, "a feature"),
        ("feature_idx", -1, "a feature"),
        ("is_categorical", 1, "a set of categories"),
    ],
)
def test_a_tree_of_histograms_that_leads_out_of_itself(field, value, said):
    file = File(SOUND["histograms"])
    node = file.at("_predictors", 0, 0, "nodes")
    nodes = file.array(node)
    nodes[field][0] = value
    file.put(node, nodes)
    assert said in file.refusal()


def test_categories_of_histograms():
    file = File(SOUND["histograms with categories"])
    node = file.at("_bin_mapper", "is_categorical_")
    file.put(node, np.zeros_like(file.array(node)))
    found = file.refusal()
    assert "a set of categories" in found
    file = File(SOUND["histograms with categories"])
    mask = file.at("_preprocessor", "transformers_", 0, 2)
    file.put(mask, np.array([False, False, False, False]))
    assert "another number of columns" in file.refusal()


def test_more_trees_for_each_row_than_numbers():
    file = File(SOUND["boosting"])
    held = file.at("estimators_")
    held["content"] = [
        {**row, "content": row["content"] * 3, "__id__": 10**9 + n} for n, row in enumerate(held["content"])
    ]
    file.plain(held["shape"]["content"][1], 3)
    held["shape"]["__id__"] = 10**9 + 77
    assert "more trees" in file.refusal()


def test_support_vectors_that_are_fewer_than_their_counts():
    file = File(SVC().fit(ROWS, TWO))
    node = file.at("_n_support")
    file.put(node, file.array(node) + 1000)
    assert "support vectors do not agree" in file.refusal()


def test_a_one_hot_encoder_with_fewer_columns_than_categories():
    file = File(OneHotEncoder().fit(ROWS[:, 3:]))
    file.plain(file.at("_n_features_outs", 0), 1)
    assert "another number of columns than categories" in file.refusal()


def test_categories_that_do_not_ascend():
    file = File(OneHotEncoder().fit(ROWS[:, 3:]))
    node = file.at("categories_", 0)
    file.put(node, file.array(node)[::-1].copy())
    assert "do not ascend" in file.refusal()


def test_an_index_outside_of_a_sparse_matrix():
    model = LogisticRegression().fit(ROWS, TWO).sparsify()
    file = File(model)
    node = file.at("coef_")
    sink = io.BytesIO()
    outside = csr_matrix(model.coef_)
    outside.indices = outside.indices + 50
    np.savez(sink, indices=outside.indices, indptr=outside.indptr, format=np.array(b"csr"), shape=outside.shape, data=outside.data)  # fmt: skip
    file.members[node["file"]] = sink.getvalue()
    assert "lies outside of it" in file.refusal()


def test_random_numbers_from_beyond_their_state():
    file = File(SOUND["forest of texts"])
    file.plain(
        file.schema["content"]["content"]["random_state"]["content"]["content"]["state"]["content"]["pos"], 10**6
    )
    assert "random numbers" in file.refusal()


def test_an_attribute_in_the_place_of_a_method():
    file = File(SOUND["forest"])
    content = file.schema["content"]
    content["content"]["_validate_X_predict"] = content["content"]["n_features_in_"]
    content["key_types"]["content"].append(content["key_types"]["content"][0])
    assert "has no attribute '_validate_X_predict'" in file.refusal()


def test_two_nodes_of_one_number():
    file = File(SOUND["forest"])
    one, other = file.at(*TREE, "nodes"), file.at("estimators_", 0, "tree_", "nodes")
    one["__id__"] = other["__id__"]
    assert "say that they are one object" in file.refusal()


def test_a_tree_elsewhere():
    file = File(SOUND["forest"])
    attributes = file.schema["content"]["content"]
    attributes["max_samples"] = file.at(*TREE)
    assert "a tree lies where scikit-learn keeps none" in file.refusal()


@pytest.mark.parametrize("value", [None, 7, "text", [], {}, [None], {"__loader__": "ListNode"}])
@pytest.mark.parametrize("part", ["content", "key_types", "__id__", "__class__", "__loader__", "__module__"])
def test_parts_of_other_kinds(part, value):
    for path in ((), ("coef_",), ("classes_",)):
        file = File(SOUND["logistic"])
        node = file.at(*path) if path else file.schema["content"]
        if part in node and node[part] != value and (part, value) != ("__id__", 7):
            node[part] = value
            assert file.refusal()


@pytest.mark.parametrize("change", ["__class__", "file", "type", "more"])
def test_odd_nodes(change):
    file = File(SOUND["logistic"])
    node = file.at("coef_")
    if change == "more":
        node["trusted"] = True
    else:
        node[change] = {"__class__": "memmap", "file": "../../etc/passwd", "type": "json"}[change]
    assert file.refusal()


@pytest.mark.parametrize(
    "model",
    [KNeighborsClassifier().fit(ROWS, TWO), make_pipeline(SplineTransformer(), Ridge()).fit(ROWS, TWO)],
    ids=["neighbours", "splines"],
)
def test_classes_whose_compiled_code_was_not_looked_at(model):
    with pytest.raises(NotAdmitted) as caught:
        verify(Zipped(skops.io.dumps(model)))
    assert caught.value.kind == "type"
    assert caught.value.subject.startswith(("sklearn.neighbors.", "sklearn.preprocessing._polynomial", "scipy."))


def test_the_list_names_nothing_that_calls_or_fetches():
    listed = allowed()
    assert listed.names.keys().isdisjoint({"MethodNode", "OperatorFuncNode", "CachedNode", "ConstructorFromReduceNode"})
    for module, name in listed.names["FunctionNode"] | listed.names["TypeNode"]:
        assert module.startswith(
            ("numpy", "sklearn.metrics", "sklearn.feature_selection", "sklearn.utils.validation")
        ) or (module == "builtins" and name in {"str", "int", "float", "bool", "object"})
    assert listed.names["PartialNode"] == {("functools", "partial")}
    assert listed.names["TreeNode"] == {("sklearn.tree._tree", "Tree")}
