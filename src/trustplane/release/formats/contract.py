"""What a format is: it knows its own files by their content, and reads what a model takes and gives.

``inspect`` raises :class:`Refused` for a file of its kind that is not safe or not sound. Loading an admitted file must never run code that
the file brings. The suite in ``tests/conformance/test_formats.py`` states this as attacks.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output: its name, its type in the words of the Open Inference Protocol, its shape with -1 for what varies."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a file was found to be."""

    format: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class FormatDescriptor:
    """A plug-in's name, as in its entry point, and its title."""

    name: str
    title: str


class Format(Protocol):
    """A format that models may come in."""

    @property
    def descriptor(self) -> FormatDescriptor:
        """What this format is."""
        ...

    def recognises(self, data: bytes) -> bool:
        """Whether the bytes begin like a file of this format."""
        ...

    def inspect(self, data: bytes) -> Inspected:
        """Check a file whole, and read its interface; raise :class:`Refused` if it is not safe or not sound."""
        ...
