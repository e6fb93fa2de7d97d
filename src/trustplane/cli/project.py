"""``trustplane project``."""

import json
from typing import Annotated

import typer

from trustplane.cli.context import connected, working
from trustplane.cli.output import details, emit, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Projects and environments.")
Name = Annotated[str, typer.Argument(help="The name.")]


@app.command("list")
def list_() -> None:
    """The projects that you may see."""
    with connected() as client:
        rows = client.projects()
    emit(
        {"items": rows},
        lambda: table(rows, [("name", "name"), ("description", "description"), ("made", "created")], "no project yet"),
    )


@app.command()
def create(name: Name, description: Annotated[str, typer.Option(help="What it is for.")] = "") -> None:
    """Make a project, with a key of its own."""
    with connected() as client:
        made = client.create_project(name, description).get()
    emit(made, lambda: details(made))


@app.command()
def lineage() -> None:
    """What was made of what, as OpenLineage run events, one JSON object a line.

    trustplane project lineage > lineage.jsonl
    """
    with working() as (_, project):
        events = project.lineage()
    emit({"items": events}, lambda: say("\n".join(json.dumps(e) for e in events)))


@app.command()
def environments() -> None:
    """The environments of the project."""
    with working() as (_, project):
        rows = project.environments()
    emit(
        {"items": rows},
        lambda: table(
            rows, [("name", "name"), ("production", "production"), ("made", "created")], "no environment yet"
        ),
    )


@app.command("add-environment")
def add_environment(
    name: Name,
    production: Annotated[bool, typer.Option("--production", help="Real people are decided about here.")] = False,
) -> None:
    """Make an environment in the project."""
    with working() as (_, project):
        made = project.create_environment(name, production=production)
    emit(made, lambda: details(made))
