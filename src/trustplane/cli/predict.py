"""``trustplane predict``."""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from trustplane.cli.context import Usage, connected
from trustplane.cli.output import emit, table
from trustplane.values.errors import nearest

app = typer.Typer(add_completion=False)


@app.command()
def predict(
    deployment: Annotated[str, typer.Argument(help="The name it is served under.")],
    rows: Annotated[
        Path | None,
        typer.Argument(help="A CSV file with the features by name, or a JSON list of rows of numbers; stdin without."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many rows of a CSV file at most.")] = 100,
) -> None:
    """Ask a deployment over the Open Inference Protocol. The answer comes once it is on record.

    echo '[[20000, 2, 2, -1]]' | trustplane predict default-risk-staging
    """
    with connected() as client:
        if rows is not None and rows.suffix.lower() == ".csv":
            asked = _from_csv(rows, client.served(deployment).parameters["features"], limit)
        else:
            with _readable(rows or Path("stdin")):
                text = sys.stdin.read() if rows is None else rows.read_text("utf-8")
            asked = _from_json(text)
        answer = client.infer(deployment, asked)
    emit(
        answer,
        lambda: table(
            answer.outputs,
            [("output", "name"), ("type", "datatype"), ("shape", "shape"), ("values", lambda o: o["data"][:20])],
        ),
    )


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    try:
        yield
    except (csv.Error, UnicodeDecodeError):
        raise Usage(f"{file} cannot be read as text in UTF-8") from None


def _from_json(text: str) -> list[list[float]]:
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        raise Usage("the rows are not JSON") from None
    if not isinstance(asked, list) or not all(isinstance(row, list) for row in asked):
        raise Usage("the rows are a list of lists of numbers")
    return asked


def _from_csv(file: Path, features: list[str], limit: int) -> list[list[float]]:
    """The features of the first rows, by the names in the header; a cell's value is never quoted in an error."""
    with file.open(encoding="utf-8", newline="") as lines, _readable(file):
        table = csv.DictReader(lines)
        missing = [name for name in features if name not in (table.fieldnames or ())]
        if missing:
            hint = nearest(missing[0], list(table.fieldnames or ()))
            raise Usage(f"{file} has no column {missing[0]!r}, which the model takes", hint)
        asked: list[list[float]] = []
        for row in islice(table, limit):
            try:
                asked.append([float(row[name]) for name in features])
            except (TypeError, ValueError):
                raise Usage(f"row {len(asked) + 1} of {file} holds something that is no number") from None
        return asked
