"""Telephone numbers are recognised by how they are written; bare digits only under a fitting name."""

import pytest

from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.phone_number import PhoneNumber
from trustplane.data.spans import SpanFinder


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


def in_text(text):
    return [text[span.start : span.end] for span in SpanFinder([PhoneNumber()], []).find([text])[0]]


@pytest.mark.parametrize(
    "number", ["650 152 677", "04.71.22.71.25", "07205214877", "(415)555-0100", "71 507 332", "85-97-44-11", "0471 22-71.25", "4155550100x12"]
)  # fmt: skip
@pytest.mark.parametrize("lead", ["Please call me at ", "Phone: ", "my number is ", "Fax ", "reach me on "])
def test_any_groups_of_digits_count_right_after_a_word_that_says_telephone(lead, number):
    assert in_text(f"{lead}{number}, please.") == [number]


@pytest.mark.parametrize(
    "text",
    [
        "Order 650 152 677 is late.", "Call me about the order 650152677 soon.", "The sum is 1 000 000 000 euros.", "Call me on 12/05/2024.", "Phone 12345.",
        "Phone 12345678901234567890.", "Tel. #4155550100",
    ],
)  # fmt: skip
def test_digits_elsewhere_are_no_telephone_numbers(text):
    assert in_text(text) == []


@pytest.mark.parametrize("text", ["(415)555-0100", "+1-415-555-0100x22", "+41 (0)85 884 71 46"])
def test_forms_that_say_so_themselves_need_no_word(text):
    assert in_text(f"See {text} or not") == [text]
