"""Dates of birth are dates under a name that speaks of birth."""

import pytest

from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.date_of_birth import DateOfBirth


def judge(values, header):
    return DateOfBirth().judge(ColumnSample.of(header, values))


@pytest.mark.parametrize("header", ["dob", "date_of_birth", "birthDate", "year_of_birth", "Geburtsdatum", "生日"])
@pytest.mark.parametrize(
    "value",
    [
        "1985-03-12",
        "12.03.1985",
        "3/12/85",
        "12 March 1985",
        "March 12, 1985",
        "1985",
        "19850312",
        "1985-03-12 00:00:00",
    ],
)
def test_dates_under_a_fitting_name_are_recognised(header, value):
    assert judge([value], header).confidence > 0.9


@pytest.mark.parametrize("header", ["order_date", "date", "c", "birthplace", "birth_weight", "reborn"])
def test_dates_under_another_name_are_not(header):
    assert judge(["1985-03-12"], header) is None


@pytest.mark.parametrize("value", ["", "yes", "3500", "Berlin"])
def test_other_values_are_not(value):
    assert judge([value], "birth") is None
