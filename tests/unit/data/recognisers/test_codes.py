"""Codes are values without what people write between their signs, by length."""

import pyarrow as pa
import pytest

from trustplane.data.recognisers.codes import LONGEST, Codes, Shape, signs_of


def texts(signs):
    return sorted(bytes(row).decode("ascii") for row in signs)


def test_separators_go_and_letters_are_upper_case():
    codes = Codes(pa.array(["ab-1 2.3/4", "AB1234", "x", "", "ü23456"]))
    assert texts(codes.of_length(6)) == ["AB1234", "AB1234"]
    assert texts(codes.of_length(1)) == ["X"]
    assert codes.of_length(5).shape == (0, 5)


def test_other_alphabets_and_long_values_are_no_codes():
    codes = Codes(pa.array(["1" * (LONGEST + 1), "1" * 500, "٣٤", "−12"]))
    assert not Shape("##").fits(codes.of_length(2)).any()
    assert codes.of_length(LONGEST + 1).shape == (0, LONGEST + 1)


def test_a_slice_of_an_array_is_laid_out_alike():
    codes = Codes(pa.array(["zzz", "123", "45", "678"])[1:])
    assert texts(codes.of_length(3)) == ["123", "678"]
    assert texts(codes.of_length(2)) == ["45"]


def test_a_fraction_is_no_grouped_number():
    assert texts(Codes(pa.array(["1.25", "125"]), fractions=True).of_length(3)) == ["125"]


def test_lost_zeros_are_put_back_on_digits_alone():
    codes = Codes(pa.array(["123", "12", "1", "a1", "1234"]))
    assert texts(codes.padded(4, 2).signs) == ["0012", "0123"]


@pytest.mark.parametrize(
    ("shape", "fitting", "others"),
    [
        ("##@", ["12A"], ["1AA", "123"]),
        ("A*[X-Z3]", ["A1X", "ABZ", "A93"], ["B1X", "A1W"]),
        ("[12]#", ["10", "29"], ["30"]),
    ],
)
def test_shapes(shape, fitting, others):
    assert Shape(shape).fits(signs_of(fitting)).all()
    assert not Shape(shape).fits(signs_of(others)).any()
