"""What a runtime is: bytes of an admitted format in, a loaded model out."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Loaded(Protocol):
    """A model that is ready to answer."""

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs by name, each an array whose first dimension is that of the inputs."""
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
