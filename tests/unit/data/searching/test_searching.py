"""The search of all texts at once finds what a plain search of each finds, whatever stands in the texts."""

import re
from functools import cache
from re import _parser as parser

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.data.searching import plainly

from trustplane.data.recognisers.codes import Shape
from trustplane.data.recognisers.contract import Opening, TextForm, TextRecogniser
from trustplane.data.recognisers.headers import phrases
from trustplane.data.recognisers.numbers import Number
from trustplane.data.recognisers.registry import installed_recognisers
from trustplane.data.searching.batch import Batch, batches
from trustplane.data.searching.codes import runs
from trustplane.data.searching.context import Context, said_near
from trustplane.data.searching.forms import FormSearch
from trustplane.data.searching.sieve import Sieve
from trustplane.data.spans import SpanFinder, unescaped

INSTALLED = installed_recognisers()
FINDER = SpanFinder(INSTALLED, readers=())
NUMBERS = [each for each in INSTALLED if isinstance(each, Number)]
FORMS = {
    each.descriptor.entity: form
    for each in INSTALLED
    if isinstance(each, TextRecogniser) and (form := each.in_text()) is not None
}
WORDS = sorted({" ".join(p) for n in NUMBERS for p in n.names | n.also} | {" ".join(p) for f in FORMS.values() for p in f.context})  # fmt: skip
PIECES = (
    "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "219-09-9999", "943 476 5919", "+44 20 7946 0958", "(415) 555-0100",
    "jo.b+x@example.co.uk", "é@b.test", "10.0.0.1", "2001:db8::1", "www.example.com/a", "http://x.io", "AB 12 34 56 C", "A123456789",
    "00:1B:44:11:3A:B7", "52.52000, 13.40500", "SW1A 1AA", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "AKIAIOSFODNN7EXAMPLE",
    "529.982.247-25", "1 2 3 4 5 6 7", "999999999", "straße", "ﬁn", "é", "İ", "_", "@", "\n", "\0", "٣", "²", "XY", "aB", "9A", "-----BEGIN PRIVATE KEY-----",
)  # fmt: skip


@cache
def of_form(entity):
    return st.from_regex(re.compile(FORMS[entity].pattern, re.ASCII), fullmatch=True).filter(
        lambda text: len(text) < 200
    )


def numbers():
    """Numbers that have the form of a kind, of which a few pass its check, with separators between their signs."""

    def written(number, seed, between):
        dice = np.random.default_rng(seed)
        codes = number.shapes[seed % len(number.shapes)].drawn(64, dice)
        right = codes[number.valid(codes)]
        code = bytes((right if len(right) else codes)[0]).decode("ascii")
        return between.join(code[at : at + 3] for at in range(0, len(code), 3))

    return st.builds(written, st.sampled_from(NUMBERS), st.integers(0, 500), st.sampled_from(["", " ", "-", ".", "  "]))


def texts():
    piece = st.one_of(
        st.sampled_from(PIECES),
        st.sampled_from(WORDS),
        numbers(),
        st.text(max_size=6),
        st.text("0123 .-/@:_aZ", max_size=12),
    )
    between = st.sampled_from([" ", " ", " ", "", ", ", ": ", "_", ".", " and so on and so forth "])
    parts = st.lists(st.tuples(piece, between), max_size=8)
    return parts.map(lambda made: "".join(text + joint for text, joint in made))


@settings(deadline=None, max_examples=100)
@given(st.lists(texts(), max_size=4))
def test_it_finds_what_a_plain_search_of_each_text_finds(many):
    batch, made = Batch.of(unescaped(many)), [set() for _ in many]
    for finds in FINDER._finds(batch):
        for text, span in finds.spans(batch):
            made[text].add(span)
    assert made == plainly.found(INSTALLED, many)


@pytest.mark.parametrize("entity", FORMS)
@settings(deadline=None, max_examples=10)
@given(data=st.data())
def test_a_pattern_matches_nowhere_but_at_its_opening(entity, data):
    form = FORMS[entity]
    assert form.opening is not None
    around = st.sampled_from(["", " ", "a", "0 ", "-", ".", "é", "@", ": "])
    whole = "".join(data.draw(around) + data.draw(of_form(entity)) + data.draw(around) for _ in range(2))
    searched = [(m.start(), m.end()) for m in re.finditer(form.pattern, whole)]
    bare = TextForm(form.pattern, form.score, opening=form.opening)
    found = [(s, e) for _, starts, ends in FormSearch([bare]).find(Batch.of([whole])) for s, e in zip(starts.tolist(), ends.tolist(), strict=True)]  # fmt: skip
    assert found == searched


