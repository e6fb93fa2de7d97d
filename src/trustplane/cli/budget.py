"""``trustplane budget``."""

from typing import Annotated

import typer

from trustplane.cli.context import working
from trustplane.cli.output import emit, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Privacy budgets of datasets.")
Dataset = Annotated[str, typer.Argument(help="The name of the dataset.")]


@app.command("set")
def set_(
    dataset: Dataset,
    epsilon: Annotated[str, typer.Option(help="How much may be spent in all, as 1.5.")],
    purpose: Annotated[str, typer.Option(help="A purpose of the dataset.")],
    unit: Annotated[str, typer.Option(help="The column that names whom the noise hides; a row without one.")] = "",
    rows: Annotated[int, typer.Option(min=1, help="So many rows of each unit count at most.")] = 1,
) -> None:
    """Give a dataset a privacy budget for a purpose, or another amount. What was spent stays spent."""
    with working() as (_, project):
        made = project.statistics.set_budget(dataset, purpose, epsilon, unit=unit, rows=rows)
    emit(made, lambda: say(f"{dataset}: epsilon {made.epsilon} for {made.purpose}, {made.left} left"))


@app.command()
def show(dataset: Dataset) -> None:
    """The privacy budgets of a dataset, and what was told at their cost."""
    with working() as (_, project):
        rows = project.statistics.budgets(dataset)

    def shown() -> None:
        columns = ["purpose", "epsilon", "spent", "left", "unit"]
        table(rows, [(c, c) for c in columns], "the dataset has no privacy budget, so no statistic of it is told")
        for row in rows:
            if row.releases:
                say("")
                told = [("told", "at"), ("statistic", "kind"), ("column", "column"), ("epsilon", "epsilon")]
                table(row.releases, told)

    emit({"items": rows}, shown)
