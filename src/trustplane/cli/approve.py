"""``trustplane approve``."""

from typing import Annotated

import typer

from trustplane.cli.context import working
from trustplane.cli.output import emit, say

app = typer.Typer(add_completion=False)


@app.command()
def approve(
    model: Annotated[str, typer.Argument(help="The name of the model.")],
    reason: Annotated[str, typer.Option(help="Why; an auditor reads it later.")],
    version: Annotated[int | None, typer.Option("--version", help="The version; the newest without one.")] = None,
) -> None:
    """Approve a version. The gate must be open, and you must not be its author."""
    with working() as (_, project):
        made = project.models.approve(model, version, reason=reason)
    emit(made, lambda: say(f"version {made.number} of {model} is {made.status}"))
