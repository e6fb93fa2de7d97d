"""``trustplane request``."""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from trustplane.cli.context import Usage, working
from trustplane.cli.output import details, emit, follow, say, table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Requests of data subjects.")
Id = Annotated[str, typer.Argument(help="The id of the request.")]
_PAIR = re.compile(r"([A-Za-z_][\w.-]*)=(.+)\Z")


@app.command("open")
def open_(
    kind: Annotated[str, typer.Argument(help="access, erasure, rectification, restriction, portability or objection.")],
    person: Annotated[
        Path,
        typer.Option(help="A file of what the person is called, a line each, as value or column=value; - for stdin."),
    ] = Path("-"),
    received: Annotated[str | None, typer.Option(help="The day when it came, as 2026-11-24; now without one.")] = None,
) -> None:
    """Take a request. What the person is called is read from a file, so that it is in no history and no list of processes.

    echo C00007 | trustplane request open erasure
    """
    if str(person) == "-" and sys.stdin.isatty():
        say("What is the person called? One value a line, then Ctrl-D.")
    text = sys.stdin.read() if str(person) == "-" else person.read_text()
    named = [_named(line.strip()) for line in text.splitlines() if line.strip()]
    if not named:
        raise Usage("say what the person is called, one value a line")
    with working() as (_, project):
        made = project.requests.open(kind, named, received=_day(received))

    def show() -> None:
        say(f"took the request {made.id} for {made.kind}; the answer is due on {made.due[:10]}")
        say(f"next: record how the person was identified: trustplane request verify {made.id} --how '…'")

    emit(made, show)


@app.command("list")
def list_() -> None:
    """The requests of the project."""
    with working() as (_, project):
        rows = project.requests.list()
    shown = [("request", "id"), ("kind", "kind"), ("state", "state"), ("due", "due"), ("overdue", "overdue")]
    emit({"items": rows}, lambda: table(rows, shown, "no request yet: trustplane request open KIND"))


@app.command("show")
def show_(request: Id) -> None:
    """A request: its clock, what was erased, and what that reached."""
    with working() as (_, project):
        found = project.requests.get(request)

    def show() -> None:
        details(
            found,
            ["id", "kind", "state", "received", "due", "overdue", "delayed", "verified", "ground", "answer", "failure"],
        )
        if found.erased:
            say("")
            erased = [
                ("what", "kind"),
                ("of", "dataset"),
                ("version", "version"),
                ("rows erased", "rows"),
                ("event", "event"),
            ]
            table(found.erased, erased)
        if found.reached:
            say("")
            table(
                found.reached,
                [("kind", "kind"), ("name", "name"), ("id", "id"), ("outcome", "outcome"), ("until", "until")],
            )

    emit(found, show)


@app.command()
def verify(request: Id, how: Annotated[str, typer.Option(help="How the person was identified.")]) -> None:
    """Record how the person was identified. Nothing is searched, given or erased before."""
    with working() as (_, project):
        made = project.requests.verify(request, how)
    emit(made, lambda: say(f"the person of {request} was identified"))


@app.command()
def extend(request: Id, ground: Annotated[str, typer.Option(help="A ground that the law names.")]) -> None:
    """Take two further months."""
    with working() as (_, project):
        made = project.requests.extend(request, ground)
    emit(made, lambda: say(f"the answer is due on {made.due[:10]} now; tell the person why"))


@app.command()
def find(request: Id) -> None:
    """In how many rows of which versions the person stands, and in how many answers of models. Nothing is decrypted."""
    with working() as (_, project):
        rows = project.requests.find(request)
    shown = [("what", "kind"), ("of", "dataset"), ("version", "version"), ("rows", "rows")]
    emit(
        {"items": rows},
        lambda: table(rows, shown, "the person stands in no dataset of the project and in no answer of a model"),
    )


@app.command()
def export(request: Id, out: Annotated[Path, typer.Option("--out", "-o", help="A .json or .csv file.")]) -> None:
    """Write everything that is held of the person to a file. That you did is recorded."""
    kind = out.suffix.removeprefix(".")
    if kind not in {"json", "csv"}:
        raise Usage("the export is written as .json or .csv")
    with working() as (_, project):
        project.requests.export(request, out, kind)
    emit({"file": str(out)}, lambda: say(f"wrote {out}"))


@app.command()
def erase(request: Id) -> None:
    """Erase the person from every dataset of the project."""
    with working() as (_, project):
        follow(project.requests.erase(request), "erasing")
        done = project.requests.get(request)

    def show() -> None:
        versions = [e for e in done.erased if e["kind"] == "rows"]
        answers = sum(e["rows"] for e in done.erased if e["kind"] != "rows")
        also = f" and {answers} answers of models" if answers else ""
        rows = sum(e["rows"] for e in versions)
        say(f"erased {rows} rows from {len(versions)} versions{also}; the keys of what was are destroyed")
        for event in dict.fromkeys(e["event"] for e in done.erased):
            say(f"receipt: trustplane ledger prove {event}")
        left = [r for r in done.reached if r["outcome"] is None]
        if left:
            say(f"{len(left)} models and runs were made with these rows; decide what becomes of each:")
            for each in left:
                say(f"  {each['name']}: trustplane request outcome {request} {each['id']} OUTCOME --reason '…'")

    emit(done, show)


@app.command()
def outcome(
    request: Id,
    thing: Annotated[str, typer.Argument(help="The id of the model version or run.")],
    outcome: Annotated[
        str, typer.Argument(help="not_affected, anonymous, retrain_by, unlearned, suppressed or retired.")
    ],
    reason: Annotated[str, typer.Option(help="Why.")],
    until: Annotated[str | None, typer.Option(help="By when, as 2026-12-24.")] = None,
    evidence: Annotated[str, typer.Option(help="The event or digest of an assessment.")] = "",
) -> None:
    """Record what becomes of a model or run that an erased person's rows went into."""
    with working() as (_, project):
        made = project.requests.decide(request, thing, outcome, reason=reason, until=_day(until), evidence=evidence)
    emit(made, lambda: say(f"{thing}: {outcome}"))


@app.command()
def answer(request: Id, said: Annotated[str, typer.Option("--said", help="What the person was told.")]) -> None:
    """Close the request. What the person is called is forgotten with its key."""
    with working() as (_, project):
        made = project.requests.answer(request, said)
    emit(made, lambda: say(f"the request {request} is answered"))


@app.command()
def refuse(
    request: Id,
    ground: Annotated[str, typer.Option(help="A ground that the law names.")],
    said: Annotated[str, typer.Option("--said", help="What the person was told.")],
) -> None:
    """Refuse the request on a ground that the law names."""
    with working() as (_, project):
        made = project.requests.refuse(request, ground, said)
    emit(made, lambda: say(f"the request {request} is refused: {made.ground}"))


def _named(line: str) -> str | dict[str, str]:
    pair = _PAIR.match(line)
    return line if pair is None else {"column": pair[1], "value": pair[2]}


def _day(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise Usage(f"{text[:40]!r} is no day: write it as 2026-11-24") from None
