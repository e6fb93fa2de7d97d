"""``trustplane dataset``."""

import json
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from trustplane.cli.context import Usage, connected, working
from trustplane.cli.contract import tell
from trustplane.cli.output import bar, details, emit, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Ingest and classify datasets.")
Name = Annotated[str, typer.Argument(help="The name of the dataset.")]
Version = Annotated[int | None, typer.Option("--version", help="The version; the newest without one.")]


@app.command()
def ingest(
    name: Name,
    file: Annotated[
        str,
        typer.Argument(
            help="A CSV, Parquet, Arrow, JSON Lines or Excel file, a directory of parts, s3://…; - for the standard input."
        ),
    ],
    purpose: Annotated[list[str], typer.Option(help="A purpose: a DPV term; may be repeated.")] = [],
    basis: Annotated[str, typer.Option(help="The legal basis, such as A6-1-b (GDPR art. 6(1)(b)).")] = "",
    retention: Annotated[int | None, typer.Option(help="Days after which the data must be gone.")] = None,
    source: Annotated[str, typer.Option(help="Where it comes from.")] = "",
    description: Annotated[str, typer.Option(help="What it holds.")] = "",
    type: Annotated[list[str], typer.Option(help="A column's type, as column:type.")] = [],
    format: Annotated[
        str | None, typer.Option(help="csv, parquet, arrow, jsonl or xlsx, where the file's name does not say.")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Look for personal data in every row, not in a sample.")
    ] = False,
    append: Annotated[
        bool, typer.Option("--append", help="Keep the rows of the last version, and put these after them.")
    ] = False,
    label: Annotated[
        str | None, typer.Option(help="The column that a model is to learn; doubtful labels are looked for.")
    ] = None,
) -> None:
    """Ingest a file as a new version: encrypted from its first byte, every column classified.

    trustplane dataset ingest clients clients.csv --purpose CustomerSolvencyMonitoring --basis A6-1-b --retention 3650
    """
    if file == "-" and format is None:
        raise Usage("say --format: the standard input has no name that tells it")
    types = dict(_pair(t) for t in type)
    called = "the standard input" if file == "-" else file if "://" in file else Path(file).name
    with working() as (_, project), bar(f"ingesting {called}") as told:
        made = project.datasets.ingest(
            name,
            sys.stdin.buffer if file == "-" else file,
            purposes=purpose,
            lawful_basis=basis,
            retention_days=retention,
            source=source or None,
            description=description or None,
            types=types,
            format=format,
            exact=exact,
            append=append,
            label=label,
            progress=told,
        )
        broken = project.contracts.report(name, made.number) if made.quarantined else None

    def show() -> None:
        done = "appended" if append else "ingested"
        say(f"{done} {called} as version {made.number} of {name}")
        if made.signs:
            say(
                f"{made.signs} signs of poisoning: look at them with 'trustplane dataset look {name} --version {made.number}'"
            )
        if broken:
            say("it breaks the contract, so it is in quarantine:")
            tell(broken)
            return
        if made.accepted:
            say("a policy accepted the proposed classes")
            return
        say(f"next: look at the proposed classes with 'trustplane dataset show {name}' and confirm them")

    emit(made, show)
    if broken:
        raise typer.Exit(1)


@app.command("list")
def list_() -> None:
    """The datasets of the project."""
    with working() as (_, project):
        rows = project.datasets.list()
    columns = [
        ("name", "name"),
        ("rows", "rows"),
        ("version", "newest"),
        ("confirmed", "confirmed"),
        ("purposes", "purposes"),
    ]
    emit({"items": rows}, lambda: table(rows, columns, "no dataset yet: trustplane dataset ingest NAME FILE"))


@app.command("show")
def show_(name: Name, version: Version = None) -> None:
    """A dataset, and how each of its columns is treated."""
    with working() as (_, project):
        found = project.datasets.get(name, version)

    def show() -> None:
        details(
            found,
            ["name", "owner", "purposes", "lawful_basis", "retention_days", "source", "version", "rows", "confirmed"],
        )
        say("")
        table(
            found.columns,
            [
                ("column", "name"),
                ("type", "type"),
                ("class", "class"),
                ("entity", "entity"),
                ("why it was proposed", "why"),
            ],
        )

    emit(found, show)


