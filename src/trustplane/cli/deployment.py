"""``trustplane deployment``."""

from typing import Annotated

import typer

from trustplane.cli.context import working
from trustplane.cli.output import details, emit, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Look at deployments, and retire them.")
Name = Annotated[str, typer.Argument(help="The name it is served under, or its id.")]


@app.command("list")
def list_() -> None:
    """The deployments of the project."""
    with working() as (_, project):
        rows = project.deployments.list()
    columns = [
        ("name", "name"),
        ("model", "model"),
        ("version", "version"),
        ("environment", "environment"),
        ("status", "status"),
        ("answers", "decisions"),
    ]
    emit({"items": rows}, lambda: table(rows, columns, "nothing is deployed: trustplane deploy MODEL --to ENVIRONMENT"))


@app.command("show")
def show_(name: Name) -> None:
    """A deployment."""
    with working() as (_, project):
        found = project.deployments.get(name)
    emit(found, lambda: details(found))


@app.command()
def decisions(name: Name, limit: Annotated[int, typer.Option(help="How many.")] = 20) -> None:
    """What was asked and answered, the newest first. That you read it is recorded."""
    with working() as (_, project):
        rows = project.deployments.decisions(name, limit)
    emit(
        {"items": rows},
        lambda: table(rows, [("event", "id"), ("at", "at"), ("rows", "rows"), ("answer", "outputs")], "no answer yet"),
    )


@app.command()
def retire(name: Name) -> None:
    """Stop serving it. Its decisions stay on record."""
    with working() as (_, project):
        made = project.deployments.retire(name)
    emit(made, lambda: say(f"{made.name} is retired"))
