"""The look at a new version while its rows go by on their way to be encrypted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trustplane.data.classes import SensitivityClass
from trustplane.data.poisoning.blocks import Blocks
from trustplane.data.poisoning.labels import Labels
from trustplane.data.poisoning.repeats import Repeats
from trustplane.data.poisoning.shift import shifts
from trustplane.data.poisoning.signs import Sign
from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.statistics import ColumnStatistics, StatisticsCollector, plain_statistics

SEED = 0
MOST_SIGNS = 200
MOST_COLUMNS = 500
"""Columns that are looked at, from the first: a look costs time for each."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the first reading of the rows told, and what is kept of the last version. ``start`` is the first row that is new."""

    schema: Any
    classes: Mapping[str, str]
    statistics: Sequence[ColumnStatistics]
    samples: Sequence[ColumnSample]
    rows: int
    start: int = 0
    label: str = ""
    last: Mapping[str, Any] | None = None
    last_report: Mapping[str, Any] | None = None


class Look:
    """Looks at batches on their way, and tells afterwards what a person has to look at."""

    def __init__(self, known: Known) -> None:
        self._known = known
        shown = known.schema.names[:MOST_COLUMNS]
        kept = [c for c in shown if known.classes[c] != str(SensitivityClass.IDENTIFIER)]
        pairs = zip(known.statistics[:MOST_COLUMNS], known.samples[:MOST_COLUMNS], strict=True)
        judged = [(s, sample) for s, sample in pairs if s.column in kept and s.column != known.label]
        new = known.rows - known.start
        self._room = 1.0
        for statistics, _ in judged:
            self._room = min(self._room * max(statistics.distinct, 1), 1e300)
        self._blocks = Blocks([s for s, _ in judged], [sample for _, sample in judged], new)
        self._repeats = Repeats(kept)
        self._labels = Labels(known.label, kept, new, SEED) if known.label else None
        self._new = StatisticsCollector(known.schema, seed=SEED) if known.start else None
        self._seen = 0

    def over(self, batches: Iterable[Any]) -> Iterator[Any]:
        """The batches, each looked at."""
        for batch in batches:
            self._look(batch)
            yield batch

    def _look(self, batch: Any) -> None:
        self._repeats.add(batch)
        before = max(self._known.start - self._seen, 0)
        self._seen += batch.num_rows
        if before >= batch.num_rows:
            return
        new = batch.slice(before)
        self._blocks.add(new)
        if self._labels is not None:
            self._labels.add(new)
        if self._new is not None:
            self._new.add(new)

    def report(self, statistics: Mapping[str, Any]) -> dict[str, Any]:
        """The figures of every look, and the signs. ``statistics`` are those that the version keeps."""
        known, signs, figures = self._known, [], {}
        figures["repeats"], found = self._repeats.result(self._room)
        signs += found
        figures["blocks"], found = self._blocks.result()
        signs += [_moved(s, known.start) for s in found]
        if known.last is not None:
            now = statistics
            if self._new is not None:
                now = plain_statistics(self._new.result({c: SensitivityClass(k) for c, k in known.classes.items()}))
            figures["shift"], found = shifts(known.last, now)
            signs += found
        if self._labels is not None:
            figures["labels"], found = self._labels.result(_doubtful(known.last_report))
            signs += [_moved(s, known.start) for s in found]
        return {
            "label": known.label,
            "new_from": known.start + 1,
            "figures": figures,
            "found": len(signs),
            "signs": [s.facts() for s in signs[:MOST_SIGNS]],
        }


def _doubtful(report: Mapping[str, Any] | None) -> float | None:
    share = ((report or {}).get("figures") or {}).get("labels", {}).get("share")
    return None if share is None else float(share)


def _moved(sign: Sign, start: int) -> Sign:
    """The sign with the numbers that its rows have in the whole version."""
    bounds = (sign.first + start, sign.last + start) if sign.last else (0, 0)
    return Sign(sign.look, sign.said, sign.column, *bounds, tuple(r + start for r in sign.rows), sign.figures)
