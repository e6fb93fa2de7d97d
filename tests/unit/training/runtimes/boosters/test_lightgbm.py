"""LightGBM's files: every one that the library writes is read, and none whose indices point where nothing is."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.corpora import boosters

from trustplane.training.runtimes.boosters import lightgbm
from trustplane.training.runtimes.boosters.sound import Unsound
from trustplane.training.runtimes.contract import Tensor

FILES = {label: data for label, (library, _, data) in boosters.files().items() if library == "lightgbm"}


def resized(data):
    """The same with sizes of the trees that are true of it."""
    head = data.split("end of trees")[0]
    sizes = [len(part.encode()) for part in re.split(r"(?m)^(?=Tree=)", head)[1:]]
    return re.sub(r"(?m)^tree_sizes=.*$", "tree_sizes=" + " ".join(map(str, sizes)), data)


def line(name, value, first=True):
    """A change of a line; the first of that name."""
    return lambda data: re.sub(rf"(?m)^{name}=.*$", lambda _: f"{name}={value}", data, count=1)


def swap(old, new):
    return lambda data: data.replace(old, new, 1)


def item(name, value, place=0):
    """A change of one number of a line."""

    def change(data):
        found = re.search(rf"(?m)^{name}=(.*)$", data)
        parts = found[1].split(" ")
        parts[place] = value
        return data[: found.start(1)] + " ".join(parts) + data[found.end(1) :]

    return change


NOT_SOUND = {
    "an older version": (line("version", "v1"), "version"),
    "no classes": (line("num_class", "0"), "num_class"),
    "classes without end": (line("num_class", "99999999"), "num_class"),
    "other outputs than classes": (line("num_tree_per_iteration", "3"), "do not agree"),
    "features without end": (line("max_feature_idx", "2147483647"), "max_feature_idx"),
    "more features than names": (line("max_feature_idx", "5"), "named"),
    "an unknown objective": (line("objective", "system ls"), "objective"),
    "an objective with a number that is none": (line("objective", "binary sigmoid:nan"), "number"),
    "an unknown line": (swap("label_index=0\n", "label_index=0\nparser_config_str=x\n"), "does not write"),
    "a line twice": (swap("label_index=0\n", "label_index=0\nlabel_index=0\n"), "does not write"),
    "a tree cut out of the sizes": (swap("tree_sizes=", "tree_sizes=1 "), "not as long"),
    "a size below zero": (item("tree_sizes", "-5"), "sizes"),
    "names with control characters": (item("feature_names", "a\tb"), "usable|named"),
    "a name twice": (item("feature_names", "Column_1"), "usable"),
    "a range that is none": (item("feature_infos", "x"), "usable"),
    "no leaves": (line("num_leaves", "0"), "num_leaves"),
    "leaves without number": (line("num_leaves", "2147483647"), "num_leaves"),
    "fewer leaves than told": (line("num_leaves", "5"), "are not"),
    "a feature that is not there": (item("split_feature", "5"), "point beyond"),
    "a feature before the first": (item("split_feature", "-1"), "point beyond"),
    "a threshold that is none": (item("threshold", "nan"), "finite"),
    "a threshold of words": (item("threshold", "0x1p3"), "numbers"),
    "a decision of unknown bits": (item("decision_type", "64"), "point beyond"),
    "a decision by categories without them": (item("decision_type", "9"), "categories"),
    "a child beyond the nodes": (item("left_child", "5"), "point beyond"),
    "a leaf beyond the leaves": (item("left_child", "-7"), "point beyond"),
    "a circle": (item("left_child", "0"), "circle"),
    "a leaf twice": (item("right_child", "-1", -1), "circle|reached"),
    "more children": (swap("left_child=", "left_child=1 "), "integers"),
    "a leaf without end": (item("leaf_value", "inf"), "finite"),
    "a count below zero": (item("leaf_count", "-1"), "beyond"),
    "linear leaves without their models": (line("is_linear", "1"), "leaf_const"),
    "a shrinkage of words": (line("shrinkage", "x"), "numbers"),
    "another number of a tree": (swap("Tree=1", "Tree=2"), "line"),
    "no end of the trees": (swap("end of trees", "end of tree"), "line|long"),
    "importances of what is no feature": (swap("feature_importances:\n", "feature_importances:\nevil=1\n"), "importances"),
    "a parameter without brackets": (swap("[boosting: gbdt]", "boosting: gbdt"), "parameter"),
    "a parameter of control characters": (swap("[boosting: gbdt]", "[boosting: gb\x1bdt]"), "parameter"),
    "categories that are no lists": (swap("pandas_categorical:null", 'pandas_categorical:{"a": 1}'), "lists"),
    "categories that are objects": (swap("pandas_categorical:null", 'pandas_categorical:[[{"a": 1}]]'), "neither"),
    "more after the end": (lambda data: data + "more\n", "follows"),
    "an empty line after the end": (lambda data: data + "\n", "follows"),
    "no line break at the end": (lambda data: data[:-1], "follows"),
    "line ends of another system": (lambda data: data.replace("\n", "\r\n"), "line"),
}  # fmt: skip


@pytest.mark.parametrize("label", FILES)
def test_what_the_library_writes_is_read(label):
    read = lightgbm.read(FILES[label])
    assert read.takes == (Tensor("features", "FP64", (-1, 5)),)
    assert all(tree.leaves_and_depth()[0] >= 1 for tree in read.trees)
    assert read.averaged is ("forest" in label)


@pytest.mark.parametrize("attack", NOT_SOUND)
def test_a_file_that_points_where_nothing_is_is_not_read(attack):
    data = FILES["lightgbm binary"].decode()
    change, words = NOT_SOUND[attack]
    changed = change(data)
    assert changed != data
    if not attack.startswith(("a tree cut", "a size")):
        changed = resized(changed)
    with pytest.raises(Unsound, match=words):
        lightgbm.read(changed.encode())


CATEGORIES = {
    "bits beyond the end": item("cat_boundaries", "9", 1),
    "bits out of order": item("cat_boundaries", "1", 0),
    "fewer bits": line("cat_threshold", ""),
    "bits of more than a word": item("cat_threshold", "4294967296"),
    "no boundaries": lambda data: re.sub(r"(?m)^cat_boundaries=.*\n", "", data, count=1),
}


@pytest.mark.parametrize("attack", CATEGORIES)
def test_categories_that_point_where_nothing_is_are_not_read(attack):
    data = FILES["lightgbm categories"].decode()
    with pytest.raises(Unsound):
        lightgbm.read(resized(CATEGORIES[attack](data)).encode())


def test_the_number_of_a_split_by_categories_lies_within_them():
    data = FILES["lightgbm categories"].decode()
    tree = next(part for part in re.split(r"(?m)^(?=Tree=)", data) if "cat_boundaries" in part)
    kinds = re.search(r"(?m)^decision_type=(.*)$", tree)[1].split()
    place = next(n for n, kind in enumerate(kinds) if int(kind) & 1)
    for wrong in ("7000", "-1", "0.5"):
        changed = tree.replace(tree, item("threshold", wrong, place)(tree))
        with pytest.raises(Unsound, match="categories"):
            lightgbm.read(resized(data.replace(tree, changed)).encode())


@pytest.mark.parametrize(
    ("name", "value"), [("num_features", "9"), ("leaf_features", "7"), ("leaf_coeff", "x"), ("leaf_const", "nan")]
)
def test_linear_leaves_look_at_features_that_are_there(name, value):
    data = FILES["lightgbm linear leaves"].decode()
    tree = re.split(r"(?m)^(?=Tree=)", data.split("end of trees")[0])[2]
    place = next(n for n, part in enumerate(re.search(rf"(?m)^{name}=(.*)$", tree)[1].split(" ")) if part)
    with pytest.raises(Unsound):
        lightgbm.read(resized(data.replace(tree, item(name, value, place)(tree))).encode())


@pytest.mark.parametrize(
    "data", [b"", b"tree\n", b"tree\nversion=v4\n", b"tree\nversion=v4\n\n", b"tree\nversion=\xff", bytes(100)]
)
def test_what_is_no_model_is_not_read(data):
    with pytest.raises(Unsound):
        lightgbm.read(data)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_changed_file_is_read_or_refused_and_nothing_else(data):
    held = FILES[data.draw(st.sampled_from(sorted(FILES)))]
    at = data.draw(st.integers(0, len(held) - 1))
    try:
        lightgbm.read(held[:at] + data.draw(st.binary(max_size=3)) + held[at + data.draw(st.integers(0, 9)) :])
    except Unsound:
        return
