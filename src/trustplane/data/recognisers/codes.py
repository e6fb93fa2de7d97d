"""The values of a column as codes: letters and digits without what people write between them, laid out for numpy.

A code is a value in upper case without spaces, points, hyphens and slashes. Codes of one length form a matrix of bytes,
one row each, so that a form is a table lookup and a check digit is one product with its weights.
"""

import re
from collections.abc import Iterable
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
_BETWEEN = b" ./-"
_PLAIN = bytes(range(256)).upper()
_IS_KEPT = ~np.isin(np.arange(256), list(_BETWEEN))
_DIGIT = np.frombuffer(_DIGITS.encode("ascii"), np.uint8)
_PART = re.compile(r"\[([^\]]+)\]|(.)")


@dataclass(frozen=True)
class Crowd:
    """Codes of one length, shape (count, length), and how often each sign stands at each of their places."""

    signs: Signs

    @cached_property
    def tally(self) -> npt.NDArray[np.int64]:
        """Counts of shape (length, 256)."""
        return np.stack([np.bincount(column, minlength=256) for column in self.signs.T])

    @cached_property
    def digits(self) -> "Crowd":
        """Those that consist of digits."""
        least = self.tally[:, _DIGIT].sum(axis=1).min()
        if least == len(self.signs):
            return self
        return Crowd(self.signs[is_digit(self.signs).all(axis=1) if least else np.zeros(len(self.signs), np.bool_)])


class Codes:
    """The codes of a column's distinct values, by length. Values longer than :data:`LONGEST` are no codes."""

    def __init__(self, values: Any, *, fractions: bool = False) -> None:
        """Lay out ``values`` (:class:`pyarrow.StringArray`); with ``fractions``, a point parts a number, not its groups."""
        lengths = pc.binary_length(values)
        short = (
            values if (pc.max(lengths).as_py() or 0) <= _WRITTEN else values.filter(pc.less_equal(lengths, _WRITTEN))
        )
        if fractions:
            short = short.filter(pc.invert(pc.match_substring(short, ".")))
        data = bytes_of(short)
        bounds = np.concatenate([[0], np.cumsum(pc.binary_length(short).to_numpy(zero_copy_only=False))])
        self._bare = np.frombuffer(data.tobytes().translate(_PLAIN, _BETWEEN), np.uint8)
        if len(self._bare) < len(data):
            kept = np.cumsum(_IS_KEPT[data], dtype=np.int32)
            bounds = np.concatenate([np.zeros(1, np.int32), kept])[bounds]
        self._starts, self._lengths = bounds[:-1], np.diff(bounds)
        self._known = frozenset(np.flatnonzero(np.bincount(self._lengths, minlength=1)[: LONGEST + 1]).tolist())
        self._crowds: dict[int, Crowd] = {}
        self._padded: dict[tuple[int, int], Crowd] = {}

    def crowd(self, length: int) -> Crowd:
        """The codes of ``length``, laid out when they are first asked for."""
        if length not in self._known or length == 0:
            return Crowd(np.empty((0, length), np.uint8))
        if length not in self._crowds:
            if len(self._known) == 1 and len(self._bare) == length * len(self._lengths):
                signs = self._bare.reshape(-1, length)
            else:
                starts = self._starts[self._lengths == length]
                signs = np.stack([self._bare[starts + at] for at in range(length)], axis=1)
            self._crowds[length] = Crowd(signs)
        return self._crowds[length]

    def of_length(self, length: int) -> Signs:
        """The codes of ``length``, shape (count, length)."""
        return self.crowd(length).signs

    def padded(self, length: int, most: int) -> Crowd:
        """Digits that are up to ``most`` signs short of ``length``, with zeros in front.

        A number that was once read as an integer has lost the zeros it began with.
        """
        if (length, most) not in self._padded:
            parts = [np.empty((0, length), np.uint8)]
            for short in sorted(self._known.intersection(range(max(1, length - most), length))):
                digits = self.crowd(short).digits.signs
                zeros = np.full((len(digits), length - short), ord("0"), np.uint8)
                parts.append(np.concatenate([zeros, digits], axis=1))
            self._padded[length, most] = Crowd(np.concatenate(parts))
        return self._padded[length, most]


@dataclass(frozen=True)
class Shape:
    """A form of fixed length: ``#`` a digit, ``@`` a letter, ``*`` either, ``[...]`` one of these, else the sign itself."""

    text: str

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The signs that may stand at each place."""
        return tuple(
            "".join(spread(several)) if several else _KINDS.get(one, one) for several, one in _PART.findall(self.text)
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

    def fits(self, signs: Signs) -> Mask:
        """Which of the codes, shape (count, length), have this form."""
        return self._fitting(signs, range(self.length))

    def most(self, crowd: Crowd) -> int:
        """At most how many of a crowd have this form: those that fit where the fewest do."""
        return int(self._fit_at(crowd).min())

    def fits_of(self, crowd: Crowd) -> Mask:
        """Which of a crowd have this form, looking only at places where not all of them fit."""
        return self._fitting(crowd.signs, np.flatnonzero(self._fit_at(crowd) < len(crowd.signs)).tolist())

    def _fit_at(self, crowd: Crowd) -> npt.NDArray[np.int64]:
        counts: npt.NDArray[np.int64] = (crowd.tally * self._allowed).sum(axis=1)
        return counts

    def _fitting(self, signs: Signs, places: Iterable[int]) -> Mask:
        fits = np.ones(len(signs), np.bool_)
        for at in places:
            fits &= self._allowed[at][signs[:, at]]
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


def spread(text: str) -> str:
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
