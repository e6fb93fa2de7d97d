"""What the readers of boosted trees share: what they find, and how they say that a file is not sound.

A file is sound if every index in it points within what it indexes, every node is reached once from its root, and nothing in it is unknown.
The libraries follow such indices unchecked, in C++: a file that is not sound may read or write beyond their memory.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trustplane.training.runtimes.contract import FEATURES, LABEL, PREDICTIONS, PROBABILITIES, Tensor

"""What the output of a model is called that is no classifier."""
MOST_FEATURES, MOST_GROUPS = 1_000_000, 10_000
_LONGEST_NAME = 1024


class Unsound(ValueError):
    """Why a file is not sound, in words that hold nothing of the file."""


class Unhandled(Unsound):
    """A file that may be sound, and holds what is not judged here."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Nodes by number, the root first: both children are -1 at a leaf. A row goes left where its ``feature`` is below ``threshold`` (at
    most, with LightGBM and CatBoost), except at the nodes ``by_category``."""

    left: Sequence[int]
    right: Sequence[int]
    feature: Sequence[int]
    threshold: Sequence[float]
    by_category: frozenset[int] = frozenset()

    def leaves_and_depth(self) -> tuple[int, int]:
        """How many leaves it has, and how deep the deepest lies."""
        waiting, leaves, deepest = [(0, 0)], 0, 0
        while waiting:
            node, depth = waiting.pop()
            if self.left[node] < 0:
                leaves, deepest = leaves + 1, max(deepest, depth)
            else:
                waiting += [(self.left[node], depth + 1), (self.right[node], depth + 1)]
        return leaves, deepest

    def cuts(self) -> Iterable[tuple[int, float]]:
        """The feature and the threshold of each node that compares."""
        for node, left in enumerate(self.left):
            if left >= 0 and node not in self.by_category:
                yield self.feature[node], self.threshold[node]


@dataclass(frozen=True, slots=True)
class Booster:
    """A sound file: what the model takes and gives, and the trees that answer; none where it is linear. ``averaged`` where they vote."""

    takes: tuple[Tensor, ...]
    gives: tuple[Tensor, ...]
    trees: tuple[Tree, ...] = field(repr=False)
    linear: bool = False
    averaged: bool = False

    @property
    def features(self) -> int:
        """How many features it takes."""
        return self.takes[0].shape[1]


def ends(
    datatype: str, features: int, classes: int = 0, targets: int = 1, probabilities: bool = True
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """What a model takes and gives: a label and probabilities where it tells ``classes`` apart, else numbers.

    The label is the number of the class, counted from 0: the formats do not say what classes were called.
    """
    takes = (Tensor(FEATURES, datatype, (-1, features)),)
    if not classes:
        return takes, (Tensor(PREDICTIONS, datatype, (-1,) if targets == 1 else (-1, targets)),)
    label = Tensor(LABEL, "INT64", (-1,))
    shares = (Tensor(PROBABILITIES, datatype, (-1, classes)),) if probabilities else ()
    return takes, (label, *shares)


def json_of(data: bytes) -> Any:
    """A JSON text with no key twice in an object: readers differ in which of the two they believe."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_object)
    except UnicodeDecodeError:
        raise Unsound("it is no text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise Unsound(f"it is no JSON text from character {error.pos:,} on") from None
    except RecursionError:
        raise Unsound("it is nested deeper than a model needs") from None
    except ValueError as error:
        raise Unsound(str(error) if isinstance(error, Unsound) else "a number in it is too long") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unsound("a key stands twice in an object")
    return found


def members(what: Any, needed: frozenset[str], possible: frozenset[str] = frozenset(), name: str = "it") -> Any:
    """An object that has the members it needs, and no other than are possible."""
    if not isinstance(what, Mapping):
        raise Unsound(f"{name} is no object")
    lacking = sorted(needed - what.keys())
    if lacking:
        raise Unsound(f"{name} lacks {lacking[0]}")
    if what.keys() - needed - possible:
        raise Unsound(f"{name} has members that the library does not write")
    return what


def texts(what: Any, name: str, longest: int = _LONGEST_NAME) -> list[str]:
    """A list of texts, each without control characters."""
    if type(what) is not list or not all(type(each) is str for each in what):
        raise Unsound(f"{name} are no texts")
    if any(len(each) > longest or any(ord(c) < 32 or ord(c) == 127 for c in each) for each in what):
        raise Unsound(f"{name} are too long, or hold control characters")
    return what


def integers(what: Any, name: str, count: int | None = None) -> list[int]:
    """A list of ``count`` integers of at most 64 bits."""
    if type(what) is not list or not all(type(each) is int for each in what):
        raise Unsound(f"{name} are no integers")
    if what and not -(1 << 63) <= min(what) <= max(what) < 1 << 63:
        raise Unsound(f"{name} are too large")
    return counted(what, name, count)


def within(what: Any, name: str, count: int | None, least: int, below: int) -> list[int]:
    """A list of ``count`` integers in a range."""
    found = integers(what, name, count)
    if found and not least <= min(found) <= max(found) < below:
        raise Unsound(f"{name} point beyond what there is")
    return found


def numbers(what: Any, name: str, count: int | None = None, finite: bool = True) -> list[float]:
    """A list of ``count`` numbers."""
    if type(what) is not list or not all(type(each) is float or type(each) is int for each in what):
        raise Unsound(f"{name} are no numbers")
    try:
        known = all(map(math.isfinite, what))
    except OverflowError:
        raise Unsound(f"{name} are too large") from None
    if finite and not known:
        raise Unsound(f"{name} are not all finite")
    return counted(what, name, count)


def counted(what: list[Any], name: str, count: int | None) -> list[Any]:
    """A list that is as long as it should be."""
    if count is not None and len(what) != count:
        raise Unsound(f"{name} are {len(what):,}, and should be {count:,}")
    return what


def reached(left: Sequence[int], right: Sequence[int]) -> bytearray:
    """Which nodes are reached from node 0: each once, or the nodes are no tree. Children lie within the nodes, or are both negative."""
    seen = bytearray(len(left))
    seen[0] = 1
    waiting = [0]
    while waiting:
        node = waiting.pop()
        if left[node] < 0:
            continue
        for child in (left[node], right[node]):
            if not 0 <= child < len(left):
                raise Unsound("a node of a tree points beyond its nodes")
            if seen[child]:
                raise Unsound("the nodes of a tree go in a circle, or one is reached twice")
            seen[child] = 1
            waiting.append(child)
    return seen
