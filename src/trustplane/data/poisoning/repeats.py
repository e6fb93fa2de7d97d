"""Rows that stand in a version again and again. Memory is bounded: past :data:`MOST` rows only those whose hash falls in a share are kept,
so that a row that is kept is kept as often as it stands there."""

from collections.abc import Collection
from typing import Any

import numpy as np

from trustplane.data.poisoning.signs import FIRST, Sign
from trustplane.data.sketches import hashes_of_rows

MOST = 4_000_000
MANY = 10
"""So many copies of one row are many."""
SHARE = 0.01
"""Copies that are many make a sign where together they are this share of the rows."""
ROOM = 100
"""Copies say something where the columns could tell so many times as many rows apart."""

Array = np.ndarray[Any, Any]


class Repeats:
    """Counts the copies of rows, by all columns but those that name rows or people."""

    def __init__(self, columns: Collection[str]) -> None:
        self._columns = list(columns)
        self._hashes: list[Array] = []
        self._places: list[Array] = []
        self._kept = self._rows = self._halved = 0

    def add(self, batch: Any) -> None:
        """Look at one more record batch."""
        if not self._columns:
            return
        hashes, _ = hashes_of_rows(batch, self._columns)
        places = np.arange(self._rows, self._rows + batch.num_rows)
        self._rows += batch.num_rows
        self._keep(hashes, places)
        while self._kept > MOST:
            self._halved += 1
            all_, at = np.concatenate(self._hashes), np.concatenate(self._places)
            self._hashes, self._places, self._kept = [], [], 0
            self._keep(all_, at)

    def _keep(self, hashes: Array, places: Array) -> None:
        inside = (hashes & np.uint64((1 << self._halved) - 1)) == 0
        self._hashes.append(hashes[inside])
        self._places.append(places[inside])
        self._kept += int(inside.sum())

    def result(self, room: float) -> tuple[dict[str, float], list[Sign]]:
        """Figures, and a sign where copies are many. ``room`` is how many rows the columns could tell apart."""
        if not self._kept:
            return {"copies": 0, "share": 0.0}, []
        hashes, places = np.concatenate(self._hashes), np.concatenate(self._places)
        _, first, counts = np.unique(hashes, return_index=True, return_counts=True)
        share = float((counts[counts > 1] - 1).sum() / self._kept)
        many = counts >= MANY
        figures = {"copies": int(counts.max()), "share": round(share, 6), "looked_at": self._kept}
        covered = float(counts[many].sum() / self._kept)
        if covered < SHARE or room < ROOM * self._rows:
            return figures, []
        named = sorted(int(places[i]) + 1 for i in first[many])
        said = (
            f"{int(many.sum())} rows stand there {MANY} times or more, and make up {100 * covered:.1f} % of the table"
        )
        return figures, [
            Sign("repeats", said, rows=tuple(named[:FIRST]), figures={**figures, "covered": round(covered, 6)})
        ]
