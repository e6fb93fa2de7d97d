"""``trustplane assess``."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from trustplane.cli.context import Usage, working
from trustplane.cli.output import emit, follow, say, shown, table
from trustplane.client.files import whole
from trustplane.client.threats import read_text


class _Verbs(TyperGroup):
    """``assess MODEL`` is ``assess run MODEL``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Verbs, add_completion=False, no_args_is_help=True, help="Measure models, and compare what was measured."
)
Model = Annotated[str, typer.Argument(help="The name of the model.")]
Version = Annotated[int | None, typer.Option("--version", help="The version; the newest without one.")]
_SHOWN = 12


@app.command()
def run(
    model: Model,
    version: Version = None,
    seed: Annotated[int, typer.Option(help="The seed of the bootstrap.")] = 0,
    suite: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A suite as 'assess init' drafts it.")
    ] = None,
    check: Annotated[list[str], typer.Option(help="A check to run beside those that always run.")] = [],
    threat: Annotated[
        str | None,
        typer.Option(
            help="A threat model in place of the run's: a file, or NAME or NAME@NUMBER of one that the project keeps."
        ),
    ] = None,
) -> None:
    """Measure a version on its hold-out, with intervals. Exit code 1 if a check fails."""
    rules = _read(suite) if suite else {}
    if check:
        rules["checks"] = [*dict.fromkeys([*rules.get("checks", []), *check])]
    if threat is not None:
        rules["threat"] = _threat(threat)
    with working() as (_, project):
        job = project.models.assess(model, version, seed=seed, suite=rules)
        follow(job, f"assessing {model}")
        found = project.models.version(model, version).assessments
        done = next(a for a in found if a["job"] == job.id)
    emit(done, lambda: _show(done))
    if done["state"] != "done" or any(r["status"] == "failed" for r in done["results"].values()):
        raise typer.Exit(1)


@app.command()
def init(
    model: Model,
    version: Version = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")] = Path("assess.toml"),
) -> None:
    """Draft a suite: every rule with its default and where that comes from, to be made stricter by people."""
    if out.exists():
        raise Usage(f"{out} is there already", "name another file with --out")
    with working() as (_, project):
        text = project.models.draft_suite(model, version)
    with whole(out) as file:
        file.write(text.encode())
    emit({"file": str(out)}, lambda: say(f"wrote {out}; use it with 'trustplane assess {model} --suite {out}'"))


@app.command()
def compare(
    before: Annotated[str, typer.Argument(help="MODEL@VERSION, or a version of the model that AFTER names.")],
    after: Annotated[str, typer.Argument(help="MODEL@VERSION.")],
) -> None:
    """The newest assessments of two versions side by side. Exit code 1 if a check's verdict got worse."""
    model, number = _named(after)
    other, against = _named(before if "@" in before else f"{model}@{before}")
    if other != model:
        raise Usage("two versions of one model are compared")
    with working() as (_, project):
        made = project.models.compare(model, against, number)
    emit(made, lambda: _show_comparison(made))
    if made["worse"]:
        raise typer.Exit(1)


@app.command()
def trend(
    model: Model,
    figure: Annotated[list[str], typer.Option(help="CHECK.FIGURE, as often as wanted.")] = [
        "performance.auc",
        "performance.calibration_error",
        "fairness.parity_ratio",
    ],
) -> None:
    """Figures of the newest assessment of each version."""
    with working() as (_, project):
        points = project.models.trend(model)
    rows = [
        {
            "version": p["version"],
            "figure": f"{check}.{name}",
            "value": value,
            "interval": _interval(result["intervals"].get(name)),
        }
        for p in points
        for check, result in p["results"].items()
        for name, value in result["figures"].items()
        if any(f"{check}.{name}".partition("[")[0] == f or f"{check}.{name}" == f for f in figure)
    ]
    columns = [("figure", "figure"), ("version", "version"), ("value", "value"), ("95 % interval", "interval")]
    emit(
        {"items": points},
        lambda: table(sorted(rows, key=lambda r: (r["figure"], r["version"])), columns, "no version was assessed"),
    )


