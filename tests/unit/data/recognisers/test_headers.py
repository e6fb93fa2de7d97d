"""Column names are read word by word."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.recognisers.headers import FORM, WHOSE, is_about, mentions, phrases, vocabulary, words


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("customerFullName2", ("customer", "full", "name", "2")),
        ("E-Mail Address", ("e", "mail", "address")),
        ("IPAddress", ("ip", "address")),
        ("date_of__birth", ("date", "of", "birth")),
        ("ＳＥＸ", ("sex",)),
        ("Straße", ("strasse",)),
        ("電話", ("電話",)),
        ("", ()),
        ("__", ()),
    ],
)
def test_a_name_is_cut_into_words(header, expected):
    assert words(header) == expected


@settings(deadline=None)
@given(st.text(max_size=400))
def test_every_name_has_words_in_lower_case_without_separators(header):
    for word in words(header):
        assert word
        assert word == word.casefold()
        assert "_" not in word


@pytest.mark.parametrize(
    ("header", "phrase", "expected"),
    [
        ("home_address_line", "address", True),
        ("driver_lic_no", "lic", True),
        ("public", "lic", False),
        ("blood_group", "blood group", True),
        ("group_blood", "blood group", False),
        ("blood", "blood group", False),
    ],
)
def test_a_phrase_stands_as_whole_words_in_order(header, phrase, expected):
    assert mentions(header, phrases(phrase)) is expected


@pytest.mark.parametrize(
    ("header", "ignored", "expected"),
    [
        ("age", WHOSE, True),
        ("customer_age", WHOSE, True),
        ("age_2", WHOSE, True),
        ("domain_age", WHOSE, False),
        ("page", WHOSE, False),
        ("age_group", WHOSE, False),
        ("age_group", WHOSE | FORM, True),
    ],
)
def test_being_about_allows_only_ignored_words_beside(header, ignored, expected):
    assert is_about(header, phrases("age"), ignored) is expected


def test_phrases_and_vocabularies_are_parsed():
    assert phrases("first name, surname,") == {("first", "name"), ("surname",)}
    assert mentions("Straße", phrases("straße"))
    assert mentions("เลขประจำตัวประชาชน", phrases("เลขประจำตัวประชาชน"))
    assert vocabulary("a b") == {"a", "b"}
