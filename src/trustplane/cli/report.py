"""``trustplane report``."""

from pathlib import Path
from typing import Annotated

import typer

from trustplane.cli.context import Usage, working
from trustplane.cli.output import emit, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Compliance reports.")
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Write it here; .html or .json.")]


@app.command()
def create(out: Out = None) -> None:
    """Evaluate the controls and make a report whose every verdict carries its receipts."""
    with working() as (_, project):
        made = project.reports.create()
        if out is not None:
            project.reports.fetch(made.id, out, _kind(out))
    emit(made, lambda: say(f"made the report {made.id}" + (f" and wrote {out}" if out else "")))


@app.command("list")
def list_() -> None:
    """The reports of the project."""
    with working() as (_, project):
        rows = project.reports.list()
    emit(
        {"items": rows},
        lambda: table(
            rows, [("report", "id"), ("by", "author"), ("findings", "counts"), ("made", "created")], "no report yet"
        ),
    )


@app.command()
def fetch(report: Annotated[str, typer.Argument(help="The id of the report.")], out: Out = None) -> None:
    """Write a report to a file. That you opened it is recorded."""
    target = out or Path(f"report-{report[-12:]}.html")
    with working() as (_, project):
        project.reports.fetch(report, target, _kind(target))
    emit({"file": str(target)}, lambda: say(f"wrote {target}"))


def _kind(path: Path) -> str:
    kind = path.suffix.removeprefix(".")
    if kind not in {"html", "json"}:
        raise Usage("a report is written as .html or .json")
    return kind
