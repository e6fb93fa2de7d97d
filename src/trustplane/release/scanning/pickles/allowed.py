"""The names that a pickle may ask for: exact, by library, made by fitting every estimator (``tools/learn_globals.py``).

There are no patterns among them, and nothing that fetches attributes, calls what it is given, evaluates, reads files or
starts programs; :data:`NEVER` says so once more, and a test proves it of every list.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

Name = tuple[str, str]

NEVER: frozenset[Name] = frozenset(
    (module, name)
    for module, names in {
        "builtins": "eval exec compile open input getattr setattr delattr __import__ map filter type breakpoint vars globals locals print apply memoryview reversed zip iter next sorted min max sum super property classmethod staticmethod",
        "functools": "partial reduce partialmethod cached_property",
        "operator": "attrgetter methodcaller itemgetter call",
        "types": "FunctionType CodeType LambdaType MethodType ModuleType SimpleNamespace",
        "copyreg": "add_extension remove_extension pickle constructor __newobj__ __newobj_ex__",
        "importlib": "import_module reload",
    }.items()
    for name in names.split()
)
PLAIN_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\Z", re.ASCII)
_LATIN = frozenset({"latin1", "latin-1"})


@dataclass(frozen=True, slots=True)
class Listing:
    """The names of one library, and the versions they were learnt from."""

    library: str
    versions: tuple[str, ...]
    names: frozenset[Name]


@cache
def listings() -> tuple[Listing, ...]:
    """Every list of the package."""
    folder = files("trustplane.release.scanning.pickles") / "globals"
    made = []
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            raw = tomllib.loads(file.read_text("utf-8"))
            names = frozenset((module, name) for module, held in raw["globals"].items() for name in held)
            made.append(Listing(raw["library"], tuple(raw["versions"]), names))
    return tuple(made)


@cache
def allowed() -> Mapping[Name, str]:
    """The library of every allowed name."""
    return {name: listing.library for listing in listings() for name in listing.names - NEVER}


def _encodes(arguments: tuple[object, ...]) -> bool:
    """Protocol 2 writes bytes as a text and its encoding; other codecs unpack, or import a module by its name."""
    return len(arguments) == 2 and isinstance(arguments[0], str) and arguments[1] in _LATIN


def _is_no_number(arguments: tuple[object, ...]) -> bool:
    """``bytearray(10**12)`` takes a terabyte."""
    return not any(isinstance(argument, int) for argument in arguments)


ARGUMENTS: Mapping[Name, Callable[[tuple[object, ...]], bool]] = {
    ("_codecs", "encode"): _encodes,
    ("builtins", "bytearray"): _is_no_number,
    ("builtins", "bytes"): _is_no_number,
}
"""Functions that are harmless with some arguments alone."""
BARE: frozenset[Name] = frozenset({("xgboost.core", "Booster"), ("lightgbm.basic", "Booster")})
"""Classes whose pickles give them a state and no arguments; with arguments they would read a file."""
