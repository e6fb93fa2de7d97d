"""Tables that are read from byte streams: a schema and Arrow record batches, in bounded memory.

What cannot be read exactly is refused, with the place and what to do, and without any value of the table in the error.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from trustplane.values.errors import BadInput

MOST_COLUMNS = 4096
LONGEST_NAME = 256


@dataclass(frozen=True, slots=True)
class Reader:
    """A table that is being read. ``batches`` can be walked once; errors of later rows come while walking."""

    schema: Any
    batches: Iterator[Any]


def check_names(names: Sequence[str]) -> None:
    """Raise ``BadInput`` (TP-DATA-004) unless ``names`` can name the columns of a table.

    Positions are told, since without a header these are values.
    """
    if len(names) > MOST_COLUMNS:
        raise BadInput("TP-DATA-004", f"the table has {len(names):,} columns, at most {MOST_COLUMNS:,} are read")
    problems = []
    for place, name in enumerate(names, start=1):
        if not name.strip():
            problems.append(f"column {place} has no name")
        elif len(name) > LONGEST_NAME:
            problems.append(f"the name of column {place} is longer than {LONGEST_NAME} characters")
        elif not name.isprintable():
            problems.append(f"the name of column {place} holds control characters")
    problems += _repeated(names)
    if problems:
        raise BadInput("TP-DATA-004", "; ".join(problems[:10]), facts={"problems": len(problems)})


def _repeated(names: Sequence[str]) -> list[str]:
    places = [
        [at for at, each in enumerate(names, start=1) if each == name]
        for name, count in Counter(names).items()
        if name.strip() and count > 1
    ]
    return [f"columns {', '.join(map(str, at))} have the same name" for at in places]