@pytest.mark.parametrize("entity", FORMS)
def test_a_pattern_takes_linear_time(entity):
    """A repetition is bounded, so what is tried at one place is; and none that can take many ways stands within another."""

    def walk(parts, within):
        for operator, argument in parts:
            if operator in (parser.MAX_REPEAT, parser.MIN_REPEAT):
                low, high, inner = argument
                assert high != parser.MAXREPEAT, f"{entity} repeats without end"
                several = high > 1 and high != low
                assert not (several and within > 4), f"{entity} repeats within a long repetition"
                walk(inner, high if several else within)
            elif operator is parser.SUBPATTERN:
                walk(argument[-1], within)
            elif operator is parser.BRANCH:
                for branch in argument[1]:
                    walk(branch, within)
            elif operator in (parser.ASSERT, parser.ASSERT_NOT):
                walk(argument[1], within)

    walk(parser.parse(FORMS[entity].pattern), 0)


def test_without_an_opening_a_pattern_is_searched_everywhere():
    search = FormSearch([TextForm(r"\bx[0-9]{2}\b", 0.9), TextForm(r"y[0-9]{2}", 0.9, opening=Opening(("y",)))])
    found = {
        at: (starts.tolist(), ends.tolist()) for at, starts, ends in search.find(Batch.of(["x12 y34", "x1", "x56"]))
    }
    assert found == {0: ([0, 15], [3, 18]), 1: ([4], [7])}


def test_a_match_that_reaches_into_the_next_text_is_none():
    assert [len(s) for _, s, _ in FormSearch([TextForm(r"a[^b]{1,9}", 0.9)]).find(Batch.of(["xa", "cd"]))] == [0]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text("0A1b ./-_@é", max_size=40), max_size=3))
@example(["1 2/3.4-5 6 7 8 9 0 1", "x" * 41, "12345678901234567890 12345678901234567890 1"])
def test_runs_are_those_of_a_plain_search(many):
    batch = Batch.of(many)
    made = runs(batch)
    codes = {
        (s, e, bytes(made.bare[o : o + n]).decode("ascii"))
        for s, e, o, n in zip(made.starts.tolist(), made.ends.tolist(), made.offsets.tolist(), made.lengths.tolist(), strict=True)
    }  # fmt: skip
    plain = {(b + s, b + e, code) for b, text in zip(batch.starts.tolist(), many, strict=True) for s, e, code in plainly.codes(text)}  # fmt: skip
    assert {each for each in codes if len(set(each[2])) > 1} == plain


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.sampled_from([*WORDS[:40], "nhsNumber", "x" * 50, "Straße", "é", "ID", "9"]), max_size=12), st.data()
)
def test_words_near_a_place_are_those_that_a_plain_look_finds(parts, data):
    text = data.draw(st.sampled_from([" ", "_", "  ", "é ", ", "])).join(parts)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    vocabularies = [
        phrases(",".join(WORDS[:20])),
        phrases(",".join(WORDS[10:40])),
        phrases("nhs, nhs number, straße, id"),
        frozenset(),
    ]
    batch = Batch.of(["nhs", text, "number"])
    near = Context(vocabularies).said(batch, np.array([start]) + 6, np.array([end]) + 6)
    said = said_near(text, start, end)
    assert near.tolist() == [[not each.isdisjoint(said) for each in vocabularies]]


@pytest.mark.parametrize(
    "text", ["Straße 1", "stra\u00dfe (1", "ＮＨＳ 1", "nhs\u0301 1", "Nhs №2 1", "nhs1", "é nhs 1 İ"]
)
def test_a_text_that_folding_changes_is_read_word_by_word(text):
    vocabularies, at = [phrases("straße"), phrases("nhs"), phrases("nhs no 2")], text.rindex("1")
    said = said_near(text, at, at + 1)
    near = Context(vocabularies).said(Batch.of([text]), np.array([at]), np.array([at + 1]))
    assert near.tolist() == [[not each.isdisjoint(said) for each in vocabularies]]
    assert near.any() == (text != "nhs\u0301 1")


def test_half_a_word_at_the_edge_of_the_look_says_nothing():
    assert ("phone",) in said_near("phone" + " " * 55 + "1", 60, 61)
    assert ("phone",) not in said_near("telephone" + " " * 55 + "1", 64, 65)
    assert ("phone",) not in said_near("1" + " " * 25 + "phones", 0, 1)


def test_batches_keep_every_text_in_its_order(monkeypatch):
    monkeypatch.setattr("trustplane.data.searching.batch.SIZE", 4)
    assert [list(batch.texts) for batch in batches(["a", "bc", "", "defgh", "i", "jk"])] == [
        ["a", "bc", "", "defgh"],
        ["i", "jk"],
    ]


def test_a_sieve_says_which_shapes_stand_where():
    signs = np.concatenate([np.frombuffer(b"a12-12 x12", np.uint8), np.zeros(16, np.uint8)])
    places, bits = Sieve([Shape("##"), Shape("#"), Shape("")], ["x", "", "1"]).places(signs)
    assert [at for at, each in zip(places.tolist(), bits.tolist(), strict=True) if each & 1] == [1, 4]
    assert [at for at, each in zip(places.tolist(), bits.tolist(), strict=True) if each & 2] == [1, 2, 4, 5, 8, 9]
    assert [at for at, each in zip(places.tolist(), bits.tolist(), strict=True) if each & 4] == [0, 1, 3, 4, 6, 7, 8]
