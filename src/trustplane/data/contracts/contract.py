"""A contract as people write it: one TOML file. No I/O.

``nulls_at_most`` is a share; ``matches`` is a pattern for the whole value (Rust's engine, which takes linear time); ``where`` of a rule is
the language of row filters, and a row for which it is neither true nor false keeps the rule, as in SQL.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from trustplane.data.filters import columns_of
from trustplane.values.errors import BadInput

LONGEST = 1_000_000


class ColumnTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is agreed of one column."""

    type: str | None = None
    required: bool = True
    nullable: bool = True
    unique: bool = False
    at_least: int | float | None = None
    at_most: int | float | None = None
    one_of: list[str | int | float | bool] | None = None
    matches: str | None = None
    shortest: int | None = None
    longest: int | None = None
    nulls_at_most: float | None = None


class RowTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many rows a version has."""

    at_least: int = 0
    at_most: int | None = None


class RuleTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds between the columns of each row."""

    name: str
    where: str


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole contract."""

    rows: RowTerms = RowTerms()
    other_columns: bool = True
    columns: dict[str, ColumnTerms] = {}
    rules: list[RuleTerms] = []


@dataclass(frozen=True, slots=True)
class Contract:
    """The terms, the text that says them, and its digest."""

    terms: Terms
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return "sha256:" + hashlib.sha256(self.text.encode()).hexdigest()


def read_contract(text: str) -> Contract:
    """The contract that a TOML text says; raise :class:`BadInput` (TP-DATA-120)."""
    if len(text) > LONGEST:
        raise _bad(f"it is longer than {LONGEST:,} characters")
    try:
        terms = msgspec.convert(tomllib.loads(text), Terms)
    except tomllib.TOMLDecodeError as error:
        raise _bad(str(error)[:200]) from None
    except msgspec.ValidationError as error:
        raise _bad(str(error)[:300]) from None
    for name, column in terms.columns.items():
        _require_sense(name, column)
    named = [rule.name for rule in terms.rules]
    if len(set(named)) < len(named) or not all(named):
        raise _bad("each rule has a name of its own")
    return Contract(terms, text)


def require_rules(contract: Contract, schema: Any) -> None:
    """Raise :class:`BadInput` unless the rules can be asked of tables of ``schema``."""
    for rule in contract.terms.rules:
        columns_of(rule.where, schema)


def _require_sense(name: str, terms: ColumnTerms) -> None:
    if terms.at_least is not None and terms.at_most is not None and terms.at_least > terms.at_most:
        raise _bad(f"{name[:80]!r}: at_least is above at_most")
    if terms.nulls_at_most is not None and not 0 <= terms.nulls_at_most <= 1:
        raise _bad(f"{name[:80]!r}: nulls_at_most is a share from 0 to 1")
    if terms.one_of is not None and not terms.one_of:
        raise _bad(f"{name[:80]!r}: one_of names no value")


def _bad(why: str) -> BadInput:
    return BadInput("TP-DATA-120", "the contract cannot be used", why=why)


def draft(types: Mapping[str, str], statistics: Mapping[str, Any], rows: int) -> str:
    """A contract that a version keeps, from its schema and statistics: a start for the people who own it."""
    lines = ["# A draft from what is known of a version. It is yours: loosen what may change, tighten what may not.", "[rows]", "at_least = 1"]  # fmt: skip
    for name, kind in types.items():
        known = statistics.get(name, {})
        lines += ["", f"[columns.{_quoted(name)}]", f"type = {_quoted(kind)}"]
        if known.get("nulls") == 0:
            lines.append("nullable = false")
        if known.get("distinct_exact") and known.get("distinct") == rows and rows > 1 and not known.get("nulls"):
            lines.append("unique = true")
        numeric = known.get("numeric")
        if numeric and numeric.get("minimum") is not None:
            lines += [f"at_least = {_number(numeric['minimum'])}", f"at_most = {_number(numeric['maximum'])}"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
