"""What reads running text as a whole: a model that marks names, places or dates where a pattern cannot.

Entry points of the group ``trustplane.readers`` name a class that makes a reader. A reader does no I/O after it is made,
keeps no state, raises for no text, and takes time linear in the characters; ``tests/conformance/test_readers.py`` states it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Protocol

from trustplane.values.errors import Unavailable

GROUP = "trustplane.readers"


@dataclass(frozen=True, slots=True)
class Span:
    """One find: the characters from ``start`` up to ``end`` of a text are an ``entity``, with a score in [0, 1]."""

    start: int
    end: int
    entity: str
    score: float


class Reader(Protocol):
    """Something that marks spans of several entities in texts."""

    @property
    def entities(self) -> frozenset[str]:
        """The entities that it marks, by Presidio's names where there is one."""
        ...

    def read(self, texts: Sequence[str]) -> Iterable[Sequence[Span]]:
        """The spans of each text, as many answers as texts, in their order."""
        ...


def installed_readers() -> tuple[Reader, ...]:
    """Every installed reader, in the order of their names. Raise ``Unavailable`` (TP-DATA-017) for one that cannot be loaded."""
    made = []
    for point in sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value)):
        try:
            reader: Reader = point.load()()
            if not callable(reader.read):
                raise TypeError
        except (ImportError, AttributeError, TypeError) as error:
            raise Unavailable(
                "TP-DATA-017", f"the reader {point.name!r} cannot be loaded from {point.value!r}"
            ) from error
        made.append(reader)
    return tuple(made)
