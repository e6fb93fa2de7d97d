"""``trustplane model``."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from trustplane.cli.context import Usage, connected, working
from trustplane.cli.output import details, emit, follow, say, table
from trustplane.cli.run.shown import say_why

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Register, sign and look at models.")
Name = Annotated[str, typer.Argument(help="The name of the model.")]
Version = Annotated[int | None, typer.Option("--version", help="The version; the newest without one.")]


@app.command()
def register(
    name: Name,
    run: Annotated[str, typer.Option(help="The run that made it.")],
    artifact: Annotated[str, typer.Option(help="The output to register.")] = "model.onnx",
) -> None:
    """Admit an output of a run as the next version. Only formats that hold no code are admitted, judged by content."""
    with working() as (_, project):
        made = project.models.register(name, run, artifact)
    emit(
        made,
        lambda: details({**made, "name": name}, ["name", "number", "status", "format", "size", "sha256", "author"]),
    )


@app.command()
def convert(
    artifact: Annotated[str, typer.Argument(help="A file here; with --run an output of that run.")],
    run: Annotated[str | None, typer.Option(help="The run that left it.")] = None,
    to: Annotated[str, typer.Option(help="auto, onnx, skops, json, ubj, txt or safetensors.")] = "auto",
    tolerance: Annotated[float, typer.Option(help="How far the answers of both models may lie apart.")] = 1e-5,
    view: Annotated[list[str], typer.Option(help="A view whose rows both models answer.")] = [],
    seed: Annotated[int, typer.Option(help="The seed of rows that are drawn where none are given.")] = 0,
    profile: Annotated[str, typer.Option(help="The most that it may use: strict, research or gpu.")] = "strict",
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for its end.")] = False,
) -> None:
    """Convert a pickle into a format that holds no code, inside the sandbox. It is scanned first, and both models must answer alike.

    trustplane model convert model.pkl
    trustplane model convert model.joblib --run RUN --to skops
    """
    with working() as (_, project):
        started = project.models.convert(
            artifact, run=run, to=to, tolerance=tolerance, views=view, seed=seed, profile=profile
        )
        if detach:
            emit(started, lambda: say(started.id))
            return
        follow(project.runs.job(started.id), f"converting {started.script}")
        ended = project.runs.get(started.id)
        if ended.state != "done":
            say_why(project, ended)
    made = [name for name in ended.outputs if name.startswith("model.")]
    emit(
        ended,
        lambda: details(
            {**ended, "converted": made, "outputs": list(ended.outputs)},
            ["id", "state", "ended", "converted", "metrics", "outputs"],
        ),
    )
    if ended.state != "done":
        raise typer.Exit(1)


@app.command()
def sign(name: Name, version: Version = None) -> None:
    """Sign a version: an in-toto Statement in a DSSE envelope."""
    with working() as (_, project):
        made = project.models.sign(name, version)
    emit(made, lambda: say(f"signed with the key {made.signatures[0]['keyid']}"))


@app.command("list")
def list_() -> None:
    """The models of the project."""
    with working() as (_, project):
        rows = project.models.list()
    columns = [
        ("name", "name"),
        ("version", lambda m: m["newest"]["number"]),
        ("status", lambda m: m["newest"]["status"]),
        ("author", lambda m: m["newest"]["author"]),
        ("signed", lambda m: m["newest"]["signed"]),
    ]
    emit({"items": rows}, lambda: table(rows, columns, "no model yet: trustplane model register NAME --run RUN"))


@app.command("show")
def show_(name: Name, version: Version = None) -> None:
    """A version, with all that was found and decided about it."""
    with working() as (_, project):
        found = project.models.version(name, version)

    def show() -> None:
        details(found, ["model", "number", "status", "author", "run", "format", "size", "sha256", "signed", "created"])
        say("")
        table(found.findings, [("control", "control"), ("status", "status"), ("why", "reason")], "no findings yet")
        say("")
        table(
            found.approvals, [("reviewer", "reviewer"), ("decision", "decision"), ("why", "reason")], "no approval yet"
        )
        if found.waivers:
            say("")
            table(
                found.waivers,
                [("waiver", "id"), ("control", "control"), ("why", "reason"), ("granted by", "granted_by")],
            )

    emit(found, show)


@app.command()
def fetch(name: Name, file: Annotated[Path, typer.Argument(help="Where to.")], version: Version = None) -> None:
    """Fetch the artifact. That you opened it is recorded."""
    with working() as (_, project):
        out = project.models.fetch(name, file, version)
    emit({"file": str(out)}, lambda: say(f"wrote {out}"))


@app.command()
def reasons(
    name: Name,
    row: Annotated[
        Path, typer.Option(help="A JSON file: a row with each feature by its name, or a list of such rows.")
    ],
    version: Version = None,
    counterfactual: Annotated[
        bool, typer.Option("--counterfactual", help="Say too what would turn the decision, within the threat model.")
    ] = False,
) -> None:
    """What a version decides about rows, and the principal reasons where that is unfavourable. That you asked is recorded."""
    rows = _rows(row)
    with working() as (_, project):
        told = project.models.reasons(name, rows, version, counterfactual=counterfactual)

    def show() -> None:
        for number, each in enumerate(told.rows, 1):
            decided = "favourable" if each["favourable"] else "unfavourable"
            say(f"row {number}: {decided}, at a score of {each['score']:.3f}")
            if not each["favourable"]:
                table(each["reasons"], _REASONS, "no reason stands out")
            if each.get("counterfactuals"):
                _show_options(each["counterfactuals"])
        how = "exact" if told.exact else "sampled"
        say(f"{how} contributions ({told.way}), on the basis {told.basis}")

    emit(told, show)


def _show_options(found: Mapping[str, Any]) -> None:
    if found["said"]:
        say(found["said"])
    for number, option in enumerate(found["options"], 1):
        say(f"change {number}, at a cost of {option['cost']:.3g}, for a score of {option['score']:.3f}:")
        table(option["changes"], _CHANGES)


_CHANGES = [
    ("feature", "feature"),
    ("now", "before"),
    ("then", "after"),
    ("said", "text"),
    ("", lambda c: "follows from the others" if c["follows"] else ""),
]
_REASONS = [
    ("reason", "text"),
    ("features", lambda r: ", ".join(r["features"])),
    ("share", lambda r: f"{r['share']:.0%}"),
    ("", lambda r: "cannot be changed" if r["immutable"] else ""),
]


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        said = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError):
        raise Usage(f"{file} cannot be read as JSON") from None
    rows = said if isinstance(said, list) else [said]
    if not all(isinstance(row, dict) for row in rows):
        raise Usage("a row gives each feature by its name")
    return rows


@app.command()
def key() -> None:
    """The public key that verifies the signatures, as PEM."""
    with connected() as client:
        pem = client.signing_key()
    emit({"pem": pem}, lambda: say(pem.rstrip()))
