"""Social security numbers are recognised by form and name, and never those that were never issued."""

import pytest

from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.us_ssn import UsSsn


def judge(values, header="c"):
    return UsSsn().judge(ColumnSample.of(header, values))


@pytest.mark.parametrize("value", ["078-05-1120", "219 09 9999", "899-99-0001"])
def test_written_numbers_are_recognised_under_any_name(value):
    assert judge([value]).confidence > 0.8


@pytest.mark.parametrize("header", ["c", "ssn"])
@pytest.mark.parametrize(
    "value",
    ["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "12-345-6789", "1234567890", "", "abc"],
)
def test_numbers_that_were_never_issued_are_not(value, header):
    assert judge([value], header) is None


def test_nine_digits_count_only_under_a_fitting_name():
    assert judge(["078051120"]) is None
    assert judge(["078051120"], "social_security_number").confidence > 0.5


def test_a_name_that_only_contains_the_letters_does_not_fit():
    assert judge(["078051120"], "lessno") is None
