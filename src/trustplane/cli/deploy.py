"""``trustplane deploy``."""

from typing import Annotated

import typer

from trustplane.cli.context import working
from trustplane.cli.output import emit, say

app = typer.Typer(add_completion=False)


@app.command()
def deploy(
    model: Annotated[str, typer.Argument(help="The name of the model.")],
    to: Annotated[str, typer.Option(help="The environment.")],
    version: Annotated[int | None, typer.Option("--version", help="The version; the newest without one.")] = None,
    name: Annotated[str | None, typer.Option(help="Served as; MODEL-ENVIRONMENT without one.")] = None,
) -> None:
    """Serve a signed version in an environment.

    In production the version must be approved, and you an operator who neither made nor approved it.
    """
    with working() as (_, project):
        made = project.deployments.create(model, to, version=version, name=name)
    emit(made, lambda: say(f"version {made.version} of {model} is served as {made.name}: POST {made.endpoint}"))
