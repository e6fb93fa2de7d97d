"""Postal addresses are recognised by street and house number, or by the column's name over long enough texts."""

import pytest

from trustplane.data.recognisers.address import Address
from trustplane.data.recognisers.contract import ColumnSample


def judge(values, header="c"):
    return Address().judge(ColumnSample.of(header, values))


@pytest.mark.parametrize(
    "value",
    [
        "12 Orchard Road, Exampleton",
        "221b Baker Street",
        "Calle Mayor 5, Madrid",
        "12 rue des Lilas, Paris",
        "Lindenstraße 4",
        "Dorpsstraat 12",
        "Via Roma 1",
        "臺北市大安區中山路12號",
    ],
)
def test_addresses_of_several_languages_are_recognised_under_any_name(value):
    assert judge([value]).confidence > 0.8


@pytest.mark.parametrize("value", ["", "12", "paid 3 times", "the road is long", "Street", "see page 4", "wegen 5"])
def test_other_texts_are_not(value):
    assert judge([value]) is None


def test_the_name_counts_over_texts_that_are_long_enough():
    assert judge(["Musterhof, Hintertupfingen", "Postfach 12 34, Musterstadt"], "home_address").confidence >= 0.7
    assert judge(["yes", "no"], "address_known") is None


@pytest.mark.parametrize("header", ["email_address", "ip_address", "mac_address", "web_address"])
def test_addresses_of_other_kinds_are_left_to_others(header):
    assert judge(["someone@example.org", "other@example.org"], header) is None
