"""SQL over a view of encrypted rows, decided and recorded, beside DuckDB on the same rows in plain Parquet."""

import io
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from measure import Figure, folder, options, report
from planes import PURPOSE, plane_with_steward
from trustplane.data.ingestion import DatasetSpec, ingest
from trustplane.data.queries import query
from trustplane.data.views import ViewSpec, create_view

QUERIES = {
    "mean by group": "SELECT kind, count(*) AS n, avg(amount) AS mean FROM {t} GROUP BY kind ORDER BY kind",
    "filter and sum": "SELECT sum(amount) FROM {t} WHERE age BETWEEN 30 AND 39 AND kind <> 'a'",
    "quantiles": "SELECT age, approx_quantile(balance, 0.9) FROM {t} GROUP BY age ORDER BY age",
}


def rows(count: int) -> pa.Table:
    dice = np.random.default_rng(1)
    return pa.table(
        {
            "id": pa.array(np.arange(count)),
            "amount": dice.gamma(2, 1500, count).round(2),
            "balance": dice.gamma(2, 9000, count).round(2),
            "age": dice.integers(18, 90, count),
            "kind": pa.array(np.array(["a", "b", "c", "d"])[dice.integers(0, 4, count)]),
        }
    )


def spent(run: Callable[[str], object], sql: str) -> tuple[float, float]:
    """Seconds on the clock, and seconds of all cores."""
    clock, cores = time.perf_counter(), time.process_time()
    run(sql)
    return time.perf_counter() - clock, time.process_time() - cores


def main() -> None:
    settings = options("SQL over a view beside plain DuckDB.")
    table = rows(1_000_000 if settings.quick else 10_000_000)
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    figures = []
    with folder(settings.folder) as name:
        plain = Path(name) / "plain.parquet"
        plain.write_bytes(sink.getvalue())
        with plane_with_steward(Path(name)) as (plane, _, steward):
            spec = DatasetSpec("large", "parquet", (PURPOSE,), "eu-gdpr:A6-1-b", 365, source="generated")
            ingest(plane, steward, "credit", spec, [sink.getvalue()])
            shown = ("amount", "balance", "age", "kind")
            create_view(plane, steward, "credit", ViewSpec("rows", "large", shown, PURPOSE, timedelta(hours=1)))

            def ours(sql: str) -> object:
                return pa.Table.from_batches(query(plane, steward, "credit", sql.format(t="rows")).batches).to_pydict()

            def theirs(sql: str) -> object:
                with duckdb.connect() as connection:
                    connection.execute("SET threads = 2")
                    return connection.sql(sql.format(t=f"read_parquet('{plain}')")).to_arrow_table().to_pydict()

            for what, sql in QUERIES.items():
                pairs = [(spent(ours, sql), spent(theirs, sql)) for _ in range(3 if settings.quick else 7)]
                (view, plain_took), cores = min(pairs), min(v[1] for v, _ in pairs) / min(p[1] for _, p in pairs)
                told = (
                    f"{what}: {view[0]:.2f} s beside {plain_took[0]:.2f} s of plain DuckDB, {cores:.2f} times its CPU"
                )
                ratio = statistics.median(v[0] / p[0] for v, p in pairs)
                figures.append(Figure(told, ratio, "times", 1.5, least=False))
    report(figures, settings, rows=f"{table.num_rows:,}")


if __name__ == "__main__":
    main()
