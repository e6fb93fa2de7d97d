"""Traits are recognised by the column's name, when the values can be the trait."""

import pytest

from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.quasi_identifier import QuasiIdentifier


def judge(values, header):
    return QuasiIdentifier().judge(ColumnSample.of(header, values))


@pytest.mark.parametrize(
    ("header", "values", "entity"),
    [
        ("SEX", ["1", "2"], "SEX"),
        ("gender_code", ["f", "m", "x"], "SEX"),
        ("AGE", ["21", "79"], "AGE"),
        ("age_group", ["18-25", "26-40", "65+"], "AGE"),
        ("MARRIAGE", ["0", "1", "2", "3"], "MARITAL_STATUS"),
        ("marital_status", ["single", "Never-married"], "MARITAL_STATUS"),
        ("EDUCATION", ["1", "2"], "EDUCATION"),
        ("zip_code", ["94103", "10001-1234"], "POSTCODE"),
        ("postcode", ["EX1 1AA"], "POSTCODE"),
        ("City", ["Taipei", "São Paulo"], "PLACE"),
        ("native_country", ["TW", "United States"], "COUNTRY"),
        ("occupation", ["Nurse", "Exec-managerial"], "OCCUPATION"),
        ("dependents", ["0", "3"], "DEPENDANTS"),
    ],
)
def test_traits_are_recognised(header, values, entity):
    found = judge(values, header)
    assert (found.entity, found.confidence > 0.8) == (entity, True)


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("domain_age", ["1", "2"]),
        ("page", ["1", "2"]),
        ("AGE", ["old", "young enough"]),
        ("AGE", ["48211", "90333"]),
        ("SEX", [f"v{n}" for n in range(200)]),
        ("http_status", ["200"]),
        ("SEX", []),
    ],
)
def test_other_columns_are_not(header, values):
    assert judge(values, header) is None
