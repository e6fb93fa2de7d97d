"""Telephone numbers are recognised by how they are written; bare digits only under a fitting name."""

import pytest

from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.phone_number import PhoneNumber


def judge(values, header="c"):
    return PhoneNumber().judge(ColumnSample.of(header, values))


@pytest.mark.parametrize("value", ["+886 2 1234 5678", "+14155550100", "+44 (20) 7946-0000", "+33.1.99.00.12.34"])
def test_international_numbers_are_recognised_under_any_name(value):
    assert judge([value]).confidence > 0.9


@pytest.mark.parametrize("value", ["(415) 555-0100", "415-555-0100", "0912-345-678", "020 7946 0000"])
def test_national_numbers_are_recognised_under_any_name(value):
    assert judge([value]).confidence > 0.5


@pytest.mark.parametrize("value", ["0912345678", "4155550100", "00886212345678"])
def test_bare_digits_count_only_under_a_fitting_name(value):
    assert judge([value]) is None
    assert judge([value], "mobile_phone").confidence > 0.5


@pytest.mark.parametrize("header", ["c", "phone"])
@pytest.mark.parametrize(
    "value",
    [
        "",
        "12345",
        "+1",
        "not a number",
        "4111 1111 1111 1111",
        "+1234567890123456789",
        "192.168.0.1x",
        "01/15/2020",
        "01-15-2020",
    ],
)
def test_other_values_are_never_telephone_numbers(value, header):
    assert judge([value], header) is None


def test_dates_are_no_telephone_numbers():
    assert judge([f"0{month}/{day:02d}/2020" for month in range(1, 10) for day in range(1, 29)]) is None


def test_order_numbers_are_no_telephone_numbers():
    assert judge([f"{n:010d}" for n in range(4_000_000_000, 4_000_000_500)], "order_number") is None
