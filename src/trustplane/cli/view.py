"""``trustplane view``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from trustplane.cli.context import Usage, working
from trustplane.cli.output import details, emit, note, say, table
from trustplane.values.errors import nearest

CLASSES = ("identifier", "quasi-identifier", "special", "confidential", "open")
app = typer.Typer(add_completion=False, no_args_is_help=True, help="Views: the only way to rows.")
Name = Annotated[str, typer.Argument(help="The name of the view.")]
Purpose = Annotated[str | None, typer.Option(help="What you open it for; the view's own purpose without one.")]


@app.command()
def create(
    name: Name,
    dataset: Annotated[str, typer.Option(help="The dataset.")],
    purpose: Annotated[str, typer.Option(help="What it is for: one of the dataset's purposes.")],
    column: Annotated[list[str], typer.Option(help="A column to show; may be repeated.")] = [],
    without: Annotated[
        list[str], typer.Option(help="All columns but this one, or those of this class; may be repeated.")
    ] = [],
    pseudonym: Annotated[list[str], typer.Option(help="A column to show as a keyed pseudonym.")] = [],
    filter: Annotated[str, typer.Option(help="Which rows, such as 'AGE >= 21'.")] = "",
    mask: Annotated[
        list[str],
        typer.Option(help="A column to mask for all but data stewards; as column:4 to show its last 4 characters."),
    ] = [],
    groups: Annotated[int, typer.Option(help="Give no row, only aggregates over groups of at least so many rows.")] = 0,
    sample: Annotated[int | None, typer.Option(help="The most rows, drawn by chance.")] = None,
    days: Annotated[float, typer.Option(help="How long it opens.")] = 30,
    version: Annotated[
        int | None, typer.Option("--version", help="The dataset's version; the newest without one.")
    ] = None,
) -> None:
    """Make a view.

    trustplane view create training --dataset clients --purpose CustomerSolvencyMonitoring --without identifier --pseudonym customer_id
    """
    with working() as (_, project):
        if not column and not without:
            raise Usage("say which columns, with --column or --without")
        known = {c["name"]: c["class"] for c in project.datasets.get(dataset, version).columns}
        shown = list(column) or _but(known, without, pseudonym)
        made = project.views.create(
            name,
            dataset,
            shown,
            purpose=purpose,
            days=days,
            filter=filter,
            pseudonyms=list(pseudonym),
            version=version,
            masks=dict(map(_masked, mask)) or None,
            groups=groups or None,
            sample=sample,
        )
    hidden = {*pseudonym, *(column for column, _ in map(_masked, mask))} if not groups else set(shown)
    bare = [c for c in shown if known.get(c) in {"identifier", "special"} and c not in hidden]
    if bare:
        note(f"it shows in plaintext what identifies people or is special of them: {', '.join(bare)}")
    emit(made, lambda: details(made, ["name", "id", "columns", "pseudonyms", "filter", "purpose", "expires"]))


def _masked(text: str) -> tuple[str, int]:
    column, colon, shown = text.rpartition(":")
    return (column, int(shown)) if colon and shown.isdecimal() else (text, 0)


def _but(classes: dict[str, str], without: list[str], pseudonyms: list[str]) -> list[str]:
    left_out = {word.strip() for words in without for word in words.split(",")}
    for word in sorted(left_out - {*classes, *CLASSES}):
        raise Usage(f"there is no column and no class {word!r}", nearest(word, [*classes, *CLASSES]))
    return [c for c, k in classes.items() if c in pseudonyms or not {c, k} & left_out]


@app.command()
def ask(
    name: Name,
    dataset: Annotated[str, typer.Option(help="The dataset.")],
    purpose: Annotated[str, typer.Option(help="What it is for: one of the dataset's purposes.")],
    column: Annotated[list[str], typer.Option(help="A column to show; may be repeated.")],
    reason: Annotated[str, typer.Option(help="Why you need it.")],
    pseudonym: Annotated[list[str], typer.Option(help="A column to show as a keyed pseudonym.")] = [],
    filter: Annotated[str, typer.Option(help="Which rows, such as 'AGE >= 21'.")] = "",
    days: Annotated[float, typer.Option(help="How long it should open.")] = 30,
) -> None:
    """Ask for a view; a data steward decides.

    trustplane view ask ages --dataset clients --purpose CustomerSolvencyMonitoring --column AGE --reason "a chart by age"
    """
    with working() as (_, project):
        made = project.views.ask(
            name, dataset, column, purpose=purpose, reason=reason, days=days, filter=filter, pseudonyms=list(pseudonym)
        )
    emit(made, lambda: say(f"asked for under {made.id}; a data steward decides"))


@app.command()
def requests() -> None:
    """What was asked for, and what was decided."""
    with working() as (_, project):
        rows = project.views.requests()
    columns = [
        ("request", "id"),
        ("state", "state"),
        ("by", "asked_by"),
        ("view", "name"),
        ("of", "dataset"),
        ("columns", "columns"),
        ("reason", "reason"),
        ("answer", "answer"),
    ]
    emit({"items": rows}, lambda: table(rows, columns, "nobody asked for a view"))


@app.command()
def grant(
    request: Annotated[str, typer.Argument(help="The id of the request.")],
    answer: Annotated[str, typer.Option(help="What to say to whoever asked.")] = "",
    days: Annotated[float | None, typer.Option(help="How long it opens, where not as long as was asked.")] = None,
) -> None:
    """Make a view that was asked for. Nobody grants what they asked for."""
    with working() as (_, project):
        made = project.views.grant(request, answer=answer, days=days)
    emit(made, lambda: say(f"{made.asked_by} may open the view {made.name}"))


@app.command()
def refuse(
    request: Annotated[str, typer.Argument(help="The id of the request.")],
    answer: Annotated[str, typer.Option(help="Why not.")],
) -> None:
    """Refuse a view that was asked for."""
    with working() as (_, project):
        made = project.views.refuse(request, answer=answer)
    emit(made, lambda: say(f"refused: {made.answer}"))


@app.command("list")
def list_() -> None:
    """The views of the project."""
    with working() as (_, project):
        rows = project.views.list()
    columns = [
        ("name", "name"),
        ("state", "state"),
        ("purpose", "purpose"),
        ("columns", lambda v: len(v["columns"])),
        ("until", "expires"),
    ]
    emit({"items": rows}, lambda: table(rows, columns, "no view yet: trustplane view create NAME"))


@app.command("show")
def show_(name: Name) -> None:
    """A view, without its rows."""
    with working() as (_, project):
        found = project.views.get(name)
    emit(
        found, lambda: details(found, ["name", "state", "columns", "pseudonyms", "filter", "purpose", "expires", "id"])
    )


@app.command()
def head(name: Name, rows: Annotated[int, typer.Option(help="How many rows.")] = 10, purpose: Purpose = None) -> None:
    """The first rows. That you opened the view is recorded."""
    found: list[dict[str, object]] = []
    with working() as (_, project):
        for batch in project.views.batches(name, purpose):
            found += batch.slice(0, rows - len(found)).to_pylist()
            if len(found) >= rows:
                break
    emit(
        {"items": found},
        lambda: table(found, [(n, n) for n in (found[0] if found else {})], "no row passes the filter"),
    )


@app.command()
def protect(
    name: Name,
    recipe: Annotated[
        Path, typer.Argument(help="A TOML file: steps for columns; quasi-identifiers, k, l, t, hierarchies.")
    ],
    into: Annotated[str, typer.Option(help="The name of the dataset that is made.")],
) -> None:
    """Make a protected dataset of a view's rows: k-anonymous, l-diverse, t-close, with its risk before and after.

    trustplane view protect training recipe.toml --into clients-protected
    """
    with working() as (_, project):
        made = project.views.protect(name, recipe.read_text("utf-8"), into)
    figures = made["figures"]

    def show() -> None:
        reached = ", ".join(f"{word} = {value:g}" for word, value in figures["reached"].items())
        say(
            f"made version {made.number} of {into}"
            + (f": {reached}; {figures['suppressed']:,} rows suppressed" if reached else "")
        )
        if figures.get("steps"):
            steps = [{**s, "do": ", ".join(s["do"])} for s in figures["steps"]]
            words = [
                ("column", "column"),
                ("step", "do"),
                ("distinct", "distinct_before"),
                ("after", "distinct_after"),
                ("changed", "changed"),
            ]
            table(steps, words)
        rows = [
            {"risk": what.replace("_", " "), "before": figures["before"][what], "after": figures["after"][what]}
            for what in ("prosecutor_highest", "prosecutor_average", "at_risk", "marketer", "unique")
        ]
        table(rows, [("risk of re-identification", "risk"), ("before", "before"), ("after", "after")])
        used = figures.get("utility", {})
        if used.get("distances"):
            far = [{"column": c, "distance": d} for c, d in used["distances"].items()]
            table(far, [("column", "column"), ("distance from what it was", "distance")])
        if score := used.get("score"):
            say(
                f"a model tells {score['label']} with an area under the curve of {score['before']:.3f} before, {score['after']:.3f} after"
            )
        if "attacks" in figures:
            attacks = [{"attack": n.replace("_", " "), **a} for n, a in figures["attacks"].items() if n != "people"]
            columns = [("attack", "attack"), ("before", "before"), ("after", "after"), ("without the table", "without")]
            table(attacks, columns)
        if reached:
            say(f"lost: {figures['loss']:.1%} of what the quasi-identifiers said")

    emit(made, show)


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One SELECT over views; - reads it from standard input.")],
    rows: Annotated[int, typer.Option(help="How many rows to show.")] = 50,
    purpose: Purpose = None,
) -> None:
    """Ask views in SQL. That each was opened is recorded.

    trustplane view query "SELECT EDUCATION, count(*) AS clients FROM training GROUP BY 1 ORDER BY 1"
    """
    text = sys.stdin.read() if sql == "-" else sql
    with working() as (_, project):
        answer = project.views.query(text, purpose)
    found = answer.slice(0, rows).to_pylist()

    def show() -> None:
        table(found, [(n, n) for n in answer.column_names], "no row")
        if answer.num_rows > rows:
            say(f"the first {rows} of {answer.num_rows:,} rows; --rows shows more")

    emit({"items": found, "rows": answer.num_rows}, show)


@app.command()
def export(
    name: Name,
    file: Annotated[Path, typer.Argument(help="A file to write: .csv, .parquet or .arrow.")],
    purpose: Purpose = None,
) -> None:
    """Write the rows to a file in plaintext. That you opened the view is recorded; what becomes of the file is up to you."""
    with working() as (_, project):
        rows = project.views.save(name, file, purpose)
    emit({"file": str(file), "rows": rows}, lambda: say(f"wrote {rows:,} rows to {file}, in plaintext"))


@app.command()
def revoke(name: Name) -> None:
    """Take a view back: it opens no more."""
    with working() as (_, project):
        project.views.revoke(name)
    emit({"revoked": name}, lambda: say(f"{name} is revoked"))
