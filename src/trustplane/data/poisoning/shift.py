"""A version that is suddenly unlike the last one, by the statistics that both keep."""

import math
from collections.abc import Mapping
from typing import Any

from trustplane.data.poisoning.signs import CHANCE, Sign, surprising
from trustplane.data.statistics import distance

FAR = 0.1
"""A Kolmogorov-Smirnov distance that is a shift, if it is beyond chance too."""
MISSING = 0.1
"""A change of the share of nulls that is a shift."""


def shifts(was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[dict[str, float], list[Sign]]:
    """The columns of the statistics ``now`` that moved far from those of the last version."""
    signs, furthest, looked_at = [], 0.0, 0
    columns = [c for c in now if c in was and now[c].get("rows") and was[c].get("rows")]
    for name in columns:
        old, new = was[name], now[name]
        nulls = new["nulls"] / new["rows"] - old["nulls"] / old["rows"]
        if abs(nulls) > MISSING and _no_chance(old, new, len(columns)):
            words = "more" if nulls > 0 else "fewer"
            said = f"{100 * abs(nulls):.1f} points {words} of the values are missing than in the last version"
            signs.append(Sign("shift", said, name, figures={"nulls": round(nulls, 6)}))
        if not (old.get("numeric") and new.get("numeric")):
            continue
        looked_at += 1
        apart = distance(old["numeric"], new["numeric"])
        furthest = max(furthest, apart)
        if apart > max(FAR, _by_chance(old["numeric"]["finite"], new["numeric"]["finite"], len(columns))):
            said = f"its distribution is {apart:.2f} from that of the last version (Kolmogorov-Smirnov)"
            signs.append(Sign("shift", said, name, figures={"ks": apart}))
    return {"columns": looked_at, "furthest": furthest}, signs


def _no_chance(old: Mapping[str, Any], new: Mapping[str, Any], looks: int) -> bool:
    """Whether so many, or so few, nulls are no chance, the share of the last version being as it was seen but for one row."""
    rows, share = new["rows"], (old["nulls"] + 1) / (old["rows"] + 2)
    more = surprising(new["nulls"], rows, share, looks)
    return more or surprising(rows - new["nulls"], rows, (old["rows"] - old["nulls"] + 1) / (old["rows"] + 2), looks)


def _by_chance(old: int, new: int, looks: int) -> float:
    """The distance that two samples of one distribution pass once in ``1 / CHANCE`` tables (Smirnov 1948, asymptotic)."""
    alpha = CHANCE / max(looks, 1)
    return math.sqrt(-0.5 * math.log(alpha / 2) * (old + new) / (old * new)) if old and new else math.inf
