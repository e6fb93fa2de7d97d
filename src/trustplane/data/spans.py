"""Personal data in running text: the recognisers of columns, applied to what stands in sentences.

Numbers are found without patterns: runs of tokens that could be one number become codes, and each kind of number judges
all codes of all texts at once. A check digit that one number in ten passes says little in a sentence, so such a number
counts only near a word of its context.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate

import numpy as np

from trustplane.data.recognisers.codes import LONGEST, signs_of
from trustplane.data.recognisers.contract import Recogniser, TextForm, TextRecogniser
from trustplane.data.recognisers.headers import Words, runs, words
from trustplane.data.recognisers.numbers import Number
from trustplane.data.recognisers.readers import Reader, Span, installed_readers
from trustplane.data.recognisers.registry import installed_recognisers

__all__ = ["LEAST_SCORE", "Span", "SpanFinder"]

LEAST_SCORE = 0.5
BEFORE, AFTER = 60, 30
"""Characters in front of and behind a find in which a word of its context counts."""
WEAK, CLOSE = 0.1, 30
"""The score of a form that says nothing by itself, and in how many characters before it a word of its context counts."""
STRONG = 0.02
"""A number of which so few codes pass by chance needs no context."""
_TOKENS = 9
_TOKEN = re.compile(r"[0-9A-Za-z]+")
_LETTERS = 6
_SHORTEST = 7
_ESCAPED = re.compile(r"\\[nrt]")
"""Line breaks as logs and JSON write them: they end a number as others do, and are as long as what stands for them here."""
_JOINT = frozenset(" ./-")
_END = "\n\0\n"


@dataclass(frozen=True, slots=True)
class _Find:
    text: int
    span: Span


class SpanFinder:
    """Finds what the recognisers and readers know in texts; by default all that are installed."""

    def __init__(
        self, recognisers: Sequence[Recogniser] | None = None, readers: Sequence[Reader] | None = None
    ) -> None:
        used = installed_recognisers() if recognisers is None else tuple(recognisers)
        self._readers = installed_readers() if readers is None else tuple(readers)
        self._numbers = [each for each in used if isinstance(each, Number)]
        self._forms: list[tuple[str, TextForm, re.Pattern[str]]] = []
        for each in used:
            form = each.in_text() if isinstance(each, TextRecogniser) else None
            if form is not None:
                self._forms.append((each.descriptor.entity, form, re.compile(form.pattern)))
                if form.weak:
                    loose = replace(form, pattern=form.weak, score=WEAK, weak="")
                    self._forms.append((each.descriptor.entity, loose, re.compile(form.weak)))

    @property
    def entities(self) -> frozenset[str]:
        """The entities that it can find."""
        read = (reader.entities for reader in self._readers)
        numbers = (each.descriptor.entity for each in self._numbers)
        return frozenset().union(numbers, (entity for entity, _, _ in self._forms), *read)

    def find(self, texts: Sequence[str]) -> list[tuple[Span, ...]]:
        """The spans of each text, in their order, none within or across another."""
        found: list[list[Span]] = [[] for _ in texts]
        plain = [_ESCAPED.sub("\n\n", text) if "\\" in text else text for text in texts]
        for find in (*self._by_form(plain), *self._by_code(plain)):
            if find.span.score >= LEAST_SCORE:
                found[find.text].append(find.span)
        sure = [_apart(spans) for spans in found]
        for reader in self._readers:
            read = zip(texts, sure, reader.read(texts), strict=True)
            sure = [_with(text, spans, more) if more else spans for text, spans, more in read]
        return sure

    def _by_form(self, texts: Sequence[str]) -> Iterator[_Find]:
        """All texts as one, each form searched once."""
        whole = _END.join(texts)
        starts = [0, *accumulate(len(text) + len(_END) for text in texts)]
        for entity, form, pattern in self._forms:
            if form.gate and not any(sign in whole for sign in form.gate):
                continue
            for match in pattern.finditer(whole):
                if form.valid is not None and not form.valid(match[0]):
                    continue
                at = bisect_right(starts, match.start()) - 1
                start, end = match.start() - starts[at], match.end() - starts[at]
                if end > len(texts[at]):
                    continue
                near = _right_after if form.score < LEAST_SCORE else _near
                score = form.score + (1 - form.score) * 0.5 if near(texts[at], start, end, form.context) else form.score
                yield _Find(at, Span(start, end, entity, score))

    def _by_code(self, texts: Sequence[str]) -> Iterator[_Find]:
        """Codes of one length, from all texts, as one matrix."""
        places: dict[int, list[tuple[int, int, int]]] = {}
        codes: dict[int, list[str]] = {}
        for at, text in enumerate(texts):
            for start, end, code in _codes(text):
                places.setdefault(len(code), []).append((at, start, end))
                codes.setdefault(len(code), []).append(code)
        for length, group in codes.items():
            signs = signs_of(group)
            for number in self._numbers:
                if all(shape.length != length for shape in number.shapes):
                    continue
                for row in np.flatnonzero(number.valid(signs)).tolist():
                    at, start, end = places[length][row]
                    yield _Find(at, Span(start, end, number.descriptor.entity, _score(number, texts[at], start, end)))


def _score(number: Number, text: str, start: int, end: int) -> float:
    strong = not number.named and (number.rarity <= STRONG or (number.check is None and number.chance <= STRONG))
    if _near(text, start, end, number.names):
        return 0.96 if strong else 0.9
    if _near(text, start, end, number.also):
        return 0.85 if strong else 0.6
    return 0.7 if strong else 0.4


def _codes(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and code of every run of up to nine tokens with one separator between two of them."""
    tokens = [(m.start(), m.end(), m[0]) for m in _TOKEN.finditer(text) if _of_code(m[0])]
    for first, (start, _, _) in enumerate(tokens):
        if start and (text[start - 1].isalnum() or text[start - 1] in "_@"):
            continue
        code, last = "", start
        for begin, end, token in tokens[first : first + _TOKENS]:
            code += token.upper()
            if (last != start and (begin != last + 1 or text[last] not in _JOINT)) or len(code) > LONGEST:
                break
            last = end
            if (
                len(code) >= _SHORTEST
                and len(set(code)) > 1
                and not (end < len(text) and (text[end].isalnum() or text[end] in "_@"))
            ):
                yield start, end, code


