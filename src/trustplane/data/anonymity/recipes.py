"""A recipe: which columns are generalised how, until what holds. One readable TOML file."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trustplane.data.anonymity.models import Model
from trustplane.values.errors import BadInput, nearest

METHODS = ("mondrian", "full-domain")
_KNOWN = {"quasi_identifiers", "k", "l", "t", "sensitive", "keep", "method", "suppression", "hierarchies"}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is to be done. ``keep`` are columns that stay as they are; the sensitive one is kept too; every other one is dropped."""

    quasi_identifiers: tuple[str, ...]
    model: Model
    sensitive: str | None = None
    keep: tuple[str, ...] = ()
    method: str = "mondrian"
    suppression: float = 0.05
    hierarchies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    digest: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the result, in order."""
        rest = (*self.keep, *(() if self.sensitive is None else (self.sensitive,)))
        return tuple(dict.fromkeys((*self.quasi_identifiers, *rest)))


def read_recipe(text: str) -> Recipe:
    """The recipe that a TOML text says; raise :class:`BadInput` (TP-DATA-060, 061) with all that is wrong with its words."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput("TP-DATA-060", "the recipe is no TOML", why=str(error)[:200]) from None
    return recipe_of(said, "sha256:" + hashlib.sha256(text.encode()).hexdigest())


def recipe_of(said: Mapping[str, Any], digest: str) -> Recipe:
    """The recipe that parsed TOML says; raise as :func:`read_recipe` does."""
    unknown = sorted(set(said) - _KNOWN)
    if unknown:
        raise BadInput("TP-DATA-060", f"a recipe has no {unknown[0][:40]!r}", why=nearest(unknown[0], _KNOWN))
    names: Any = said.get("quasi_identifiers")
    hierarchies = said.get("hierarchies", {})
    keep, sensitive = said.get("keep", []), said.get("sensitive")
    wrong = [
        what
        for what, bad in (
            ("quasi_identifiers is a list of columns", not _words(names) or not names),
            ("keep is a list of columns", not _words(keep)),
            ("sensitive is a column", not (sensitive is None or isinstance(sensitive, str))),
            ("k is a whole number", not _whole(said.get("k"))),
            ("l is a whole number", not _whole(said.get("l", 1))),
            ("t is a number", not _number(said.get("t", 1.0))),
            ("suppression is a share from 0 to 1", not (_number(said.get("suppression", 0.05)) and 0 <= said.get("suppression", 0.05) <= 1)),
            (f"method is {' or '.join(METHODS)}", said.get("method", "mondrian") not in METHODS),
            ("hierarchies is a table of tables", not (isinstance(hierarchies, dict) and all(isinstance(h, dict) for h in hierarchies.values()))),
        )
        if bad
    ]  # fmt: skip
    if wrong:
        raise BadInput("TP-DATA-060", "the recipe cannot be used", why="; ".join(wrong))
    strange = [h for h in hierarchies if h not in names]
    if strange:
        raise BadInput("TP-DATA-060", f"{strange[0][:80]!r} has a hierarchy and is no quasi-identifier")
    if sensitive in names or set(keep) & set(names):
        raise BadInput("TP-DATA-060", "a quasi-identifier is neither kept as it is nor sensitive")
    if sensitive is None and ("l" in said or "t" in said):
        raise BadInput("TP-DATA-060", "l and t are about a sensitive column: name it")
    return Recipe(
        tuple(dict.fromkeys(names)),
        Model(said["k"], said.get("l", 1), float(said.get("t", 1.0))),
        sensitive,
        tuple(dict.fromkeys(keep)),
        said.get("method", "mondrian"),
        float(said.get("suppression", 0.05)),
        hierarchies,
        digest,
    )


def _words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
