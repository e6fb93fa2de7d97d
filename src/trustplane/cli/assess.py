"""``trustplane assess``."""

from typing import Annotated

import typer

from trustplane.cli.context import working
from trustplane.cli.output import emit, follow, say, shown, table

app = typer.Typer(add_completion=False)


@app.command()
def assess(
    model: Annotated[str, typer.Argument(help="The name of the model.")],
    version: Annotated[int | None, typer.Option("--version", help="The version; the newest without one.")] = None,
    seed: Annotated[int, typer.Option(help="The seed of the bootstrap.")] = 0,
) -> None:
    """Measure a version on its hold-out: performance with intervals, slices, fairness. Exit code 1 if a check fails."""
    with working() as (_, project):
        job = project.models.assess(model, version, seed=seed)
        follow(job, f"assessing {model}")
        done = project.models.version(model, version).assessments[0]

    def show() -> None:
        for check, result in done["results"].items():
            say(f"{check}: {result['status']}, {result['reason']}")
            rows = [
                {"figure": n, "value": v, "interval": _interval(result["intervals"].get(n))}
                for n, v in list(result["figures"].items())[:12]
            ]
            table(rows, [("figure", "figure"), ("value", "value"), ("95 % interval", "interval")])
            say("")

    emit(done, show)
    if done["state"] != "done" or any(r["status"] == "failed" for r in done["results"].values()):
        raise typer.Exit(1)


def _interval(bounds: list[float] | None) -> str:
    return "" if not bounds else f"{shown(bounds[0])} to {shown(bounds[1])}"
