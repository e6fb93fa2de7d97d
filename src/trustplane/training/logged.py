"""What a script logged, read as the untrusted thing it is: bounded, checked, and never more than figures and short texts."""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from trustplane.training.log import FORMAT, LONGEST_NAME, LONGEST_TEXT

MOST_BYTES = 32 << 20
MOST_SERIES = 100
MOST_POINTS = 1_000
MOST_PARAMETERS = 200
MOST_ARTIFACTS = 200
LARGEST = 1e300
"""Beyond this a figure is taken for none: sums of such overflow."""
_LARGEST_STEP = 2**53
_LATEST = 4e10

Point = tuple[int, float | None, float]
"""Step, value and moment (Unix seconds). The value is None where the script gave what is no finite number."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a script says that it is."""

    done: float
    total: float | None
    message: str


@dataclass(slots=True)
class Logged:
    """What a script logged. ``dropped`` counts lines that could not be read, and what was beyond the bounds."""

    series: dict[str, list[Point]] = field(default_factory=dict)
    parameters: dict[str, str | float | bool] = field(default_factory=dict)
    artifacts: dict[str, str] = field(default_factory=dict)
    progress: Progress | None = None
    dropped: int = 0

    def add_point(self, name: object, value: object, step: object, at: object) -> None:
        """A value of a metric; without a step it is at the one after the last."""
        known = isinstance(name, str) and name in self.series
        if not known and (not _is_name(name) or len(self.series) >= MOST_SERIES):
            self.dropped += 1
            return
        assert isinstance(name, str)
        points = self.series.setdefault(name, [])
        following = points[-1][0] + 1 if points else 0
        place = following if step is None else step
        if not _is_whole(place) or not (value is None or _is_number(value)):
            self.dropped += 1
            return
        number = None if value is None else float(value)  # type: ignore[arg-type] # a number, as just seen
        moment = float(at) if _is_number(at) and 0 <= at <= _LATEST else 0.0  # type: ignore[operator, arg-type]
        points.append((int(place), number, moment))  # type: ignore[call-overload]

    def add_parameter(self, name: object, value: object) -> None:
        """What the script chose; the last word on a name holds."""
        text = isinstance(value, str) and len(value) <= LONGEST_TEXT and _is_plain(value)
        if not _is_name(name) or not (text or isinstance(value, bool) or _is_number(value)):
            self.dropped += 1
        elif name in self.parameters or len(self.parameters) < MOST_PARAMETERS:
            self.parameters[name] = value  # type: ignore[index, assignment] # a name and a plain value, as just seen
        else:
            self.dropped += 1

    def add_artifact(self, path: object, description: object) -> None:
        """What a file is."""
        plain = isinstance(path, str) and len(path) <= 400 and path.isprintable()
        if not plain or not isinstance(description, str) or len(self.artifacts) >= MOST_ARTIFACTS:
            self.dropped += 1
            return
        self.artifacts[str(path)] = description[:LONGEST_TEXT] if _is_plain(description) else ""

    def last(self) -> dict[str, float]:
        """The last figure of each metric."""
        found = {}
        for name, points in self.series.items():
            numbers = [value for _, value, _ in points if value is not None]
            if numbers:
                found[name] = numbers[-1]
        return found


def read_log(path: Path) -> Logged:
    """What lies in the file that :mod:`trustplane.training.log` writes; nothing where there is none."""
    logged = Logged()
    data = opened(path, MOST_BYTES)
    if data is not None:
        take_lines(logged, data.split(b"\n"))
    return logged


def opened(path: Path, most: int) -> bytes | None:
    """The first bytes of a regular file that a script wrote; None where there is none."""
    with regular(path) as file:
        return None if file is None else file.read(most)


@contextmanager
def regular(path: Path) -> Iterator[BinaryIO | None]:
    """A regular file that a script wrote, opened never through a link and never waiting for a pipe; None where there is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        yield None
        return
    with os.fdopen(handle, "rb") as file:
        yield file if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None


def take_lines(logged: Logged, lines: Iterable[bytes]) -> None:
    """Add what lines say."""
    for line in lines:
        if not line.strip():
            continue
        try:
            said = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            logged.dropped += 1
            continue
        _take(logged, said)


def _take(logged: Logged, said: Mapping[str, Any]) -> None:
    match said:
        case {"metric": name, "value": value}:
            logged.add_point(name, value, said.get("step"), said.get("at"))
        case {"parameter": name, "value": value}:
            logged.add_parameter(name, value)
        case {"artifact": path}:
            logged.add_artifact(path, said.get("description", ""))
        case {"progress": done}:
            logged.progress = _progress(done, said.get("total"), said.get("message", "")) or logged.progress
        case {"format": name} if name == FORMAT:
            pass
        case _:
            logged.dropped += 1


def _progress(done: object, total: object, message: object) -> Progress | None:
    if not _is_number(done) or not (total is None or _is_number(total)) or not isinstance(message, str):
        return None
    text = message[:200] if message.isprintable() else ""
    return Progress(float(done), None if total is None else float(total), text)  # type: ignore[arg-type]


def thinned(points: list[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most ``most`` of the points, evenly chosen, the first and the last among them."""
    if len(points) <= most:
        return points
    return [points[round(n * (len(points) - 1) / (most - 1))] for n in range(most)]


def as_lists(points: list[Point]) -> dict[str, list[Any]]:
    """Points as a record keeps them."""
    kept = thinned(points)
    return {"steps": [p[0] for p in kept], "values": [p[1] for p in kept], "times": [p[2] for p in kept]}


def merged(*parts: Logged) -> Logged:
    """Several logs as one; what the first says of a name holds."""
    whole = Logged()
    for part in parts:
        for name, points in part.series.items():
            if name not in whole.series and len(whole.series) < MOST_SERIES:
                whole.series[name] = points
        whole.parameters = {**part.parameters, **whole.parameters}
        whole.artifacts = {**part.artifacts, **whole.artifacts}
        whole.progress = whole.progress or part.progress
        whole.dropped += part.dropped
    return whole


def fields_of(text: str) -> Iterator[list[str]]:
    """The words of each line."""
    for line in text.splitlines():
        if words := line.split():
            yield words


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isprintable()


def _is_plain(text: str) -> bool:
    return not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST_STEP
