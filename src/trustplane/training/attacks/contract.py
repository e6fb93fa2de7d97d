"""What an attack is: it is shown rows, a threat model and a model to ask, and gives rows that it thinks evade.

An attack need not keep to the threat model, nor come back in time: the engine repairs nothing that it gives, has every row judged by
the validator, and goes on without it when the time is up. It draws chance from the seed alone. The suite in
``tests/conformance/test_attacks.py`` states this contract, and every installed plug-in must pass it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.space import Space
from trustplane.training.threats.model import Knowledge

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

Score = Callable[[Floats], Floats]
"""Rows of shape (rows, features) in, the probability of class 1 of shape (rows,) out."""
Gradient = Callable[[Floats], Floats]
"""Rows of shape (rows, features) in, the derivative of the log-odds of class 1 by each feature out, of the same shape."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model as attacks see it. ``gradient`` and ``cuts`` are there where its inside is known.

    ``cuts`` maps a column to the values at which the trees of the model decide otherwise, one on either side of each threshold. ``votes`` says
    that a score is a mean of votes, as in a forest, and not a squashed sum.
    """

    score: Score = field(repr=False)
    threshold: float = 0.5
    gradient: Gradient | None = field(default=None, repr=False)
    cuts: Mapping[int, Floats] | None = field(default=None, repr=False)
    votes: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """What an attack has to do.

    ``origins`` are rows of the class that the attacker wants to leave, of shape (rows, features); ``start`` the nearest to an
    evasion that is known for each, of the same shape. ``background`` are rows of other people, those of the class to be reached first.

    ``score`` counts what it is asked, and raises when the time is up: let it pass. It gives the probability of ``goal.start``, or just 0 and 1
    where the attacker sees labels alone. ``gradient`` is that of the log-odds of the same. ``offer(rows, of)`` hands in rows made of ``origins[of]`` before the attack ends.
    """

    space: Space = field(repr=False)
    origins: Floats = field(repr=False)
    start: Floats = field(repr=False)
    background: Floats = field(repr=False)
    score: Score = field(repr=False)
    offer: Callable[[Floats, Ints], None] = field(repr=False)
    gradient: Gradient | None = field(default=None, repr=False)
    cuts: Mapping[int, Floats] | None = field(default=None, repr=False)
    threshold: float = 0.5
    votes: bool = False
    queries: int = 1000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class AttackDescriptor:
    """A plug-in's name (as in its entry point), what it does in a sentence, and what it must know of the model to be of use."""

    name: str
    about: str
    needs: Knowledge = Knowledge.SCORES


class Attack(Protocol):
    """Something that makes evasions."""

    @property
    def descriptor(self) -> AttackDescriptor:
        """What this attack is."""
        ...

    def run(self, task: Task) -> Floats:
        """One row for each of ``task.origins``: an evasion, or whatever came nearest. ``task.queries`` is what it may ask for each row."""
        ...
