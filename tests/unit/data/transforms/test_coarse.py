"""Coarser values, and text without the personal data in it."""

from datetime import date, datetime

import pyarrow as pa
import pytest

from trustplane.data.transforms.coarse import Clamp, Generalise, Mask, Noise
from trustplane.data.transforms.text import Redact
from trustplane.values.errors import BadInput


def after(transform, values, kind=None):
    return transform.apply(pa.array(values, kind), {}).to_pylist()


def test_a_mask_shows_little():
    assert after(Mask(last=4), ["4111-1111-1111-1234", None]) == ["****-****-****-1234", None]
    assert after(Mask(first=1), ["ann@mail.example", "Zoë"]) == ["a**@****.*******", "Z**"]
    assert after(Mask(last=4), ["12345"]) == ["*****"]
    with pytest.raises(BadInput):
        Mask(first=5, last=4)


def test_generalisation_says_a_range_a_prefix_a_period_or_a_group():
    assert after(Generalise(width=10), [23, 29, None, 40]) == ["[20, 30)", "[20, 30)", None, "[40, 50)"]
    assert after(Generalise(length=2), ["10115", "10999", None]) == ["10*", "10*", None]
    assert after(Generalise(to="month"), [date(1980, 5, 17), None]) == ["1980-05", None]
    assert after(Generalise(to="year"), ["1980-05-17", "1999-01-01"]) == ["1980", "1999"]
    assert after(Generalise(to="day"), [datetime(2020, 1, 2, 3, 4)]) == ["2020-01-02"]
    assert after(Generalise(groups={"north": ["a", "b"], "south": ["c"]}), ["a", "c", "b"]) == [
        "north",
        "south",
        "north",
    ]
    for wrong in ({}, {"width": 5, "length": 2}, {"to": "century"}):
        with pytest.raises(BadInput):
            Generalise(**wrong)
    with pytest.raises(BadInput) as caught:
        after(Generalise(to="year"), ["seventeen"])
    assert "seventeen" not in f"{caught.value} {caught.value.why}"


def test_top_and_bottom_coding():
    assert after(Clamp(highest=90), [17, 95, None]) == [17, 90, None]
    assert after(Clamp(lowest=0.5, highest=2), [0.1, 1.0, 9.0]) == [0.5, 1.0, 2.0]
    with pytest.raises(BadInput):
        after(Clamp(lowest=0.5), [1, 2])
    with pytest.raises(BadInput):
        Clamp(lowest=9, highest=1)


def test_noise_moves_numbers_by_so_much_on_average():
    moved = after(Noise(deviation=3), [100.0] * 20_000)
    mean = sum(moved) / len(moved)
    spread = (sum((m - mean) ** 2 for m in moved) / len(moved)) ** 0.5
    assert abs(mean - 100) < 0.2
    assert abs(spread - 3) < 0.2
    whole = after(Noise(deviation=50), [1, 255, None], pa.uint8())
    assert all(v is None or 0 <= v <= 255 for v in whole)
    with pytest.raises(BadInput):
        after(Noise(deviation=1), ["a"])


def test_text_is_redacted_in_place():
    text = "Write to ann.lee@mail.example or pay DE89 3704 0044 0532 0130 00 today."
    assert after(Redact(), [text, None, ""]) == [
        "Write to <EMAIL_ADDRESS> or pay <IBAN_CODE> today.", None, "",
    ]  # fmt: skip
    assert "DE89" in after(Redact(entities=["EMAIL_ADDRESS"]), [text])[0]
    with pytest.raises(BadInput):
        Redact(entities=["NOTHING"])
