"""Codes in running text: runs of tokens that could be one number, and the kinds of number that they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from trustplane.data.recognisers.codes import LONGEST, Signs
from trustplane.data.recognisers.numbers import Number
from trustplane.data.searching.batch import LETTER, Batch, Places
from trustplane.data.searching.sieve import Sieve, bits_of, pieces

_TOKENS = 9
_LETTERS = 6
_SHORTEST = 7


def _table(signs: bytes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.isin(np.arange(256), list(signs))


_ALNUM = _table(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_DIGIT = _table(b"0123456789")
_LOWER = _table(b"abcdefghijklmnopqrstuvwxyz")
_JOINT = _table(b" ./-")
_BESIDE = _table(bytes([LETTER]) + b"_@")
_UPPER = np.frombuffer(bytes(range(256)).upper(), np.uint8)


@dataclass(frozen=True)
class Runs:
    """Runs of up to nine tokens with one separator between two of them: their places, and their codes in ``bare``."""

    starts: Places
    ends: Places
    lengths: Places
    bare: Signs
    offsets: Places

    def codes(self, which: Places, length: int) -> Signs:
        """The codes of some runs, all of one length."""
        signs: Signs = self.bare[self.offsets[which][:, None] + np.arange(length)]
        return signs


def runs(batch: Batch) -> Runs:
    """All runs whose codes are neither too short nor too long and that nothing continues."""
    signs = batch.signs
    starts, ends = _tokens(signs)
    sizes = ends - starts
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    bare = _UPPER[signs[np.repeat(starts - offsets[:-1], sizes) + np.arange(offsets[-1])]]
    joined = np.zeros(len(starts), np.bool_)
    joined[:-1] = (starts[1:] == ends[:-1] + 1) & _JOINT[signs[ends[:-1]]]
    closed = ~_BESIDE[signs[ends]]
    first = np.flatnonzero(~_BESIDE[signs[starts - 1]])
    found: list[tuple[Places, Places]] = []
    for more in range(_TOKENS):
        length = offsets[first + more + 1] - offsets[first]
        first, length = first[length <= LONGEST], length[length <= LONGEST]
        whole = first[(length >= _SHORTEST) & closed[first + more]]
        found.append((whole, whole + more))
        first = first[joined[first + more]]
    one, last = (np.concatenate(each) for each in zip(*found, strict=True))
    return Runs(starts[one], ends[last], offsets[last + 1] - offsets[one], bare, offsets[one])


def _tokens(signs: Signs) -> tuple[Places, Places]:
    """Starts and ends of the tokens that can be part of a code: they hold a digit, or are a few capital letters."""
    inside = np.concatenate([[False], _ALNUM[signs]])
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    starts, ends = edges[::2], edges[1::2]
    digits, lower = (np.concatenate([[0], np.cumsum(kind[signs], dtype=np.int32)]) for kind in (_DIGIT, _LOWER))
    numeric, capital = digits[ends] > digits[starts], lower[ends] == lower[starts]
    sizes = ends - starts
    of_code = (sizes <= LONGEST) & (numeric | (capital & (sizes <= _LETTERS)))
    return starts[of_code], ends[of_code]


class NumberSearch:
    """Which runs are numbers of which kinds: all codes of one length at once."""

    def __init__(self, numbers: Sequence[Number]) -> None:
        shapes = [(at, shape) for at, number in enumerate(numbers) for shape in number.shapes]
        self._numbers = numbers
        self._sieves: dict[int, list[tuple[Sieve, dict[int, np.uint64]]]] = {}
        for length in sorted({shape.length for _, shape in shapes}):
            of_length = [each for each in shapes if each[1].length == length]
            for piece in pieces(len(of_length)):
                of, chosen = zip(*of_length[piece], strict=True)
                bits = {one: bits_of([at for at, each in enumerate(of) if each == one]) for one in dict.fromkeys(of)}
                self._sieves.setdefault(length, []).append((Sieve(chosen), bits))

    def find(self, found: Runs) -> Iterator[tuple[int, Places]]:
        """Kinds of number, by their place in the sequence, and the runs that are such numbers."""
        for length, sieves in self._sieves.items():
            which = np.flatnonzero(found.lengths == length)
            if not len(which):
                continue
            codes = found.codes(which, length)
            for sieve, kinds in sieves:
                fitting = sieve.rows(codes)
                fitting[(codes == codes[:, :1]).all(axis=1)] = 0
                for at, bits in kinds.items():
                    rows, check = np.flatnonzero(fitting & bits), self._numbers[at].check
                    if check is not None and len(rows):
                        rows = rows[check(codes[rows])]
                    if len(rows):
                        yield at, which[rows]
