"""Relations between columns that hold on every row and would not by accident."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from numpy.linalg import svd

Floats = npt.NDArray[np.float64]
MOST_EACH = 60
LEAST_SUPPORT = 30
"""Rows that must speak for a rule: with thirty, a rule that fails for one row in ten would show so by chance once in twenty-four tables."""
_TOUCH = 0.02  # the least share of rows on which two ordered columns are equal, so that the order is no matter of scale
_APART = 0.9
_EXACT = 1e-6
_FEW = 12  # values of a column that may decide another


def discovered(names: Sequence[str], rows: Floats) -> list[str]:
    """Relations in the language of threat models: equations, orders, implications, and what one column's value says of another."""
    places = [i for i in range(len(names)) if rows[:, i].min() < rows[:, i].max()]
    if len(places) < 2:
        return []
    said, columns = [_quoted(names[i]) for i in places], rows[:, places]
    found: list[str] = []
    for kind in (equations, orders, implications, dependencies):
        found += [text for _, text in zip(range(MOST_EACH), kind(said, columns), strict=False)]
    return list(dict.fromkeys(found))


def equations(said: Sequence[str], columns: Floats) -> Iterator[str]:
    """Linear equations that hold exactly, each with few terms: the null space of the columns and a constant, in reduced form."""
    scale = np.abs(columns).max(axis=0)
    table = np.column_stack([columns / scale, np.ones(len(columns))])
    triangle = np.linalg.qr(table, mode="r")
    _, size, basis = svd(triangle)
    null = basis[np.concatenate([size, np.zeros(len(basis) - len(size))]) < 1e-9 * size[0]]
    for vector in _reduced(null):
        weights = vector / np.append(scale, 1.0)
        used = np.flatnonzero(np.abs(vector[:-1]) > 1e-7)
        if not 2 <= len(used) <= 10:
            continue
        weights = weights / np.abs(weights[used]).min()
        weights = np.where(
            np.abs(weights - np.rint(weights)) < 1e-6 * np.maximum(np.abs(weights), 1), np.rint(weights), weights
        )
        gap = columns[:, used] @ weights[used] + weights[-1]
        if np.abs(gap).max() <= _EXACT * max(1.0, float(np.abs(columns[:, used] * weights[used]).max())):
            yield _equation([(float(weights[i]), said[i]) for i in used.tolist()], float(-weights[-1]))


def _reduced(null: Floats) -> Floats:
    """The reduced row echelon form, by the largest pivot."""
    null, row = null.copy(), 0
    for column in range(null.shape[1] - 1):
        if row == len(null):
            break
        pivot = row + int(np.abs(null[row:, column]).argmax())
        if abs(null[pivot, column]) < 1e-7:
            continue
        null[[row, pivot]] = null[[pivot, row]]
        null[row] /= null[row, column]
        others = np.arange(len(null)) != row
        null[others] -= null[others, column][:, None] * null[row]
        row += 1
    return null


def orders(said: Sequence[str], columns: Floats) -> Iterator[str]:
    """Pairs of which one is never larger, and that meet on some rows where they are not 0; what follows from two others is left out."""
    count = columns.shape[1]
    below = np.zeros((count, count), bool)
    for i in range(count):
        never = (columns[:, [i]] <= columns).all(axis=0)
        meet = ((columns[:, [i]] == columns) & (columns[:, [i]] != 0)).mean(axis=0) >= _TOUCH
        # a flag lies below a count that is hardly ever 0 whatever they mean: one constant between them says as much
        apart = (columns >= columns[:, i].max()).mean(axis=0) >= _APART
        below[i] = never & meet & ~apart & (columns[:, [i]] < columns).any(axis=0)
    for i, j in np.argwhere(below).tolist():
        if not (below[i] & below[:, j]).any():
            yield f"{said[i]} <= {said[j]}"


def implications(said: Sequence[str], columns: Floats) -> Iterator[str]:
    """Counts that need each other: where one is above 0 the other is, though it often is not."""
    sparse = [i for i in range(columns.shape[1]) if columns[:, i].min() == 0 and (columns[:, i] == 0).mean() > 0.05]
    there = columns[:, sparse] > 0
    for a, i in enumerate(sparse):
        support = int(there[:, a].sum())
        if support < LEAST_SUPPORT:
            continue
        for b, j in enumerate(sparse):
            # what is nearly always there would be implied by anything
            if a != b and there[there[:, a], b].all() and (1 - there[:, b].mean()) * support >= 5:
                yield f"{said[i]} > 0 implies {said[j]} > 0"


def dependencies(said: Sequence[str], columns: Floats) -> Iterator[str]:
    """Functional dependencies between columns of few values: each value of one has one value of the other beside it."""
    few = [i for i in range(columns.shape[1]) if len(np.unique(columns[:, i])) <= _FEW]
    for i in few:
        values, codes, counts = np.unique(columns[:, i], return_inverse=True, return_counts=True)
        if len(values) < 3 or counts.min() < LEAST_SUPPORT:
            continue
        for j in few:
            if i == j:
                continue
            firsts = columns[np.unique(codes, return_index=True)[1], j]
            if len(np.unique(firsts)) > 1 and (firsts[codes] == columns[:, j]).all():
                terms = [
                    f"implies({said[i]} == {v:.12g}, {said[j]} == {w:.12g})"
                    for v, w in zip(values, firsts, strict=True)
                ]
                yield " and ".join(terms)


def _equation(terms: Sequence[tuple[float, str]], constant: float) -> str:
    left = [(w, n) for w, n in terms if w > 0]
    right = [(-w, n) for w, n in terms if w < 0]
    left, right, constant = (left, right, constant) if left else (right, left, -constant)
    sides = [" + ".join(n if w == 1 else f"{w:.15g} * {n}" for w, n in side) for side in (left, right)]
    constant = constant if abs(constant) > 1e-9 else 0.0
    if not sides[1]:
        return f"{sides[0]} == {constant:.15g}"
    if constant:
        sides[1] += f" {'+' if constant > 0 else '-'} {abs(constant):.15g}"
    return f"{sides[0]} == {sides[1]}"


def _quoted(name: str) -> str:
    from keyword import iskeyword

    plain = name.isidentifier() and name.isascii() and not iskeyword(name) and name != "implies"
    return name if plain else repr(name)
