"""Whether a skops file may be loaded, which types skops must trust for that, and what the model in it takes and gives."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trustplane.training.runtimes.contract import FEATURES, LABEL, PREDICTIONS, PROBABILITIES, Tensor
from trustplane.training.runtimes.skops.allowed import allowed
from trustplane.training.runtimes.skops.arrays import Archive, NotAdmitted, checked_header
from trustplane.training.runtimes.skops.schema import SCHEMA, Node, Walk, plain, read_schema
from trustplane.training.runtimes.skops.state import check_state

_LAST = {"Pipeline": "steps", "GridSearchCV": "best_estimator_", "RandomizedSearchCV": "best_estimator_"}
_DATATYPES = {"b": "BOOL", "i": "INT64", "u": "INT64", "f": "FP64", "U": "BYTES"}


@dataclass(frozen=True, slots=True)
class Verified:
    """The names that skops is told to trust, the members that are used, and the model's interface: empty where it is none."""

    types: tuple[str, ...]
    members: frozenset[str]
    takes: tuple[Tensor, ...] = ()
    gives: tuple[Tensor, ...] = ()


class Zipped:
    """The members of a file that passed a scan before: its structure is not judged again."""

    def __init__(self, data: bytes) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(data))
        self._sizes = {entry.filename: entry.file_size for entry in self._zip.infolist()}
        if len(self._sizes) < len(self._zip.infolist()):
            raise NotAdmitted("two members have one name")

    def sizes(self) -> dict[str, int]:
        """Sizes by name."""
        return self._sizes

    def read(self, name: str, most: int) -> bytes:
        """The beginning of a member, or all of it."""
        with self._zip.open(name) as member:
            return member.read(most)


def verify(archive: Archive) -> Verified:
    """Check every node and every member; raise :class:`NotAdmitted` at the first that is not as it must be."""
    try:
        return _verified(archive)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError):
        raise NotAdmitted("its schema is not laid out as skops writes it", kind="damaged") from None


def _verified(archive: Archive) -> Verified:
    root = read_schema(archive)
    walk = Walk(archive)
    for visited in walk.nodes(root):
        check_state(archive, visited)
    members = frozenset({SCHEMA, *walk.files})
    takes, gives = _interface(archive, root)
    return Verified(tuple(sorted(".".join(name) for name in walk.types)), members, takes, gives)


def _interface(archive: Archive, root: Node) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    features = _features(root)
    last = _last(root)
    name = (last.get("__module__", ""), last.get("__class__", ""))
    known = allowed()
    if features is None or not (name in known.classifiers or name in known.regressors):
        return (), ()
    takes = (Tensor(FEATURES, "FP64", (-1, features)),)
    if name in known.regressors:
        return takes, (Tensor(PREDICTIONS, "FP64", (-1,)),)
    classes = _attributes(last).get("classes_", {})
    if classes.get("__loader__") != "NdArrayNode":
        return (), ()
    if classes["type"] == "json":
        kind, count = "U", len(classes["content"])
        if not all(isinstance(plain(each), str) for each in classes["content"]):
            return (), ()
    else:
        header = checked_header(archive, classes["file"])
        kind, count = str(header.descr)[1:2], header.shape[0] if len(header.shape) == 1 else 0
    if kind not in _DATATYPES or count < 2:
        return (), ()
    return takes, (Tensor(LABEL, _DATATYPES[kind], (-1,)), Tensor(PROBABILITIES, "FP64", (-1, count)))


def _attributes(node: Node) -> Mapping[str, Any]:
    content = node.get("content") if node.get("__loader__") == "ObjectNode" else None
    held = content.get("content") if isinstance(content, dict) else None
    return held if isinstance(held, dict) else {}


def _steps(node: Node) -> list[Node]:
    held = _attributes(node).get("steps", {}).get("content", [])
    return [step["content"][1] for step in held if len(step.get("content") or ()) == 2]


def _last(node: Node) -> Node:
    """The estimator that answers: the last step of a pipeline, the best one of a search."""
    for _ in range(8):
        where = _LAST.get(str(node.get("__class__")))
        if where is None:
            return node
        below = (_steps(node) or [{}])[-1] if where == "steps" else _attributes(node).get(where, {})
        node = below
    return node


def _features(node: Node) -> int | None:
    """How many features it was fitted on, where that stands in the file."""
    for _ in range(8):
        said = _attributes(node).get("n_features_in_")
        if said is not None and said.get("__loader__") == "JsonNode":
            value = plain(said)
            return value if type(value) is int and 0 < value < 1 << 20 else None
        where = _LAST.get(str(node.get("__class__")), "estimators_")
        held = _attributes(node).get(where, {})
        if where == "steps":
            node = next((step for step in _steps(node) if step.get("__loader__") == "ObjectNode"), {})
        else:
            node = (held.get("content") or [{}])[0] if held.get("__loader__") == "ListNode" else held
    return None
