"""``trustplane contract``."""

from pathlib import Path
from typing import Annotated

import typer

from trustplane.cli.context import working
from trustplane.cli.output import emit, say, table
from trustplane.client.records import Record

app = typer.Typer(add_completion=False, no_args_is_help=True, help="What the versions of a dataset must keep to.")
Dataset = Annotated[str, typer.Argument(help="The name of the dataset.")]
Number = Annotated[int, typer.Argument(help="The number of the version.")]


@app.command()
def draft(dataset: Dataset) -> None:
    """A contract that the newest version keeps: a start, for people to own.

    trustplane contract draft clients > clients.toml
    """
    with working() as (_, project):
        text = project.contracts.draft(dataset)
    emit({"text": text}, lambda: say(text.rstrip()))


@app.command("set")
def set_(dataset: Dataset, file: Annotated[Path, typer.Argument(help="A TOML file.")]) -> None:
    """Give a dataset a contract. A version that breaks it is put in quarantine."""
    with working() as (_, project):
        made = project.contracts.set(dataset, file.read_text("utf-8"))
    emit(made, lambda: say(f"{dataset} has the contract {made.digest}"))


@app.command()
def show(dataset: Dataset) -> None:
    """The contract of a dataset, and the versions that wait in quarantine."""
    with working() as (_, project):
        found = project.contracts.get(dataset)

    def shown() -> None:
        say(found.text.rstrip())
        if found.quarantined:
            say("")
            say(f"in quarantine: {', '.join(f'version {n}' for n in found.quarantined)}")

    emit(found, shown)


@app.command()
def report(dataset: Dataset, number: Number) -> None:
    """What a version broke: rules and rows, counted from 1."""
    with working() as (_, project):
        found = project.contracts.report(dataset, number)
    emit(found, lambda: tell(found))


def tell(found: Record) -> None:
    """Show a report."""
    rows = [{**b, "first": ", ".join(map(str, b["first"]))} for b in found.breaches]
    columns = [("rule", "rule"), ("column", "column"), ("rows", "rows"), ("the first of them", "first")]
    table(rows, columns, "the version keeps the contract")
    if found.state == "released":
        say(f"let out: {found.reason}")
