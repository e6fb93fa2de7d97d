"""What the benchmarks share: facts of the machine, the raw speed of its disk, and a table of figures beside their targets."""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured figure. ``target`` is what was promised; ``least`` says that more is better."""

    name: str
    value: float
    unit: str
    target: float
    least: bool = True

    @property
    def met(self) -> bool:
        return self.value >= self.target if self.least else self.value <= self.target


def options(about: str) -> argparse.Namespace:
    """The options of every benchmark."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work; figures are rougher")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder without")
    return parser.parse_args()


def folder(given: Path | None) -> tempfile.TemporaryDirectory[str]:
    """A folder of the benchmark's own on the disk to be measured."""
    return tempfile.TemporaryDirectory(dir=given, prefix="trustplane-bench-")


def machine() -> dict[str, str]:
    """The machine, as far as it matters."""
    return {
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "system": platform.system(),
        "trustplane": version("trustplane"),
    }


def fsync_rate(place: Path, seconds: float = 1.0) -> float:
    """Appends of one page with fsync, per second: the floor under every durable commit."""
    handle = os.open(place / "fsync", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            os.write(handle, bytes(4096))
            os.fsync(handle)
            count += 1
        return count / (time.perf_counter() - start)
    finally:
        os.close(handle)


def best(work: Callable[[], float], times: int = 3) -> float:
    """The best of a few runs: what disturbs a run only ever slows it."""
    return max(work() for _ in range(times))


def report(figures: list[Figure], settings: argparse.Namespace, **facts: str) -> None:
    """Print the figures, and end the process."""
    if settings.json:
        sys.stdout.write(
            json.dumps({"machine": machine(), **facts, "figures": [asdict(f) | {"met": f.met} for f in figures]}) + "\n"
        )
    else:
        for name, value in {**machine(), **facts}.items():
            print(f"{name}: {value}")
        width = max(len(f.name) for f in figures)
        for f in figures:
            sign = "at least" if f.least else "at most"
            print(
                f"{f.name:<{width}}  {f.value:>12,.4g} {f.unit:<12} {sign} {f.target:,g}: {'met' if f.met else 'MISSED'}"
            )
    sys.exit(1 if settings.check and not all(f.met for f in figures) else 0)
