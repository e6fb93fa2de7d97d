"""``trustplane threat``."""

from pathlib import Path
from typing import Annotated

import typer

from trustplane.cli.context import Usage, working
from trustplane.cli.output import emit, say, table
from trustplane.client.embedded import check_threat, draft_threat

app = typer.Typer(add_completion=False, no_args_is_help=True, help="What an attacker may do to a model's inputs.")
_KNOWN = ("labels", "scores", "white-box")


@app.command()
def draft(
    source: Annotated[str, typer.Argument(help="A CSV or Parquet file, or the name of a view.")],
    label: Annotated[str | None, typer.Option(help="The column that a model is to learn; it is left out.")] = None,
    fixed: Annotated[list[str], typer.Option(help="A feature that no attacker can change.")] = [],
    knowledge: Annotated[str, typer.Option(help="What the attacker sees: labels, scores or white-box.")] = "scores",
) -> None:
    """A threat model that every row of a table keeps: a start, for people to own.

    trustplane threat draft clients.csv --label default > threat.toml
    """
    if knowledge not in _KNOWN:
        raise Usage(f"an attacker knows {', '.join(_KNOWN)}")
    file = Path(source)
    if file.suffix in {".csv", ".parquet"}:
        if not file.is_file():
            raise Usage(f"there is no file {source}")
        text = draft_threat(file, label, fixed, knowledge, file.stem)
    else:
        with working() as (_, project):
            rows = project.views.arrow(source)
        text = draft_threat(rows, label, fixed, knowledge, source)
    emit({"text": text}, lambda: say(text.rstrip()))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A threat model.")],
    against: Annotated[
        Path | None, typer.Option("--table", exists=True, dir_okay=False, help="A table whose rows are to keep it.")
    ] = None,
) -> None:
    """Everything that is wrong with a threat model, and how many rows of a table it rules out. Exit code 1 if there are any."""
    facts = check_threat(file.read_text("utf-8", errors="replace"), against)

    def show() -> None:
        kind = "a draft" if facts["draft"] else "a threat model"
        say(f"{facts['name']}: {kind} of {facts['features']} features, {facts['mutable']} of them mutable")
        say(f"{facts['relations']} relations, {facts['groups']} groups, {facts['derived']} derived features")
        if "rows" in facts:
            say(f"{facts['rows_outside']} of {facts['rows']} rows of the table could not exist by it")
            rows = [{"rule": rule, "rows": count} for rule, count in facts["broken"].items()]
            if rows:
                table(rows, [("rule", "rule"), ("rows", "rows")])

    emit(facts, show)
    if facts.get("rows_outside"):
        raise typer.Exit(1)
