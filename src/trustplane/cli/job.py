"""``trustplane job``."""

from typing import Annotated

import typer

from trustplane.cli.context import connected
from trustplane.cli.output import details, emit, follow, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Jobs: list, show, follow, cancel.")
Id = Annotated[str, typer.Argument(help="The id of the job.")]


@app.command("list")
def list_(limit: Annotated[int, typer.Option(help="How many.")] = 30) -> None:
    """The newest jobs."""
    with connected() as client:
        rows = client.jobs.list(limit)
    emit(
        {"items": rows},
        lambda: table(
            rows, [("job", "id"), ("name", "name"), ("state", "state"), ("started", "created")], "no job yet"
        ),
    )


@app.command("show")
def show_(job: Id) -> None:
    """A job as it stands."""
    with connected() as client:
        found = client.jobs.get(job).status()
    emit(found, lambda: details(found, ["id", "name", "state", "created", "updated", "result", "error"]))


@app.command("follow")
def follow_(job: Id) -> None:
    """Its progress until it ends."""
    with connected() as client:
        result = follow(client.jobs.get(job), job)
    emit({"result": result}, lambda: say(str(result)))


@app.command()
def cancel(job: Id) -> None:
    """Take it back, or end it at its next step."""
    with connected() as client:
        found = client.jobs.get(job).cancel()
    emit(found, lambda: say(f"{job} is {found.state}"))


@app.command()
def schedules() -> None:
    """What starts by the calendar."""
    with connected() as client:
        rows = client.jobs.schedules()
    emit(
        {"items": rows},
        lambda: table(
            rows, [("schedule", "name"), ("cron", "cron"), ("job", "job"), ("next", "next")], "nothing is scheduled"
        ),
    )
