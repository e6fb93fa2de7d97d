"""What a check is: it is shown what came, what the model said and the groups, and gives figures, intervals and a verdict.

A check does no I/O, keeps no state, draws chance from the seed alone, and raises for no input that fits
:class:`CheckInput`. Where the rows are too few to tell, it says so (``Inconclusive``); it never passes for want of evidence. The suite in
``tests/conformance/test_checks.py`` states this contract, and every installed plug-in must pass it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from trustplane.training.threats.model import ThreatModel
from trustplane.values.findings import status_of
from trustplane.values.outcomes import Inconclusive, Verdict

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.str_]
Matrix = npt.NDArray[np.float32]

Scorer = Callable[[Matrix], Floats]
"""The model: features of shape (rows, features) in, the probability of class 1 of shape (rows,) out."""


@dataclass(frozen=True, slots=True)
class Rows:
    """``features`` has shape (rows, features), ``label`` (rows,) of 0 and 1; ``groups`` maps a column to each row's group.

    ``time`` orders the rows where a suite names a column of it.
    """

    features: Matrix = field(repr=False)
    label: Ints = field(repr=False)
    groups: Mapping[str, Texts] = field(repr=False)
    time: Floats | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Examined:
    """The model itself, for checks that ask it more than the hold-out does.

    ``names`` are those of the features, in the model's order. ``holdout`` are the rows that ``CheckInput`` speaks of, in its order; ``training``
    those that the model learned from, ``None`` where the run did not leave them. ``artifact`` is the model file, of the named ``format``.
    ``threat`` is the threat model of the suite or of the run, ``None`` where neither has one. ``immutable`` are features that nobody can change
    who is decided about, by the wording that the run left.
    """

    score: Scorer = field(repr=False)
    names: tuple[str, ...]
    holdout: Rows
    training: Rows | None
    artifact: bytes = field(repr=False)
    format: str
    threshold: float = 0.5
    threat: ThreatModel | None = field(default=None, repr=False)
    immutable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckInput:
    """The rows of the hold-out as a check sees them; all arrays have shape (rows,).

    ``y_true`` and ``y_pred`` hold 0 and 1, ``y_score`` the probability of 1. ``groups`` maps a column to each row's group.
    ``favourable`` is the class that is good for the person decided about. ``examined`` is the model itself, where it can be asked.
    """

    y_true: Ints = field(repr=False)
    y_score: Floats = field(repr=False)
    y_pred: Ints = field(repr=False)
    groups: Mapping[str, Texts] = field(repr=False)
    favourable: int = 0
    seed: int = 0
    examined: Examined | None = field(default=None, repr=False)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.y_true)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The verdict and what it stands on. ``intervals`` are 95 % intervals of figures by the same names: percentile bootstrap, or exact for shares.

    ``details`` are aggregates that are no single figures, as plain JSON; values of rows have no place there. ``evidence`` are rows that show
    what was found, by a name each, those first that show most: the assessment seals them, and who opens them is recorded.
    """

    verdict: Verdict
    figures: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, pa.Table] = field(default_factory=dict, repr=False)

    def plain(self) -> dict[str, Any]:
        """The result as it is stored: without the rows."""
        return {
            "status": str(status_of(self.verdict)),
            "reason": self.verdict.reason,
            "figures": dict(self.figures),
            "intervals": {name: list(ends) for name, ends in self.intervals.items()},
        } | ({"details": dict(self.details)} if self.details else {})


UNKNOWN_TRAINING = Inconclusive(
    "the rows that the model learned from are not known",
    "have the script write training.parquet in the form of holdout.parquet",
)
"""The word of a check that needs rows which the run did not leave."""


class Stricter(StrEnum):
    """Which way a parameter makes a check harder to pass."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a check's rule: its default, and the law or the convention that this comes from."""

    name: str
    default: float
    stricter: Stricter
    source: str


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A plug-in's name (as in its entry point), what it asks, and the parameters of its rule.

    A check ``on_request`` runs where a suite names it alone: it attacks the model or trains others, and takes minutes.
    """

    name: str
    question: str
    parameters: tuple[Parameter, ...] = ()
    on_request: bool = False


class Check(Protocol):
    """Something that measures one property of a model."""

    @property
    def descriptor(self) -> Descriptor:
        """What this check is."""
        ...

    def run(self, data: CheckInput, parameters: Mapping[str, float]) -> CheckResult:
        """Measure and judge ``data``; ``parameters`` holds every parameter of the descriptor."""
        ...


def laxer(descriptor: Descriptor, used: Mapping[str, float]) -> tuple[str, ...]:
    """The parameters by which a check was easier to pass than by its defaults, or which are not known to have been used."""
    found = []
    for parameter in descriptor.parameters:
        value = used.get(parameter.name)
        if value is None and parameter.stricter is not Stricter.NEITHER:
            found.append(parameter.name)
        elif value is None:
            continue
        elif (parameter.stricter is Stricter.HIGHER and value < parameter.default) or (
            parameter.stricter is Stricter.LOWER and value > parameter.default
        ):
            found.append(parameter.name)
    return tuple(found)
