"""``trustplane monitor``."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from trustplane.cli.context import working
from trustplane.cli.output import emit, follow, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Compare served inputs with the training data.")
Name = Annotated[str, typer.Argument(help="The deployment.")]


@app.command()
def run(name: Name) -> None:
    """Compare now. Exit code 1 if a feature has drifted."""
    with working() as (_, project):
        follow(project.deployments.monitor(name), f"monitoring {name}")
        newest = project.deployments.monitoring(name)[0]
    _show(newest)
    if newest.verdict == "failed":
        raise typer.Exit(1)


@app.command("show")
def show_(name: Name) -> None:
    """What the newest comparison found."""
    with working() as (_, project):
        rows = project.deployments.monitoring(name)
    if rows:
        _show(rows[0])
    else:
        emit({"items": []}, lambda: say("not compared yet: trustplane monitor run " + name))


@app.command()
def schedule(name: Name, cron: Annotated[str, typer.Option(help="Five cron fields, in UTC.")] = "0 * * * *") -> None:
    """Have it done by the calendar, while 'trustplane up' runs."""
    with working() as (_, project):
        made = project.deployments.schedule_monitor(name, cron)
    emit(made, lambda: say(f"{name} is compared at {made.cron}"))


def _show(found: Mapping[str, Any]) -> None:
    def show() -> None:
        say(f"{found['verdict']}: {found['reason']}")
        rows = [{"feature": n, **f} for n, f in found["features"].items()]
        table(
            rows,
            [("feature", "feature"), ("population stability", "psi"), ("Kolmogorov-Smirnov", "ks"), ("p", "p_value")],
        )

    emit(found, show)
