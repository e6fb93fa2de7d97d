"""Seeded samples of columns from a stream of record batches, in bounded memory."""

import math
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from trustplane.data.recognisers.codes import bytes_of
from trustplane.data.recognisers.contract import ColumnSample

SAMPLE = 10_000
"""Non-null values that are kept of each column."""
LONGEST = 512
"""Characters that are kept of a value: no recogniser needs more."""
CERTAINTY = 0.95
_EXACT = 2.0**53
_FOREIGN = r"[^\x00-\x7f]"


@dataclass(slots=True)
class _Reservoir:
    """The values with the smallest random priorities seen so far, which are a uniform sample without replacement."""

    generator: np.random.Generator
    size: int
    values: Any
    priorities: npt.NDArray[np.float64]
    rows: int = 0
    non_null: int = 0

    def add(self, array: Any) -> None:
        self.rows += len(array)
        present = array.drop_null()
        self.non_null += len(present)
        drawn = self.generator.random(len(present))
        full = len(self.priorities) == self.size
        chosen = np.flatnonzero(drawn < self.priorities.max()) if full else np.arange(len(present))
        if len(chosen) > self.size:
            chosen = chosen[np.argpartition(drawn[chosen], self.size)[: self.size]]
        values = pa.concat_arrays([self.values, text_of(present.take(pa.array(chosen)))])
        priorities = np.concatenate([self.priorities, drawn[chosen]])
        if len(priorities) > self.size:
            kept = np.argpartition(priorities, self.size)[: self.size]
            values, priorities = values.take(pa.array(kept)), priorities[kept]
        self.values, self.priorities = values, priorities


class Sampler:
    """Collects a sample of every column.

    The same batches and seed give the same samples, however the rows are cut into batches.
    """

    def __init__(self, schema: Any, *, seed: int, size: int = SAMPLE) -> None:
        if size < 1:
            raise ValueError("a sample holds at least one value")
        self._schema = schema
        self._columns = [
            _Reservoir(
                np.random.Generator(np.random.PCG64([seed, index])), size, pa.array([], pa.string()), np.empty(0)
            )
            for index in range(len(schema))
        ]

    @property
    def rows(self) -> int:
        """Rows seen so far."""
        return self._columns[0].rows if self._columns else 0

    def add(self, batch: Any) -> None:
        """Look at one more record batch."""
        for reservoir, array in zip(self._columns, batch.columns, strict=True):
            reservoir.add(array)

    def samples(self) -> tuple[ColumnSample, ...]:
        """The sample of each column, in the order of the schema."""
        return tuple(_sample(field, reservoir) for field, reservoir in zip(self._schema, self._columns, strict=True))


def text_of(array: Any) -> Any:
    """The values of a column as text that patterns can be matched against: trimmed, in form NFKC, with digits and
    hyphens of ASCII and no invisible marks, at most :data:`LONGEST` characters.

    Values without a text form (binary ones) become empty strings.
    """
    if pa.types.is_dictionary(array.type):
        return text_of(array.dictionary_decode())
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        if pa.types.is_string(array.type) and _is_plain(array):
            return pc.ascii_trim_whitespace(array)
        short = pc.utf8_slice_codeunits(array.cast(pa.large_string()), 0, LONGEST).cast(pa.string())
        return pc.utf8_trim_whitespace(_folded(pc.utf8_normalize(short, form="NFKC")))
    return _text_of_others(array)


def _text_of_others(array: Any) -> Any:
    kind = array.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array([""] * len(array), pa.string())
    if pa.types.is_null(kind):
        return pa.nulls(len(array), pa.string())
    return _text_of_floats(array) if pa.types.is_floating(kind) else array.cast(pa.string())


def _is_plain(array: Any) -> bool:
    """Whether all of it is ASCII that can be printed and short, so that there is nothing to fold or to cut."""
    data = bytes_of(array)
    longest = pc.max(pc.binary_length(array)).as_py() or 0
    return longest <= LONGEST and (not len(data) or bool(data.max() < 0x7F and data.min() >= 0x20))


def _text_of_floats(array: Any) -> Any:
    """Whole numbers without exponent or fraction: a telephone number that was once read as a float still is one."""
    numbers = array.cast(pa.float64())
    plain = numbers.to_numpy(zero_copy_only=False)  # nulls are NaN here, and no whole number
    whole = pa.array((np.abs(plain) < _EXACT) & (plain == np.rint(plain)))
    integers = pc.if_else(whole, numbers, 0.0).cast(pa.int64()).cast(pa.string())
    return pc.if_else(whole, integers, numbers.cast(pa.string()))


class _Folds(dict[int, str | None]):
    """For :meth:`str.translate`: decimal digits of every script, hyphens of every width, and no invisible marks."""

    def __missing__(self, code: int) -> str | None:
        sign = chr(code)
        digit, kind = unicodedata.decimal(sign, None), unicodedata.category(sign)
        self[code] = str(digit) if digit is not None else "-" if kind == "Pd" else None if kind == "Cf" else sign
        return self[code]


_FOLDS = _Folds()


def _folded(text: Any) -> Any:
    """Text with what other scripts and directions write differently as ASCII writes it; letters stay."""
    foreign = pc.fill_null(pc.match_substring_regex(text, _FOREIGN), False)
    if not pc.any(foreign).as_py():
        return text
    folded = [each.translate(_FOLDS) for each in text.filter(foreign).to_pylist()]
    return pc.replace_with_mask(text, foreign, pa.array(folded, pa.string()))


def _sample(field: Any, reservoir: _Reservoir) -> ColumnSample:
    tally = pc.value_counts(reservoir.values)
    order = pc.sort_indices(tally.field("values"))
    return ColumnSample(
        header=field.name,
        type=str(field.type),
        values=tally.field("values").take(order),
        counts=tally.field("counts").take(order).to_numpy(zero_copy_only=False).astype(np.int64),
        non_null=reservoir.non_null,
    )


def miss_probability(population: int, sampled: int, share: float) -> float:
    """The probability that a sample without replacement holds none of the values that make up ``share`` of a
    population.

    Hypergeometric: C(N - K, n) / C(N, n) with K = ceil(share N), at least 1.
    """
    if not 0 <= sampled <= population or not 0 < share <= 1:
        raise ValueError("a sample is part of its population, and a share lies above 0 and at most at 1")
    if population == 0:
        return 0.0
    wanted = max(1, math.ceil(share * population))
    rest = population - wanted
    if sampled > rest:
        return 0.0
    log = (
        math.lgamma(rest + 1)
        - math.lgamma(rest - sampled + 1)
        - math.lgamma(population + 1)
        + math.lgamma(population - sampled + 1)
    )
    return min(1.0, math.exp(log))


def unseen_share(population: int, sampled: int) -> float:
    """The largest share of a population that a kind of value may have without being in the sample, with
    :data:`CERTAINTY`.

    The smallest number K of values for which :func:`miss_probability` is at most 1 - CERTAINTY, less one, as a share.
    """
    low, high = 0, population
    while low < high:
        middle = (low + high) // 2
        if middle and miss_probability(population, sampled, middle / population) <= 1 - CERTAINTY:
            high = middle
        else:
            low = middle + 1
    return max(0, low - 1) / population if population else 0.0
