"""``trustplane statistic``."""

from typing import Annotated, Any

import typer

from trustplane.cli.context import working
from trustplane.cli.output import emit, say, table
from trustplane.client.records import Record

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Statistics with noise, under a privacy budget.")
View = Annotated[str, typer.Argument(help="The name of the view.")]
Column = Annotated[str, typer.Argument(help="The column.")]
Epsilon = Annotated[str, typer.Option(help="What it costs: the less, the more noise.")]
Lower = Annotated[float, typer.Option(help="Values below are taken as this.")]
Upper = Annotated[float, typer.Option(help="Values above are taken as this.")]
Where = Annotated[str, typer.Option(help="A row filter, as in a view.")]


@app.command()
def count(
    view: View,
    epsilon: Epsilon,
    column: Annotated[str, typer.Option(help="Count values of it.")] = "",
    where: Where = "",
) -> None:
    """How many rows there are."""
    with working() as (_, project):
        _tell(project.statistics.count(view, column, epsilon=epsilon, where=where))


@app.command("sum")
def sum_(view: View, column: Column, epsilon: Epsilon, lower: Lower, upper: Upper, where: Where = "") -> None:
    """The sum of a column of numbers."""
    with working() as (_, project):
        _tell(project.statistics.sum(view, column, epsilon=epsilon, lower=lower, upper=upper, where=where))


@app.command()
def mean(view: View, column: Column, epsilon: Epsilon, lower: Lower, upper: Upper, where: Where = "") -> None:
    """The mean of a column of numbers."""
    with working() as (_, project):
        _tell(project.statistics.mean(view, column, epsilon=epsilon, lower=lower, upper=upper, where=where))


@app.command()
def quantile(
    view: View,
    column: Column,
    epsilon: Epsilon,
    lower: Lower,
    upper: Upper,
    at: Annotated[float, typer.Option(min=0, max=1, help="Which: 0.5 is the median.")] = 0.5,
    where: Where = "",
) -> None:
    """A quantile of a column of numbers."""
    with working() as (_, project):
        said = {"lower": lower, "upper": upper, "where": where}
        _tell(project.statistics.quantile(view, column, at, epsilon=epsilon, **said))


@app.command()
def histogram(
    view: View,
    column: Column,
    epsilon: Epsilon,
    category: Annotated[list[str] | None, typer.Option(help="A category; more than once.")] = None,
    edge: Annotated[list[float] | None, typer.Option(help="An edge of an interval; more than once, rising.")] = None,
    where: Where = "",
) -> None:
    """How many rows there are of each category, or in each interval."""
    with working() as (_, project):
        said: dict[str, Any] = {"categories": category or [], "edges": edge or [], "where": where}
        _tell(project.statistics.histogram(view, column, epsilon=epsilon, **said))


def _tell(told: Record) -> None:
    answer = told.answer

    def shown() -> None:
        if "bins" in answer:
            table(answer["bins"], [("bin", "bin"), ("rows", "value")])
        else:
            say(f"{answer['value']:,g}" if isinstance(answer["value"], float) else f"{answer['value']:,}")
        if "accuracy" in answer:
            say(f"within {answer['accuracy']:,.6g} of the truth with probability 95 %")
        say(f"cost: epsilon {told.epsilon}; {told.budget['left']} of {told.budget['epsilon']} left")

    emit(told, shown)
