"""The text models of LightGBM 3 and 4: their grammar line by line, and what the library's loader takes on trust."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from trustplane.training.runtimes.boosters.sound import (
    MOST_FEATURES,
    MOST_GROUPS,
    Booster,
    Tree,
    Unsound,
    ends,
    json_of,
    reached,
)
from trustplane.training.runtimes.contract import Tensor

BEGINNING = b"tree\nversion="
_VERSIONS = frozenset({"v3", "v4"})
_COUNT = re.compile(r"\d{1,10}\Z", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,18}\Z", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,400}(\.\d{1,400})?(e[+-]\d{1,3})?\Z|-?inf\Z|-?nan\Z", re.ASCII)
_OBJECTIVE = re.compile(r"[a-z_0-9]+( [a-z_]+(:[\w.+\-]+)?)*\Z", re.ASCII)
_PARAMETER = re.compile(r"\[[a-z_0-9]+: [^\x00-\x1f\x7f]*\]\Z", re.ASCII)
_RANGE = re.compile(r"none\Z|-?\d{1,10}(:-?\d{1,10})*\Z|\[[^\s\[\]:]{1,400}:[^\s\[\]:]{1,400}\]\Z", re.ASCII)
_NUMBERS_OF = frozenset(
    [
        "regression",
        "regression_l1",
        "huber",
        "fair",
        "poisson",
        "quantile",
        "mape",
        "gamma",
        "tweedie",
        "cross_entropy",
        "cross_entropy_lambda",
        "lambdarank",
        "rank_xendcg",
        "custom",
    ]
)
_CLASSES_OF = frozenset({"multiclass", "multiclassova"})
_HEAD = [
    "version",
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "objective",
    "average_output",
    "feature_names",
    "monotone_constraints",
    "feature_infos",
    "tree_sizes",
]
_TREE = [
    "num_leaves",
    "num_cat",
    "split_feature",
    "split_gain",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "leaf_value",
    "leaf_weight",
    "leaf_count",
    "internal_value",
    "internal_weight",
    "internal_count",
    "cat_boundaries",
    "cat_threshold",
    "is_linear",
    "leaf_const",
    "num_features",
    "leaf_features",
    "leaf_coeff",
    "shrinkage",
]
_CATEGORY, _LAST_KIND = 1, 0b1011
_MOST_LEAVES, _MOST_PARAMETERS, _LONGEST = 10_000_000, 1_000, 1 << 24


@dataclass(slots=True)
class _Lines:
    """A cursor over the lines."""

    lines: list[str] = field(repr=False)
    at: int = 0

    def next(self) -> str:
        """The next line."""
        if self.at >= len(self.lines):
            raise Unsound("it ends too early")
        self.at += 1
        return self.lines[self.at - 1]

    def exactly(self, *wanted: str) -> None:
        """These lines come next."""
        for each in wanted:
            if self.next() != each:
                raise Unsound(f"line {self.at:,} is not the one that must stand there")

    def named(self, names: list[str]) -> dict[str, str]:
        """Lines ``name=value`` up to an empty one, each at most once and in the order of ``names``."""
        found: dict[str, str] = {}
        places = iter(names)
        while line := self.next():
            name, mark, value = line.partition("=")
            if name not in places or (not mark and name != "average_output"):
                raise Unsound(f"line {self.at:,} has a name that LightGBM does not write there")
            found[name] = value
        return found


@dataclass(frozen=True, slots=True)
class _Head:
    features: int
    groups: int
    objective: str
    averaged: bool
    sizes: list[int] = field(repr=False)
    names: frozenset[str] = field(repr=False)


def begins(head: bytes) -> bool:
    """Whether the bytes begin as a model does."""
    return head.startswith(BEGINNING)


def read(data: bytes) -> Booster:
    """A sound model; raise :class:`Unsound` for any other."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Unsound("it is no text in UTF-8") from None
    lines = _Lines(text.split("\n"))
    lines.exactly("tree")
    head = _head(lines.named(_HEAD))
    trees = []
    for number, size in enumerate(head.sizes):
        start = lines.at
        lines.exactly(f"Tree={number}")
        trees.append(_tree(_Told(lines.named(_TREE)), head.features))
        lines.exactly("")
        written = sum(len(line.encode()) + 1 for line in lines.lines[start : lines.at])
        if written != size:
            raise Unsound("a tree is not as long as the file says")
    lines.exactly("end of trees", "", "feature_importances:")
    _importances(lines, head.names)
    if lines.next() == "parameters:":
        _parameters(lines)
        lines.exactly("")
    else:
        lines.at -= 1
    _categories(lines)
    return Booster(*_ends(head), trees=tuple(trees), averaged=head.averaged)


