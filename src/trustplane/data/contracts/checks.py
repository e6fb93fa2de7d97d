"""Rows checked against a contract while they pass by: columns by pandera on Polars, rules by Arrow, uniqueness by hashes.

What is told names rules and rows, counted from 1, and never a value.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from trustplane.data.contracts.contract import ColumnTerms, Contract
from trustplane.data.filters import compile_filter
from trustplane.data.sketches import hashes_of
from trustplane.values.errors import BadInput, Unavailable

FIRST = 20
"""So many rows of each breach are named."""
PLACE = "\0row"


@dataclass(slots=True)
class Breach:
    """A rule that some rows break. Without rows it is broken by the table as a whole."""

    rule: str
    column: str
    rows: int = 0
    first: list[int] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


class Watch:
    """Looks at the batches of a table on their way, and tells afterwards what they break."""

    def __init__(self, contract: Contract, schema: Any) -> None:
        self._terms = contract.terms
        self._schema = schema
        self._found: dict[tuple[str, str], Breach] = {}
        self._columns = {c: t for c, t in self._terms.columns.items() if self._fits(c, t)}
        if not self._terms.other_columns:
            for name in schema.names:
                if name not in self._terms.columns:
                    self._note("other_columns", name)
        self._check = _column_check(self._columns)
        self._rules = [(rule.name, self._compiled(rule.name, rule.where)) for rule in self._terms.rules]
        self._nulls = dict.fromkeys(self._columns, 0)
        self._hashes: dict[str, list[Any]] = {c: [] for c, t in self._columns.items() if t.unique}
        self._seen = 0

    def over(self, batches: Iterable[Any]) -> Iterator[Any]:
        """The batches, each looked at."""
        for batch in batches:
            self._look(batch)
            yield batch

    def breaches(self) -> list[Breach]:
        """What is broken, once all batches have passed."""
        rows = self._terms.rows
        if self._seen < rows.at_least:
            self._note(f"rows at_least {rows.at_least}", "")
        if rows.at_most is not None and self._seen > rows.at_most:
            self._note(f"rows at_most {rows.at_most}", "")
        for column, terms in self._columns.items():
            if terms.nulls_at_most is not None and self._nulls[column] > terms.nulls_at_most * self._seen:
                self._note(f"nulls_at_most {terms.nulls_at_most:g}", column)
        for column, parts in self._hashes.items():
            self._note_repeated(column, np.concatenate(parts) if parts else np.empty(0, np.uint64))
        return sorted(self._found.values(), key=lambda b: (b.column, b.rule))

    def _fits(self, column: str, terms: ColumnTerms) -> bool:
        if column not in self._schema.names:
            if terms.required:
                self._note("required", column)
            return False
        if terms.type is not None and str(self._schema.field(column).type) != terms.type:
            self._note(f"type {terms.type}", column)
            return False
        return True

    def _compiled(self, name: str, where: str) -> Any:
        try:
            return compile_filter(where, self._schema)
        except BadInput:
            self._note(name, "")
            return None

    def _look(self, batch: Any) -> None:
        for rule, column, rows in self._check(batch):
            self._note(rule, column, rows + self._seen)
        places = pa.array(np.arange(batch.num_rows))
        for name, expression in self._rules:
            if expression is not None:
                numbered = pa.Table.from_batches([batch]).append_column(PLACE, places)
                broken = numbered.filter(~expression)[PLACE].to_numpy()
                self._note(name, "", broken + self._seen)
        for column in self._columns:
            self._nulls[column] += batch.column(column).null_count
        for column, parts in self._hashes.items():
            values = batch.column(column)
            hashes = hashes_of(values.fill_null(_nothing(values))) if values.null_count else hashes_of(values)
            parts.append(np.where(values.is_valid().to_numpy(zero_copy_only=False), hashes, 0))
        self._seen += batch.num_rows

    def _note_repeated(self, column: str, hashes: Any) -> None:
        order = np.argsort(hashes, kind="stable")
        same = np.flatnonzero(hashes[order][1:] == hashes[order][:-1]) + 1
        rows = np.sort(order[same])
        self._note("unique", column, rows[hashes[rows] != 0])

    def _note(self, rule: str, column: str, rows: Any = None) -> None:
        """Take a breach by the rows at these places, counted from 0; by the whole table without any."""
        if rows is not None and not len(rows):
            return
        breach = self._found.setdefault((rule, column), Breach(rule, column))
        if rows is not None:
            breach.rows += len(rows)
            breach.first = sorted([*breach.first, *(int(r) + 1 for r in rows[:FIRST])])[:FIRST]


def _nothing(values: Any) -> Any:
    """What stands in for a null while the others are hashed."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return ""
    return pa.scalar(0).cast(values.type, safe=False)


