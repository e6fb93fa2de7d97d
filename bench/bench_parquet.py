"""Encrypted Parquet beside plain Parquet: the same table, the same compression, the same disk."""

import os
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from measure import Figure, folder, options, report
from trustplane.kernel.vault.keys import fresh
from trustplane.kernel.vault.parquet import FOOTER, ROW_GROUP, EncryptedWriter, TableKeys, key_name, read

CLASSES = ("identifier", "quasi-identifier", "special", "confidential", "open")


def table(rows: int) -> pa.Table:
    """Twenty columns such as a bank has them: ids, categories, amounts, flags."""
    dice = np.random.default_rng(1)
    columns: dict[str, pa.Array] = {"id": pa.array([f"C{n:08d}" for n in range(rows)])}
    for n in range(9):
        columns[f"amount{n}"] = pa.array(dice.gamma(2.0, 1500.0, rows).round(2))
    for n in range(6):
        columns[f"count{n}"] = pa.array(dice.integers(0, 40, rows))
    for n in range(4):
        columns[f"kind{n}"] = pa.array(np.array(["alpha", "beta", "gamma", "delta"])[dice.integers(0, 4, rows)])
    return pa.table(columns)


def main() -> None:
    settings = options("Encrypted Parquet beside plain Parquet.")
    made = table(200_000 if settings.quick else 2_000_000)
    classes = {name: CLASSES[i % len(CLASSES)] for i, name in enumerate(made.schema.names)}
    keys = TableKeys({name: fresh(name) for name in (FOOTER, *map(key_name, classes))})
    with folder(settings.folder) as place:
        plain, sealed = Path(place) / "plain.parquet", Path(place) / "sealed.parquet"

        def write_plain() -> None:
            with plain.open("wb") as file:
                with pq.ParquetWriter(pa.PythonFile(file, mode="w"), made.schema, compression="zstd") as writer:
                    writer.write_table(made, row_group_size=ROW_GROUP)
                os.fsync(file.fileno())

        def write_sealed() -> None:
            with sealed.open("wb") as file:
                with EncryptedWriter(file, made.schema, classes, keys) as writer:
                    for batch in made.to_batches(max_chunksize=ROW_GROUP):
                        writer.write(batch)
                if not file.closed:
                    os.fsync(file.fileno())

        def read_plain() -> int:
            with plain.open("rb") as file, pq.ParquetFile(file) as source:
                return sum(b.num_rows for b in source.iter_batches(batch_size=ROW_GROUP // 2))

        def read_sealed() -> int:
            with sealed.open("rb") as file:
                return sum(b.num_rows for b in read(file, list(classes), classes, keys, subject="it"))

        ratios = {"write": _ratio(write_sealed, write_plain), "read": _ratio(read_sealed, read_plain)}
        assert read_sealed() == read_plain() == made.num_rows
        size = f"{sealed.stat().st_size / plain.stat().st_size:.3f} times plain"
    figures = [
        Figure(f"{name}, encrypted beside plain", value, "times", 1.3, least=False) for name, value in ratios.items()
    ]
    report(figures, settings, rows=f"{made.num_rows:,}", size=size)


def _ratio(ours: object, theirs: object, times: int = 7) -> float:
    """The median ratio of pairs that are run one after the other."""
    return sorted(_seconds(ours) / _seconds(theirs) for _ in range(times))[times // 2]


def _seconds(work: object) -> float:
    start = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
