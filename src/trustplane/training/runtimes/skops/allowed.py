"""What a skops file may name: exact, by the loader that would use the name, made by fitting estimators (``tools/learn_skops.py``).

There are no patterns. An object is allowed with the attributes that its class was seen to have and with no others: an attribute of
another name could stand in the place of a method.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Allowed:
    """Names by loader, attributes by class, and which classes answer what: probabilities, or a number for each row."""

    versions: tuple[str, ...]
    names: Mapping[str, frozenset[Name]]
    attributes: Mapping[Name, frozenset[str]]
    classifiers: frozenset[Name]
    regressors: frozenset[Name]


def _name(dotted: str) -> Name:
    module, _, name = dotted.rpartition(".")
    return module, name


@cache
def allowed() -> Allowed:
    """The list of the package."""
    raw = tomllib.loads((files("trustplane.training.runtimes.skops") / "nodes.toml").read_text("utf-8"))
    attributes = {_name(dotted): frozenset(held) for dotted, held in raw["objects"].items()}
    names = {loader: frozenset(map(_name, held)) for loader, held in raw["loaders"].items()}
    return Allowed(
        tuple(raw["versions"]),
        {**names, "ObjectNode": frozenset(attributes)},
        attributes,
        frozenset(map(_name, raw["answers"]["classifiers"])),
        frozenset(map(_name, raw["answers"]["regressors"])),
    )
