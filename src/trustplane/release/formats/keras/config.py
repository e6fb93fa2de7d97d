"""Reads what a model of Keras says it is built of, and lets built-in parts pass alone.

A configuration names, anywhere in it, a module and a class or function that loading looks up, imports and calls. Lists of what is bad have been passed
by modules of others (CVE-2025-1550), by functions of Keras itself that download, unpack or switch the safe mode off (CVE-2025-8747,
CVE-2025-9906, CVE-2025-12060), by layers that read files (CVE-2025-12058) or load pickles (CVE-2025-49655), by names that are paths
(CVE-2026-12479), and by the older format, which knows no safe mode (CVE-2024-3660, CVE-2025-9905).
So every name must be one of the list that ``tools/learn_keras.py`` makes from the public interface of Keras, and be written as Keras writes it.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from trustplane.release.scanning.contract import Objection, Rule

DEEPEST = 200
_OBJECTIONS = 100
_KEYS = frozenset({"module", "class_name", "config", "registered_name"})
_MORE = frozenset({"build_config", "compile_config", "shared_object_id", "name", "inbound_nodes"})
_PATH = re.compile(r"\A/|\\|(\A|/)\.\.(/|\Z)|\0")
_LEGACY = frozenset({"keras_version", "backend", "build_input_shape"})
_MARKS = frozenset({"class_name", "registered_name", "spec_name"})
"""Keys that only what is looked up by a name has."""
_FUNCTIONS_IN = frozenset({"builtins", "keras.activations", "keras.losses", "keras.metrics"})
_VALUES = {
    "__keras_tensor__": frozenset({"shape", "dtype", "keras_history"}),
    "__tensor__": frozenset({"value", "dtype"}),
    "__numpy__": frozenset({"value", "dtype"}),
    "__bytes__": frozenset({"value"}),
    "__slice__": frozenset({"start", "stop", "step"}),
    "__ellipsis__": frozenset(),
}
"""Values that Keras writes as objects without a module, and what each holds."""
_CODE = frozenset({"Lambda", "__lambda__"})
LOOKUPS = frozenset({"StringLookup", "IntegerLookup", "TextVectorization"})
"""Layers that keep words in a file of their own beside the weights."""


@dataclass(slots=True)
class Read:
    """What a configuration was found to hold."""

    objections: list[Objection] = field(default_factory=list)
    names: dict[str, None] = field(default_factory=dict)
    code: bool = False
    layers: int = 0
    lookups: int = 0

    def tell(self, rule: Rule, message: str, subject: str = "") -> None:
        """Something speaks against it."""
        if len(self.objections) < _OBJECTIONS:
            self.objections.append(Objection(rule, message, (), subject))


@dataclass(frozen=True, slots=True)
class Known:
    """The parts that are built in."""

    classes: frozenset[str]
    functions: frozenset[str]
    bare: frozenset[str]


@cache
def known() -> Known:
    """The list of the package."""
    raw = tomllib.loads((files("trustplane.release.formats.keras") / "names.toml").read_text("utf-8"))
    classes = frozenset(f"{module}.{name}" for module, names in raw["classes"].items() for name in names)
    functions = frozenset(name for names in raw["functions"].values() for name in names)
    return Known(classes, functions, frozenset(name.rpartition(".")[2] for name in classes))


def read(config: Any, *, legacy: bool = False) -> Read:
    """Judge a configuration. ``legacy``: as HDF5 files have it, where a class may stand without its module."""
    found = Read()
    waiting: list[tuple[Any, int]] = [(config, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            found.tell(Rule.TOO_DEEP, "its configuration is nested deeper than a model needs")
            return found
        if isinstance(value, dict):
            _check(value, found, legacy=legacy)
        waiting.extend((each, depth + 1) for each in _within(value))
    return found


def names_model(config: Any) -> bool:
    """Whether a configuration is one of a thing that is built, and not of something within."""
    return isinstance(config, dict) and "class_name" in config


def _within(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _check(value: dict[str, Any], found: Read, *, legacy: bool) -> None:
    if isinstance(value.get("vocabulary"), str):
        words = "a layer reads its words from a file that the model names"
        found.tell(Rule.OUTSIDE, words, _shown(value["vocabulary"]))
    if isinstance(called := value.get("name"), str) and _PATH.search(called):
        found.tell(Rule.OUTSIDE, "a name is a path that leads out of a folder", _shown(called))
    name, module = value.get("class_name"), value.get("module")
    if not _MARKS.intersection(value):
        if isinstance(module, str) and "config" in value:
            found.tell(Rule.DISGUISED, "a part names a module and no class", _shown(module))
    elif not isinstance(name, str):
        found.tell(Rule.DISGUISED, "a part has no name, or one that is no text")
    elif name in _CODE:
        found.code = True
        found.tell(Rule.HOLDS_CODE, f"it has a part of code, {name}", _shown(f"{module}.{name}" if module else name))
    elif name in _VALUES:
        _check_value(name, value, found)
    else:
        _check_part(name, value, found, legacy=legacy)


def _check_value(name: str, value: dict[str, Any], found: Read) -> None:
    held = value.get("config")
    named = value.get("module") is not None or value.get("registered_name") is not None
    if named or value.keys() - _KEYS or not isinstance(held, dict) or held.keys() != _VALUES[name]:
        found.tell(Rule.DISGUISED, "a value is written in another way than Keras writes it", name)


def _check_part(name: str, value: dict[str, Any], found: Read, *, legacy: bool) -> None:
    module, registered = value.get("module"), value.get("registered_name")
    full = _shown(f"{module}.{name}" if isinstance(module, str) else name)
    found.names[full] = None
    strange = value.keys() - _KEYS - _MORE - (_LEGACY if legacy else frozenset())
    if strange or "config" not in value:
        words = "a part is described by more, or less, than Keras describes it by"
        found.tell(Rule.DISGUISED, words, _shown(min(strange, default=full)))
    if name == "function":
        _check_function(value, found)
    elif not _is_built_in(module, name, legacy=legacy):
        words = f"it is built of {full}, which is no part of Keras, or one that may hold code"
        found.tell(Rule.UNKNOWN_GLOBAL, words, full)
    elif registered not in {None, name}:
        words = "a part is looked up under another name than its own"
        found.tell(Rule.UNKNOWN_GLOBAL, words, _shown(str(registered)))
    else:
        found.layers += module == "keras.layers" or (legacy and module is None)
        found.lookups += name in LOOKUPS


def _is_built_in(module: Any, name: str, *, legacy: bool) -> bool:
    if module is None:  # Keras 2.11 and later wrote optimizers so
        return legacy and name.removeprefix("Custom>") in known().bare
    return "." not in name and f"{module}.{name}" in known().classes


def _check_function(value: dict[str, Any], found: Read) -> None:
    name, module, registered = value.get("config"), value.get("module"), value.get("registered_name")
    full = _shown(f"{module}.{name}")
    found.names[full] = None
    if (
        not isinstance(name, str)
        or module not in _FUNCTIONS_IN
        or name not in known().functions
        or registered not in {None, name, "function"}
    ):
        found.tell(Rule.UNKNOWN_GLOBAL, f"it calls {full}, which is no activation, loss or metric of Keras", full)


def _shown(text: str) -> str:
    """A name of the file, as a line of plain characters."""
    return text[:200].encode("unicode_escape").decode()
