"""What a recogniser is: it is shown a sample of one column and says what the column holds, how sure it is, and why.

A recogniser judges a column, not a cell: one value that looks like a card number says little, a thousand values of
which all pass the checksum say much. It does no I/O, keeps no state, takes time linear in the size of the sample,
raises for no sample, and never puts a value of the sample into its reason. The suite in
``tests/conformance/test_recognisers.py`` states this contract, and every installed plug-in must pass it.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.codes import Codes, bytes_of
from trustplane.data.recognisers.headers import Words

_PIECE = 65_536


@dataclass(frozen=True)
class ColumnSample:
    """What a recogniser sees of a column.

    ``values`` holds the distinct non-null values of the sample as text (:class:`pyarrow.StringArray`, no nulls),
    trimmed, in Unicode form NFKC, its digits those of ASCII; ``counts`` how often each stands in the sample (int64). ``type`` is the column's
    Arrow type, as Arrow writes it. ``non_null`` counts the non-null values of the whole column, of which the sample is
    a part.
    """

    header: str
    type: str
    values: Any = field(repr=False)
    counts: npt.NDArray[np.int64] = field(repr=False)
    non_null: int

    @classmethod
    def of(cls, header: str, values: Iterable[str | None], arrow_type: str = "string") -> "ColumnSample":
        """The sample that holds all of ``values``."""
        tally = Counter(value for value in values if value is not None)
        counts = np.fromiter(tally.values(), np.int64, len(tally))
        return cls(header, arrow_type, pa.array(list(tally), pa.string()), counts, int(counts.sum()))

    @property
    def distinct(self) -> int:
        """How many distinct values the sample holds."""
        return len(self.values)

    @cached_property
    def sampled(self) -> int:
        """How many values the sample holds, repetitions counted."""
        return int(self.counts.sum())

    @cached_property
    def longest(self) -> int:
        """Bytes of the longest value, 0 without values."""
        return pc.max(pc.binary_length(self.values)).as_py() or 0

    @cached_property
    def signs(self) -> frozenset[str]:
        """The ASCII signs that stand in the values, and an empty one for all others."""
        data, present = bytes_of(self.values), np.zeros(256, np.bool_)
        for at in range(0, len(data), _PIECE):
            present |= np.bincount(data[at : at + _PIECE], minlength=256) > 0
        return frozenset(chr(each) if each < 128 else "" for each in np.flatnonzero(present).tolist())

    @cached_property
    def letters(self) -> bool:
        """Whether a letter stands in the values, or a sign beyond ASCII."""
        return "" in self.signs or any(sign.isalpha() for sign in self.signs)

    def holds(self, several: str) -> bool:
        """Whether one of the signs stands in the values: a cheap question before a dear pattern."""
        return not self.signs.isdisjoint(several)

    @property
    def whole_numbers(self) -> bool:
        """Whether the column was read as numbers, so that zeros in front are lost."""
        return self.type.startswith(("int", "uint", "double", "float"))

    @property
    def fractions(self) -> bool:
        """Whether the column was read as numbers with fractions: at most one point, a sign or two, no groups."""
        return self.type.startswith(("double", "float", "halffloat", "decimal"))

    @cached_property
    def codes(self) -> Codes:
        """The distinct values as codes, without what people write between their signs."""
        return Codes(self.values, fractions=self.fractions)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A recogniser's word on a column.

    ``confidence`` lies in [0, 1]; ``why`` is one plain sentence without any value of the column.
    """

    entity: str
    confidence: float
    why: str

    def __post_init__(self) -> None:
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"a confidence lies between 0 and 1, not at {self.confidence}")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A plug-in's name (as in its entry point) and what it recognises.

    ``entity`` is Presidio's name where Presidio has one. ``countries`` are ISO 3166-1 alpha-2 codes, empty for all of
    them.
    """

    name: str
    entity: str
    klass: SensitivityClass
    countries: tuple[str, ...] = ()
    uses_checksum: bool = False


class Recogniser(Protocol):
    """Something that recognises one kind of personal data."""

    @property
    def descriptor(self) -> Descriptor:
        """What this recogniser is."""
        ...

    def judge(self, column: ColumnSample) -> Judgement | None:
        """What ``column`` holds, or ``None`` when it does not look like this recogniser's kind of data."""
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a form can begin in running text, so that its pattern is tried there alone.

    ``signs`` are :class:`~trustplane.data.recognisers.codes.Shape` texts, one of which every match begins with; without
    any it may begin with whatever sign. ``not_after`` are ASCII signs, with ranges as in ``A-Z``, none of which stands
    directly in front of a match. One of ``marks``, shapes too, stands in every match, with no white space before it.
    """

    signs: tuple[str, ...] = ()
    not_after: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TextForm:
    """How a kind of personal data stands in running text.

    ``pattern`` is for :mod:`re` and takes linear time: repetitions are bounded, and none stands within another.
    ``valid`` looks closer at a match. ``score`` in [0, 1] says how sure a match is by itself; with a word of ``context``
    near it more. A text without any of the letters of ``gate`` holds none. An ``opening`` that promises more than the
    pattern keeps would lose matches; without one the pattern is searched everywhere. A ``weak`` form is a looser one with an
    opening, and counts only right after a word of its context.
    """

    pattern: str
    score: float
    context: frozenset[Words] = frozenset()
    valid: Callable[[str], bool] | None = None
    gate: str = ""
    opening: Opening | None = None
    weak: "TextForm | None" = None


@runtime_checkable
class TextRecogniser(Recogniser, Protocol):
    """A recogniser that also finds its kind of data in running text (:mod:`trustplane.data.spans`)."""

    def in_text(self) -> TextForm | None:
        """How it stands there; ``None`` where a form within text says too little."""
        ...
