"""``trustplane retention``."""

from typing import Annotated

import typer

from trustplane.cli.context import working
from trustplane.cli.output import emit, follow, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Retention and legal holds.")
Dataset = Annotated[str, typer.Argument(help="The name of the dataset.")]
Reason = Annotated[str, typer.Option(help="Why.")]


@app.command()
def overdue() -> None:
    """The versions that are past their retention and can still be read. Exit code 1 if there are any."""
    with working() as (_, project):
        rows = project.retention.overdue()
    shown = [("dataset", "dataset"), ("version", "version"), ("rows", "rows"), ("created", "created")]
    emit({"items": rows}, lambda: table(rows, shown, "nothing is kept too long"))
    if rows:
        raise typer.Exit(1)


@app.command()
def run() -> None:
    """Destroy the keys of what has expired: every copy and backup of it becomes unreadable."""
    with working() as (_, project):
        done = follow(project.retention.run(), "looking for what has expired")
    emit(done, lambda: say(f"{done['destroyed']} of {done['due']} versions were destroyed"))


@app.command()
def schedule(cron: Annotated[str, typer.Option(help="When, as cron writes it.")] = "0 3 * * *") -> None:
    """Have what has expired destroyed by the calendar, while 'trustplane up' runs."""
    with working() as (_, project):
        made = project.retention.schedule(cron)
    emit(made, lambda: say(f"what has expired is destroyed at {cron}"))


@app.command()
def hold(dataset: Dataset, reason: Reason) -> None:
    """Put a dataset under a legal hold: nothing of it is erased, and nothing expires."""
    with working() as (_, project):
        made = project.retention.hold(dataset, reason)
    emit(made, lambda: say(f"{dataset} is under a legal hold"))


@app.command()
def lift(dataset: Dataset, reason: Reason) -> None:
    """Lift a legal hold."""
    with working() as (_, project):
        made = project.retention.lift(dataset, reason)
    emit(made, lambda: say(f"{dataset} is under no hold any more"))
