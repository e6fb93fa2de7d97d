"""``trustplane waiver``."""

from typing import Annotated

import typer

from trustplane.cli.context import working
from trustplane.cli.output import details, emit, say

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Ask for and grant waivers.")


@app.command()
def request(
    model: Annotated[str, typer.Argument(help="The name of the model.")],
    control: Annotated[str, typer.Argument(help="The control that does not hold.")],
    reason: Annotated[str, typer.Option(help="Why it may go on all the same.")],
    days: Annotated[float, typer.Option(help="How long.")] = 30,
    version: Annotated[int | None, typer.Option("--version", help="The version; the newest without one.")] = None,
) -> None:
    """Ask for leave to pass the gate although a control does not. Somebody else must grant it."""
    with working() as (_, project):
        made = project.models.request_waiver(model, control, reason=reason, days=days, number=version)
    emit(made, lambda: details(made, ["id", "control", "reason", "expires"]))


@app.command()
def grant(waiver: Annotated[str, typer.Argument(help="The id of the waiver.")]) -> None:
    """Grant a waiver that somebody else asked for."""
    with working() as (_, project):
        made = project.models.grant_waiver(waiver)
    emit(made, lambda: say(f"{made.control} is waived until {made.expires}"))
