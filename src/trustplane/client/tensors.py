"""The rows of a view as batches of PyTorch tensors, from the Arrow stream: no table is held, and no row leaves the process."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trustplane.client.sources import pyarrow
from trustplane.values.errors import BadInput, missing_extra

if TYPE_CHECKING:
    import pyarrow as pa

TYPES = ("float16", "float32", "float64")


@dataclass(frozen=True, slots=True)
class Tensors:
    """How rows become tensors. ``shuffle`` is the size of the buffer in rows, 0 for the order of the view; ``dtype`` is that of the features."""

    features: tuple[str, ...]
    label: str | None = None
    batch: int = 1024
    shuffle: int = 0
    seed: int = 0
    dtype: str = "float32"

    def __post_init__(self) -> None:
        if not self.features:
            raise BadInput("TP-DATA-140", "name at least one column to learn from")
        if self.batch < 1 or self.shuffle < 0:
            raise BadInput("TP-DATA-140", "a batch has one row or more, and a buffer none or more")
        if self.dtype not in TYPES:
            raise BadInput("TP-DATA-140", f"the type {self.dtype[:40]!r} is none of {', '.join(TYPES)}")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, each once."""
        return tuple(dict.fromkeys((*self.features, *(() if self.label is None else (self.label,)))))


def loader(rows: Callable[[Sequence[str]], "Iterator[pa.RecordBatch]"], how: Tensors) -> Any:
    """A ``torch.utils.data.IterableDataset`` of batches: the features, of shape (rows, features), or a pair of these and the labels.

    Each walk opens the view anew by ``rows``, and shuffles by a seed of its own that follows from the first one.
    """
    torch = _torch()

    class ViewTensors(torch.utils.data.IterableDataset):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.walks = 0

        def __iter__(self) -> Iterator[Any]:
            if torch.utils.data.get_worker_info() is not None:
                raise BadInput("TP-DATA-141", "each worker would open the view and read all of its rows")
            dice = torch.Generator().manual_seed(how.seed + self.walks)
            self.walks += 1
            whole = (_row_tensors(torch, batch, how) for batch in rows(how.columns))
            batches = _batches(torch, whole, how.batch)
            for made in _shuffled(torch, batches, how, dice) if how.shuffle else batches:
                yield made[0] if how.label is None else made

    return ViewTensors()


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise missing_extra("torch", "torch", "a view as PyTorch tensors") from None
    return torch


def _row_tensors(torch: Any, batch: "pa.RecordBatch", how: Tensors) -> tuple[Any, ...]:
    """The features of the rows as one tensor, and their labels; a feature that is missing is not a number."""
    features = torch.empty((batch.num_rows, len(how.features)), dtype=getattr(torch, how.dtype))
    for place, name in enumerate(how.features):
        features[:, place] = torch.from_dlpack(_numbers(batch, name, "double").fill_null(float("nan")))
    if how.label is None:
        return (features,)
    labels = batch.column(how.label)
    if labels.null_count:
        raise BadInput("TP-DATA-140", f"rows have no label in the column {how.label[:80]!r}", why="filter them out of the view")  # fmt: skip
    types = pyarrow("tensors").types
    whole = types.is_integer(labels.type) or types.is_boolean(labels.type)
    told = torch.from_dlpack(_numbers(batch, how.label, "int64" if whole else "double"))
    return features, told.clone() if whole else told.to(features.dtype)


def _numbers(batch: "pa.RecordBatch", name: str, kind: str) -> Any:
    column, types = batch.column(name), pyarrow("tensors").types
    if types.is_boolean(column.type):
        return column.cast("int8").cast(kind)
    if types.is_integer(column.type) or types.is_floating(column.type) or types.is_decimal(column.type):
        return column.cast(kind, safe=False)
    raise BadInput("TP-DATA-140", f"the column {name[:80]!r} holds no numbers", why=f"its type is {column.type}")


def _batches(torch: Any, parts: Iterable[tuple[Any, ...]], size: int) -> Iterator[tuple[Any, ...]]:
    """Tensors of exactly ``size`` rows, the last of fewer, whatever the sizes of the parts."""
    left: tuple[Any, ...] | None = None
    for part in parts:
        held = part if left is None else tuple(torch.cat(pair) for pair in zip(left, part, strict=True))
        whole = len(held[0]) // size * size
        for start in range(0, whole, size):
            yield tuple(t[start : start + size] for t in held)
        left = tuple(t[whole:] for t in held)
    if left is not None and len(left[0]):
        yield left


def _shuffled(torch: Any, batches: Iterable[tuple[Any, ...]], how: Tensors, dice: Any) -> Iterator[tuple[Any, ...]]:
    """Batches drawn from a buffer: each that comes in takes the places of one that goes out."""
    waiting: list[tuple[Any, ...]] = []
    pool: tuple[Any, ...] | None = None
    for batch in batches:
        if pool is None:
            waiting.append(batch)
            if sum(len(b[0]) for b in waiting) >= how.shuffle:
                pool, waiting = tuple(map(torch.cat, zip(*waiting, strict=True))), []
            continue
        if len(batch[0]) < how.batch:  # the last: whatever is left goes out together
            pool = tuple(map(torch.cat, zip(pool, batch, strict=True)))
            continue
        drawn = torch.randperm(len(pool[0]), generator=dice)[: len(batch[0])]
        yield tuple(t[drawn] for t in pool)
        for held, new in zip(pool, batch, strict=True):
            held[drawn] = new
    if pool is None and waiting:
        pool = tuple(map(torch.cat, zip(*waiting, strict=True)))
    if pool is not None:
        order = torch.randperm(len(pool[0]), generator=dice)
        yield from _batches(torch, [tuple(t[order] for t in pool)], how.batch)
