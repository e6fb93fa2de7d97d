"""``trustplane threat``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from trustplane.cli.context import Usage, working
from trustplane.cli.output import emit, say, table
from trustplane.client.embedded import check_threat, draft_threat
from trustplane.client.threats import read_text

app = typer.Typer(add_completion=False, no_args_is_help=True, help="What an attacker may do to a model's inputs.")
Named = Annotated[str, typer.Argument(help="NAME, or NAME@NUMBER for a version that is not the newest.")]
_KNOWN = ("labels", "scores", "white-box")


@app.command()
def draft(
    source: Annotated[str, typer.Argument(help="A CSV or Parquet file, or the name of a view.")],
    label: Annotated[str | None, typer.Option(help="The column that a model is to learn; it is left out.")] = None,
    model: Annotated[
        str | None, typer.Option(help="A model of the project: its features alone are taken, in its order.")
    ] = None,
    fixed: Annotated[list[str], typer.Option(help="A feature that no attacker can change.")] = [],
    knowledge: Annotated[str, typer.Option(help="What the attacker sees: labels, scores or white-box.")] = "scores",
) -> None:
    """A threat model that every row of a table keeps: a start, for people to own.

    trustplane threat draft clients.csv --label default > threat.toml

    trustplane threat draft training --model default-risk > threat.toml
    """
    if knowledge not in _KNOWN:
        raise Usage(f"an attacker knows {', '.join(_KNOWN)}")
    file, rows, features = Path(source), None, []
    named = file.suffix in {".csv", ".parquet"}
    if named and not file.is_file():
        raise Usage(f"there is no file {source}")
    if model is not None or not named:
        with working() as (_, project):
            features = [] if model is None else [f["name"] for f in project.models.version(model).interface["features"]]
            rows = None if named else project.views.arrow(source)
    if model is not None and not features:
        raise Usage(f"the newest version of {model} does not name its features")
    text = draft_threat(file if rows is None else rows, label, fixed, knowledge, file.stem, features)
    emit({"text": text}, lambda: say(text.rstrip()))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A threat model.")],
    against: Annotated[
        Path | None, typer.Option("--table", exists=True, dir_okay=False, help="A table whose rows are to keep it.")
    ] = None,
) -> None:
    """Everything that is wrong with a threat model, and how many rows of a table it rules out. Exit code 1 if there are any."""
    facts = check_threat(read_text(file), against)

    def show() -> None:
        _say_figures(facts["name"], facts)
        if "rows" in facts:
            say(f"{facts['rows_outside']} of {facts['rows']} rows of the table could not exist by it")
            rows = [{"rule": rule, "rows": count} for rule, count in facts["broken"].items()]
            if rows:
                table(rows, [("rule", "rule"), ("rows", "rows")])

    emit(facts, show)
    if facts.get("rows_outside"):
        raise typer.Exit(1)


@app.command()
def keep(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A threat model.")],
    name: Annotated[str, typer.Option("--name", "-n", help="What it is called in the project.")],
) -> None:
    """Keep a threat model in the project, as the next version of its name. One that says the same as the newest makes no version.

    trustplane threat keep threat.toml --name credit
    """
    text = read_text(file)
    with working() as (_, project):
        made = project.threats.keep(name, text)

    def show() -> None:
        _say_figures(f"{made.name}@{made.number}", made)
        say(f"{'kept' if made.new else 'it was kept before, and says the same'}: {made.digest}")

    emit(made, show)


@app.command("list")
def list_() -> None:
    """The newest version of each threat model that the project keeps."""
    with working() as (_, project):
        found = project.threats.list()
    columns = [
        ("name", lambda t: f"{t['name']}@{t['number']}"),
        ("says", "title"),
        ("draft", "draft"),
        ("attacker sees", "knowledge"),
        ("features", "features"),
        ("mutable", "mutable"),
        ("relations", "relations"),
        ("by", "author"),
        ("kept", "created"),
    ]
    emit(
        {"items": found},
        lambda: table(found, columns, "the project keeps no threat model; see 'trustplane threat keep'"),
    )


@app.command()
def show(threat: Named) -> None:
    """A threat model that the project keeps, as the file that it was. With --json also its versions, and the assessments that went by it.

    trustplane threat show credit@2 > threat.toml
    """
    with working() as (_, project):
        found = project.threats.get(threat)
    emit(found, lambda: say(found.text.rstrip("\n")))


@app.command()
def compare(
    before: Annotated[str, typer.Argument(help="NAME@NUMBER, or NAME for its newest version.")],
    after: Annotated[str, typer.Argument(help="NAME@NUMBER, or NAME for its newest version.")],
) -> None:
    """What differs between two threat models, and whether each difference lets the attacker do more or less.

    trustplane threat compare credit@1 credit@2
    """
    with working() as (_, project):
        made = project.threats.compare(before, after)
    names = [f"{made[side]['name']}@{made[side]['number']}" for side in ("before", "after")]
    columns = [
        ("what", lambda d: f"{d['part']} {d['name']}".strip()),
        ("of it", "field"),
        (names[0], lambda d: _side(d["before"])),
        (names[1], lambda d: _side(d["after"])),
        ("the attacker can do", lambda d: _EFFECTS[d["effect"]]),
    ]
    emit(made, lambda: table(made.differences, columns, f"{names[0]} and {names[1]} mean the same"))


_EFFECTS = {"more": "more", "less": "less", "none": "the same", "open": "cannot be told"}


def _side(value: Any) -> Any:
    """A side in full: two that differ never look alike."""
    return "-" if value is None else f"{value:.15g}" if isinstance(value, float) else value


def _say_figures(name: str, facts: Mapping[str, Any]) -> None:
    kind = "a draft" if facts["draft"] else "a threat model"
    say(f"{name}: {kind} of {facts['features']} features, {facts['mutable']} of them mutable")
    say(f"{facts['relations']} relations, {facts['groups']} groups, {facts['derived']} derived features")
