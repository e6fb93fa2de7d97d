"""Threat models for whoever works with files: drafted from a table, and checked. No plane is asked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from trustplane.training.threats.contradictions import check_contradictions
from trustplane.training.threats.draft import draft_threat
from trustplane.training.threats.model import Knowledge
from trustplane.training.threats.parsing import parse_threat
from trustplane.training.threats.telling import summary
from trustplane.training.threats.validator import holding
from trustplane.training.threats.writing import written
from trustplane.values.errors import BadInput


def drafted(
    table: Path | pa.Table,
    label: str | None,
    immutable: Sequence[str],
    knowledge: str,
    name: str,
    features: Sequence[str] = (),
) -> str:
    """The text of a draft from the columns of numbers without gaps; ``label`` is left out, and so are columns of other kinds.

    With ``features`` of these columns alone, in their order.
    """
    rows = _read(table) if isinstance(table, Path) else table
    missing = [c for c in (*([label] if label else []), *immutable, *features) if c not in rows.column_names]
    if missing:
        raise BadInput("TP-RUN-042", f"the table has no column {missing[0][:64]!r}")
    rows = rows.select(features) if features else rows
    names, numbers = _numbers(rows, label)
    known = [n for n in immutable if n in names]
    return written(draft_threat(name, names, numbers, immutable=known, knowledge=Knowledge(knowledge)))


def checked(text: str, table: Path | pa.Table | None = None) -> dict[str, Any]:
    """What a threat model says, in figures; with a ``table`` also how many of its rows keep the relations, and which break how often."""
    threat = parse_threat(text)
    check_contradictions(threat)
    facts = summary(threat)
    if table is None:
        return facts
    rows = _read(table) if isinstance(table, Path) else table
    names, numbers = _numbers(rows, None)
    absent = [n for n in threat.names if n not in names]
    if absent:
        raise BadInput("TP-RUN-042", "the table lacks features of the threat model", why=", ".join(absent[:20]))
    held = holding(threat, names, numbers)
    return facts | {"rows": len(numbers), "rows_outside": int((~held.valid).sum()), "broken": held.counts()}


def _read(file: Path) -> pa.Table:
    try:
        return pq.read_table(file) if file.suffix == ".parquet" else pyarrow.csv.read_csv(file)
    except (pa.ArrowException, OSError) as error:
        raise BadInput("TP-RUN-046", f"{file.name} is no table that can be read", why=str(error)[:200]) from None


def _numbers(table: pa.Table, label: str | None) -> tuple[list[str], Any]:
    """The columns of numbers without gaps, truth values as 0 and 1."""
    names = [
        f.name
        for f in table.schema
        if f.name != label
        and (pa.types.is_integer(f.type) or pa.types.is_floating(f.type) or pa.types.is_boolean(f.type))
        and not table[f.name].null_count
    ]
    if not names:
        raise BadInput("TP-RUN-046", "the table has no column of numbers without gaps")
    return names, np.column_stack([pc.cast(table[n], pa.float64()).to_numpy() for n in names])
