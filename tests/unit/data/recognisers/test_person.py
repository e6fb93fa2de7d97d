"""Names of people are recognised by the column's name together with the form of the values."""

import pytest

from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.person import Person

NAMES = ["Siobhán O'Brien", "陳淑芬", "Karl-Heinz Großmann", "María José García", "Nguyễn Văn A", "Aïcha Traoré"]


def judge(values, header):
    return Person().judge(ColumnSample.of(header, values))


@pytest.mark.parametrize(
    "header", ["name", "full_name", "customerName", "last name", "Vorname", "prénom", "姓名", "patient_surname"]
)
def test_names_under_a_fitting_name_are_recognised(header):
    assert judge(NAMES, header).confidence > 0.7


@pytest.mark.parametrize(
    "header", ["company_name", "product", "file_name", "city", "c", "type_name", "class_name", "username"]
)
def test_the_same_values_under_another_name_are_not(header):
    assert judge(NAMES, header) is None


@pytest.mark.parametrize(
    "values", [["item-1", "item-2"], ["12", "13"], ["a.csv_1"], ["this is a whole sentence about something else"], []]
)
def test_values_that_are_no_names_are_not(values):
    assert judge(values, "name") is None
