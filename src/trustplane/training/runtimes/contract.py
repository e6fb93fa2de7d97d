"""What a runtime is: bytes of an admitted format in, a loaded model out.

A runtime is given files that the format's inspection let pass, and loads them without running what a file brings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

FEATURES, LABEL, PROBABILITIES, PREDICTIONS = "features", "label", "probabilities", "predictions"
"""What the inputs and outputs of models are called whose format has no names of its own: one row of numbers in, of shape (rows,
features); of classifiers a
label of shape (rows,) and a probability of each class of shape (rows, classes), of regressors a prediction of shape (rows,) or (rows, targets) out."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output: its name, its type in the words of the Open Inference Protocol, its shape with -1 for what varies."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class Loaded(Protocol):
    """A model that is ready to answer, from several threads at once."""

    @property
    def inputs(self) -> Sequence[Tensor]:
        """What it takes."""
        ...

    @property
    def outputs(self) -> Sequence[Tensor]:
        """What it gives."""
        ...

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs by name, each an array whose first dimension is that of the inputs.

        Raises :class:`Unavailable` where the model breaks on them, without a word of what they hold.
        """
        ...


class Runtime(Protocol):
    """Loads models of the formats that it names."""

    @property
    def formats(self) -> Sequence[str]:
        """The formats that it runs."""
        ...

    def load(self, data: bytes) -> Loaded:
        """Load a model; raise :class:`Unavailable` if it cannot be."""
        ...
