"""Sensitivity classes have one order, and it is used."""

from itertools import pairwise

import pytest

from trustplane.data.classes import COUNTS_ONLY, PERSONAL, SensitivityClass, most_sensitive


def test_classes_are_ordered_from_special_to_open():
    order = ["special", "identifier", "quasi-identifier", "confidential", "open"]
    assert [str(each) for each in SensitivityClass] == order
    assert all(one.rank > other.rank for one, other in pairwise(SensitivityClass))


def test_open_has_rank_zero():
    assert SensitivityClass.OPEN.rank == 0


def test_the_most_sensitive_class_wins():
    assert most_sensitive([SensitivityClass.OPEN, SensitivityClass.IDENTIFIER]) is SensitivityClass.IDENTIFIER


def test_nothing_has_no_most_sensitive_class():
    with pytest.raises(ValueError):
        most_sensitive([])


def test_personal_data_are_the_three_most_sensitive_classes():
    assert set(list(SensitivityClass)[:3]) == PERSONAL
    assert COUNTS_ONLY < PERSONAL
