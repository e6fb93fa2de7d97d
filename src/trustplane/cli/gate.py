"""``trustplane gate``."""

from typing import Annotated

import typer

from trustplane.cli.context import working
from trustplane.cli.output import emit, say, table

app = typer.Typer(add_completion=False)


@app.command()
def gate(
    model: Annotated[str, typer.Argument(help="The name of the model.")],
    version: Annotated[int | None, typer.Option("--version", help="The version; the newest without one.")] = None,
) -> None:
    """Ask whether a version may be approved. Exit code 1 if not."""
    with working() as (_, project):
        result = project.models.gate(model, version)

    def show() -> None:
        table(
            result.findings,
            [("control", "control"), ("status", "status"), ("why", "reason"), ("to do", "remedy")],
            "no control looks at it",
        )
        say("")
        say(f"the gate is {'open' if result.passed else 'closed'}: {result.reason}")

    emit(result, show)
    if not result.passed:
        raise typer.Exit(1)
