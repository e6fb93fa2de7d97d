"""Keys of people are recognised by the column's name over values that differ."""

import pytest

from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.subject_id import SubjectId

KEYS = [f"C{n:05d}" for n in range(100)]


def judge(values, header, arrow_type="string"):
    return SubjectId().judge(ColumnSample.of(header, values, arrow_type))


@pytest.mark.parametrize("header", ["customer_id", "PatientNumber", "user uuid", "account_no", "employeeRef"])
def test_keys_of_people_are_recognised(header):
    assert judge(KEYS, header).confidence > 0.9


def test_they_may_repeat_as_in_a_table_of_transactions():
    assert judge(KEYS * 5, "customer_id").confidence > 0.9


def test_a_bare_id_is_recognised_when_it_is_unique():
    assert 0.5 <= judge(KEYS, "id").confidence < 0.9
    assert judge(KEYS * 2, "id") is None


@pytest.mark.parametrize("header", ["order_id", "sku", "customer", "customer_segment", "idea", "grid"])
def test_keys_of_other_things_are_not(header):
    assert judge(KEYS, header) is None


def test_a_code_with_few_values_is_no_key():
    assert judge(["A", "B"] * 50, "customer_code") is None


def test_measurements_are_no_keys():
    assert judge(["1.5", "2.5"] * 20, "patient_number", "double") is None


def test_nothing_is_no_key():
    assert judge([], "customer_id") is None
