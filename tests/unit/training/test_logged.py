"""What scripts log: written by the module, read as what a hostile script could have written."""

import json
import math
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.training import log
from trustplane.training.logged import (
    LARGEST,
    MOST_PARAMETERS,
    MOST_POINTS,
    MOST_SERIES,
    Logged,
    as_lists,
    merged,
    read_log,
    take_lines,
    thinned,
)


@pytest.fixture
def output(tmp_path, monkeypatch):
    monkeypatch.setenv("TRUSTPLANE_OUTPUT", str(tmp_path))
    monkeypatch.setattr(log, "_files", {})
    yield tmp_path
    for file in log._files.values():
        file.close()


def read(*lines):
    logged = Logged()
    take_lines(logged, [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines])
    return logged


def test_what_is_logged_is_read(output) -> None:
    log.parameter("depth", 3)
    log.metric("loss", 0.5, step=0)
    log.metric("loss", 0.25, step=1)
    log.metrics({"auc": 0.75, "f1": 0.5})
    log.metric("auc", 0.875)
    log.artifact(output / "model.onnx", "the model")
    log.progress(1, 2, "half")
    found = read_log(output / log.FILE)
    assert [(s, v) for s, v, _ in found.series["loss"]] == [(0, 0.5), (1, 0.25)]
    assert [(s, v) for s, v, _ in found.series["auc"]] == [(0, 0.75), (1, 0.875)], "without a step each is the next"
    assert found.last() == {"loss": 0.25, "auc": 0.875, "f1": 0.5}
    assert (found.parameters, found.artifacts, found.dropped) == ({"depth": 3}, {"model.onnx": "the model"}, 0)
    assert (found.progress.done, found.progress.total, found.progress.message) == (1, 2, "half")
    assert json.loads((output / log.FILE).read_text().splitlines()[0]) == {"format": log.FORMAT}


def test_a_loss_that_is_no_number_is_a_gap(output) -> None:
    for value in (1.0, math.nan, math.inf, 2.0):
        log.metric("loss", value)
    found = read_log(output / log.FILE)
    assert [v for _, v, _ in found.series["loss"]] == [1.0, None, None, 2.0]
    assert found.last() == {"loss": 2.0}


def test_outside_of_a_run_nothing_is_written(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("TRUSTPLANE_OUTPUT", raising=False)
    monkeypatch.chdir(tmp_path)
    log.metric("loss", 1)
    log.progress(1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda: log.metric("", 1),
        lambda: log.metric("x" * 65, 1),
        lambda: log.metric("a\nb", 1),
        lambda: log.parameter("x", [1]),
    ],
)
def test_a_mistake_is_told_to_the_script(output, call) -> None:
    with pytest.raises((TypeError, ValueError)):
        call()


def test_importing_it_costs_the_standard_library_alone() -> None:
    code = "import sys; from trustplane.training import log; print([m for m in ('msgspec','numpy','pyarrow','sqlalchemy','pydantic','httpx') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe", b"{", b"[1]", b"null", b'{"metric": "a"}', b'{"metric": 1, "value": 1}', b'{"metric": "", "value": 1}',
        b'{"metric": "a", "value": "1"}', b'{"metric": "a", "value": true}', b'{"metric": "a", "value": 1e999}',
        b'{"metric": "a", "value": 1, "step": 1.5}', b'{"metric": "a", "value": 1, "step": 99999999999999999999}',
        b'{"metric": "\\u001b[2J", "value": 1}', b'{"parameter": "a", "value": [1]}', b'{"parameter": "a", "value": "\\u0000"}',
        b'{"artifact": 1}', b'{"artifact": "a\\nb"}', b'{"format": "other/9"}', b'{"a": ' + b"[" * 9000 + b"]" * 9000 + b"}",
        b'{"metric": "' + b"x" * 65 + b'", "value": 1}',
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_counted_and_dropped(line) -> None:
    found = read(line)
    assert found.dropped == 1
    assert (found.last(), found.parameters, found.artifacts) == ({}, {}, {})


def test_bounds_hold_against_a_flood() -> None:
    found = read(
        *({"metric": f"m{n}", "value": n} for n in range(MOST_SERIES + 5)),
        *({"parameter": f"p{n}", "value": n} for n in range(MOST_PARAMETERS + 5)),
    )
    assert (len(found.series), len(found.parameters), found.dropped) == (MOST_SERIES, MOST_PARAMETERS, 10)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(-1e6, 1e6), st.just(0.0)), max_size=3000))
def test_thinning_keeps_both_ends_and_the_order(points) -> None:
    kept = thinned(points)
    assert len(kept) == min(len(points), MOST_POINTS)
    if points:
        assert (kept[0], kept[-1]) == (points[0], points[-1])
    lists = as_lists(points)
    assert len(lists["steps"]) == len(lists["values"]) == len(lists["times"]) == len(kept)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_an_error(data) -> None:
    logged = Logged()
    take_lines(logged, data.split(b"\n"))
    assert all(v is None or abs(v) < LARGEST for points in logged.series.values() for _, v, _ in points)


def test_no_link_or_pipe_is_followed(tmp_path) -> None:
    (tmp_path / "real").write_text('{"metric": "a", "value": 1}\n')
    (tmp_path / "link").symlink_to(tmp_path / "real")
    os.mkfifo(tmp_path / "pipe")
    assert read_log(tmp_path / "real").last() == {"a": 1}
    for name in ("link", "pipe", "none"):
        assert read_log(tmp_path / name).series == {}


def test_of_two_logs_the_first_holds() -> None:
    first, second = (
        read({"metric": "a", "value": 1}),
        read({"metric": "a", "value": 2}, {"parameter": "x", "value": 1}, {}),
    )
    whole = merged(first, second)
    assert (whole.last(), whole.parameters, whole.dropped) == ({"a": 1}, {"x": 1}, 1)
