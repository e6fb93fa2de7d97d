"""The values of a column as codes: letters and digits without what people write between them, laid out for numpy.

A code is a value in upper case without spaces, points, hyphens and slashes. Codes of one length form a matrix of bytes,
one row each, so that a form is a table lookup and a check digit is one product with its weights.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

Signs = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

BETWEEN = r"[ ./-]"
"""What people write between the signs of a number."""
LONGEST = 40
_WRITTEN = 2 * LONGEST
_DIGITS = "0123456789"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_KINDS = {"#": _DIGITS, "@": _LETTERS, "*": _DIGITS + _LETTERS}
_PLAIN = np.arange(256, dtype=np.uint8)
_PLAIN[ord("a") : ord("z") + 1] -= 32
_PLAIN[0] = 1  # no sign of any code
_PLAIN[np.frombuffer(b" ./-", np.uint8)] = 0
_PART = re.compile(r"\[([^\]]+)\]|(.)")


class Codes:
    """The codes of a column's distinct values, by length. Values longer than :data:`LONGEST` are no codes."""

    def __init__(self, values: Any, *, fractions: bool = False) -> None:
        """Lay out ``values`` (:class:`pyarrow.StringArray`); with ``fractions``, a point parts a number, not its groups."""
        short = values.filter(pc.less_equal(pc.binary_length(values), _WRITTEN))
        if fractions:
            short = short.filter(pc.invert(pc.match_substring(short, ".")))
        data, ends = _PLAIN[bytes_of(short)], np.cumsum(pc.binary_length(short).to_numpy(zero_copy_only=False))
        kept, bounds = data != 0, np.concatenate([[0], ends])
        if kept.all():
            bare = data
        else:
            bare, bounds = data[kept], np.concatenate([[0], np.cumsum(kept, dtype=np.int32)])[bounds]
        lengths = np.diff(bounds)
        self._by_length: dict[int, Signs] = {}
        for length in np.unique(lengths[(lengths > 0) & (lengths <= LONGEST)]).tolist():
            starts = bounds[:-1][lengths == length]
            self._by_length[length] = bare[starts[:, None] + np.arange(length)]

    def of_length(self, length: int) -> Signs:
        """The codes of ``length``, shape (count, length)."""
        return self._by_length.get(length, np.empty((0, length), np.uint8))

    @cached_property
    def digits_only(self) -> dict[int, Signs]:
        """The codes that consist of digits, by length."""
        return {length: signs[is_digit(signs).all(axis=1)] for length, signs in self._by_length.items()}

    def padded(self, length: int, most: int) -> Signs:
        """Digits that are up to ``most`` signs short of ``length``, with zeros in front.

        A number that was once read as an integer has lost the zeros it began with.
        """
        parts = [
            np.concatenate([np.full((len(signs), length - short), ord("0"), np.uint8), signs], axis=1)
            for short, signs in self.digits_only.items()
            if length - most <= short < length
        ]
        return np.concatenate(parts) if parts else np.empty((0, length), np.uint8)


@dataclass(frozen=True)
class Shape:
    """A form of fixed length: ``#`` a digit, ``@`` a letter, ``*`` either, ``[...]`` one of these, else the sign itself."""

    text: str

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The signs that may stand at each place."""
        return tuple(
            "".join(_spread(several)) if several else _KINDS.get(one, one) for several, one in _PART.findall(self.text)
        )

    @cached_property
    def length(self) -> int:
        """Signs of a code of this form."""
        return len(self.places)

    @cached_property
    def numeric(self) -> bool:
        """Whether it consists of digits."""
        return all(set(place) <= set(_DIGITS) for place in self.places)

    @cached_property
    def _allowed(self) -> Mask:
        table = np.zeros((self.length, 256), np.bool_)
        for at, place in enumerate(self.places):
            table[at, np.frombuffer(place.encode("ascii"), np.uint8)] = True
        return table

    def fits(self, signs: Signs, *, digits: bool = False) -> Mask:
        """Which of the codes, shape (count, length), have this form; ``digits`` says that they consist of digits."""
        fits = np.ones(len(signs), np.bool_)
        for at, allowed in enumerate(self._allowed):
            if not (digits and self.places[at] == _DIGITS):
                fits &= allowed[signs[:, at]]
        return fits

    def drawn(self, count: int, generator: np.random.Generator) -> Signs:
        """Random codes of this form, each place uniform."""
        columns = [
            generator.choice(np.frombuffer(place.encode("ascii"), np.uint8), count).astype(np.uint8)
            for place in self.places
        ]
        return np.stack(columns, axis=1)

    @cached_property
    def pattern(self) -> str:
        """The form as a regular expression for running text, with what people write between the signs."""
        places = [f"[{re.escape(place)}{re.escape(place.lower())}]" for place in self.places]
        return f"{BETWEEN}?".join(places)


def is_digit(signs: Signs) -> Mask:
    """Which signs are ASCII digits."""
    mask: Mask = (signs >= ord("0")) & (signs <= ord("9"))
    return mask


def signs_of(codes: list[str]) -> Signs:
    """Codes of one length as a matrix; for tests and for single values."""
    return np.frombuffer("".join(codes).encode("ascii"), np.uint8).reshape(len(codes), -1)


def _spread(text: str) -> str:
    """``A-D`` as ``ABCD``, as often as it occurs."""
    ranges = re.sub(r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), text)
    return "".join(dict.fromkeys(ranges))


def bytes_of(array: Any) -> Signs:
    """The bytes of a string array's values, one after the other."""
    if len(array) == 0:
        return np.empty(0, np.uint8)
    _, offsets, data = array.buffers()
    bounds = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    if data is None:
        return np.empty(0, np.uint8)
    return np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]]