def _of_code(token: str) -> bool:
    """Whether a token can be part of a code: it holds a digit, or a few capital letters."""
    if len(token) > LONGEST:
        return False
    return not token.isalpha() or (len(token) <= _LETTERS and token.isupper())


def _near(text: str, start: int, end: int, context: frozenset[Words]) -> bool:
    """Whether a word or phrase of the context stands near a place."""
    folded = _folded(text)
    if not any(word in folded for word in _firsts(context)):
        return False
    return not context.isdisjoint(_said_near(text[max(0, start - BEFORE) : start], text[end : end + AFTER]))


def _right_after(text: str, start: int, _end: int, context: frozenset[Words]) -> bool:
    """Whether one of the three words in front of a place is of the context."""
    return not context.isdisjoint(runs(words(text[max(0, start - CLOSE) : start])[-3:]))


@lru_cache(4096)
def _folded(text: str) -> str:
    """The text as its words are compared."""
    return unicodedata.normalize("NFKC", text).casefold()


@lru_cache(512)
def _firsts(context: frozenset[Words]) -> tuple[str, ...]:
    """The words that phrases begin with: where none stands anywhere in a text, none of the phrases does."""
    return tuple({phrase[0] for phrase in context})


@lru_cache(4096)
def _said_near(before: str, after: str) -> frozenset[Words]:
    return runs(words(before)[-8:]) | runs(words(after)[:4])


def _apart(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The surest spans, the longer of equally sure ones, of which no two overlap."""
    starts: list[int] = []
    chosen: list[Span] = []
    for span in sorted(spans, key=lambda each: (-each.score, each.start - each.end, each.start, each.entity)):
        at = bisect_left(starts, span.start)
        if (not at or chosen[at - 1].end <= span.start) and (at == len(starts) or span.end <= starts[at]):
            starts.insert(at, span.start)
            chosen.insert(at, span)
    return tuple(chosen)


def _with(text: str, sure: tuple[Span, ...], more: Iterable[Span]) -> tuple[Span, ...]:
    """The sure spans, and of each other span the longest part that none of them covers."""
    ends, starts, made = [each.end for each in sure], [each.start for each in sure], list(sure)
    for span in _apart(each for each in more if each.score >= LEAST_SCORE):
        among = sure[bisect_right(ends, span.start) : bisect_left(starts, span.end)]
        stops = [*(each.start for each in among), span.end]
        begins = [span.start, *(each.end for each in among)]
        start, end = max(zip(begins, stops, strict=True), key=lambda gap: gap[1] - gap[0])
        while among and start < end and not text[start].isalnum():
            start += 1
        while among and start < end and not text[end - 1].isalnum():
            end -= 1
        if start < end:
            made.append(Span(start, end, span.entity, span.score))
    return tuple(sorted(made, key=lambda each: each.start))
