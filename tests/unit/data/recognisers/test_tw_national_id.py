"""Taiwanese identification numbers are recognised by their check digit."""

import random

import pytest

from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.tw_national_id import TwNationalId, is_tw_national_id
from trustplane.examples.credit.people import tw_national_id


def judge(values, header="c"):
    return TwNationalId().judge(ColumnSample.of(header, values))


def made(count, seed=1):
    dice = random.Random(seed)
    return [
        tw_national_id(
            dice.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), woman=dice.random() < 0.5, serial=dice.randrange(10**7)
        )
        for _ in range(count)
    ]


# The number that forms and textbooks give as an example, and residents' numbers of the old and the new form.
@pytest.mark.parametrize("number", ["A123456789", "a123456789", "A800000014", "AB12345677"])
def test_examples_hold(number):
    assert is_tw_national_id(number)


@pytest.mark.parametrize(
    "number", ["A123456788", "A323456789", "1123456789", "A12345678", "A1234567890", "", "Ａ123456789", "A12345678²"]
)
def test_other_texts_do_not(number):
    assert not is_tw_national_id(number)


@pytest.mark.parametrize("letter", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
@pytest.mark.parametrize("woman", [True, False])
def test_exactly_one_check_digit_holds(letter, woman):
    body = tw_national_id(letter, woman=woman, serial=1234567)[:-1]
    assert sum(is_tw_national_id(body + str(digit)) for digit in range(10)) == 1


def test_columns_are_recognised_under_any_name():
    assert judge(made(200)).confidence > 0.9


def test_product_codes_of_the_form_are_not_flagged():
    dice = random.Random(3)
    codes = [f"{dice.choice('ABCDEF')}1{dice.randrange(10**8):08d}" for _ in range(5000)]
    assert judge(codes) is None
    assert judge(codes, "id_number") is None


def test_one_number_is_flagged_only_under_a_fitting_name():
    assert judge(["A123456789"]) is None
    assert judge(["A123456789"], "national_id").confidence > 0.9
