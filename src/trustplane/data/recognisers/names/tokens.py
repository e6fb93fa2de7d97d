"""Texts as tokens, all texts at once and without a loop over characters.

A token is a run of letters, a run of digits, a run of line breaks, or one sign. A backslash with ``n``, ``r`` or ``t`` is a
line break too, as logs and JSON write them. It takes time linear in the characters.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

SPACE, BREAK, SIGN, DIGIT, UPPER, LOWER, LETTER = range(7)
"""The kinds of a character; ``LETTER`` has no case, or is a mark on another letter."""
_PLANE = 0x10000
_BACKSLASH, _NEWLINE, _ESCAPED = ord("\\"), ord("\n"), [ord(sign) for sign in "nrt"]
_GROUP = np.array([0, 1, 2, 3, 4, 4, 4], np.uint8)

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint32]
Kinds = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of several texts, one after the other.

    ``codes``, ``lower`` and ``kinds`` have one entry for each character of all texts joined; ``starts`` and ``ends`` are
    places in them, ``text`` is the text of each token, and ``offsets`` is where each text begins.
    """

    codes: Codes
    lower: Codes
    kinds: Kinds
    starts: Ints
    ends: Ints
    text: Ints
    offsets: Ints


@cache
def _tables() -> tuple[Kinds, Codes]:
    """Kind and lower-case form of every character of the basic plane."""
    signs = [chr(code) for code in range(_PLANE)]
    kinds = np.fromiter(map(_kind, signs), np.uint8, _PLANE)
    lower = np.fromiter((ord(low) if len(low := sign.lower()) == 1 else ord(sign) for sign in signs), np.uint32, _PLANE)
    return kinds, lower


def _kind(sign: str) -> int:
    if sign in "\n\r\x0b\x0c\x85\u2028\u2029":
        return BREAK
    category = unicodedata.category(sign)
    if category == "Nd":
        return DIGIT
    if category[0] == "Z" or category == "Cc":
        return SPACE
    if category[0] in "LM":
        return UPPER if category in {"Lu", "Lt"} else LOWER if category == "Ll" else LETTER
    return SIGN


def tokens(texts: Sequence[str]) -> Tokens:
    """The tokens of the texts. Lone surrogates and signs beyond the basic plane are single signs."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    offsets = np.cumsum(lengths) - lengths
    kinds, lower = _tables()
    beyond = codes >= _PLANE
    safe = np.where(beyond, 0, codes)
    kind, low = np.where(beyond, np.uint8(SIGN), kinds[safe]), np.where(beyond, codes, lower[safe])
    for place in _escaped(codes, offsets):
        kind[place], low[place] = BREAK, _NEWLINE
    group = _GROUP[kind]
    first = np.ones(len(codes), bool)
    first[1:] = (group[1:] != group[:-1]) | (group[1:] == SIGN)
    first[offsets[lengths > 0]] = True
    edges = np.flatnonzero(first)
    ends = np.append(edges[1:], len(codes))[: len(edges)]
    held = group[edges] != SPACE
    starts, ends = edges[held], ends[held]
    return Tokens(codes, low, kind, starts, ends, np.searchsorted(offsets, starts, "right") - 1, offsets)


def _escaped(codes: Codes, offsets: Ints) -> tuple[Ints, Ints]:
    """Where backslashes of written-out line breaks stand, and where their letters."""
    at = np.flatnonzero(codes[:-1] == _BACKSLASH)
    at = at[np.isin(codes[at + 1], _ESCAPED) & ~np.isin(at + 1, offsets)]
    return at, at + 1
