"""Which reader is for which format."""

from collections.abc import Callable, Mapping

from trustplane.training.runtimes.boosters import catboost, lightgbm, xgboost
from trustplane.training.runtimes.boosters.sound import Booster, Unsound

READERS: Mapping[str, Callable[[bytes], Booster]] = {
    "catboost": catboost.read,
    "lightgbm": lightgbm.read,
    "xgboost": xgboost.read,
}


def booster(data: bytes, form: str) -> Booster | None:
    """What a file of a format holds; ``None`` where it holds no boosted trees that are known here."""
    if form not in READERS:
        return None
    try:
        return READERS[form](data)
    except Unsound:
        return None
