"""What a look finds. A sign names columns and rows, counted from 1, and never a value."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

CHANCE = 1e-6
"""How likely a look at a whole table that nobody touched may be to show one block."""
FIRST = 20
"""So many rows of each sign are named."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that a person has to look at. ``first`` and ``last`` bound the rows, where they lie together."""

    look: str
    said: str
    column: str = ""
    first: int = 0
    last: int = 0
    rows: tuple[int, ...] = ()
    figures: dict[str, float] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """As plain values."""
        return {**asdict(self), "rows": list(self.rows)}


def surprising(hits: int, of: int, share: float, looks: int) -> bool:
    """Whether ``hits`` of ``of`` are too many where ``share`` of the rest are hits, among so many ``looks``.

    The Chernoff bound of a binomial tail, P(X >= hits) <= exp(-of * KL(hits/of || share)), against :data:`CHANCE` shared by all looks.
    """
    if of == 0 or hits == 0:
        return False
    found = hits / of
    share = min(max(share, 1e-9), 1 - 1e-9)
    if found <= share:
        return False
    apart = found * math.log(found / share)
    if found < 1:
        apart += (1 - found) * math.log((1 - found) / (1 - share))
    return of * apart > math.log(max(looks, 1) / CHANCE)
