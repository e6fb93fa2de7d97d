"""Generalisation hierarchies: for each value of a column, what it becomes at each level, from itself up to one value for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from trustplane.values.errors import BadInput

ALL = "*"
Codes = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Column:
    """A quasi-identifier, encoded. ``codes[i]`` is the value of row i, nulls included; level 0 is the value itself.

    ``levels[j][v]`` is the code at level j of the value v; ``labels[j]`` are the words for the codes of level j. ``losses[j][v]`` is the
    normalised certainty penalty of v at level j (Xu et al. 2006): the share of the column's values, less one, that it may then be.
    """

    name: str
    codes: Codes
    levels: tuple[Codes, ...]
    labels: tuple[tuple[str | None, ...], ...]
    losses: tuple[np.ndarray[Any, np.dtype[np.float64]], ...]
    numbers: np.ndarray[Any, np.dtype[np.float64]] | None
    """The values as numbers, for splitting by order; None for words."""

    @property
    def height(self) -> int:
        """How many levels there are."""
        return len(self.levels)


def encode(name: str, values: Any, spec: Mapping[str, Any] | None = None) -> Column:
    """Encode a column under the hierarchy that ``spec`` describes; a default by its type without one.

    ``{widths = [5, 10, 20]}`` bins numbers, each width a multiple of the one before; ``{lengths = [3, 2]}`` keeps a prefix;
    ``{groups = [{"a" = ["x", "y"], …}, …]}`` names the group of each value level by level; ``{}`` knows the value and ``*``.
    """
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    encoded = array.dictionary_encode(null_encoding="encode")
    words = encoded.dictionary.to_pylist()
    order = sorted(range(len(words)), key=lambda i: (words[i] is None, _key(words[i])))
    rank = np.empty(len(words), np.int64)
    rank[order] = np.arange(len(words))
    words = [words[i] for i in order]
    codes = rank[encoded.indices.to_numpy(zero_copy_only=False)] if len(encoded) else np.empty(0, np.int64)
    numeric = pa.types.is_integer(array.type) or pa.types.is_floating(array.type)
    numbers = np.array([np.nan if w is None else float(w) for w in words]) if numeric else None
    steps = _steps(name, words, numbers, dict(spec or {}))
    return _column(name, codes, words, steps, numbers)


def _key(word: Any) -> Any:
    return (0, word) if isinstance(word, int | float) and not isinstance(word, bool) else (1, str(word))


def _steps(name: str, words: Sequence[Any], numbers: Any, spec: dict[str, Any]) -> list[list[str]]:
    """What each value is called on the levels between itself and ``*``."""
    unknown = set(spec) - {"widths", "lengths", "groups"}
    if unknown or len(spec) > 1:
        raise _bad(name, f"a hierarchy has one of widths, lengths and groups, not {', '.join(sorted(spec))}")
    if "widths" in spec:
        return _bins(name, words, numbers, spec["widths"])
    if "lengths" in spec:
        lengths = spec["lengths"]
        if not _falling(lengths):
            raise _bad(name, "lengths are whole numbers that fall")
        return [["" if w is None else str(w)[:length] + ALL for w in words] for length in lengths]
    if "groups" in spec:
        return _groups(name, words, spec["groups"])
    return []


def _bins(name: str, words: Sequence[Any], numbers: Any, widths: Any) -> list[list[str]]:
    if numbers is None:
        raise _bad(name, "widths bin numbers, and the column holds none")
    if not (isinstance(widths, list) and widths and all(isinstance(w, int | float) and w > 0 for w in widths)):
        raise _bad(name, "widths are numbers above zero")
    if any(b <= a or b % a for a, b in pairwise(widths)):
        raise _bad(name, "each width is a multiple of the one before, so that bins hold bins")
    found = []
    for width in widths:
        floors = np.floor(numbers / width) * width
        found.append(["" if w is None else f"[{f:g}, {f + width:g})" for w, f in zip(words, floors, strict=True)])
    return found


def _groups(name: str, words: Sequence[Any], groups: Any) -> list[list[str]]:
    if not (isinstance(groups, list) and all(isinstance(g, Mapping) for g in groups)):
        raise _bad(name, "groups are a list of tables, one a level")
    now, found = ["" if w is None else str(w) for w in words], []
    for level in groups:
        of = {str(member): str(group) for group, members in level.items() for member in members}
        missing = sorted({w for w in now if w and w not in of})
        if missing:
            raise _bad(name, f"{len(missing)} values have no group")
        now = [of[w] if w else "" for w in now]
        found.append(now)
    return found


def _column(name: str, codes: Codes, words: Sequence[Any], steps: list[list[str]], numbers: Any) -> Column:
    count = max(len(words), 1)
    levels: list[Codes] = [np.arange(len(words))]
    labels: list[tuple[str | None, ...]] = [tuple(None if w is None else str(w) for w in words)]
    for step in [*steps, [ALL] * len(words)]:
        names, level = np.unique(np.array(step, dtype=object).astype(str), return_inverse=True)
        levels.append(level.astype(np.int64))
        labels.append(tuple(str(n) or None for n in names))
    losses = tuple((np.bincount(level, minlength=1)[level] - 1) / max(count - 1, 1) for level in levels)
    return Column(name, codes, tuple(levels), tuple(labels), losses, numbers)


def _falling(lengths: Any) -> bool:
    return (
        isinstance(lengths, list)
        and bool(lengths)
        and all(isinstance(n, int) and n > 0 for n in lengths)
        and all(a > b for a, b in pairwise(lengths))
    )


def _bad(name: str, why: str) -> BadInput:
    return BadInput("TP-DATA-060", f"the hierarchy of {name[:80]!r} is not one", why=why)