def _head(said: dict[str, str]) -> _Head:
    needed = {
        "version",
        "num_class",
        "num_tree_per_iteration",
        "label_index",
        "max_feature_idx",
        "feature_names",
        "feature_infos",
    }
    if lacking := sorted(needed - said.keys()):
        raise Unsound(f"its head lacks {lacking[0]}")
    if said["version"] not in _VERSIONS:
        raise Unsound("it is of a version that is not known here")
    classes = _count(said, "num_class", 1, MOST_GROUPS)
    groups = _count(said, "num_tree_per_iteration", 1, MOST_GROUPS)
    features = _count(said, "max_feature_idx", 0, MOST_FEATURES) + 1
    _count(said, "label_index", 0, MOST_FEATURES)
    objective = said.get("objective", "custom")
    if len(objective) > 256 or not _OBJECTIVE.match(objective):
        raise Unsound("its objective is no plain text")
    known, *parts = objective.split()
    told = dict(part.partition(":")[::2] for part in parts)
    if known not in _NUMBERS_OF | _CLASSES_OF | {"binary"}:
        raise Unsound("its objective is none of LightGBM's own")
    several = known in _CLASSES_OF
    if (
        groups != classes
        or (several and told.get("num_class") != str(classes))
        or (not several and known != "custom" and groups != 1)
    ):
        raise Unsound("its classes and its objective do not agree")
    if not all(_NUMBER.match(value) and math.isfinite(float(value)) for key, value in told.items() if value):
        raise Unsound("a parameter of its objective is no number")
    names, infos = said["feature_names"].split(" "), said["feature_infos"].split(" ")
    if {len(names), len(infos)} != {features} or any(not n or len(n) > 1024 or not n.isprintable() for n in names):
        raise Unsound("its features are not named, or not as many as it says")
    if len(set(names)) != features or not all(_RANGE.match(each) for each in infos):
        raise Unsound("the names or ranges of its features are not usable")
    if "monotone_constraints" in said:
        _row(said, "monotone_constraints", features, -1, 2)
    sizes = [int(each) for each in said.get("tree_sizes", "").split(" ") if each and _COUNT.match(each)]
    if " ".join(map(str, sizes)) != said.get("tree_sizes", "") or len(sizes) % groups:
        raise Unsound("the sizes of its trees are no numbers, or not as many as its rounds hold")
    return _Head(features, groups, known, "average_output" in said, sizes, frozenset(names))


def _ends(head: _Head) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    classes = 2 if head.objective == "binary" else head.groups if head.objective in _CLASSES_OF else 0
    return ends("FP64", head.features, classes, head.groups)


def _count(said: Mapping[str, str], name: str, least: int, most: int) -> int:
    value = said.get(name, "")
    if not _COUNT.match(value) or not least <= int(value) <= most:
        raise Unsound(f"its {name} is no number from {least} to {most:,}")
    return int(value)


def _row(said: Mapping[str, str], name: str, count: int, least: int, below: int) -> list[int]:
    """So many integers, each in a range."""
    parts = said.get(name, "").split()
    if len(parts) != count or not all(map(_INTEGER.match, parts)):
        raise Unsound(f"its {name} are not {count:,} integers")
    found = [int(part) for part in parts]
    if found and not least <= min(found) <= max(found) < below:
        raise Unsound(f"its {name} point beyond what there is")
    return found


class _Told:
    """What a tree says."""

    def __init__(self, said: dict[str, str]) -> None:
        self.said = said

    def count(self, name: str, least: int, most: int) -> int:
        """A number of things."""
        return _count(self.said, name, least, most)

    def row(self, name: str, count: int, least: int, below: int) -> list[int]:
        """Integers in a range."""
        return _row(self.said, name, count, least, below)

    def numbers(self, name: str, count: int, finite: bool = True) -> list[float]:
        """Numbers."""
        parts = self.said.get(name, "").split()
        if len(parts) != count or not all(map(_NUMBER.match, parts)):
            raise Unsound(f"its {name} are not {count:,} numbers")
        found = [float(part) for part in parts]
        if finite and not all(map(math.isfinite, found)):
            raise Unsound(f"its {name} are not all finite")
        return found


