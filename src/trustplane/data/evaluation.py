"""How well discovery finds personal data in a corpus with known spans: precision, recall and F1 by entity.

A corpus is JSON Lines of ``{"full_text": ..., "spans": [{"start_position", "end_position", "entity_type"}]}``, as
presidio-research writes it. A find is right if its entity is that of a span and both overlap by at least the given share of their
union; each span is found once.

Corpora cut addresses differently: street, town and postal code as one span or as three. Entities that are to be joined are compared
after spans with nothing but spaces and signs between them, those of the corpus and those that were found, have become one.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from trustplane.data.spans import Span, SpanFinder
from trustplane.values.errors import BadInput

OVERLAP = 0.5
_BETWEEN = re.compile(r"(?:[\W_]|\\[nrt]){0,12}")
_AT_ONCE = 5000
_LONGEST_LINE = 64 << 20


class _Gold(msgspec.Struct):
    start_position: int
    end_position: int
    entity_type: str


class _Document(msgspec.Struct):
    full_text: str
    spans: list[_Gold] = []


@dataclass(slots=True)
class Tally:
    """What was found of one entity: right finds, finds in all, and spans that there are."""

    right: int = 0
    found: int = 0
    there: int = 0

    @property
    def precision(self) -> float | None:
        """Right finds of all finds; nothing where nothing was found."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Right finds of all spans; nothing where there are none."""
        return self.right / self.there if self.there else None

    @property
    def f1(self) -> float | None:
        """2 right / (found + there)."""
        return 2 * self.right / (self.found + self.there) if self.found + self.there else None

    def facts(self) -> dict[str, Any]:
        """The figures, rounded."""
        figures = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        rounded = {name: None if value is None else round(value, 4) for name, value in figures.items()}
        return {"spans": self.there, "found": self.found, "right": self.right, **rounded}


@dataclass(slots=True)
class Score:
    """The tallies of a corpus, by entity."""

    texts: int = 0
    characters: int = 0
    by_entity: dict[str, Tally] = field(default_factory=dict)

    def of(self, entity: str) -> Tally:
        """The tally of an entity, made where there is none."""
        return self.by_entity.setdefault(entity, Tally())

    def overall(self, entities: Iterable[str] | None = None) -> Tally:
        """All entities together, or the given ones (micro average)."""
        chosen = [t for e, t in self.by_entity.items() if entities is None or e in entities]
        return Tally(sum(t.right for t in chosen), sum(t.found for t in chosen), sum(t.there for t in chosen))


def score(
    documents: Iterable[tuple[str, Sequence[Span]]],
    finder: SpanFinder,
    overlap: float = OVERLAP,
    join: Collection[str] = (),
) -> Score:
    """Let ``finder`` search texts, and compare with the spans that they hold; spans of entities in ``join`` that adjoin are one."""
    made, held = Score(), list[tuple[str, Sequence[Span]]]()
    for document in documents:
        held.append(document)
        if len(held) >= _AT_ONCE:
            _compare(made, held, finder, overlap, join)
            held.clear()
    _compare(made, held, finder, overlap, join)
    return made


def _compare(
    made: Score, held: Sequence[tuple[str, Sequence[Span]]], finder: SpanFinder, overlap: float, join: Collection[str]
) -> None:
    for (text, marked), finds in zip(held, finder.find([text for text, _ in held]), strict=True):
        gold, found = _joined(text, marked, join), _joined(text, finds, join)
        made.texts += 1
        made.characters += len(text)
        left = list(gold)
        for span in gold:
            made.of(span.entity).there += 1
        for span in found:
            tally = made.of(span.entity)
            tally.found += 1
            match = max(left, key=lambda other: _shared(span, other), default=None)
            if match is not None and _shared(span, match) >= overlap:
                tally.right += 1
                left.remove(match)


def _joined(text: str, spans: Sequence[Span], join: Collection[str]) -> list[Span]:
    """The spans in their order, those of an entity to be joined made one with the one before where no letter or digit lies between."""
    made: list[Span] = []
    for span in sorted(spans, key=lambda each: each.start):
        last = made[-1] if made else None
        if (
            last
            and span.entity in join
            and last.entity == span.entity
            and _BETWEEN.fullmatch(text, last.end, span.start)
        ):
            made[-1] = Span(last.start, max(last.end, span.end), span.entity, min(last.score, span.score))
        else:
            made.append(span)
    return made


def _shared(one: Span, other: Span) -> float:
    """The overlap of two spans of one entity, as a share of their union; 0 for different entities."""
    if one.entity != other.entity:
        return 0.0
    common = min(one.end, other.end) - max(one.start, other.start)
    return max(0, common) / (max(one.end, other.end) - min(one.start, other.start))


def read_corpus(path: Path, aliases: Mapping[str, str]) -> Iterator[tuple[str, tuple[Span, ...]]]:
    """The texts of a corpus with their spans; ``aliases`` gives the corpus's entities our names.

    Raise ``BadInput`` (TP-DATA-090) for a line that is no such record. The line itself is not shown.
    """
    decoder = msgspec.json.Decoder(_Document)
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
            if not line.strip():
                continue
            try:
                document = decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise BadInput(
                    "TP-DATA-090", f"line {number} of the corpus is no record with a text and spans"
                ) from error
            length = len(document.full_text)
            if any(not 0 <= s.start_position < s.end_position <= length for s in document.spans):
                raise BadInput("TP-DATA-090", f"line {number} of the corpus has a span outside of its text")
            spans = (
                Span(s.start_position, s.end_position, aliases.get(s.entity_type, s.entity_type), 1.0)
                for s in document.spans
            )
            yield document.full_text, tuple(spans)


def evaluate(
    path: Path, aliases: Mapping[str, str], overlap: float = OVERLAP, join: Collection[str] = ()
) -> dict[str, Any]:
    """The figures of a corpus: by entity, over all, and over the entities that the installed recognisers know."""
    if not 0 < overlap <= 1:
        raise BadInput("TP-DATA-090", "the overlap lies above 0 and at most at 1")
    finder = SpanFinder()
    made = score(read_corpus(path, aliases), finder, overlap, join)
    known = finder.entities
    rows = [{"entity": e, "known": e in known, **t.facts()} for e, t in sorted(made.by_entity.items())]
    return {
        "texts": made.texts,
        "characters": made.characters,
        "overlap": overlap,
        "joined": sorted(join),
        "entities": rows,
        "overall": made.overall().facts(),
        "overall_known": made.overall(known).facts(),
    }
