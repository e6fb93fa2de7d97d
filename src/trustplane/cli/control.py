"""``trustplane control``."""

import typer

from trustplane.cli.context import working
from trustplane.cli.output import emit, say, shown, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Controls: list and evaluate.")


@app.command("list")
def list_() -> None:
    """Every registered control, with the clauses that it answers to."""
    with working() as (_, project):
        rows = project.controls.list()
    columns = [
        ("control", "id"),
        ("stage", "stage"),
        ("gate", "gate"),
        ("question", "question"),
        ("clauses", "clauses"),
    ]
    emit({"items": rows}, lambda: table(rows, columns))


@app.command()
def evaluate() -> None:
    """Evaluate every control on every subject of the project. Exit code 1 if one fails."""
    with working() as (_, project):
        result = project.controls.evaluate()

    def show() -> None:
        columns = [
            ("control", "control"),
            ("status", "status"),
            ("about", lambda f: f["subject"]["label"] or f["subject"]["kind"]),
            ("why", "reason"),
        ]
        table(result.findings, columns)
        say("")
        say(shown(result.counts))

    emit(result, show)
    if result.counts.get("failed"):
        raise typer.Exit(1)