def require_pandera() -> Any:
    """Pandera and Polars; raise :class:`Unavailable` (TP-DATA-122) where the extra is not installed."""
    try:
        import pandera.polars as pandera
        import polars as pl
    except ImportError:
        raise Unavailable("TP-DATA-122", "the extra 'contracts' is not installed", why="contracts need pandera and polars") from None  # fmt: skip
    return pandera, pl


def _column_check(columns: dict[str, ColumnTerms]) -> Any:
    """A function from a batch to (rule, column, places)."""
    pandera, pl = require_pandera()
    made = {
        name: pandera.Column(None, _checks(pandera, terms), nullable=terms.nullable) for name, terms in columns.items()
    }
    schema = pandera.DataFrameSchema(made, strict=False)
    words = {name: _rules(terms) for name, terms in columns.items()}

    def check(batch: Any) -> Iterator[tuple[str, str, Any]]:
        frame = pl.from_arrow(pa.Table.from_batches([batch]).select(list(columns)))
        found = []
        try:
            schema.validate(frame, lazy=True)
        except pandera.errors.SchemaErrors as errors:
            found = [_breach(each, words, batch) for each in errors.schema_errors]
        yield from found  # outside of the handler, so that no later error carries those of pandera, which hold values

    # A term that the column's type cannot have is told when the contract is written, not when data come.
    return check if columns else lambda _: iter(())


def _breach(error: Any, words: dict[str, list[str]], batch: Any) -> tuple[str, str, Any]:
    column = error.schema.name
    values = batch.column(column)
    if error.reason_code is not None and error.reason_code.name == "SERIES_CONTAINS_NULLS":
        return "nullable false", column, np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))
    rule = words[column][error.check_index] if error.check_index is not None else str(error.reason_code)
    output = error.check_output
    if output is None:  # the check could not be asked of the column at all
        return rule, column, np.arange(batch.num_rows)
    passed = output.get_column("check_output").fill_null(value=True).to_numpy()
    return rule, column, np.flatnonzero(~passed)


def _checks(pandera: Any, terms: ColumnTerms) -> list[Any]:
    made = []
    if terms.at_least is not None:
        made.append(pandera.Check.ge(terms.at_least))
    if terms.at_most is not None:
        made.append(pandera.Check.le(terms.at_most))
    if terms.one_of is not None:
        made.append(pandera.Check.isin(terms.one_of))
    if terms.matches is not None:
        made.append(_whole_match(pandera, f"^(?:{terms.matches})$"))
    if terms.shortest is not None or terms.longest is not None:
        made.append(pandera.Check.str_length(terms.shortest, terms.longest))
    return made


def _whole_match(pandera: Any, pattern: str) -> Any:
    """By Polars alone: pandera's own check reads the pattern with Python's engine first, which knows other patterns."""

    def matches(data: Any) -> Any:
        _, pl = require_pandera()
        return data.lazyframe.select(pl.col(data.key).str.contains(pattern))

    return pandera.Check(matches)


def _rules(terms: ColumnTerms) -> list[str]:
    """The words for the checks, in their order."""
    words = []
    if terms.at_least is not None:
        words.append(f"at_least {terms.at_least:g}")
    if terms.at_most is not None:
        words.append(f"at_most {terms.at_most:g}")
    if terms.one_of is not None:
        words.append("one_of")
    if terms.matches is not None:
        words.append("matches")
    if terms.shortest is not None or terms.longest is not None:
        words.append("length")
    return words


def try_out(contract: Contract, schema: Any) -> None:
    """Raise :class:`BadInput` (TP-DATA-120) where a term cannot be asked of a column of ``schema``."""
    watch = Watch(contract, schema)
    empty = pa.RecordBatch.from_arrays([pa.nulls(1, f.type) for f in schema], schema=schema)
    list(watch.over([empty]))
    wrong = [b for b in watch.breaches() if b.rows and b.rule not in {"nullable false", "unique"}]
    if wrong:
        raise BadInput("TP-DATA-120", "the contract cannot be used", why=f"{wrong[0].column!r} is of a type that has no {wrong[0].rule.split()[0]}")  # fmt: skip
