"""Check digits, over matrices of codes: each function takes signs of shape (count, length) and says which rows hold.

The definitions are those of the issuing bodies; the tests compare each with an independent implementation.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trustplane.data.recognisers.codes import Mask, Signs

Numbers = npt.NDArray[np.int64]

_VALUES = np.full(256, -1, np.int64)
_VALUES[ord("0") : ord("9") + 1] = range(10)
_VALUES[ord("A") : ord("Z") + 1] = range(10, 36)
_DOUBLED = np.array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9])

# Verhoeff (1969): the multiplication of the dihedral group of order 10 and the powers of its permutation.
_TIMES = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 0, 6, 7, 8, 9, 5], [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        [3, 4, 0, 1, 2, 8, 9, 5, 6, 7], [4, 0, 1, 2, 3, 9, 5, 6, 7, 8], [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        [6, 5, 9, 8, 7, 1, 0, 4, 3, 2], [7, 6, 5, 9, 8, 2, 1, 0, 4, 3], [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ]
)  # fmt: skip
_TURN = np.array([1, 5, 7, 6, 2, 8, 3, 0, 9, 4])

DAYS = np.array([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def values(signs: Signs) -> Numbers:
    """0 to 9 for digits, 10 to 35 for letters, -1 for anything else."""
    return _VALUES[signs]


def number(signs: Signs, start: int, end: int) -> Numbers:
    """The decimal number at places ``start`` up to ``end``, at most 18 of them."""
    return values(signs[:, start:end]) @ (10 ** np.arange(end - start - 1, -1, -1))


def weighted(signs: Signs, weights: Sequence[int]) -> Numbers:
    """The sum of the first values, each times its weight."""
    return values(signs[:, : len(weights)]) @ np.array(weights)


def luhn_sum(signs: Signs) -> Numbers:
    """The sum of ISO/IEC 7812-1 annex B: every second digit from the right is doubled, its digits added."""
    folded = values(signs)
    folded[:, -2::-2] = _DOUBLED[folded[:, -2::-2]]
    return folded.sum(axis=1)


def luhn(signs: Signs) -> Mask:
    """ISO/IEC 7812-1 annex B."""
    return luhn_sum(signs) % 10 == 0


def verhoeff(signs: Signs) -> Mask:
    """Verhoeff's check of decimal numbers."""
    state, turn = np.zeros(len(signs), np.int64), np.arange(10)
    for column in values(signs).T[::-1]:
        state = _TIMES[state, turn[column]]
        turn = _TURN[turn]
    return state == 0


def mod_11_10(signs: Signs) -> Mask:
    """The hybrid system of ISO 7064, MOD 11,10."""
    digits, state = values(signs), np.full(len(signs), 10, np.int64)
    for at in range(signs.shape[1] - 1):
        total = (state + digits[:, at]) % 10
        state = np.where(total == 0, 10, total) * 2 % 11
    return (state + digits[:, -1]) % 10 == 1


def mod_97(signs: Signs, start: int, end: int) -> Numbers:
    """The decimal number at places ``start`` up to ``end``, modulo 97."""
    state = np.zeros(len(signs), np.int64)
    for column in values(signs[:, start:end]).T:
        state = (state * 10 + column) % 97
    return state


def last_is(signs: Signs, expected: Numbers) -> Mask:
    """Whether the last digit is the expected number; one above 9 is never issued."""
    return values(signs[:, -1]) == expected


def letter_is(signs: Signs, at: int, letters: str, index: Numbers) -> Mask:
    """Whether the letter at a place is the one that stands at ``index`` in ``letters``."""
    return signs[:, at] == np.frombuffer(letters.encode("ascii"), np.uint8)[index]


def is_day(day: Numbers, month: Numbers) -> Mask:
    """Whether such a day exists in some year."""
    known = (month >= 1) & (month <= 12)
    return known & (day >= 1) & (day <= DAYS[np.where(known, month, 1) - 1])


def among(numbers: Numbers, *ranges: tuple[int, int]) -> Mask:
    """Whether each lies in one of the ranges, ends included."""
    found = np.zeros(len(numbers), np.bool_)
    for low, high in ranges:
        found |= (numbers >= low) & (numbers <= high)
    return found
