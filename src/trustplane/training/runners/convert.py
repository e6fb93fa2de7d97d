"""``python -m trustplane.training.runners.convert SOURCE``: loads a model, writes it in a format that holds no code, and compares both.

Runs inside the sandbox, where loading may do what it likes. It leaves the model, ``conversion.json``, and what the source run left beside
its model, so that the new run can be registered and assessed as the source could not be.
"""

import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from trustplane.training import log
from trustplane.training.conversion import boosters, estimators
from trustplane.training.conversion.answers import TOLERANCE, Answers, compare
from trustplane.training.conversion.beside import BESIDE, CARRIED
from trustplane.training.conversion.failing import Unconverted
from trustplane.training.conversion.loading import load
from trustplane.training.conversion.rows import Compared, rows_for
from trustplane.training.conversion.tensors import to_safetensors
from trustplane.training.runners.given import given, seed_all

AUTO = "auto"
_LIBRARIES = (
    "scikit-learn",
    "skops",
    "skl2onnx",
    "onnx",
    "xgboost-cpu",
    "xgboost",
    "lightgbm",
    "catboost",
    "torch",
    "safetensors",
    "numpy",
    "joblib",
)
Written = tuple[str, str, bytes, dict[str, Any]]
Way = Callable[[Any, Compared], tuple[bytes, Answers]]
WAYS: dict[str, dict[str, tuple[str, Way]]] = {
    "sklearn": {"onnx": ("model.onnx", estimators.to_onnx), "skops": ("model.skops", estimators.to_skops)},
    "xgboost": {
        "json": ("model.json", lambda model, rows: boosters.to_xgboost(model, rows, "json")),
        "ubj": ("model.ubj", lambda model, rows: boosters.to_xgboost(model, rows, "ubj")),
    },
    "lightgbm": {"txt": ("model.txt", boosters.to_lightgbm)},
    "catboost": {
        "json": ("model.json", lambda model, rows: boosters.to_catboost(model, rows, "json")),
        "onnx": ("model.onnx", lambda model, rows: boosters.to_catboost(model, rows, "onnx")),
    },
}
"""By family, the formats in the order in which they are tried, with the name of the output."""


def main(source: str) -> int:
    """Convert; say what came of it, and 1 where nothing did."""
    told = given()
    seed_all(told.seed)
    path = Path(source)
    try:
        family, model = load(path)
        sys.stdout.write(f"loaded a model of {family}\n")
        log.progress(1, 3, "converting")
        name, kind, data, figures = converted(family, model, told.parameters, told)
    except Unconverted as reason:
        sys.stderr.write(f"not converted: {reason}\n")
        return 1
    log.progress(2, 3, "writing")
    (told.output / name).write_bytes(data)
    facts = {
        "source": {"file": path.name, "sha256": _sha256(path.read_bytes()), "format": family, **_run(told.parameters)},
        "target": {"file": name, "sha256": _sha256(data), "format": kind, "size": len(data)},
        "compared": figures,
        "versions": {"python": platform.python_version(), **dict(_versions())},
    }
    (told.output / "conversion.json").write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n", "utf-8")
    for beside in CARRIED:
        if (told_at := _beside() / beside).exists():
            shutil.copyfile(told_at, told.output / beside)
    for figure in ("largest_difference", "labels_equal"):
        if figure in figures:
            log.metric(figure, figures[figure])
    sys.stdout.write(f"wrote {name}: {json.dumps(figures, sort_keys=True)}\n")
    return 0


def converted(family: str, model: Any, asked: dict[str, Any], told: Any) -> Written:
    """The output's name, its format, its bytes and the figures of the comparison."""
    wanted, tolerance = asked.get("to", AUTO), float(asked.get("tolerance", TOLERANCE))
    if family == "tensors":
        _check_wanted(wanted, ["safetensors"], "what PyTorch wrote")
        data, figures = to_safetensors(model)
        return "model.safetensors", "safetensors", data, figures
    ways = WAYS[family]
    _check_wanted(wanted, list(ways), f"a model of {family}")
    library: Any = estimators if family == "sklearn" else boosters
    compared = rows_for(model, library.features_of(model), _beside(), told.views, told.seed)
    try:
        before = library.ask(model, compared)
    except Exception as error:  # noqa: BLE001 - a model may raise anything on rows that it was not made for
        raise Unconverted(f"the source does not answer rows of numbers: {type(error).__name__}") from None
    reasons = []
    for kind, (name, way) in ways.items():
        if wanted in {AUTO, kind}:
            try:
                data, after = way(model, compared)
                figures = compare(before, after, tolerance)
            except Unconverted as reason:
                sys.stdout.write(f"{kind}: {reason}\n")
                reasons.append(f"{kind}: {reason}")
                continue
            return name, kind, data, {**figures, "rows": len(compared.rows), "from": compared.source, **_classes(model)}
    raise Unconverted("; ".join(reasons))


def _check_wanted(wanted: str, possible: list[str], what: str) -> None:
    if wanted not in {AUTO, *possible}:
        raise Unconverted(f"{what} is converted to {' or '.join(possible)}, not to {wanted[:40]}")


def _classes(model: Any) -> dict[str, Any]:
    """The labels that stand behind the numbers of the classes, where a format keeps numbers alone."""
    held = getattr(model, "classes_", None)
    return {} if held is None else {"classes": [str(each)[:200] for each in list(held)[:1000]]}


def _beside() -> Path:
    return Path(os.environ["TRUSTPLANE_INPUT"]) / BESIDE


def _run(parameters: dict[str, Any]) -> dict[str, Any]:
    return {"run": parameters["source_run"]} if parameters.get("source_run") else {}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _versions() -> list[tuple[str, str]]:
    found = []
    for name in _LIBRARIES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