@app.command()
def report(
    model: Model,
    version: Version = None,
    assessment: Annotated[str | None, typer.Option(help="The id of an assessment; the newest without one.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it here; .html or .json.")] = None,
    rows: Annotated[
        bool,
        typer.Option("--rows", help="Show the first rows that are kept as evidence. That you opened them is recorded."),
    ] = False,
) -> None:
    """Write an assessment as one page that prints well, or as JSON."""
    target = out or Path(f"assessment-{model}.html")
    kind = target.suffix.removeprefix(".")
    if kind not in {"html", "json"}:
        raise Usage("a report is written as .html or .json")
    with working() as (_, project):
        project.models.fetch_report(model, target, version, assessment=assessment, kind=kind, rows=rows)
    emit({"file": str(target)}, lambda: say(f"wrote {target}"))


@app.command()
def evidence(
    assessment: Annotated[str, typer.Argument(help="The id of an assessment.")],
    name: Annotated[str | None, typer.Argument(help="What to open, such as robustness.evasions.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the rows here, as Parquet.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="So many rows are shown.")] = 10,
) -> None:
    """The rows that checks left, kept sealed: which there are, or what changed in them. That you opened them is recorded."""
    if out is not None and name is None:
        raise Usage("name what to write", "see what there is with 'trustplane assess evidence ASSESSMENT'")
    with working() as (_, project):
        if name is None:
            kept = project.models.evidence(assessment)
            emit({"items": kept}, lambda: table(kept, _KEPT, "the assessment keeps no rows"))
        elif out is not None:
            project.models.fetch_evidence(assessment, name, out)
            emit({"file": str(out)}, lambda: say(f"wrote {out}"))
        else:
            rows = project.models.open_evidence(assessment, name, limit)
            emit({"items": rows}, lambda: _show_rows(rows))


_KEPT = [
    ("evidence", "name"),
    ("rows", "rows"),
    ("sealed", "created"),
    ("destroyed", lambda e: e["destroyed"] or ""),
    ("SHA-256", "sha256"),
]


def _show_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line for each change of a row; rows of another form are shown as they are."""
    for row in rows:
        said = {k: v for k, v in row.items() if k != "changes"}
        say(", ".join(f"{k.replace('_', ' ')} {shown(v)}" for k, v in said.items()))
        if "changes" in row:
            table(row["changes"], [("feature", "feature"), ("before", "before"), ("after", "after")])


def _read(suite: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(suite.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Usage(f"{suite} is no TOML file: {error}") from None


def _threat(said: str) -> str:
    """The text of a file; what is none goes to the plane as a name."""
    file = Path(said)
    if file.is_file():
        return read_text(file)
    if file.suffix == ".toml" or file.name != said:
        raise Usage(f"there is no file {said}")
    return said


def _named(text: str) -> tuple[str, int]:
    model, _, number = text.rpartition("@")
    if not model or not number.isdecimal():
        raise Usage(f"{text!r} names no version", "write MODEL@VERSION, such as default-risk@2")
    return model, int(number)


def _show(done: Mapping[str, Any]) -> None:
    if done["ended"]:
        say(done["ended"])
    for check, result in done["results"].items():
        say(f"{check}: {result['status']}, {result['reason']}")
        rows = [
            {"figure": n, "value": v, "interval": _interval(result["intervals"].get(n))}
            for n, v in list(result["figures"].items())[:_SHOWN]
        ]
        if rows:
            table(rows, [("figure", "figure"), ("value", "value"), ("95 % interval", "interval")])
        more = len(result["figures"]) - _SHOWN
        say(f"and {more} more, with --json or in the report\n" if more > 0 else "")
        for name, kept in result.get("evidence", {}).items():
            told = (
                kept if name == "withheld" else f"{kept} {name}: trustplane assess evidence {done['id']} {check}.{name}"
            )
            say(f"{told}\n")


def _show_comparison(made: Mapping[str, Any]) -> None:
    if made["caveat"]:
        say(f"Figures compare with care: {made['caveat']}.")
    table(
        made["checks"],
        [
            ("check", "check"),
            (f"version {made['before']['version']}", "before"),
            (f"version {made['after']['version']}", "after"),
            ("worse", "worse"),
            ("why", "reason"),
        ],
    )
    say("")
    moved = [f for f in made["figures"] if f["apart"]]
    table(
        moved,
        [
            ("figure", lambda f: f"{f['check']}.{f['name']}"),
            ("before", "before"),
            ("after", "after"),
            ("95 % intervals", lambda f: f"{_interval(f['before_interval'])}; {_interval(f['after_interval'])}"),
        ],
        "no figure moved by more than its intervals allow",
    )


def _interval(bounds: list[float] | None) -> str:
    return "" if not bounds else f"{shown(bounds[0])} to {shown(bounds[1])}"
