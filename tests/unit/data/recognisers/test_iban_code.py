"""IBANs are recognised by country, length and check digits."""

import random

import pytest

from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.iban_code import LENGTHS, IbanCode, is_iban

# The examples of the SWIFT IBAN registry for these countries.
EXAMPLES = [
    "AD1200012030200359100100", "AE070331234567890123456", "AT611904300234573201", "BE68539007547034", "BR1800360305000010009795493C1",
    "CH9300762011623852957", "DE89370400440532013000", "DK5000400440116243", "ES9121000418450200051332", "FI2112345600000785",
    "FR1420041010050500013M02606", "GB29NWBK60161331926819", "GR1601101250000000012300695", "IE29AIBK93115212345678",
    "IT60X0542811101000000123456", "MT84MALT011000012345MTLCAST001S", "NL91ABNA0417164300", "NO9386011117947", "PL61109010140000071219812874",
    "SA0380000000608010167519", "SE4550000000058398257466", "TR330006100519786457841326", "XK051212012345678906",
]  # fmt: skip


def judge(values, header="c"):
    return IbanCode().judge(ColumnSample.of(header, values))


@pytest.mark.parametrize("number", EXAMPLES)
def test_published_examples_hold(number):
    assert is_iban(number)
    assert is_iban(number.lower())
    assert is_iban(" ".join(number[at : at + 4] for at in range(0, len(number), 4)))


@pytest.mark.parametrize("number", EXAMPLES)
def test_every_change_of_one_digit_is_found(number):
    """97 is prime and above 10, so no change of a digit keeps the remainder (ISO 7064)."""
    for at, sign in enumerate(number):
        if sign.isdigit():
            for other in "0123456789".replace(sign, ""):
                assert not is_iban(number[:at] + other + number[at + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DE",
        "DE8937040044053201300",
        "DE893704004405320130000",
        "ZZ89370400440532013000",
        "DEé9370400440532013000",
        "DE8937040044053²013000",
    ],
)
def test_other_texts_are_none(text):
    assert not is_iban(text)


def test_no_length_is_beyond_the_standard():
    assert all(15 <= length <= 34 for length in LENGTHS.values())


def test_columns_of_ibans_are_recognised():
    assert judge(EXAMPLES).confidence > 0.95
    assert judge(EXAMPLES[:1], "iban").confidence > 0.95


def test_random_codes_of_the_form_are_not_flagged():
    dice = random.Random(4)
    codes = [f"DE{dice.randrange(100):02d}{dice.randrange(10**18):018d}" for _ in range(3000)]
    assert judge(codes) is None
    assert judge(codes, "account_number") is None