@app.command()
def confirm(
    name: Name,
    change: Annotated[list[str], typer.Option("--class", help="A class that differs, as column:class.")] = [],
    version: Version = None,
) -> None:
    """Confirm the classes of the columns, with changes to some. A change encrypts the table anew."""
    with working() as (_, project):
        made = project.datasets.confirm(name, dict(_pair(c) for c in change), version)
    emit(made, lambda: say(f"the classes of version {made.number} of {name} are confirmed"))


@app.command()
def diff(
    name: Name,
    old: Annotated[int | None, typer.Argument(help="The older version; the one before the newer without it.")] = None,
    new: Annotated[int | None, typer.Argument(help="The newer version; the newest without it.")] = None,
    key: Annotated[list[str], typer.Option(help="A column that tells rows apart; may be repeated.")] = [],
) -> None:
    """What differs between two versions: schema, rows, distributions. Counts alone.

    trustplane dataset diff clients 1 2 --key customer_id
    """
    with working() as (_, project):
        found = project.datasets.diff(name, old, new, key=key)

    def show() -> None:
        rows, schema = found.rows, found.schema
        changed = f", {rows['changed']:,} changed" if "changed" in rows else ""
        say(f"version {found.old}: {rows['old']:,} rows; version {found.new}: {rows['new']:,} rows")
        say(f"{rows['same']:,} the same, {rows['added']:,} added, {rows['gone']:,} gone{changed}")
        for what in ("added", "gone"):
            if schema[what]:
                say(f"columns {what}: {', '.join(schema[what])}")
        for each in schema["changed"]:
            say(f"{each['column']}: {each['was']} became {each['is']}")
        say("")
        table([_moved(c) for c in found.columns], _MOVED)

    emit(found, show)


_MOVED = [("column", "column"), ("nulls", "nulls"), ("distinct", "distinct"), ("mean", "mean"), ("KS", "ks"), ("changed", "changed")]  # fmt: skip


def _moved(column: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        k: " -> ".join(f"{v:g}" for v in column[k]) for k in ("nulls", "distinct", "mean") if k in column
    }
    return {"mean": "", "ks": "", "changed": "", **column, **shown}


@app.command()
def look(name: Name, version: Version = None) -> None:
    """What the look for poisoning found in a version: repeated rows, blocks out of domain, shifts, doubtful labels."""
    with working() as (_, project):
        found = project.datasets.look(name, version)

    def show() -> None:
        say(f"version {found.version}: {found.state}")
        if found.state == "not looked at":
            return
        for kind, figures in found.figures.items():
            told = ", ".join(f"{what.replace('_', ' ')} {value:g}" for what, value in figures.items())
            say(f"{kind}: {told}")
        for sign in found.signs:
            place = f" of {sign['column']}" if sign["column"] else ""
            say(f"{sign['look']}{place}: {sign['said']}")
            if sign["rows"]:
                say(f"  rows {', '.join(map(str, sign['rows']))}")
        if found.reason:
            say(f"settled: {found.reason}")

    emit(found, show)


@app.command()
def settle(
    name: Name,
    number: Annotated[int, typer.Argument(help="The number of the version.")],
    reason: Annotated[str, typer.Option(help="Why it may be used although something was found in it.")],
) -> None:
    """Say why a version may be used although a look found something in it."""
    with working() as (_, project):
        made = project.datasets.settle(name, number, reason=reason)
    emit(made, lambda: say(f"what was found in version {number} of {name} is settled: {made.reason}"))


@app.command()
def release(
    name: Name,
    number: Annotated[int, typer.Argument(help="The number of the version.")],
    reason: Annotated[str, typer.Option(help="Why it may be used although it breaks the contract.")],
) -> None:
    """Let a version out of quarantine."""
    with working() as (_, project):
        made = project.contracts.release(name, number, reason=reason)
    emit(made, lambda: say(f"version {number} of {name} is in use: {made.reason}"))


