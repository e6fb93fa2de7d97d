"""Words of context near places: which of many vocabularies says something in front of a place or behind it.

The words of all texts are looked up at once, and phrases followed from word to word. A text that normalisation or case
folding would change in length is read word by word.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from trustplane.data.recognisers.codes import Mask, Signs
from trustplane.data.recognisers.headers import LONGEST_PHRASE, Words, runs, words
from trustplane.data.searching.batch import LETTER, Batch, Places


@dataclass(frozen=True, slots=True)
class Window:
    """Characters, and words, in front of and behind a find in which a word of its context counts, if it stands there whole."""

    before: int
    words_before: int
    after: int
    words_after: int


NEAR, RIGHT_AFTER = Window(60, 8, 30, 4), Window(30, 3, 0, 0)
_LOWER, _UPPER, _DIGIT, _BEYOND = 1, 2, 3, 4

_SMALL = np.frombuffer(bytes(range(256)).lower(), np.uint8).astype(np.uint32)


def _kinds() -> Signs:
    kinds = np.zeros(256, np.uint8)
    for kind, first, last in ((_DIGIT, "0", "9"), (_UPPER, "A", "Z"), (_LOWER, "a", "z")):
        kinds[ord(first) : ord(last) + 1] = kind
    kinds[LETTER] = _BEYOND
    return kinds


_KINDS = _kinds()


@dataclass(frozen=True)
class _Written:
    """The words of a batch: where each starts and ends, and so the run of letters and digits that it is part of."""

    starts: Places
    ends: Places
    run_starts: Places
    run_ends: Places
    inside: Mask
    """Whether a place stands within a word."""

    @classmethod
    def of(cls, signs: Signs) -> "_Written":
        kind = np.concatenate([np.zeros(1, np.uint8), _KINDS[signs]])
        here, left, right = kind[1:], kind[:-1], np.concatenate([kind[2:], np.zeros(1, np.uint8)])
        cased = (here == _LOWER) | (here == _UPPER)
        parts = (
            ((here == _UPPER) & ((left == _LOWER) | (left == _DIGIT) | ((left == _UPPER) & (right == _LOWER))))
            | ((here == _DIGIT) & ((left == _LOWER) | (left == _UPPER)))
            | (cased & (left == _DIGIT))
        )
        begins, stops = (here > 0) & (left == 0), (here == 0) & (left > 0)
        starts, ends = np.flatnonzero(begins | parts), np.flatnonzero(stops | parts)
        opened, closed = np.flatnonzero(begins), np.flatnonzero(stops)
        run = np.searchsorted(opened, starts, "right") - 1
        return cls(starts, ends, opened[run], closed[run], (here > 0) & (left > 0) & ~parts)


@dataclass(frozen=True)
class _Said:
    """Phrases in a batch: the word that each begins with, how many words it has, and which it is."""

    first: Places
    words: Places
    phrase: Places


class Context:
    """Several vocabularies of phrases."""

    def __init__(self, vocabularies: Sequence[frozenset[Words]]) -> None:
        self._vocabularies = vocabularies
        known = sorted(phrase for phrase in frozenset().union(*vocabularies) if 0 < len(phrase) <= LONGEST_PHRASE)
        self._member = np.array([[phrase in each for each in vocabularies] for phrase in known], np.bool_)
        self._member = self._member.reshape(len(known), len(vocabularies))
        used = sorted({word for phrase in known for word in phrase})
        self._words = pa.array([word.encode("utf-8", "surrogatepass") for word in used], pa.binary())
        number = {word: at for at, word in enumerate(used)}
        nodes: dict[tuple[int, int], int] = {}
        ends: dict[int, int] = {}
        for at, phrase in enumerate(known):
            node = 0
            for word in phrase:
                node = nodes.setdefault((node, number[word]), len(nodes) + 1)
            ends[node] = at
        self._width = max(1, len(used))
        keys = sorted((node * self._width + word, child) for (node, word), child in nodes.items())
        self._keys, self._children = np.array(keys, np.int64).reshape(-1, 2).T
        self._ends = np.full(len(nodes) + 1, -1, np.int64)
        self._ends[list(ends)] = list(ends.values())

    def said(self, batch: Batch, starts: Places, ends: Places, window: Window = NEAR) -> Mask:
        """Which vocabularies have a phrase in the window of each find, shape (finds, vocabularies)."""
        near = np.zeros((len(starts), len(self._vocabularies)), np.bool_)
        if not len(starts) or not len(self._keys):
            return near
        text, last = batch.text_at(starts), len(batch.signs) - 1
        written = _Written.of(batch.signs)
        odd = _odd(batch)[text] | written.inside[starts] | written.inside[np.minimum(ends, last)]
        said = self._phrases(batch, written)
        if len(said.first):
            low = np.searchsorted(written.run_starts, np.maximum(starts - window.before, batch.starts[text]), "left")
            high = np.searchsorted(written.ends, starts, "right")
            self._mark(near, said, np.maximum(low, high - window.words_before), high)
            low = np.searchsorted(written.starts, ends, "left")
            high = np.searchsorted(written.run_ends, np.minimum(ends + window.after, batch.ends[text]), "right")
            self._mark(near, said, low, np.minimum(high, low + window.words_after))
        for at in np.flatnonzero(odd).tolist():
            start = batch.starts[text[at]]
            phrases = said_near(batch.texts[text[at]], int(starts[at] - start), int(ends[at] - start), window)
            near[at] = [not each.isdisjoint(phrases) for each in self._vocabularies]
        return near

    def _mark(self, near: Mask, said: _Said, low: Places, high: Places) -> None:
        """Mark the vocabularies of the phrases that lie within the words from ``low`` up to ``high`` of each find."""
        begin = np.searchsorted(said.first, low, "left")
        count = np.maximum(np.searchsorted(said.first, high, "left") - begin, 0)
        find = np.repeat(np.arange(len(low)), count)
        at = np.arange(len(find)) - np.repeat(np.cumsum(count) - count, count) + begin[find]
        whole = said.first[at] + said.words[at] <= high[find]
        find, at = find[whole], at[whole]
        if len(find):
            edges = np.flatnonzero(np.concatenate([[True], find[1:] != find[:-1]]))
            near[find[edges]] |= np.logical_or.reduceat(self._member[said.phrase[at]], edges, axis=0)

    def _phrases(self, batch: Batch, written: _Written) -> _Said:
        """The known phrases that stand in a batch, by the word that they begin with."""
        if not len(written.starts):
            return _Said(*np.empty((3, 0), np.int64))
        number = self._numbered(batch, written)
        first = np.flatnonzero(number >= 0)
        node, found = np.zeros(len(first), np.int64), []
        for length in range(1, LONGEST_PHRASE + 1):
            word = number[np.minimum(first + length - 1, len(number) - 1)]
            key = np.where((word < 0) | (first + length > len(number)), -1, node * self._width + word)
            at = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
            there = self._keys[at] == key
            first, node = first[there], self._children[at[there]]
            ends = self._ends[node]
            found.append(np.stack([first[ends >= 0], np.full(np.count_nonzero(ends >= 0), length), ends[ends >= 0]]))
        said = np.concatenate(found, axis=1)
        return _Said(*said[:, np.argsort(said[0], kind="stable")])

    def _numbered(self, batch: Batch, written: _Written) -> npt.NDArray[np.int64]:
        """The number of each word, -1 for those that no phrase holds."""
        folded, places = _folded(batch)
        bounds = places[np.stack([written.starts, written.ends], axis=1).ravel()].astype(np.int32)
        # Words and what stands between them, in turns: an array over the folded text itself.
        both = pa.Array.from_buffers(
            pa.binary(), len(bounds) - 1, [None, pa.py_buffer(bounds.tobytes()), pa.py_buffer(folded)]
        )
        found = pc.index_in(both.take(pa.array(np.arange(0, len(bounds), 2))), value_set=self._words)
        number: npt.NDArray[np.int64] = found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return number


def _folded(batch: Batch) -> tuple[bytes, Places]:
    """All texts in lower case as UTF-8, and where in it each sign starts; signs that would grow stay as they are."""
    if batch.whole.isascii():
        return batch.whole.lower().encode("ascii"), np.arange(len(batch.whole) + 1)
    beyond = batch.code_points >= LETTER
    points, which = np.unique(batch.code_points[beyond], return_inverse=True)
    folds = [chr(each).casefold() for each in points.tolist()]
    lower = np.array([ord(f) if len(f) == 1 else p for f, p in zip(folds, points.tolist(), strict=True)], np.uint32)
    made = _SMALL[np.minimum(batch.code_points, LETTER)]
    made[beyond] = lower[which]
    sizes = 1 + (made >= 0x80).astype(np.int64) + (made >= 0x800) + (made >= 0x10000)
    text = made.tobytes().decode("utf-32-le", "surrogatepass").encode("utf-8", "surrogatepass")
    return text, np.concatenate([[0], np.cumsum(sizes)])


def _odd(batch: Batch) -> Mask:
    """Texts that form NFKC or case folding change in length."""
    if batch.whole.isascii():
        return np.zeros(len(batch.texts), np.bool_)
    return np.array([not text.isascii() and _is_odd(text) for text in batch.texts], np.bool_)


def _is_odd(text: str) -> bool:
    return not unicodedata.is_normalized("NFKC", text) or len(text.casefold()) != len(text)


def said_near(text: str, start: int, end: int, window: Window = NEAR) -> frozenset[Words]:
    """The phrases of a text in the window of the find from ``start`` up to ``end``."""
    first, last = max(0, start - window.before), min(len(text), end + window.after)
    while 0 < first < start and text[first - 1].isalnum() and text[first].isalnum():
        first += 1
    while end < last < len(text) and text[last].isalnum() and text[last - 1].isalnum():
        last -= 1
    before, after = words(text[first:start]), words(text[end:last])
    return runs(before[-window.words_before :]) | runs(after[: window.words_after])
