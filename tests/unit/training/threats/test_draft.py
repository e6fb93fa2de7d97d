"""Drafts: what a table shows, and that every row keeps what was drafted from it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.training.threats.draft import draft_threat
from trustplane.training.threats.model import Kind
from trustplane.training.threats.parsing import parse_threat
from trustplane.training.threats.validator import holding
from trustplane.training.threats.writing import written
from trustplane.values.errors import BadInput


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(2)
    n = 400
    a, b = random.integers(0, 20, (2, n)).astype(float)
    kind = random.integers(0, 3, n)
    least = random.integers(1, 5, n)
    most = least + random.integers(0, 4, n)
    columns = {
        "a": a, "b": b, "sum of both": a + b, "share": random.random(n), "kind_x": kind == 0, "kind_y": kind == 1, "kind_z": kind == 2,
        "least": least, "most": most, "class": kind, "rate": np.array([1.0, 3.0, 3.0])[kind], "constant": np.full(n, 4.0),
        "hits": (kind == 2) * random.integers(1, 3, n), "visits": (kind > 0) * random.integers(1, 9, n),
    }  # fmt: skip
    return tuple(columns), np.column_stack([c.astype(float) for c in columns.values()])


def test_types_bounds_groups_and_relations_are_found(table) -> None:
    names, rows = table
    threat = draft_threat("drafted", names, rows, immutable=["share"])
    known = {f.name: f for f in threat.features}
    assert threat.draft
    assert {n: known[n].kind for n in ("a", "share", "kind_x")} == {
        "a": Kind.INTEGER,
        "share": Kind.REAL,
        "kind_x": Kind.CATEGORY,
    }
    assert (known["a"].low, known["a"].high, known["a"].scale) == (0, 19, 19)
    assert not known["share"].mutable
    assert not known["constant"].mutable
    assert [(g.name, g.features) for g in threat.groups] == [("kind", ("kind_x", "kind_y", "kind_z"))]
    said = {r.text for r in threat.relations}
    assert any("'sum of both'" in t and "==" in t and "a" in t for t in said)
    assert "least <= most" in said
    assert "hits > 0 implies visits > 0" in said
    assert (
        "implies('class' == 0, rate == 1) and implies('class' == 1, rate == 3) and implies('class' == 2, rate == 3)"
        in said
    )
    assert not any("share" in t for t in said)
    assert holding(threat, names, rows).valid.all()
    assert parse_threat(written(threat)) == threat


@given(st.integers(0, 10_000), st.integers(2, 5))
def test_every_row_keeps_its_draft(seed, width) -> None:
    random = np.random.default_rng(seed)
    rows = random.integers(0, random.integers(2, 6), (60, width)).astype(float)
    rows[:, -1] = rows[:, 0] * 2 + rows[:, 1] - 3
    names = [f"f{i}" for i in range(width)]
    assert holding(draft_threat("x", names, rows), names, rows).valid.all()


@pytest.mark.parametrize("rows", [np.zeros((3, 2)), np.full((30, 2), np.nan), np.zeros((30, 3)), np.zeros(30)])
def test_too_little_is_said(rows) -> None:
    with pytest.raises(BadInput, match="TP-RUN-046"):
        draft_threat("x", ["a", "b"], rows)
