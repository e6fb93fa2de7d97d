"""What a format is: it knows its own files by their content, and reads what a model takes and gives.

``inspect`` raises :class:`Refused` for a file of its kind that is not safe or not sound. Loading an admitted file must never run code that
the file brings. The suite in ``tests/conformance/test_formats.py`` states this as attacks.

A format whose files a scanner judges needs no reader of its own: :class:`~trustplane.release.formats.judged.Judged` asks the scanner.
"""

from dataclasses import dataclass
from typing import Protocol

from trustplane.training.runtimes.contract import Tensor


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a file was found to be. Weights alone take and give nothing."""

    format: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class FormatDescriptor:
    """A plug-in's name, as in its entry point, and its title. ``weights`` where a file holds numbers and no model that answers: it can be
    registered, signed and opened, and neither assessed nor served."""

    name: str
    title: str
    weights: bool = False


class Format(Protocol):
    """A format that models may come in."""

    @property
    def descriptor(self) -> FormatDescriptor:
        """What this format is."""
        ...

    def recognises(self, data: bytes) -> bool:
        """Whether the bytes are laid out like a file of this format; not yet whether they are a sound one."""
        ...

    def inspect(self, data: bytes) -> Inspected:
        """Check a file whole, and read its interface; raise :class:`Refused` if it is not safe or not sound."""
        ...
