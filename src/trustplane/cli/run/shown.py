"""A run on the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from trustplane.cli.output import details, note, say, table

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 40
_FACTS = (
    *("id", "kind", "script", "entry", "state", "ended", "author", "profile", "sandbox", "code", "git"),
    *("seed", "parameters", "created", "finished"),
)


def show_run(found: Any, series: Mapping[str, Mapping[str, list[Any]]]) -> None:
    """Facts, use, inputs, outputs, figures with their curves, and repetitions."""
    details(found, [name for name in _FACTS if found[name] not in (None, "", {})])
    if found.used:
        say("")
        table([used(found)], [(name, name) for name in ("wall s", "CPU s", "peak MiB", "output MiB")])
    say("")
    table(
        [{"name": n, **i} for n, i in found.inputs.items()],
        [("view", "name"), ("rows", "rows"), ("object", "digest")],
        "no inputs",
    )
    say("")
    told = found.logged.get("artifacts", {}) if found.logged else {}
    table(
        [{"path": p, **o, "what": told.get(p, "")} for p, o in found.outputs.items()],
        [("output", "path"), ("bytes", "size"), ("sha256", "sha256"), ("what it is", "what")],
        "no outputs",
    )
    if found.logged and found.logged.get("parameters"):
        say("")
        details({"it chose": found.logged["parameters"]}, ["it chose"])
    say("")
    _show_metrics(found.metrics, series)
    _show_repetitions(found.repetitions)


def used(found: Any) -> dict[str, float]:
    """What a run used, in the units of people."""
    said = found.used
    return {
        "wall s": said["wall_seconds"],
        "CPU s": said["cpu_seconds"],
        "peak MiB": said["peak_memory_bytes"] / (1 << 20),
        "output MiB": said.get("output_bytes", 0) / (1 << 20),
    }


def _show_metrics(metrics: Mapping[str, float], series: Mapping[str, Mapping[str, list[Any]]]) -> None:
    rows = [
        {"name": name, "last": value, "curve": spark(series[name]["values"]) if name in series else ""}
        for name, value in {**dict.fromkeys(series), **metrics}.items()
    ]
    columns = [("metric", "name"), ("last", "last"), ("over its steps", "curve")]
    table(rows, columns if series else columns[:2], "no metrics")


def _show_repetitions(repetitions: Sequence[Mapping[str, Any]]) -> None:
    if repetitions:
        say("")
        rows = [{**r, "verdict": (r["comparison"] or {}).get("verdict", r["ended"])} for r in repetitions]
        table(rows, [("repetition", "id"), ("state", "state"), ("verdict", "verdict")])


def show_comparison(run: str, facts: Mapping[str, Any]) -> None:
    """How a repetition compares with its run."""
    details({"run": run, **facts}, ["run", "repetition", "verdict"])
    if "outputs" not in facts:
        return
    outputs, metrics = facts["outputs"], facts["metrics"]
    say(f"outputs     {outputs['same']} the same, {len(outputs['different'])} different")
    for path, how in outputs["different"].items():
        say(f"  {path}: {how}")
    say(
        f"metrics     {metrics['same']} equal, {len(metrics['different'])} different, tolerance {facts['tolerance']:.2%}"
    )
    for name, (first, again) in metrics["different"].items():
        beyond = ", beyond the tolerance" if name in facts["beyond"] else ""
        say(f"  {name}: {first} and then {again}{beyond}")
    for name in facts["inputs"]:
        say(f"  the view {name} shows other rows")
    for changed in facts["environment"]:
        say(f"  environment: {changed}")


def spark(values: Sequence[float | None]) -> str:
    """A curve in one line, from the lowest to the highest of its values; a gap where there is no number."""
    numbers = [value for value in values if value is not None]
    if len(numbers) < 2:
        return ""
    chosen = (
        [values[round(n * (len(values) - 1) / (WIDTH - 1))] for n in range(WIDTH)] if len(values) > WIDTH else values
    )
    low, high = min(numbers), max(numbers)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(" " if v is None else BLOCKS[round((v - low) * scale)] for v in chosen)


def show_usage(found: Any) -> None:
    """Totals, and those of each author."""
    rows = [*found.authors, {"author": "in all", **found.total}]
    table(
        rows,
        [
            ("author", "author"),
            ("runs", "runs"),
            ("done", "done"),
            ("failed", "failed"),
            ("wall hours", lambda r: r["wall_seconds"] / 3600),
            ("CPU hours", lambda r: r["cpu_seconds"] / 3600),
            ("highest peak MiB", lambda r: r["peak_memory_bytes"] / (1 << 20)),
            ("output MiB", lambda r: r["output_bytes"] / (1 << 20)),
        ],
    )


def say_why(project: Any, ended: Any) -> None:
    """The last lines that a run printed, unless its end says why by itself."""
    if ended.get("ended", "").startswith("TP-"):
        return
    said = project.runs.log(ended.id)
    for name in ("stdout", "stderr"):
        for line in said[name].splitlines()[-15:]:
            note(f"{name}: {line}")
