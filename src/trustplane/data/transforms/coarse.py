"""Transforms that say less of a value: drop, keep, mask, generalise, clamp, noise."""

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trustplane.data.anonymity.hierarchies import encode
from trustplane.data.transforms.contract import Keys
from trustplane.data.transforms.options import number, one_of, whole, words
from trustplane.values.errors import BadInput

NOTHING: frozenset[str] = frozenset()
PERIODS = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}


class Keep:
    """Leaves a column as it is."""

    hides: ClassVar[bool] = False
    follows: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = NOTHING

    def apply(self, values: Any, keys: Keys) -> Any:
        """The values."""
        return values


class Drop:
    """Leaves a column out. The recipe does it: nothing of the column is read."""

    hides: ClassVar[bool] = True
    follows: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = NOTHING

    def apply(self, values: Any, keys: Keys) -> Any:
        """Nothing but nulls."""
        return pa.nulls(len(values))


class Mask:
    """Shows the first or last characters of each value; every other letter and digit becomes one sign."""

    hides: ClassVar[bool] = True
    follows: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = NOTHING

    def __init__(self, first: int = 0, last: int = 0, sign: str = "*") -> None:
        """``first`` and ``last`` characters are shown, 8 in all at most, and never more than a half of a value."""
        self._first, self._last = whole("first", first, 0, 8), whole("last", last, 0, 8)
        self._sign = words("sign", sign, 1, 1)
        if self._first + self._last > 8:
            raise BadInput("TP-DATA-130", "a mask shows at most 8 characters")

    def apply(self, values: Any, keys: Keys) -> Any:
        """The masked text."""
        return by_value(values, self._masked)

    def _masked(self, text: str) -> str:
        shown = self._first + self._last
        first, last = (self._first, self._last) if shown * 2 <= len(text) else (0, 0)
        end = len(text) - last
        middle = "".join(self._sign if c.isalnum() else c for c in text[first:end])
        return text[:first] + middle + text[end:]


class Generalise:
    """Says a range, a prefix, a period or a group for each value."""

    hides: ClassVar[bool] = False
    follows: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = NOTHING

    def __init__(
        self, width: float | None = None, length: int | None = None, to: str | None = None, groups: Any = None
    ) -> None:
        """Exactly one: the ``width`` of bins of numbers, the ``length`` of a prefix, the period ``to`` which a date is cut
        (year, month, day), or ``groups``: names of groups with the values of each."""
        said = [s for s in (width, length, to, groups) if s is not None]
        if len(said) != 1:
            raise BadInput("TP-DATA-130", "generalise takes one of width, length, to and groups")
        self._spec: dict[str, Any] = {}
        self._period = None if to is None else PERIODS[one_of("to", to, tuple(PERIODS))]
        if width is not None:
            self._spec = {"widths": [width]}
        elif length is not None:
            self._spec = {"lengths": [whole("length", length, 1, 100)]}
        elif groups is not None:
            self._spec = {"groups": [groups]}

    def apply(self, values: Any, keys: Keys) -> Any:
        """Text."""
        if self._period is not None:
            return self._cut(values)
        try:
            column = encode("the column", values, self._spec)
        except pa.ArrowNotImplementedError:
            raise BadInput("TP-DATA-131", "the column holds values that cannot be told apart, such as lists") from None
        labels = pa.array(column.labels[1], pa.string())
        made = labels.take(pa.array(column.levels[1][column.codes]))
        return pc.if_else(pc.is_valid(values), made, pa.scalar(None, pa.string()))

    def _cut(self, values: Any) -> Any:
        try:
            dates = values if pa.types.is_temporal(values.type) else values.cast(pa.string()).cast(pa.timestamp("us"))
            return pc.strftime(dates.cast(pa.timestamp("us")), format=self._period)
        except pa.ArrowInvalid:
            raise BadInput("TP-DATA-131", "the column does not hold dates (ISO 8601)") from None


class Clamp:
    """Top and bottom coding: what is beyond a bound becomes the bound."""

    hides: ClassVar[bool] = False
    follows: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = NOTHING

    def __init__(self, lowest: float | None = None, highest: float | None = None) -> None:
        """Numbers; one of the two may be left out."""
        if lowest is None and highest is None:
            raise BadInput("TP-DATA-130", "clamp takes lowest, highest or both")
        self._lowest = None if lowest is None else number("lowest", lowest)
        self._highest = None if highest is None else number("highest", highest)
        if self._lowest is not None and self._highest is not None and self._lowest >= self._highest:
            raise BadInput("TP-DATA-130", "lowest is below highest")

    def apply(self, values: Any, keys: Keys) -> Any:
        """Numbers of the type that they were, where the bounds fit it."""
        require_numbers(values)
        made = values
        try:
            if self._lowest is not None:
                made = pc.max_element_wise(made, pa.scalar(self._lowest).cast(values.type), skip_nulls=False)
            if self._highest is not None:
                made = pc.min_element_wise(made, pa.scalar(self._highest).cast(values.type), skip_nulls=False)
        except pa.ArrowInvalid:
            raise BadInput("TP-DATA-131", "a bound of clamp is no whole number, and the column holds those") from None
        return made


class Noise:
    """Adds normal noise to numbers. It hides single values; it is no differential privacy, since nothing bounds what a row says."""

    hides: ClassVar[bool] = False
    follows: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = NOTHING

    def __init__(self, deviation: float) -> None:
        """The standard deviation, in the unit of the column."""
        self._deviation = number("deviation", deviation)
        if self._deviation <= 0:
            raise BadInput("TP-DATA-130", "deviation is above nought")

    def apply(self, values: Any, keys: Keys) -> Any:
        """Numbers of the type that they were; whole ones are rounded."""
        require_numbers(values)
        drawn = np.random.default_rng().normal(0.0, self._deviation, len(values))
        made = pc.add(values.cast(pa.float64(), safe=False), pa.array(drawn))
        if pa.types.is_floating(values.type):
            return made.cast(values.type, safe=False)
        low, high = (pa.scalar(bound, pa.float64()) for bound in _ends(values.type))
        kept = pc.min_element_wise(pc.max_element_wise(pc.round(made), low, skip_nulls=False), high, skip_nulls=False)
        return kept.cast(values.type, safe=False)


def _ends(kind: Any) -> tuple[float, float]:
    """What fits an integer type and a double exactly."""
    bits = kind.bit_width
    signed = pa.types.is_signed_integer(kind)
    top = min(2 ** (bits - 1) - 1 if signed else 2**bits - 1, 2**53)
    return (float(-top) if signed else 0.0), float(top)


def require_numbers(values: Any) -> None:
    """Raise unless an array holds integers or floats."""
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        raise BadInput("TP-DATA-131", "the step is for numbers, and the column holds none")


def by_value(values: Any, change: Any) -> Any:
    """Text in which each distinct value is changed once; nulls stay null."""
    encoded = as_text(values).dictionary_encode()
    changed = pa.array([change(v) for v in encoded.dictionary.to_pylist()], pa.string())
    return pa.DictionaryArray.from_arrays(encoded.indices, changed).cast(pa.string())


def as_text(values: Any) -> Any:
    """Values as text; raise for those that have none, such as lists."""
    try:
        return values.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise BadInput("TP-DATA-131", "the column holds values that are no text, such as lists") from None