@app.command()
def reveal(
    name: Name,
    column: Annotated[str, typer.Argument(help="A column that a recipe made.")],
    values: Annotated[list[str], typer.Argument(help="Tokens from it.")],
    reason: Annotated[str, typer.Option(help="Why they are turned back; it goes on record.")],
) -> None:
    """Turn tokens of a protected table back.

    trustplane dataset reveal claims customer_id tk_4f… --reason "the claim 77 is paid"
    """
    with working() as (_, project):
        found = project.datasets.reveal(name, column, values, reason=reason)
    emit({"items": found}, lambda: say("\n".join(found)))


@app.command()
def report(
    name: Name,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it here; .html or .json.")] = None,
    version: Version = None,
) -> None:
    """Write the report of a protected dataset: who could be found before and after, by which attacks, and what it is still good for.

    trustplane dataset report clients-protected --out report.html
    """
    target = out or Path(f"{name}-protection.html")
    if target.suffix not in {".html", ".json"}:
        raise Usage("a report is written as .html or .json")
    with working() as (_, project):
        project.datasets.report(name, target, version)
    emit({"file": str(target)}, lambda: say(f"wrote {target}"))


@app.command()
def datasheet(
    name: Name,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write Croissant JSON-LD here.")] = None,
    questions: Annotated[bool, typer.Option("--questions", help="List the questions and which are answered.")] = False,
    version: Version = None,
) -> None:
    """The datasheet of a dataset as Croissant 1.0: what is on record, and what people have said."""
    with working() as (_, project):
        found = project.datasets.datasheet(name, version)
    if out is not None:
        out.write_text(json.dumps(found.croissant, indent=2, ensure_ascii=False) + "\n", "utf-8")
    rows = [
        {
            "part": part,
            "question": q["question"],
            "answered": "missing" if q["missing"] else "optional" if not q["asked"] else "yes",
        }
        for part, q in found.questions.items()
    ]

    def show() -> None:
        if out is not None:
            say(f"wrote {out}")
        elif questions:
            table(rows, [("part", "part"), ("question", "question"), ("answered", "answered")])
        else:
            say(json.dumps(found.croissant, indent=2, ensure_ascii=False))
        if found.missing:
            say(f"not answered yet: {', '.join(found.missing)}; answer with 'trustplane dataset describe {name}'")

    emit(found, show)


@app.command()
def describe(
    name: Name,
    part: Annotated[list[str], typer.Option(help="An answer, as part=text; may be repeated.")] = [],
    source: Annotated[Path | None, typer.Option("--from", help="A TOML file of parts and answers.")] = None,
) -> None:
    """Answer questions of the datasheet. 'trustplane dataset datasheet NAME --questions' lists them.

    trustplane dataset describe clients --part collection="from loan applications" --part biases="nobody under 21"
    """
    parts = _parts(source) | dict(_answer(text) for text in part)
    if not parts:
        raise Usage("say at least one --part, or --from a file")
    with working() as (_, project):
        made = project.datasets.describe(name, **parts)
    left = ", ".join(made.missing) or "nothing"
    emit(made, lambda: say(f"{len(made.parts)} parts of the datasheet of {name} are written; missing: {left}"))


@app.command()
def purposes() -> None:
    """The terms for purposes and legal bases."""
    with connected() as client:
        terms = client.terms()

    def show() -> None:
        for kind in ("purposes", "lawful_bases"):
            table(
                [{"term": t, "meaning": m} for t, m in terms[kind].items()],
                [(kind.replace("_", " "), "term"), ("", "meaning")],
            )
            say("")

    emit(terms, show)


def _pair(text: str) -> tuple[str, str]:
    column, colon, value = text.rpartition(":")
    if not colon or not column or not value:
        raise Usage(f"{text!r} is not of the form column:value")
    return column, value


def _answer(text: str) -> tuple[str, str]:
    name, equals, answer = text.partition("=")
    if not equals or not name:
        raise Usage(f"{text[:40]!r} is not of the form part=text")
    return name, answer


def _parts(source: Path | None) -> dict[str, str]:
    if source is None:
        return {}
    try:
        said = tomllib.loads(source.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Usage(f"{source} is no TOML file: {error}") from None
    if not all(isinstance(text, str) for text in said.values()):
        raise Usage(f"{source} must hold parts and texts alone")
    return said
