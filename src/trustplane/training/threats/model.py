"""What a threat model says: what may change, how far, at which cost, what must stay true, and what the attacker knows and wants.

Rows are arrays of shape (rows, features) in an order of names that is given beside them; the model itself knows features by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from trustplane.training.threats.expressions import Expression
from trustplane.values.errors import BadInput, nearest

TOLERANCE = 1e-5
"""How far two sides of an equation may lie apart, relative to the larger one or to 1: models compute in float32."""


class Kind(StrEnum):
    """What values a feature has. A ``category`` is a column of a one-hot group."""

    REAL = "real"
    INTEGER = "integer"
    CATEGORY = "category"


class Direction(StrEnum):
    """Which way an attacker can move a feature."""

    ANY = "any"
    UP = "up"
    DOWN = "down"


class Norm(StrEnum):
    """How far a row has moved: over the changes of its features, each divided by the feature's scale."""

    L2 = "l2"
    LINF = "linf"


class Knowledge(StrEnum):
    """What the attacker sees of the model: its decisions, its scores, or its inside too."""

    LABELS = "labels"
    SCORES = "scores"
    WHITE_BOX = "white-box"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature. ``scale`` is the change that counts as 1 in the norm; ``cost`` is what such a change costs the attacker."""

    name: str
    kind: Kind
    mutable: bool
    low: float
    high: float
    direction: Direction = Direction.ANY
    scale: float = 1.0
    cost: float = 1.0


@dataclass(frozen=True, slots=True)
class Group:
    """A one-hot group: exactly one of its columns is 1 and the others are 0."""

    name: str
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Derived:
    """A feature that follows from others: whoever changes those changes it."""

    feature: str
    text: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Relation:
    """What is true of every row that can exist."""

    name: str
    text: str
    expression: Expression
    tolerance: float = TOLERANCE


@dataclass(frozen=True, slots=True)
class Budget:
    """How much an attacker can change: the distance, and where they are given the cost and the number of features."""

    norm: Norm
    distance: float
    cost: float | None = None
    features: int | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """An evasion is a row of the class ``start`` that is scored ``margin`` or more on the other side of the model's threshold."""

    start: int = 1
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class ThreatModel:
    """All of it. A ``draft`` was made by the machine, and nobody has said yet that it is right."""

    name: str
    features: tuple[Feature, ...]
    budget: Budget
    groups: tuple[Group, ...] = ()
    derived: tuple[Derived, ...] = ()
    relations: tuple[Relation, ...] = ()
    knowledge: Knowledge = Knowledge.SCORES
    goal: Goal = Goal()
    draft: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The features in the order of the file."""
        return tuple(f.name for f in self.features)

    @property
    def mutable(self) -> tuple[str, ...]:
        """The features that the attacker moves directly."""
        return tuple(f.name for f in self.features if f.mutable)


def fit(threat: ThreatModel, names: Sequence[str]) -> None:
    """Raise :class:`BadInput` (TP-RUN-042) where the threat model speaks of features that rows with these ``names`` do not have."""
    absent = [n for n in threat.names if n not in set(names)]
    if absent:
        raise BadInput(
            "TP-RUN-042",
            f"the threat model {threat.name!r} speaks of {len(absent)} features that the model does not have",
            why="; ".join(f"{n!r} {nearest(n, list(names))}".strip() for n in absent[:20]),
        )
