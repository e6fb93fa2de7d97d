"""The credit table of the examples: real rows of a public data set, each with a synthetic person beside it.

Standard library only.
"""

import csv
import io
import lzma
import random
from collections.abc import Iterator
from dataclasses import astuple, fields
from importlib.resources import files
from pathlib import Path

from trustplane.examples.credit.people import Person, person

ROWS = 30_000
SEED = 350
LABEL = "default payment"
PERSON_COLUMNS = tuple(field.name for field in fields(Person))

_SEX_OF_WOMEN = "2"  # the coding of the data set: 1 = male, 2 = female


def write_credit_table(path: Path, rows: int = ROWS, seed: int = SEED) -> None:
    """Write the table to ``path`` as CSV, row by row.

    The columns are customer_id, those of a person, and the 24 of the data set; the person's sex is that of the row. The
    same ``rows`` and ``seed`` give the same bytes. Beyond 30,000 rows the real rows repeat, each time with new people.
    """
    if rows < 1:
        raise ValueError("a table has at least one row")
    dice = random.Random(seed)  # noqa: S311 - example data needs repeatability, not secrecy
    header = next(_lines())
    sex = header.index("SEX")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["customer_id", *PERSON_COLUMNS, *header])
        for number, row in enumerate(_repeated(rows), start=1):
            someone = person(dice, woman=row[sex] == _SEX_OF_WOMEN)
            writer.writerow([f"C{number:07d}", *astuple(someone), *row])


def _repeated(rows: int) -> Iterator[list[str]]:
    """``rows`` rows of the data set, from the start again after the last one."""
    left = rows
    while left:
        lines = _lines()
        next(lines)
        for row in lines:
            yield row
            left -= 1
            if not left:
                return


def _lines() -> Iterator[list[str]]:
    """Header and rows of the data set as it was published."""
    packed = files("trustplane.examples.credit").joinpath("credit_default.csv.xz")
    with packed.open("rb") as file, lzma.open(file) as plain:
        yield from csv.reader(io.TextIOWrapper(plain, encoding="utf-8", newline=""))
