"""What a token looks like and what stands around it, as places in a table of weights (feature hashing, Weinberger et al. 2009).

Every feature of every token is a number of 64 bits made of the word, its beginning and end, its shape, whether a list
knows it, and the same of its neighbours; its highest bits are the row of its weights.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trustplane.data.recognisers.names.tokens import BREAK, DIGIT, LOWER, SIGN, UPPER, Tokens

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]
_LONGEST = 24
"""Signs of a word that count."""
_ODD = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(29)
_NOTHING = np.uint64(0x51ED270B)


def mixed(values: Hashes) -> Hashes:
    """Values spread over 64 bits."""
    spread = (values ^ (values >> _SHIFT)) * _STEP
    return (spread ^ (spread >> np.uint64(32))) * _ODD


def both(one: Hashes, other: Hashes) -> Hashes:
    """Two features as one, their order kept."""
    return mixed(one * _STEP + other)


@dataclass(frozen=True, slots=True)
class Looks:
    """What single tokens look like: one hash each of the word, the word in its case, its ends, shape and lists."""

    low: Hashes
    word: Hashes
    heads: tuple[Hashes, ...]
    tails: tuple[Hashes, ...]
    shape: Hashes
    size: Hashes
    lists: Hashes
    cased: Hashes


def of_word(word: str) -> int:
    """The hash of a word as the lists hold it."""
    codes = np.frombuffer(word.lower()[:_LONGEST].encode("utf-32-le"), np.uint32).astype(np.uint64)
    return int(_digest(codes, np.zeros(1, np.int64), np.arange(len(codes), dtype=np.uint64))[0] >> np.uint64(32))


def _digest(codes: Hashes, starts: Rows, places: Hashes) -> Hashes:
    return mixed(np.add.reduceat(mixed(codes + (places + np.uint64(1)) * _ODD), starts))


def looks(found: Tokens, lists: Mapping[str, npt.NDArray[np.uint32]]) -> Looks:
    """The looks of all tokens. ``lists`` are sorted hashes of known words."""
    sizes = found.ends - found.starts
    kept = np.minimum(sizes, _LONGEST)
    begin = np.cumsum(kept) - kept
    within = np.arange(int(kept.sum())) - np.repeat(begin, kept)
    at = np.repeat(found.starts, kept) + within
    places = within.astype(np.uint64)
    low = _digest(found.lower[at].astype(np.uint64), begin, places)
    word = _digest(found.codes[at].astype(np.uint64), begin, places)
    shape = _shapes(found, sizes, at, begin)
    digits = found.kinds[found.starts] == DIGIT
    low, word = np.where(digits, shape, low), np.where(digits, shape, word)
    return Looks(
        low,
        word,
        tuple(_edge(found, sizes, shape, length, tail=False) for length in (2, 3, 4)),
        tuple(_edge(found, sizes, shape, length, tail=True) for length in (1, 2, 3, 4)),
        shape,
        mixed(np.minimum(sizes, 12).astype(np.uint64) + np.uint64(7)),
        _known(low, lists),
        _cased(found),
    )


def _known(low: Hashes, lists: Mapping[str, npt.NDArray[np.uint32]]) -> Hashes:
    """One bit for each list, in the order of their names."""
    short, bits = (low >> np.uint64(32)).astype(np.uint32), np.zeros(len(low), np.uint64)
    for bit, name in enumerate(sorted(lists)):
        known = lists[name]
        at = np.minimum(np.searchsorted(known, short), len(known) - 1)
        bits |= (known[at] == short).astype(np.uint64) << np.uint64(bit)
    return bits


def _edge(found: Tokens, sizes: Rows, shape: Hashes, length: int, *, tail: bool) -> Hashes:
    """The hash of the first or last signs in lower case; of a shorter word, of all of it."""
    total = np.full(len(sizes), np.uint64(length + 100 * tail))
    last = max(len(found.lower) - 1, 0)
    for step in range(length):
        place = found.ends - 1 - step if tail else found.starts + step
        sign = np.where(step < sizes, found.lower[np.clip(place, 0, last)].astype(np.uint64), _NOTHING)
        total = both(total, sign)
    return np.where(found.kinds[found.starts] == DIGIT, shape, total)


def _shapes(found: Tokens, sizes: Rows, at: Rows, begin: Rows) -> Hashes:
    """Letters: how they are cased, and roughly how many. Digits: how many, and about which number. Signs: themselves."""
    first = found.kinds[found.starts]
    kinds = found.kinds[at]
    uppers = np.add.reduceat((kinds == UPPER).astype(np.int64), begin) if len(begin) else sizes
    lowers = np.add.reduceat((kinds == LOWER).astype(np.int64), begin) if len(begin) else sizes
    value = np.zeros(len(sizes), np.int64)
    for step in range(4):
        sign = found.codes[np.minimum(found.starts + step, max(len(found.codes) - 1, 0))].astype(np.int64) - 48
        value = np.where(step < sizes, value * 10 + sign, value)
    letters = (
        (uppers > 0) * 1
        + (lowers > 0) * 2
        + ((first == UPPER) & (uppers == 1)) * 4
        + (uppers > 1) * 8
        + (sizes == 1) * 16
    )
    year = (sizes == 4) & (value >= 1880) & (value < 2060)
    number = np.minimum(sizes, 7) * 4 + (value <= 12) + (value <= 31) + (value > 0)
    number = np.where(sizes == 4, 40 + year, number)
    sign = found.codes[found.starts].astype(np.int64)
    made = np.where(first == DIGIT, 100 + number, np.where(first == SIGN, 1000 + sign, letters))
    return mixed(np.where(first == BREAK, 99, made).astype(np.uint64) + np.uint64(1))


def _cased(found: Tokens) -> Hashes:
    """How the whole text of a token is cased: 0 both ways, 1 never in capitals, 2 only in capitals."""
    texts = len(found.offsets)
    place = np.searchsorted(found.offsets, np.arange(len(found.codes)), "right") - 1
    upper = np.bincount(place[found.kinds == UPPER], minlength=texts)
    lower = np.bincount(place[found.kinds == LOWER], minlength=texts)
    return np.where(upper == 0, 1, np.where(lower * 4 < upper, 2, 0)).astype(np.uint64)[found.text]


def features(look: Looks, text: npt.NDArray[np.int64], bits: int) -> Iterator[Rows]:
    """For each feature its row in a table of ``2**bits`` rows, one for each token. Neighbours are of the same text."""
    shift = np.uint64(64 - bits)
    low, shape, lists = (_beside(values, text) for values in (look.low, look.shape, look.lists))
    tails = _beside(look.tails[2], text)
    alone: list[tuple[Hashes, ...]] = [(low[0],), (look.word,), *((part,) for part in (*look.heads, *look.tails))]
    alone += [(shape[0], look.size), (shape[0], look.cased), (lists[0], look.cased), (lists[0], shape[0])]
    beside: list[tuple[Hashes, ...]] = [
        part for by in (-2, -1, 1, 2) for part in ((low[by],), (shape[by], look.cased), (lists[by],))
    ]
    beside += [(tails[-1],), (tails[1],), (lists[-3],), (lists[3],)]
    for by in (-1, 1):
        beside += [(low[by], shape[0]), (low[by], lists[0]), (lists[by], lists[0], look.cased), (shape[by], shape[0])]
        beside += [(lists[2 * by], lists[by], shape[0]), (lists[by], shape[by], shape[0])]
    several: list[tuple[Hashes, ...]] = [
        *((low[-1], low[0]), (low[0], low[1]), (low[-2], low[-1], shape[0]), (low[-2], low[-1]), (low[1], low[2])),
        *((low[-3], low[-2], low[-1]), (low[-1], shape[0], low[1]), (lists[-1], shape[0], lists[1])),
        *((shape[-1], shape[0], shape[1]), (shape[-2], shape[-1], shape[0]), (shape[0], shape[1], shape[2])),
        *((shape[-3], shape[-2], shape[-1], shape[0]), (shape[0], shape[1], shape[2], shape[3])),
        (lists[-1], lists[0], lists[1], shape[0]),
    ]
    for number, parts in enumerate([*alone, *beside, *several]):
        yield (_joined(number, parts) >> shift).astype(np.int64)
    for by in (-4, -3, -2, -1, 1, 2, 3):  # wherever near it the word stands
        yield (_joined(1000 + (by > 0), (low[by],)) >> shift).astype(np.int64)


def _joined(number: int, parts: tuple[Hashes, ...]) -> Hashes:
    total = np.full(len(parts[0]), np.uint64(number))
    for part in parts:
        total = both(total, part)
    return total


def _beside(values: Hashes, text: npt.NDArray[np.int64]) -> dict[int, Hashes]:
    """The values of the neighbours from four before to three after; of no token where the text ends."""
    made = {0: values}
    for by in range(1, 5):
        before, after = np.full((2, len(values)), _NOTHING)
        if by < len(values):
            same = text[by:] == text[:-by]
            before[by:] = np.where(same, values[:-by], _NOTHING)
            after[:-by] = np.where(same, values[by:], _NOTHING)
        made[-by], made[by] = before, after
    return made
