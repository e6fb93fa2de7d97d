"""Personal data in running text: the recognisers of columns, applied to what stands in sentences.

All texts are searched at once: tables say where something can stand (:mod:`trustplane.data.searching`), and only there a
pattern or a check looks closer. A check digit that one number in ten passes says little in a sentence, so such a number
counts only near a word of its context.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trustplane.data.recognisers.contract import Recogniser, TextForm, TextRecogniser
from trustplane.data.recognisers.numbers import Number
from trustplane.data.recognisers.readers import Reader, Span, installed_readers
from trustplane.data.recognisers.registry import installed_recognisers
from trustplane.data.searching.batch import Batch, Places, batches
from trustplane.data.searching.codes import NumberSearch, runs
from trustplane.data.searching.context import RIGHT_AFTER, Context
from trustplane.data.searching.forms import FormSearch

__all__ = ["LEAST_SCORE", "Span", "SpanFinder"]

LEAST_SCORE = 0.5
STRONG = 0.02
"""A number of which so few codes pass by chance needs no context."""
_NAMED, _SHARED, _ALONE = (0.9, 0.96), (0.6, 0.85), (0.4, 0.7)
"""Scores of weak and of strong numbers: near a name of their own, near one that others share, and by themselves."""
_ESCAPED = re.compile(r"\\[nrt]")
"""Line breaks as logs and JSON write them: they end a number as others do, and are as long as what stands for them here."""


@dataclass(frozen=True, slots=True)
class _Finds:
    """What was found of one entity."""

    entity: str
    starts: Places
    ends: Places
    scores: npt.NDArray[np.float64]

    def spans(self, batch: Batch) -> Iterator[tuple[int, Span]]:
        """Those that score enough, each with the text that it stands in."""
        enough = self.scores >= LEAST_SCORE
        starts, ends, scores = self.starts[enough], self.ends[enough], self.scores[enough].tolist()
        texts = batch.text_at(starts)
        first = batch.starts[texts]
        places = zip(texts.tolist(), (starts - first).tolist(), (ends - first).tolist(), scores, strict=True)
        return ((text, Span(start, end, self.entity, score)) for text, start, end, score in places)


class SpanFinder:
    """Finds what the recognisers and readers know in texts; by default all that are installed."""

    def __init__(
        self, recognisers: Sequence[Recogniser] | None = None, readers: Sequence[Reader] | None = None
    ) -> None:
        used = installed_recognisers() if recognisers is None else tuple(recognisers)
        self._readers = installed_readers() if readers is None else tuple(readers)
        self._numbers = [each for each in used if isinstance(each, Number)]
        self._forms: list[tuple[str, TextForm]] = []
        for each in used:
            form = each.in_text() if isinstance(each, TextRecogniser) else None
            if form is not None:
                self._forms.append((each.descriptor.entity, form))
        self._number_search = NumberSearch(self._numbers)
        self._form_search = FormSearch([form for _, form in self._forms])
        own, shared = [each.names for each in self._numbers], [each.also for each in self._numbers]
        self._weak = [(entity, form.weak) for entity, form in self._forms if form.weak is not None]
        self._weak_search = FormSearch([form for _, form in self._weak])
        self._weak_context = Context([form.context for _, form in self._weak])
        self._context = Context([*(form.context for _, form in self._forms), *own, *shared])

    @property
    def entities(self) -> frozenset[str]:
        """The entities that it can find."""
        read = (reader.entities for reader in self._readers)
        numbers = (each.descriptor.entity for each in self._numbers)
        return frozenset().union(numbers, (entity for entity, _ in self._forms), *read)

    def find(self, texts: Sequence[str]) -> list[tuple[Span, ...]]:
        """The spans of each text, in their order, none within or across another."""
        sure = [spans for batch in batches(unescaped(texts)) for spans in self._sure(batch)]
        for reader in self._readers:
            read = zip(texts, sure, reader.read(texts), strict=True)
            sure = [_with(text, spans, more) if more else spans for text, spans, more in read]
        return sure

    def _sure(self, batch: Batch) -> Iterator[tuple[Span, ...]]:
        found: list[list[Span]] = [[] for _ in batch.texts]
        for finds in self._finds(batch):
            for text, span in finds.spans(batch):
                found[text].append(span)
        return (_apart(spans) if len(spans) > 1 else tuple(spans) for spans in found)

    def _finds(self, batch: Batch) -> Iterator[_Finds]:
        """All finds, also those that score too little or lie across each other."""
        yield from self._scored(batch)
        yield from self._right_after(batch)

    def _scored(self, batch: Batch) -> Iterator[_Finds]:
        """All finds, and what they count beside words of their context."""
        forms, codes = list(self._form_search.find(batch)), runs(batch)
        numbers = list(self._number_search.find(codes))
        used = np.unique(np.concatenate([np.empty(0, np.int64), *(which for _, which in numbers)]))
        starts = np.concatenate([codes.starts[used], *(starts for _, starts, _ in forms)])
        ends = np.concatenate([codes.ends[used], *(ends for _, _, ends in forms)])
        near, done = self._context.said(batch, starts, ends), len(used)
        for at, starts, ends in forms:
            entity, form = self._forms[at]
            named, done = near[done : done + len(starts), at], done + len(starts)
            yield _Finds(entity, starts, ends, np.where(named, form.score + (1 - form.score) * 0.5, form.score))
        for at, which in numbers:
            said, own, strong = near[np.searchsorted(used, which)], len(self._forms) + at, _is_strong(self._numbers[at])
            alone = np.where(said[:, own + len(self._numbers)], _SHARED[strong], _ALONE[strong])
            scores = np.where(said[:, own], _NAMED[strong], alone)
            yield _Finds(self._numbers[at].descriptor.entity, codes.starts[which], codes.ends[which], scores)

    def _right_after(self, batch: Batch) -> Iterator[_Finds]:
        """Weak forms right after a word of their context."""

        def named(at: int, places: Places) -> Places:
            return places[self._weak_context.said(batch, places, places, RIGHT_AFTER)[:, at]]

        for at, starts, ends in self._weak_search.find(batch, named):
            entity, form = self._weak[at]
            yield _Finds(entity, starts, ends, np.full(len(starts), form.score))


def unescaped(texts: Sequence[str]) -> list[str]:
    """The texts with plain line breaks in the place of those that are written out, as long as before."""
    return [_ESCAPED.sub("\n\n", text) if "\\" in text else text for text in texts]


def _is_strong(number: Number) -> bool:
    return not number.named and (number.rarity <= STRONG or (number.check is None and number.chance <= STRONG))


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
