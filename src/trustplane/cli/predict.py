"""``trustplane predict``."""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trustplane.cli.context import Usage, connected
from trustplane.cli.output import emit, table
from trustplane.values.errors import nearest

if TYPE_CHECKING:
    from trustplane.client.connection import Client

app = typer.Typer(add_completion=False)


@app.command()
def predict(
    deployment: Annotated[str, typer.Argument(help="The name it is served under.")],
    rows: Annotated[
        Path | None,
        typer.Argument(help="A CSV file with the features by name, or a JSON list of rows of numbers; stdin without."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many rows of a CSV file at most.")] = 100,
    subject: Annotated[
        str | None, typer.Option(help="The column of the CSV file that says whom each row is about.")
    ] = None,
) -> None:
    """Ask a deployment over the Open Inference Protocol. The answer comes once it is on record.

    With --subject each row is a request of its own, which the person can be given and have erased.

    echo '[[20000, 2, 2, -1]]' | trustplane predict default-risk-staging
    """
    with connected() as client:
        if rows is not None and rows.suffix.lower() == ".csv":
            features = client.served(deployment).parameters["features"]
            if subject is not None:
                _about_each(client, deployment, _from_csv(rows, [*features, subject], limit, text=subject))
                return
            asked = _from_csv(rows, features, limit)
        elif subject is not None:
            raise Usage("--subject is a column of a CSV file: name the file")
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


def _about_each(client: "Client", deployment: str, rows: list[list[Any]]) -> None:
    """Ask about one person after the other."""
    answers = [client.infer(deployment, [row[:-1]], subject=row[-1]) for row in rows]
    shown = [
        {"row": number, **{o["name"]: o["data"] for o in answer.outputs}} for number, answer in enumerate(answers, 1)
    ]
    columns = [(name, name) for name in (shown[0] if shown else ())]
    emit({"items": answers}, lambda: table(shown, columns, "the file has no rows"))


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


def _from_csv(file: Path, features: list[str], limit: int, text: str | None = None) -> list[list[Any]]:
    """The features of the first rows, by the names in the header, as numbers but for the column ``text``.

    A cell's value is never quoted in an error.
    """
    with file.open(encoding="utf-8", newline="") as lines, _readable(file):
        table = csv.DictReader(lines)
        missing = [name for name in features if name not in (table.fieldnames or ())]
        if missing:
            hint = nearest(missing[0], list(table.fieldnames or ()))
            raise Usage(f"{file} has no column {missing[0]!r}, which the model takes", hint)
        asked: list[list[Any]] = []
        for row in islice(table, limit):
            try:
                asked.append([row[name] if name == text else float(row[name]) for name in features])
            except (TypeError, ValueError):
                raise Usage(f"row {len(asked) + 1} of {file} holds something that is no number") from None
        return asked