def _tree(told: _Told, features: int) -> Tree:
    leaves = told.count("num_leaves", 1, _MOST_LEAVES)
    inner = leaves - 1
    category_splits = told.count("num_cat", 0, inner)
    feature = told.row("split_feature", inner, 0, features)
    threshold = told.numbers("threshold", inner)
    kinds = told.row("decision_type", inner, 0, _LAST_KIND + 1)
    left, right = (told.row(name, inner, -leaves, inner) for name in ("left_child", "right_child"))
    for name, count in (("split_gain", inner), ("internal_value", inner), ("internal_weight", inner)):
        told.numbers(name, count, finite=False)
    value = told.numbers("leaf_value", leaves)
    # A tree of one leaf tells no weight of it, and older versions no count.
    told.numbers("leaf_weight", leaves if inner or told.said.get("leaf_weight") else 0, finite=False)
    told.row("leaf_count", leaves if inner or told.said.get("leaf_count") else 0, 0, 1 << 53)
    told.row("internal_count", inner, 0, 1 << 53)
    told.numbers("shrinkage", 1)
    by_category = _split_by(
        told, [node for node in range(inner) if kinds[node] & _CATEGORY], threshold, category_splits
    )
    _linear(told, leaves, features)
    # Inner nodes first, then the leaves, which LightGBM numbers from -1 downwards.
    none = [-1] * leaves
    below = [[inner + ~child if child < 0 else child for child in side] + none for side in (left, right)]
    seen = reached(*below)
    if not all(seen):
        raise Unsound("a node of a tree is not reached")
    return Tree(below[0], below[1], feature + [0] * leaves, threshold + value, by_category)


def _split_by(told: _Told, nodes: list[int], threshold: list[float], splits: int) -> frozenset[int]:
    """The threshold of a split by categories is the number of its bits."""
    if any(threshold[node] not in range(splits) for node in nodes):
        raise Unsound("a split by categories has no categories")
    if splits:
        bounds = told.row("cat_boundaries", splits + 1, 0, 1 << 31)
        if bounds[0] != 0 or any(a >= b for a, b in pairwise(bounds)):
            raise Unsound("the categories of the splits are not in order")
        told.row("cat_threshold", bounds[-1], 0, 1 << 32)
    elif "cat_boundaries" in told.said or "cat_threshold" in told.said:
        raise Unsound("a tree has categories and no split by them")
    return frozenset(nodes)


def _linear(told: _Told, leaves: int, features: int) -> None:
    """Leaves that are linear models: how many features each takes, which, and by how much."""
    linear = told.count("is_linear", 0, 1) if "is_linear" in told.said else 0
    parts = ("leaf_const", "num_features", "leaf_features", "leaf_coeff")
    if not linear:
        if any(part in told.said for part in parts):
            raise Unsound("a tree has linear leaves and says that it has none")
        return
    told.numbers("leaf_const", leaves)
    taken = sum(told.row("num_features", leaves, 0, features + 1))
    told.row("leaf_features", taken, 0, features)
    told.numbers("leaf_coeff", taken)


def _importances(lines: _Lines, names: frozenset[str]) -> None:
    seen = set()
    while line := lines.next():
        name, _, value = line.rpartition("=")
        if name not in names or name in seen or not _NUMBER.match(value):
            raise Unsound("its importances are not one number for each feature")
        seen.add(name)


def _parameters(lines: _Lines) -> None:
    for _ in range(_MOST_PARAMETERS):
        line = lines.next()
        if not line:
            lines.exactly("end of parameters")
            return
        if not _PARAMETER.match(line) or len(line) > _LONGEST:
            raise Unsound("a parameter of its training is no plain text")
    raise Unsound("it tells too many parameters of its training")


def _categories(lines: _Lines) -> None:
    """What the categories of a data frame were; nothing follows."""
    rest = lines.lines[lines.at :]
    if not rest:
        return
    name, _, said = rest[0].partition(":")
    if name != "pandas_categorical" or rest[1:] != [""]:
        raise Unsound("something follows its end")
    found = json_of(said.encode())
    if found is None:
        return
    if not isinstance(found, list) or not all(isinstance(each, list) for each in found):
        raise Unsound("its categories are no lists")
    if any(type(value) not in {str, int, float, bool, type(None)} for each in found for value in each):
        raise Unsound("a category is neither a text nor a number")
