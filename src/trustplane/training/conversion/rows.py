"""The rows that both models answer: those that came with the run, or rows drawn from between the model's own thresholds."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MOST = 10_000
DRAWN = 2_000
Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Compared:
    """Rows of shape (rows, features), and where they come from."""

    rows: Rows
    source: str
    names: tuple[str, ...] = ()


def rows_for(model: Any, features: int, folder: Path, views: dict[str, Path], seed: int) -> Compared:
    """The first of: a view, the hold-out, the training rows of the source; where none fits, drawn rows."""
    names = _names(model, features, folder)
    known = [(f"the view {name}", path) for name, path in views.items()]
    known += [(name, folder / name) for name in ("holdout.parquet", "training.parquet") if (folder / name).exists()]
    for source, path in known:
        if (rows := _read(path, names, features)) is not None:
            return Compared(rows, source, tuple(names))
    return Compared(
        drawn(model, features, seed), f"drawn from between the model's thresholds, with the seed {seed}", tuple(names)
    )


def _names(model: Any, features: int, folder: Path) -> list[str]:
    said = folder / "features.json"
    if said.exists():
        names = [str(each["name"]) for each in json.loads(said.read_text("utf-8"))]
        if len(names) == features:
            return names
    return [str(name) for name in getattr(model, "feature_names_in_", ())]


def _read(path: Path, names: list[str], features: int) -> Rows | None:
    """The features of the first rows as numbers; None where they are not in it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = next(pq.ParquetFile(path).iter_batches(MOST), None)
    if table is None:
        return None
    chosen = names or [f.name for f in table.schema if pa.types.is_integer(f.type) or pa.types.is_floating(f.type)]
    if len(chosen) != features or not set(chosen) <= set(table.schema.names) or not table.num_rows:
        return None
    try:
        columns = [
            table.column(table.schema.get_field_index(name)).cast(pa.float64()).to_numpy(zero_copy_only=False)
            for name in chosen
        ]
    except (pa.ArrowException, ValueError):
        return None
    rows: Rows = np.column_stack(columns).astype(np.float32)
    return rows


def drawn(model: Any, features: int, seed: int) -> Rows:
    """Rows whose values lie at and around the thresholds of trees; where a feature has none, around nought or its known mean."""
    random = np.random.default_rng(seed)
    cuts: dict[int, list[float]] = {}
    for feature, threshold in thresholds(model):
        cuts.setdefault(feature, []).append(threshold)
    means, scales = _scale(model, features)
    rows = means + scales * random.normal(size=(DRAWN, features)) * random.choice([0.1, 1.0, 3.0], size=(DRAWN, 1))
    for feature, held in cuts.items():
        if feature < features:
            known = np.array([each for each in held if np.isfinite(each)] or [0.0])
            wide = float(known.std()) or max(abs(float(known[0])), 1.0)
            rows[:, feature] = random.choice(known, DRAWN) + random.choice(
                [-1.0, -0.01, 0.01, 1.0], DRAWN
            ) * wide * random.random(DRAWN)
    made: Rows = rows.astype(np.float32)
    return made


def _scale(model: Any, features: int) -> tuple[Any, Any]:
    """Where the first step scales, the rows that it was fitted on are known by mean and spread."""
    for step in [each for _, each in getattr(model, "steps", ())] or [model]:
        for mean, scale in (("mean_", "scale_"), ("center_", "scale_"), ("theta_", "var_")):
            one: Any = getattr(step, mean, None)
            other: Any = getattr(step, scale, None)
            if np.shape(one)[-1:] == (features,) and np.shape(other)[-1:] == (features,):
                return np.atleast_2d(one).mean(0), np.sqrt(
                    np.atleast_2d(other).mean(0)
                ) if mean == "theta_" else np.asarray(other)
    return np.zeros(features), np.ones(features)


def thresholds(model: Any) -> Iterator[tuple[int, float]]:
    """Feature and threshold of the splits of a model's trees."""
    if hasattr(model, "get_booster"):
        model = model.get_booster()
    if hasattr(model, "booster_"):
        model = model.booster_
    if hasattr(model, "trees_to_dataframe"):
        yield from _of_booster(model)
        return
    for step in [each for _, each in getattr(model, "steps", ())][-1:] or [model]:
        yield from _of_sklearn(step)


def _of_booster(model: Any) -> Iterator[tuple[int, float]]:
    try:
        table = model.trees_to_dataframe()
    except Exception:  # noqa: BLE001 - a booster without trees has none; drawn rows are then drawn without them
        return
    name, cut = ("split_feature", "threshold") if "split_feature" in table else ("Feature", "Split")
    order = (
        list(model.feature_name())
        if callable(getattr(model, "feature_name", None))
        else list(model.feature_names or ())
    )
    places = {each: place for place, each in enumerate(order)}
    for feature, threshold in zip(table[name], table[cut], strict=True):
        place = places.get(feature, int(feature[1:]) if isinstance(feature, str) and feature[1:].isdigit() else -1)
        if place >= 0 and isinstance(threshold, int | float) and np.isfinite(threshold):
            yield place, float(threshold)


def _of_sklearn(model: Any) -> Iterator[tuple[int, float]]:
    if hasattr(model, "tree_"):
        split = model.tree_.children_left != -1
        yield from zip(model.tree_.feature[split].tolist(), model.tree_.threshold[split].tolist(), strict=True)
    for stage in getattr(model, "_predictors", ()):
        for predictor in stage:
            nodes = predictor.nodes[predictor.nodes["is_leaf"] == 0]
            yield from zip(nodes["feature_idx"].tolist(), nodes["num_threshold"].tolist(), strict=True)
    for each in np.ravel(np.asarray(getattr(model, "estimators_", ()), dtype=object)):
        yield from _of_sklearn(each)
