"""XGBoost's files: every one that the library writes is read, and none whose indices point where nothing is."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.corpora import boosters

from trustplane.training.runtimes.boosters import xgboost
from trustplane.training.runtimes.boosters.sound import Unsound
from trustplane.training.runtimes.contract import Tensor

FILES = {label: data for label, (library, _, data) in boosters.files().items() if library == "xgboost"}


def plain(name="binary:logistic"):
    """A model as it is written in JSON."""
    return json.loads(FILES[f"xgboost {name}"])


def trees(model):
    return model["learner"]["gradient_booster"]["model"]["trees"]


def text(model):
    return json.dumps(model).encode()


def put(place, value):
    """A change: the member at a path of names and numbers becomes ``value``, or goes where that is ``...``."""

    def change(model):
        at = model
        for step in place[:-1]:
            at = at[step]
        if value is ...:
            del at[place[-1]]
        else:
            at[place[-1]] = value

    return change


LEARNER, SIZE = ("learner",), ("learner", "learner_model_param")
BOOSTER = ("learner", "gradient_booster", "model")
TREE = (*BOOSTER, "trees", 0)

NOT_SOUND = {
    "no learner": (put(LEARNER, ...), "lacks learner"),
    "more beside the learner": (put(("Config",), {}), "does not write"),
    "more in the learner": (put((*LEARNER, "hook"), "os.system"), "does not write"),
    "a version of words": (put(("version",), ["3", "2", "0"]), "no integers"),
    "no features": (put((*SIZE, "num_feature"), "0"), "num_feature"),
    "features without end": (put((*SIZE, "num_feature"), "4294967295"), "num_feature"),
    "classes of another number": (put((*SIZE, "num_class"), "-1"), "num_class"),
    "classes and targets": (lambda m: m["learner"]["learner_model_param"].update(num_class="3", num_target="2"), "several classes"),
    "a base that is no number": (put((*SIZE, "base_score"), "[1,nan]"), "base_score"),
    "bases for more outputs": (put((*SIZE, "base_score"), "[1,2,3]"), "base_score"),
    "an unknown objective": (put((*LEARNER, "objective", "name"), "my:own"), "objective"),
    "an objective of several classes": (put((*LEARNER, "objective"), {"name": "multi:softprob", "softmax_multiclass_param": {"num_class": "3"}}), "other classes"),
    "a parameter that is no text": (put((*LEARNER, "objective", "reg_loss_param"), {"scale_pos_weight": [1]}), "plain text"),
    "an unknown booster": (put((*LEARNER, "gradient_booster", "name"), "gbdart"), "booster"),
    "fewer trees than told": (lambda m: trees(m).pop(), "not as many"),
    "more outputs of trees": (lambda m: m["learner"]["gradient_booster"]["model"]["tree_info"].append(0), "should be"),
    "a tree for an output that is not there": (put((*BOOSTER, "tree_info", 0), 7), "point beyond"),
    "a round beyond the trees": (put((*BOOSTER, "iteration_indptr", 1), 99), "point beyond"),
    "rounds out of order": (put((*BOOSTER, "iteration_indptr"), [0, 2, 1, 3]), "not in order"),
    "rounds that end early": (put((*BOOSTER, "iteration_indptr"), [0, 1]), "not in order"),
    "a child beyond the nodes": (put((*TREE, "left_children", 0), 1 << 20), "point beyond"),
    "a child before the nodes": (put((*TREE, "left_children", 0), -7), "point beyond"),
    "a circle": (put((*TREE, "left_children", 0), 0), "circle"),
    "one child twice": (lambda m: put((*TREE, "left_children", 0), trees(m)[0]["right_children"][0])(m), "circle"),
    "one child": (put((*TREE, "right_children", 0), -1), "beyond"),
    "a leaf with a right child": (put((*TREE, "right_children", -1), 0), "outputs"),
    "another parent": (put((*TREE, "parents", 1), 2), "another parent"),
    "a feature that is not there": (put((*TREE, "split_indices", 0), 5), "feature"),
    "a feature before the first": (put((*TREE, "split_indices", 0), -1), "point beyond"),
    "fewer thresholds": (lambda m: trees(m)[0]["split_conditions"].pop(), "should be"),
    "a threshold that is none": (put((*TREE, "split_conditions", 0), float("nan")), "neither a threshold"),
    "a leaf without end": (put((*TREE, "split_conditions", -1), float("inf")), "not finite"),
    "a leaf that is a text": (put((*TREE, "split_conditions", -1), "0"), "no numbers"),
    "a number too long to hold": (put((*TREE, "split_conditions", -1), 10**400), "too large"),
    "nodes without number": (put((*TREE, "tree_param", "num_nodes"), "2147483647"), "num_nodes"),
    "no nodes": (put((*TREE, "tree_param", "num_nodes"), "0"), "num_nodes"),
    "deleted nodes that are not": (put((*TREE, "tree_param", "num_deleted"), "3"), "not as many"),
    "other features in a tree": (put((*TREE, "tree_param", "num_feature"), "6"), "other features"),
    "leaves of more outputs": (put((*TREE, "tree_param", "size_leaf_vector"), "2"), "other features or outputs"),
    "another number of a tree": (put((*TREE, "id"), 9), "another number"),
    "more in a tree": (put((*TREE, "code"), "x"), "does not write"),
    "no ways of what is missing": (put((*TREE, "default_left"), []), "one for each node"),
    "a way that is neither": (put((*TREE, "default_left", 0), 2), "one for each node"),
    "a way that is a list": (put((*TREE, "default_left", 0), [0]), "one for each node"),
    "a split by categories without them": (put((*TREE, "split_type", 0), 1), "neither a threshold"),
    "names for fewer features": (put((*LEARNER, "feature_names"), ["a"]), "not as many"),
    "a name with a line break": (put((*LEARNER, "feature_names"), ["a\nb", "b", "c", "d", "e"]), "control"),
    "a type that is not known": (put((*LEARNER, "feature_types"), ["q", "q", "q", "q", "o"]), "not known"),
    "an attribute that is no text": (put((*LEARNER, "attributes"), {"a": 1}), "no texts"),
    "attributes without end": (put((*LEARNER, "attributes"), {"a": "x" * (17 << 20)}), "too long"),
    "a tree that is a number": (put(TREE, 7), "no object"),
    "trees that are an object": (put((*BOOSTER, "trees"), {}), "not as many"),
}  # fmt: skip

CATEGORIES = {
    "a node that is not there": (put((*TREE, "categories_nodes", 0), 10_000), "point beyond"),
    "categories beyond the end": (put((*TREE, "categories_sizes", 0), 10_000), "beyond"),
    "categories before the start": (put((*TREE, "categories_segments", 0), -1), "beyond"),
    "no categories": (put((*TREE, "categories_sizes", 0), 0), "beyond"),
    "a category below zero": (put((*TREE, "categories", 0), -1), "beyond"),
    "a category of two gigabytes": (put((*TREE, "categories", 0), (1 << 31) - 1), "beyond"),
    "a node without categories": (lambda m: [trees(m)[0][k].pop() for k in ("categories_nodes", "categories_segments", "categories_sizes")], "order"),
    "names in no order": (put((*BOOSTER, "cats"), {"enc": [], "feature_segments": [], "sorted_idx": [1]}), "no names"),
    "an order beyond the names": (put((*BOOSTER, "cats", "sorted_idx"), [1 << 40]), "no names"),
}  # fmt: skip


@pytest.mark.parametrize("label", FILES)
def test_what_the_library_writes_is_read(label):
    read = xgboost.read(FILES[label])
    assert read.takes == (Tensor("features", "FP32", (-1, 5)),)
    assert read.gives
    assert all(tree.leaves_and_depth()[0] >= 1 for tree in read.trees)


@pytest.mark.parametrize("attack", NOT_SOUND)
def test_a_file_that_points_where_nothing_is_is_not_read(attack):
    model = plain()
    change, words = NOT_SOUND[attack]
    change(model)
    with pytest.raises(Unsound, match=words) as caught:
        xgboost.read(text(model))
    assert "os.system" not in str(caught.value)


@pytest.mark.parametrize("attack", CATEGORIES)
def test_categories_that_point_where_nothing_is_are_not_read(attack):
    model = plain("categories 2")
    change, words = CATEGORIES[attack]
    change(model)
    with pytest.raises(Unsound, match=words):
        xgboost.read(text(model))


@pytest.mark.parametrize("parent", [-1, -(1 << 31), 1 << 30, (1 << 31) - 1])
def test_a_deleted_node_has_a_parent_that_is_there(parent):
    model = plain("pruned")
    tree = next(t for t in trees(model) if t["tree_param"]["num_deleted"] != "0")
    tree["parents"][tree["split_indices"].index((1 << 31) - 1)] = parent
    with pytest.raises(Unsound, match="not there"):
        xgboost.read(text(model))


def test_many_nodes_of_high_categories_are_too_many():
    """Each keeps a bit for every category below its highest: a small file that asks for gigabytes."""
    model = plain("categories 2")
    for tree in trees(model):
        tree["categories"] = [(1 << 24) - 1 for _ in tree["categories"]]
        nodes = len(tree["categories_nodes"])
        tree["categories"] = tree["categories"][:nodes]
        tree["categories_sizes"], tree["categories_segments"] = [1] * nodes, list(range(nodes))
    if len(trees(model)[0]["categories_nodes"]) <= 16:
        chain(model, 40)
    with pytest.raises(Unsound, match="too many"):
        xgboost.read(text(model))


def chain(model, depth):
    """Make the first tree a chain of splits by one high category each."""
    count = 2 * depth + 1
    nodes = list(range(0, 2 * depth, 2))
    left = [n + 1 if n in nodes else -1 for n in range(count)]
    right = [n + 2 if n in nodes else -1 for n in range(count)]
    parents = [-1 if n == 0 else (n - 1) // 2 * 2 for n in range(count)]
    trees(model)[0].update(
        left_children=left, right_children=right, parents=parents, categories_nodes=nodes, categories=[(1 << 24) - 1] * depth,
        categories_sizes=[1] * depth, categories_segments=list(range(depth)), split_type=[int(n in nodes) for n in range(count)],
        split_indices=[4] * count, split_conditions=[0.0] * count, default_left=[0] * count,
        loss_changes=[0.0] * count, sum_hessian=[1.0] * count, base_weights=[0.0] * count,
    )  # fmt: skip
    trees(model)[0]["tree_param"].update(num_nodes=str(count), num_deleted="0")


def test_leaves_of_several_outputs_point_within_them():
    for change in (
        lambda tree: tree["right_children"].__setitem__(-1, 10_000),
        lambda tree: tree["leaf_weights"].pop(),
        lambda tree: tree.pop("leaf_weights"),
        lambda tree: [tree.pop(name) for name in ("leaf_weights", "loss_changes", "sum_hessian")],
    ):
        model = plain("leaves of two targets")
        change(trees(model)[0])
        with pytest.raises(Unsound):
            xgboost.read(text(model))


def test_a_key_that_stands_twice_is_not_read():
    data = FILES["xgboost binary:logistic"]
    with pytest.raises(Unsound, match="twice"):
        xgboost.read(data[:-1] + b',"version":[1,0,0]}')


@pytest.mark.parametrize(
    "data", [b"", b"{", b'{"learner":', b"[" * 100_000, b'{"learner":' * 50_000, b"\xff{}", b'{"learner": 1e', b"{}{}"]
)
def test_what_is_no_model_is_not_read(data):
    with pytest.raises(Unsound):
        xgboost.read(data)


def test_what_answers_ends_where_an_estimator_stopped():
    model = boosters.made("xgboost")["stopped early"]
    read = xgboost.read(FILES["xgboost stopped early"])
    assert len(read.trees) == model.best_iteration + 1 < len(trees(plain("stopped early")))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_file_is_read_or_refused_and_nothing_else(data):
    held = FILES[data.draw(st.sampled_from(sorted(FILES)))]
    at = data.draw(st.integers(0, len(held) - 1))
    new = data.draw(st.binary(max_size=3))
    try:
        xgboost.read(held[:at] + new + held[at + data.draw(st.integers(0, 9)) :])
    except Unsound:
        return


@pytest.mark.parametrize("name", [b"split_conditions", b"base_weights", b"sum_hessian", b"categories"])
def test_numbers_of_64_bits_stand_in_no_tree(name):
    """XGBoost 3.2 ends its process where it finds them there."""
    held = FILES["xgboost binary:logistic ubj"]
    at = held.index(name + b"[$") + len(name) + 2
    count = int.from_bytes(held[at + 3 : at + 11], "big")
    old = count * {b"d": 4, b"l": 4}[held[at : at + 1]]
    with pytest.raises(Unsound, match="does not write"):
        xgboost.read(held[:at] + b"D" + held[at + 1 : at + 11] + bytes(8 * count) + held[at + 11 + old :])


@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "i8", "U2"])
def test_categories_of_every_kind_are_read(kind):
    import pandas as pd
    import xgboost as library

    frame = pd.DataFrame({"a": boosters.X[:, 0], "b": pd.Categorical(boosters.CODES.astype(kind))})
    model = library.XGBClassifier(n_estimators=3, enable_categorical=True, n_jobs=1).fit(frame, boosters.BY_CODE)
    for form in ("json", "ubj"):
        assert xgboost.read(boosters.written("xgboost", model, form)).features == 2
