"""Card numbers are recognised by a Luhn share that chance cannot give."""

import random

import numpy as np
import pytest

from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.credit_card import CreditCard, luhn

# Numbers that payment processors publish for tests.
PUBLISHED = [
    "4111111111111111",
    "4012888888881881",
    "4222222222222",
    "5555555555554444",
    "5105105105105100",
    "2223000048400011",
    "378282246310005",
    "6011111111111117",
    "3530111333300000",
    "30569309025904",
    "6200000000000005",
    "501800000009",  # Maestro of 12 digits
    "180000000000002",  # JCB of 15
]


def judge(values, header="c"):
    return CreditCard().judge(ColumnSample.of(header, values))


def cards(count, seed=1):
    dice = random.Random(seed)
    for _ in range(count):
        body = "4" + "".join(str(dice.randrange(10)) for _ in range(14))
        total = sum(sum(divmod(int(digit) * (2 if at % 2 == 0 else 1), 10)) for at, digit in enumerate(body))
        yield body + str(-total % 10)


def passes(number: str) -> bool:
    """Luhn by the letter of ISO/IEC 7812-1 annex B, as a second reading of it."""
    digits = [int(sign) for sign in reversed(number)]
    return (sum(digits[0::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


@pytest.mark.parametrize("width", range(13, 20))
def test_luhn_agrees_with_a_second_reading(width):
    dice = random.Random(width)
    numbers = ["".join(str(dice.randrange(10)) for _ in range(width)) for _ in range(300)]
    digits = np.array([[int(sign) for sign in number.zfill(19)] for number in numbers], np.uint8)
    assert luhn(digits).tolist() == [passes(number) for number in numbers]


def test_published_numbers_are_recognised():
    assert judge(PUBLISHED).confidence > 0.9


def test_spaces_and_hyphens_are_allowed():
    assert judge([f"{c[:4]} {c[4:8]}-{c[8:12]} {c[12:]}" for c in cards(20)]).confidence > 0.9


@pytest.mark.parametrize("header", ["order_id", "card_number"])
@pytest.mark.parametrize("prefix", ["", "4", "51"])
def test_random_numbers_are_not_flagged_though_one_in_ten_passes(prefix, header):
    dice = random.Random(9)
    digits = 16 - len(prefix)
    assert judge([prefix + f"{dice.randrange(10**digits):0{digits}d}" for _ in range(5000)], header) is None


def test_a_few_numbers_are_flagged_only_under_a_fitting_name():
    few = list(cards(3))
    assert judge(few) is None
    assert judge(few, "card_number").confidence > 0.9


def test_cards_among_other_numbers_are_found():
    dice = random.Random(2)
    others = [f"9{dice.randrange(10**15):015d}" for _ in range(700)]
    assert judge([*cards(300), *others]).confidence > 0.5


def test_numbers_that_pass_luhn_without_an_issuer_are_no_cards():
    assert judge([str(number) for number in range(10**15, 10**15 + 20_000) if passes(str(number))]) is None
