"""What a script logged with MLflow, read from the file store that it left in its output; MLflow itself is not needed.

The layout is ``mlruns/<experiment>/<run>/{metrics,params,tags}/<name>`` with one value per file, and for metrics one line
``<milliseconds> <value> <step>`` for each (MLflow's ``FileStore``). Names may hold slashes: they are folders then. A script points
MLflow there with ``MLFLOW_TRACKING_URI``, or by ``mlflow.set_tracking_uri("mlruns")``: the working folder is the output.
"""

import math
from collections.abc import Iterable
from pathlib import Path

from trustplane.training.logged import Logged, fields_of, opened

FOLDER = "mlruns"
_LARGEST_FILE = 4 << 20
_LARGEST_PARAMETER = 8 << 10


def read_store(output: Path, files: Iterable[Path]) -> Logged:
    """The metrics and parameters of every MLflow run below ``output``, of whose ``files`` some are its store's.

    Two MLflow runs in one run of ours (a search over parameters): a name that both use is told apart by the run's number.
    """
    logged = Logged()
    runs: dict[str, int] = {}
    for path in files:
        parts = path.parts
        if len(parts) < 5 or parts[0] != FOLDER or parts[3] not in {"metrics", "params"}:
            continue
        number = runs.setdefault(parts[2], len(runs))
        name = "/".join(parts[4:]) if number == 0 else f"{number}/{'/'.join(parts[4:])}"
        if parts[3] == "params":
            text = opened(output / path, _LARGEST_PARAMETER)
            logged.add_parameter(name, "" if text is None else text.decode("utf-8", "replace"))
        else:
            _take_metric(logged, name, output / path)
    return logged


def _take_metric(logged: Logged, name: str, path: Path) -> None:
    data = opened(path, _LARGEST_FILE) or b""
    for words in fields_of(data.decode("utf-8", "replace")):
        try:
            at, value, step = int(words[0]) / 1000, float(words[1]), int(words[2]) if len(words) > 2 else 0
        except (ValueError, IndexError, OverflowError):
            logged.dropped += 1
            continue
        logged.add_point(name, value if math.isfinite(value) else None, step, at)
