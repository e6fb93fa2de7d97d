"""``trustplane doctor``."""

import typer

from trustplane.cli.context import connected
from trustplane.cli.output import emit, table

app = typer.Typer(add_completion=False)


@app.command()
def doctor() -> None:
    """Check the database, the keys, the objects, the log, the jobs and the sandboxes."""
    with connected() as client:
        found = client.doctor()
    emit(
        found,
        lambda: table(found.checks, [("check", "name"), ("status", "status"), ("detail", "detail"), ("to do", "fix")]),
    )
    if any(c["status"] == "failing" for c in found.checks):
        raise typer.Exit(1)
