"""Reads the schema of a skops file: every node of it, by exact lists. Nothing is imported or built.

skops builds an object for each node: what its loader does with which name decides what is harmless. So each loader has its own list of
names, its own parts, and no others. Two nodes of one ``__id__`` are one object to skops, which looks at one of them alone; so they must say
the same, but for the numbers and files of what was made while they were written.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from trustplane.training.runtimes.skops.allowed import Allowed, Name, allowed
from trustplane.training.runtimes.skops.arrays import Archive, NotAdmitted, check_sparse, checked_header, digest_of

SCHEMA = "schema.json"
LARGEST = 64 << 20
PROTOCOL = 2
DEEPEST = 60
Node = dict[str, Any]
_ALWAYS = frozenset({"__class__", "__module__", "__loader__", "__id__"})
_PARTS: Mapping[str, frozenset[str]] = {
    "DictNode": frozenset({"content", "key_types"}),
    "ListNode": frozenset({"content"}),
    "TupleNode": frozenset({"content"}),
    "SetNode": frozenset({"content"}),
    "JsonNode": frozenset({"content", "is_json"}),
    "SliceNode": frozenset({"content"}),
    "TypeNode": frozenset(),
    "FunctionNode": frozenset(),
    "ObjectNode": frozenset({"content"}),
    "NdArrayNode": frozenset({"type", "file"}),
    "MaskedArrayNode": frozenset({"content"}),
    "DTypeNode": frozenset({"content"}),
    "RandomStateNode": frozenset({"content"}),
    "RandomGeneratorNode": frozenset({"content"}),
    "PartialNode": frozenset({"content"}),
    "SparseMatrixNode": frozenset({"type", "file"}),
    "TreeNode": frozenset({"__reduce__", "content"}),
    "LossNode": frozenset({"__reduce__", "content"}),
}
_OF_OBJECTS = frozenset({"type", "content", "shape"})
_CHECK = ("sklearn.utils.validation", "check_array")
_ARGUMENTS = frozenset({"dtype", "ensure_all_finite", "force_all_finite"})
_FILE = re.compile(r"\d{1,20}\.(npy|npz)\Z", re.ASCII)
_VERSION = re.compile(r"\d[\w.+]{0,31}\Z", re.ASCII)


@dataclass(slots=True)
class Visited:
    """One node: where it is, and the objects that it is within, the outermost first."""

    node: Node
    path: str
    above: tuple[Node, ...]


@dataclass(slots=True)
class Walk:
    """A reading: what it has seen so far."""

    archive: Archive
    allowed: Allowed = field(default_factory=allowed)
    types: dict[Name, None] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    by_id: dict[int, bytes] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)

    def nodes(self, root: Node) -> Iterator[Visited]:
        """Every node below and with this one, checked for itself."""
        try:
            self._seal(root)
        except RecursionError:
            raise NotAdmitted("its nodes are nested too deep", kind="much") from None
        waiting: list[tuple[Visited, int]] = [(Visited(root, "model", ()), 0)]
        while waiting:
            visited, depth = waiting.pop()
            if depth > DEEPEST:
                raise NotAdmitted(f"its nodes are nested more than {DEEPEST} deep", path=visited.path)
            try:
                below = list(self._checked(visited.node, root=depth == 0))
            except NotAdmitted as reason:
                reason.path = reason.path or visited.path
                raise
            yield visited
            node = visited.node
            above = (*visited.above, node) if node["__loader__"] == "ObjectNode" else visited.above
            waiting += [(Visited(each, visited.path + label, above), depth + 1) for label, each in below]

    def _checked(self, node: Any, *, root: bool) -> Iterator[tuple[str, Node]]:
        """Check one node; give those below it, each with what to add to its path."""
        loader, name = _head(node)
        told = f"{name[0]}.{name[1]}"
        if loader not in _PARTS or loader not in self.allowed.names:
            raise NotAdmitted(f"it is built by {loader[:80]}, which no model needs here", told, kind="type")
        if name not in self.allowed.names[loader]:
            raise NotAdmitted(f"its type is on no list: {told[:200]} by {loader}", told, kind="type")
        objects = loader == "NdArrayNode" and node.get("type") == "json"
        parts = _OF_OBJECTS if objects else _PARTS[loader]
        more = {"protocol", "_skops_version"} if root else set()
        if strange := node.keys() ^ (_ALWAYS | parts | more):
            raise NotAdmitted(f"a {loader} has no part {min(strange)[:80]!r}, or lacks it", told)
        self.types[name] = None
        if type(node["__id__"]) is not int or node["__id__"] <= 0:
            raise NotAdmitted("a node has no number of its own", told)
        if "file" in parts:
            self._check_file(node, told)
        return _below(self, node, loader, objects=objects)

    def _seal(self, value: Any) -> bytes:
        """What a part says, in short: two nodes of one number must say the same."""
        state = hashlib.blake2b(digest_size=16)
        if isinstance(value, dict):
            for key, each in value.items():
                if key in {"__id__", "protocol", "_skops_version"} and "__loader__" in value:
                    continue
                state.update(repr(key).encode() + (self._member(each) if key == "file" else self._seal(each)))
            number = value.get("__id__")
            if type(number) is int and self.by_id.setdefault(number, state.digest()) != state.digest():
                raise NotAdmitted(
                    "two nodes that differ say that they are one object",
                    str(value.get("__class__"))[:80],
                    kind="disguised",
                )
        elif isinstance(value, list):
            for each in value:
                state.update(self._seal(each))
        state.update(
            type(value).__name__.encode()
            + (b"" if isinstance(value, dict | list) else repr(value).encode("utf-8", "replace"))
        )
        return state.digest()

    def _member(self, name: Any) -> bytes:
        told = str(name)
        if told not in self.contents:
            self.contents[told] = digest_of(self.archive, told)
        return self.contents[told]

    def _check_file(self, node: Node, told: str) -> None:
        name = node["file"]
        sparse = node["__loader__"] == "SparseMatrixNode"
        if not isinstance(name, str) or not _FILE.match(name) or name.endswith(".npz") is not sparse:
            raise NotAdmitted("it names a file as skops does not", told)
        if name not in self.archive.sizes():
            raise NotAdmitted(f"it names the member {name}, which is not there", told)
        if node["type"] != ("scipy" if sparse else "numpy"):
            raise NotAdmitted("it is an array of no known kind", told)
        if name not in self.files:
            (check_sparse if sparse else checked_header)(self.archive, name)
            self.files.add(name)


def _head(node: Any) -> tuple[str, Name]:
    if not isinstance(node, dict) or not all(isinstance(node.get(k), str) for k in _ALWAYS - {"__id__"}):
        raise NotAdmitted("a node has no class, module or loader")
    return node["__loader__"], (node["__module__"], node["__class__"])


def _below(walk: Walk, node: Node, loader: str, *, objects: bool) -> Iterator[tuple[str, Node]]:
    content = node.get("content")
    match loader:
        case "DictNode":
            yield from _of_dict(node)
        case "ListNode" | "TupleNode" | "SetNode":
            yield from _of_list(content)
        case "NdArrayNode" if objects:
            yield from _of_objects(node)
        case "JsonNode":
            plain(node)
        case "SliceNode":
            _check_slice(content)
        case "ObjectNode":
            yield from _of_object(walk, node)
        case "MaskedArrayNode":
            yield from _named(content, {"data", "mask"})
        case "RandomGeneratorNode":
            yield from _named(content, {"bit_generator", "seed_seq"})
        case "PartialNode":
            yield from _of_partial(content)
        case "DTypeNode" | "RandomStateNode":
            yield "", _node(content)
        case "TreeNode" | "LossNode":
            yield from _named(node["__reduce__"], {"args"})
            yield "", _node(content)


def _node(value: Any) -> Node:
    if not isinstance(value, dict):
        raise NotAdmitted("a part that must be a node is none")
    return value


def _named(value: Any, names: set[str]) -> Iterator[tuple[str, Node]]:
    if not isinstance(value, dict) or value.keys() != names:
        raise NotAdmitted(f"its parts are others than {', '.join(sorted(names))}")
    for name, each in value.items():
        yield f".{name}", _node(each)


def _of_partial(content: Any) -> Iterator[tuple[str, Node]]:
    """The one function with some of its arguments that scikit-learn keeps: HistGradientBoosting looks through its numbers by it."""
    yield from _named(content, {"func", "args", "kwds", "namespace"})
    func, args, named = content["func"], content["args"], content["kwds"]
    given = set(named["content"]) if isinstance(named.get("content"), dict) else {""}
    whole = (_head(func), args.get("content"), given <= _ARGUMENTS) == (("FunctionNode", _CHECK), [], True)
    if not whole or content["namespace"].get("content") not in ({}, "null"):
        raise NotAdmitted("a function is kept with arguments of its own", kind="type")


def _of_list(content: Any) -> Iterator[tuple[str, Node]]:
    if not isinstance(content, list):
        raise NotAdmitted("its content is no list")
    for place, each in enumerate(content):
        yield f"[{place}]", _node(each)


def _of_dict(node: Node) -> Iterator[tuple[str, Node]]:
    content, types = node["content"], node["key_types"]
    if not isinstance(content, dict) or _head(types)[0] != "ListNode" or len(types.get("content", ())) != len(content):
        raise NotAdmitted("a dictionary has not one type for each of its keys")
    yield ".keys", types
    for key, each in content.items():
        if key.startswith("__"):
            raise NotAdmitted("a dictionary has a key that is the name of a part")
        yield f".{key[:80]}" if key.isidentifier() else f"[{key[:80]!r}]", _node(each)
    for kind in types["content"]:
        if _head(kind)[0] != "TypeNode":
            raise NotAdmitted("the type of a key is no type")


def _of_object(walk: Walk, node: Node) -> Iterator[tuple[str, Node]]:
    content, name = _node(node["content"]), (node["__module__"], node["__class__"])
    known = walk.allowed.attributes[name]
    loader = _head(content)[0]
    if loader == "DictNode":
        strange = sorted(set(content.get("content") or ()) - known)
        if strange:
            raise NotAdmitted(f"{name[0]}.{name[1]} has no attribute {strange[0][:80]!r}", f"{name[0]}.{name[1]}")
    elif loader != "JsonNode" or plain(content) is not None:
        raise NotAdmitted("the state of an object is no dictionary", f"{name[0]}.{name[1]}")
    yield "", content


def _check_slice(content: Any) -> None:
    whole = isinstance(content, dict) and content.keys() == {"start", "stop", "step"}
    if not whole or not all(each is None or type(each) is int for each in content.values()):
        raise NotAdmitted("a slice has other parts than three numbers")


def _of_objects(node: Node) -> Iterator[tuple[str, Node]]:
    """The items of an array of objects, whose shape agrees with its nested lists as NumPy would read them."""
    yield from _of_list(node["content"])
    yield ".shape", _node(node["shape"])
    shape = [plain(_node(each)) for each in _node(node["shape"]).get("content", ())]
    if (
        not shape
        or len(shape) > 2
        or not all(type(n) is int and n >= 0 for n in shape)
        or shape[0] != len(node["content"])
    ):
        raise NotAdmitted("an array of objects is not as large as it says")
    for each in node["content"] if len(shape) == 2 else ():
        if _head(each)[0] != "ListNode" or len(each.get("content") or ()) != shape[1]:
            raise NotAdmitted("an array of objects is not as large as it says")


def plain(node: Node) -> Any:
    """The value of a node that holds JSON: a text, a number, a truth value or nothing."""
    text = node.get("content")
    if node.get("__loader__") != "JsonNode" or node.get("is_json") is not True or not isinstance(text, str):
        raise NotAdmitted("a plain value is not written as JSON", kind="damaged")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise NotAdmitted("a plain value cannot be read as JSON", kind="damaged") from None
    if value is not None and not isinstance(value, str | int | float | bool):
        raise NotAdmitted("a plain value is a list or a mapping")
    return value


def read_schema(archive: Archive) -> Node:
    """The outermost node. No key may stand twice, because readers differ in which of two they take."""
    size = archive.sizes().get(SCHEMA, 0)
    if not 0 < size <= LARGEST:
        raise NotAdmitted(f"its {SCHEMA} is missing, empty or larger than {LARGEST >> 20} MiB")
    try:
        root = json.loads(archive.read(SCHEMA, size).decode("utf-8"), object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        raise NotAdmitted(f"its {SCHEMA} cannot be read", kind="damaged") from None
    if not isinstance(root, dict) or root.get("protocol") != PROTOCOL or type(root.get("protocol")) is not int:
        raise NotAdmitted(f"its protocol is not {PROTOCOL}: write it again with a newer skops")
    if not isinstance(root.get("_skops_version"), str) or not _VERSION.match(root["_skops_version"]):
        raise NotAdmitted("it does not say which skops wrote it")
    return root


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotAdmitted("a key of its schema stands twice", kind="disguised")
    return found
