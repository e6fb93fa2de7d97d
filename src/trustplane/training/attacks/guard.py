"""The model as an attack may ask it: counted, checked, and never past the deadline."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.contract import Score
from trustplane.values.errors import BadInput

Floats = npt.NDArray[np.float64]
BATCH = 32_768


class OutOfTime(BaseException):
    """The time is up. It is no :class:`Exception`, so that an attack that swallows errors ends all the same."""


@dataclass(slots=True)
class Meter:
    """What was asked so far, and until when may be asked: a time of ``clock`` in seconds."""

    deadline: float
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    queries: int = 0

    @property
    def left(self) -> float:
        """Seconds until the deadline; 0 after it."""
        return max(0.0, self.deadline - self.clock())


def guarded(score: Score, meter: Meter) -> Score:
    """``score`` in batches, until the deadline; raise :class:`BadInput` (TP-RUN-043) for what is no probability."""

    def asked(rows: Floats) -> Floats:
        parts = []
        for start in range(0, len(rows), BATCH):
            if not meter.left:
                raise OutOfTime
            part = rows[start : start + BATCH]
            meter.queries += len(part)
            parts.append(probabilities(score(part), len(part)))
        if not meter.left:
            raise OutOfTime
        return np.concatenate(parts) if parts else np.zeros(0)

    return asked


def probabilities(said: object, rows: int) -> Floats:
    """What a model said of ``rows`` rows as numbers from 0 to 1; raise :class:`BadInput` (TP-RUN-043) where it is something else."""
    try:
        scores = np.asarray(said, np.float64)
    except (TypeError, ValueError):
        scores = np.zeros(0)
    if scores.shape != (rows,):
        raise BadInput(
            "TP-RUN-043", "the model does not give one number for each row", why=f"shape {scores.shape} for {rows} rows"
        )
    if not np.isfinite(scores).all() or (rows and (scores.min() < -1e-6 or scores.max() > 1 + 1e-6)):
        raise BadInput(
            "TP-RUN-043", "the model gives something else than probabilities", why="a score is NaN or not from 0 to 1"
        )
    return np.clip(scores, 0.0, 1.0)


def run_until(work: Callable[[], None], meter: Meter) -> bool:
    """Do ``work`` in a thread of its own and wait no longer than the deadline; return whether it came to an end.

    What hangs is left behind and ends when it asks the model next; a thread cannot be ended from outside. What it raises is raised here.
    """
    raised: list[BaseException] = []

    def body() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised again where somebody waits for it
            raised.append(error)

    thread = threading.Thread(target=body, daemon=True, name="attack")
    thread.start()
    thread.join(meter.left)
    if raised and not isinstance(raised[0], OutOfTime):
        raise raised[0]
    return not thread.is_alive() and not raised
