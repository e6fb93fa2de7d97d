"""``trustplane dataset``."""

from pathlib import Path
from typing import Annotated

import typer

from trustplane.cli.context import Usage, connected, working
from trustplane.cli.output import bar, details, emit, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Ingest and classify datasets.")
Name = Annotated[str, typer.Argument(help="The name of the dataset.")]
Version = Annotated[int | None, typer.Option("--version", help="The version; the newest without one.")]


@app.command()
def ingest(
    name: Name,
    file: Annotated[Path, typer.Argument(help="A CSV or Parquet file.")],
    purpose: Annotated[list[str], typer.Option(help="A purpose: a DPV term; may be repeated.")] = [],
    basis: Annotated[str, typer.Option(help="The legal basis, such as A6-1-b (GDPR art. 6(1)(b)).")] = "",
    retention: Annotated[int | None, typer.Option(help="Days after which the data must be gone.")] = None,
    source: Annotated[str, typer.Option(help="Where it comes from.")] = "",
    description: Annotated[str, typer.Option(help="What it holds.")] = "",
    type: Annotated[list[str], typer.Option(help="A column's type, as column:type.")] = [],
    format: Annotated[str | None, typer.Option(help="csv or parquet, where the file's name does not say.")] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Look for personal data in every row, not in a sample.")
    ] = False,
) -> None:
    """Ingest a file as a new version: encrypted from its first byte, every column classified.

    trustplane dataset ingest clients clients.csv --purpose CustomerSolvencyMonitoring --basis A6-1-b --retention 3650
    """
    types = dict(_pair(t) for t in type)
    with working() as (_, project), bar(f"ingesting {file.name}") as told:
        made = project.datasets.ingest(
            name,
            file,
            purposes=purpose,
            lawful_basis=basis,
            retention_days=retention,
            source=source or None,
            description=description or None,
            types=types,
            format=format,
            exact=exact,
            progress=told,
        )

    def show() -> None:
        say(f"ingested {file.name} as version {made.number} of {name}")
        say(f"next: look at the proposed classes with 'trustplane dataset show {name}' and confirm them")

    emit(made, show)


@app.command("list")
def list_() -> None:
    """The datasets of the project."""
    with working() as (_, project):
        rows = project.datasets.list()
    columns = [
        ("name", "name"),
        ("rows", "rows"),
        ("version", "newest"),
        ("confirmed", "confirmed"),
        ("purposes", "purposes"),
    ]
    emit({"items": rows}, lambda: table(rows, columns, "no dataset yet: trustplane dataset ingest NAME FILE"))


@app.command("show")
def show_(name: Name, version: Version = None) -> None:
    """A dataset, and how each of its columns is treated."""
    with working() as (_, project):
        found = project.datasets.get(name, version)

    def show() -> None:
        details(
            found,
            ["name", "owner", "purposes", "lawful_basis", "retention_days", "source", "version", "rows", "confirmed"],
        )
        say("")
        table(
            found.columns,
            [
                ("column", "name"),
                ("type", "type"),
                ("class", "class"),
                ("entity", "entity"),
                ("why it was proposed", "why"),
            ],
        )

    emit(found, show)


@app.command()
def confirm(
    name: Name,
    change: Annotated[list[str], typer.Option("--class", help="A class that differs, as column:class.")] = [],
    version: Version = None,
) -> None:
    """Confirm the classes of the columns, with changes to some. A change encrypts the table anew."""
    with working() as (_, project):
        made = project.datasets.confirm(name, dict(_pair(c) for c in change), version)
    emit(made, lambda: say(f"the classes of version {made.number} of {name} are confirmed"))


@app.command()
def purposes() -> None:
    """The terms for purposes and legal bases."""
    with connected() as client:
        terms = client.terms()

    def show() -> None:
        for kind in ("purposes", "lawful_bases"):
            table(
                [{"term": t, "meaning": m} for t, m in terms[kind].items()],
                [(kind.replace("_", " "), "term"), ("", "meaning")],
            )
            say("")

    emit(terms, show)


def _pair(text: str) -> tuple[str, str]:
    column, colon, value = text.rpartition(":")
    if not colon or not column or not value:
        raise Usage(f"{text!r} is not of the form column:value")
    return column, value
