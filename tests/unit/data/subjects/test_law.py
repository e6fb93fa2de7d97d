"""The clocks and grounds of the law."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.data.subjects.law import law, months_after
from trustplane.values.errors import BadInput


@pytest.mark.parametrize(
    ("received", "months", "due"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-11-24", 1, "2026-12-24"),
        ("2026-12-31", 1, "2027-01-31"),
        ("2025-11-30", 3, "2026-02-28"),
        ("2026-10-31", 1, "2026-11-30"),
    ],
)
def test_months_are_calendar_months(received, months, due):
    start = datetime.fromisoformat(received + "T13:14:15+00:00")
    assert months_after(start, months) == datetime.fromisoformat(due + "T13:14:15+00:00")


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)), st.integers(0, 120))
def test_a_period_never_skips_a_month_nor_loses_a_day(moment, months):
    end = months_after(moment, months)
    assert (end.year - moment.year) * 12 + end.month - moment.month == months
    assert end.day <= moment.day
    assert (end.hour, end.minute, end.second) == (moment.hour, moment.minute, moment.second)


def test_an_extension_counts_from_the_receipt():
    received = datetime(2025, 12, 31, tzinfo=UTC)
    assert law().due(received) == datetime(2026, 1, 31, tzinfo=UTC)
    assert law().due_extended(received) == datetime(2026, 3, 31, tzinfo=UTC)


def test_grounds_are_those_of_the_right():
    legal = "JustificationA17LegalClaims"
    assert law().check_refusal("erasure", legal) == f"eu-gdpr:{legal}"
    with pytest.raises(BadInput) as told:
        law().check_refusal("access", legal)
    assert told.value.code == "TP-DATA-071"
    for wrong in ("", "nonsense", "eu-gdpr:A17"):
        with pytest.raises(BadInput):
            law().check_delay(wrong)
    with pytest.raises(BadInput) as told:
        law().check_kind("deletion")
    assert told.value.code == "TP-DATA-070"
