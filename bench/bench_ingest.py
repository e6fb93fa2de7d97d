"""Ingesting a large CSV: the peak of memory, in a process of its own, beside reading the same file whole with pyarrow."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from measure import Figure, folder, options, report

CHILD = """
import resource, sys, time
from pathlib import Path
from planes import PURPOSE, plane_with_steward
from trustplane.data.ingestion import DatasetSpec, ingest

place, table = Path(sys.argv[1]), Path(sys.argv[2])
with plane_with_steward(place) as (plane, _, steward):
    spec = DatasetSpec("large", "csv", (PURPOSE,), "eu-gdpr:A6-1-b", 365, source="generated")
    start = time.perf_counter()
    with table.open("rb") as file:
        ingest(plane, steward, "credit", spec, iter(lambda: file.read(1 << 20), b""))
    print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""
PEER = """
import resource, sys, time
import pyarrow.csv
start = time.perf_counter()
table = pyarrow.csv.read_csv(sys.argv[2])
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def write_table(path: Path, size: int) -> int:
    """Rows of an id, an e-mail, numbers and categories until the file has ``size`` bytes."""
    dice, written, rows = np.random.default_rng(1), 0, 0
    with path.open("w", encoding="utf-8") as file:
        written += file.write("id,email,amount,balance,age,kind,note\n")
        while written < size:
            amounts, ages = dice.gamma(2, 1500, (10_000, 2)).round(2), dice.integers(18, 90, 10_000)
            lines = (
                f"C{rows + i:09d},p{rows + i}@example.org,{a},{b},{ages[i]},{('a', 'b', 'c')[i % 3]},note {i % 97} of the client\n"
                for i, (a, b) in enumerate(amounts)
            )
            written += file.write("".join(lines))
            rows += 10_000
    return rows


def main() -> None:
    settings = options("Ingesting a large CSV in bounded memory.")
    size = 100_000_000 if settings.quick else 1_000_000_000
    with folder(settings.folder) as place:
        table = Path(place) / "large.csv"
        rows = write_table(table, size)
        seconds, peak = run(CHILD, place, table)
        peer_seconds, peer_peak = run(PEER, place, table)
    figures = [
        Figure("peak memory of ingesting", peak / 1e9, "GB", 1.5, least=False),
        Figure("beside the memory of reading it whole", peak / peer_peak, "times", 1.0, least=False),
    ]
    facts = {
        "file": f"{size / 1e9:.1f} GB, {rows:,} rows",
        "ingesting (measured, classified, encrypted)": f"{seconds:.1f} s",
        "pyarrow reading it whole": f"{peer_seconds:.1f} s, {peer_peak / 1e9:.2f} GB",
    }
    report(figures, settings, **facts)


def run(program: str, place: str, table: Path) -> tuple[float, float]:
    here = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", program, place, str(table)], capture_output=True, text=True, check=False, env=here
    )
    if done.returncode:
        sys.exit(done.stderr)
    seconds, peak = done.stdout.split()
    return float(seconds), float(peak)


if __name__ == "__main__":
    main()
