"""The recognisers find in sentences what they find in columns, and less where a sentence proves less."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.recognisers.national.europe_west import UK_NHS
from trustplane.data.spans import Span, SpanFinder

FINDER = SpanFinder(readers=())


class Marks:
    """A reader that marks given places of every text."""

    entities = frozenset({"PERSON"})

    def __init__(self, *places, score=0.9):
        self.spans = [Span(start, end, "PERSON", score) for start, end in places]

    def read(self, texts):
        return [self.spans for _ in texts]


def found(text):
    return [(text[span.start : span.end], span.entity) for span in FINDER.find([text])[0]]


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("My NHS number is 943 476 5919.", [("943 476 5919", "UK_NHS")]),
        ("Write to jo.b+x@example.co.uk, please.", [("jo.b+x@example.co.uk", "EMAIL_ADDRESS")]),
        ("Card 4111 1111 1111 1111, exp 12/26", [("4111 1111 1111 1111", "CREDIT_CARD")]),
        ("IBAN DE89 3704 0044 0532 0130 00 ok", [("DE89 3704 0044 0532 0130 00", "IBAN_CODE")]),
        ("ssn 219-09-9999", [("219-09-9999", "US_SSN")]),
        ("from 10.0.0.1: refused", [("10.0.0.1", "IP_ADDRESS")]),
        ("see www.example.com/path.", [("www.example.com/path", "URL")]),
        ("NI number AB 12 34 56 C, codice fiscale RSSMRA85T10A562S",
         [("AB 12 34 56 C", "UK_NINO"), ("RSSMRA85T10A562S", "IT_FISCAL_CODE")]),
        ("the key AKIAIOSFODNN7EXAMPLE leaked", [("AKIAIOSFODNN7EXAMPLE", "SECRET")]),
        ("send it to 1BoatSLRHtKNngkdXEeobR76b53LETtpyT", [("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "CRYPTO")]),
        ("CPF 529.982.247-25 e PESEL 44051401359", [("529.982.247-25", "BR_CPF"), ("44051401359", "PL_PESEL")]),
        ("Regards\\n(415) 555-0100\\njo@example.org\\t", [("(415) 555-0100", "PHONE_NUMBER"), ("jo@example.org", "EMAIL_ADDRESS")]),
        ("call (415) 555-0100 or +44 20 7946 0958", [("(415) 555-0100", "PHONE_NUMBER"), ("+44 20 7946 0958", "PHONE_NUMBER")]),
        ("at 52.52000, 13.40500.", [("52.52000, 13.40500", "COORDINATES")]),
        ("by 2001:db8::1.", [("2001:db8::1", "IP_ADDRESS")]),
        ("mac 00:1B:44:11:3A:B7", [("00:1B:44:11:3A:B7", "MAC_ADDRESS")]),
    ],
)  # fmt: skip
def test_what_stands_in_a_sentence_is_found_whole(text, spans):
    assert found(text) == spans


@pytest.mark.parametrize(
    "text",
    [
        "",
        "order 1234567890 of 2024-01-15 costs 1,250.00",
        "reference 943476591, lot 1111111111",
        "version 1.2.3 at 12:30:45",
        "IBAN DE00 3704 0044 0532 0130 00",
        "card 4111 1111 1111 1112",
        "ssn 000-12-3456",
        "1BoatSLRHtKNngkdXEeobR76b53LETtpyU",
        "AB123456CD is a part",
        "a 10-digit number without a word: 9434765919",
    ],
)
def test_look_alikes_are_not(text):
    assert found(text) == []


def test_a_weak_number_needs_a_word_near_it():
    assert found("9434765919") == []
    assert found("nhs 9434765919") == [("9434765919", "UK_NHS")]
    assert found("nhs " + "and so on " * 20 + "9434765919") == []


def test_texts_do_not_reach_into_each_other():
    first, second, third = FINDER.find(["nhs", "9434765919 a@", "b.test"])
    assert (first, second, third) == ((), (), ())


@pytest.mark.parametrize(
    "food", ["a" * 50_000, "1 " * 5000, "A " * 20_000, "a@" * 20_000, "http://" * 5000, "::" * 20_000, "DE89 " * 10_000, "eyJ" * 20_000, "(0" * 20_000]
)  # fmt: skip
def test_food_for_backtracking_engines_is_taken_in_linear_time(food):
    assert all(isinstance(span, Span) for span in FINDER.find([food])[0])


@pytest.mark.parametrize(
    ("places", "left"),
    [
        ([(0, 27)], [(0, 10, "PERSON"), (12, 24, "UK_NHS")]),
        ([(12, 24)], [(12, 24, "UK_NHS")]),
        ([(14, 20)], [(12, 24, "UK_NHS")]),
        ([(0, 3), (8, 13)], [(0, 3, "PERSON"), (8, 10, "PERSON"), (12, 24, "UK_NHS")]),
        ([(0, 9), (5, 10)], [(0, 9, "PERSON"), (12, 24, "UK_NHS")]),
        ([(11, 25)], [(12, 24, "UK_NHS")]),
    ],
)
def test_what_a_recogniser_is_sure_of_is_cut_out_of_what_is_read(places, left):
    text = "NHS Number: 943 476 5919 ,:"
    found = SpanFinder([UK_NHS], [Marks(*places)]).find([text])[0]
    assert [(span.start, span.end, span.entity) for span in found] == left


def test_what_a_reader_is_not_sure_of_is_left_out():
    assert SpanFinder([], [Marks((0, 3), score=0.4)]).find(["Ann"]) == [()]


def test_the_entities_are_those_of_recognisers_and_readers():
    assert SpanFinder([UK_NHS], [Marks()]).entities == {"UK_NHS", "PERSON"}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=60), max_size=4))
def test_spans_lie_in_their_text_in_order_and_apart(texts):
    for text, spans in zip(texts, FINDER.find(texts), strict=True):
        assert all(0 <= s.start < s.end <= len(text) and 0.5 <= s.score <= 1 for s in spans)
        assert all(one.end <= other.start for one, other in pairwise(spans))
