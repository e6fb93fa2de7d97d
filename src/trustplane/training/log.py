"""What a script says of itself while it runs: metrics by step, parameters, artifacts, progress.

::

    from trustplane.training import log

    log.parameter("depth", 3)
    for epoch in range(10):
        log.metric("loss", loss, step=epoch)
        log.progress(epoch + 1, 10)
    log.artifact("model.onnx", "the model")

Each call appends one line of JSON to ``log.jsonl`` in the output folder; whoever keeps the run reads it as what a script wrote
(:mod:`trustplane.training.logged`). Standard library only, so that it costs a script nothing. Outside of a run nothing is written.
"""

import json
import os
import threading
import time
from pathlib import Path
from typing import Any, TextIO

FORMAT = "trustplane-log/1"
FILE = "log.jsonl"
LONGEST_NAME = 64
LONGEST_TEXT = 1000

_lock = threading.Lock()
_files: dict[str, TextIO] = {}


def metric(name: str, value: float, step: int | None = None) -> None:
    """A figure, at a step where it has one; without a step each call is the next."""
    number = float(value)  # also what NumPy and PyTorch give
    finite = number == number and abs(number) != float("inf")  # noqa: PLR0124 - NaN is not itself
    _append({"metric": _name(name), "value": number if finite else None, "step": None if step is None else int(step)})


def metrics(values: "dict[str, float]", step: int | None = None) -> None:
    """Several figures at one step."""
    for name, value in values.items():
        metric(name, value, step)


def parameter(name: str, value: str | float | bool) -> None:
    """What the script chose."""
    if not isinstance(value, str | int | float | bool):
        raise TypeError(f"the parameter {name!r} is neither a text, a number nor a truth value")
    _append({"parameter": _name(name), "value": value[:LONGEST_TEXT] if isinstance(value, str) else value})


def artifact(path: "str | os.PathLike[str]", description: str = "") -> None:
    """Say what a file in the output folder is. It is kept anyway; this tells what for."""
    output = os.environ.get("TRUSTPLANE_OUTPUT")
    given = Path(path)
    inside = given.resolve().relative_to(Path(output).resolve()) if output and given.is_absolute() else given
    _append({"artifact": str(inside), "description": description[:LONGEST_TEXT]})


def progress(done: float, total: float | None = None, message: str = "") -> None:
    """How far it is; whoever follows the run sees it."""
    _append({"progress": float(done), "total": None if total is None else float(total), "message": message[:200]})


def _name(name: str) -> str:
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"a name has 1 to {LONGEST_NAME} printable characters")
    return name


def _append(said: dict[str, Any]) -> None:
    folder = os.environ.get("TRUSTPLANE_OUTPUT")
    if folder is None:
        return
    line = json.dumps({**said, "at": round(time.time(), 3)}, allow_nan=False) + "\n"
    with _lock:
        file = _files.get(folder)
        if file is None:
            path = Path(folder, FILE)
            new = not path.exists()
            # Line by line, so that what was said before a crash is there, and lines of several processes do not mix.
            file = _files[folder] = path.open("a", encoding="utf-8", buffering=1)
            if new:
                file.write(json.dumps({"format": FORMAT}) + "\n")
        file.write(line)
