"""What an input must be before a model sees it: numbers, within what the model was trained on. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trustplane.values.errors import BadInput
from trustplane.values.outcomes import Failed, Passed

MARGIN = 0.5
"""How far beyond its training range a feature may lie, as a share of the width of the range."""


def by_feature(inputs: Mapping[str, Any], features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The inputs as one column for each feature: of one wide input its columns, of many inputs each one.

    Raise :class:`BadInput` where a value would belong to no feature: nothing would check it, and no record would hold it.
    """
    names = [str(f["name"]) for f in features]
    flat = {name: array.reshape(len(array), -1) for name, array in inputs.items()}
    if len(flat) == 1:
        (wide,) = flat.values()
        if wide.shape[1] == len(names):
            return {name: wide[:, i] for i, name in enumerate(names)}
    elif set(flat) == set(names) and all(array.shape[1] == 1 for array in flat.values()):
        return {name: flat[name][:, 0] for name in names}
    raise BadInput(
        "TP-SERVING-003", "the inputs do not hold one value for each feature", why=f"there are {len(names)} features"
    )


def check(columns: Mapping[str, Any], features: Sequence[Mapping[str, Any]], margin: float = MARGIN) -> Passed | Failed:
    """Whether every value is a finite number within the range of its feature, widened by ``margin`` of its width at both ends.

    The reason names features, never values.
    """
    broken = [name for name, column in columns.items() if column.dtype.kind == "f" and not np.isfinite(column).all()]
    if broken:
        return Failed(f"{_listed(broken)} holds values that are no finite numbers", "send numbers")
    outside = []
    for feature in features:
        low, high, column = feature.get("minimum"), feature.get("maximum"), columns.get(str(feature["name"]))
        if low is None or high is None or column is None:
            continue
        room = margin * ((high - low) or abs(high) or 1.0)
        if (column < low - room).any() or (column > high + room).any():
            outside.append(str(feature["name"]))
    if outside:
        return Failed(
            f"{_listed(outside)} lies far outside of what the model was trained on",
            "check the units and the source of the input",
        )
    return Passed("every value is a number near to what the model was trained on")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
