"""What every installed reader must keep to, built-in or not (trustplane.data.recognisers.readers)."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.recognisers.readers import installed_readers

INSTALLED = installed_readers()
every = pytest.mark.parametrize("reader", INSTALLED, ids=[type(each).__name__ for each in INSTALLED])
FOOD = (
    "", "\n", "\0", "\ud800", "a" * 50_000, "A. " * 15_000, "." * 50_000, "\n" * 50_000, "1 " * 25_000, "\U0010ffff" * 20_000, "e\u0301" * 20_000,
    "\u202eJohn\u200b Smith", "İ" * 5000, "ß" * 5000, "Mr " * 15_000, "١٢٣" * 10_000, "王小明" * 10_000, "John Smith " * 5000,
)  # fmt: skip


def checked(reader, texts):
    """The answer, after a look at everything that the contract says of it."""
    found = [list(spans) for spans in reader.read(texts)]
    assert found == [list(spans) for spans in reader.read(texts)], "a reader keeps no state and takes no chance"
    assert len(found) == len(texts)
    for text, spans in zip(texts, found, strict=True):
        assert all(
            0 <= s.start < s.end <= len(text) and 0 <= s.score <= 1 and s.entity in reader.entities for s in spans
        )
        assert all(one.end <= other.start for one, other in pairwise(spans))
    return found


def test_the_model_of_names_is_installed():
    assert {"PERSON", "LOCATION", "ORGANIZATION", "DATE_TIME", "NRP"} <= frozenset().union(
        *(r.entities for r in INSTALLED)
    )


@every
def test_it_names_its_entities(reader):
    assert reader.entities
    assert all(entity == entity.upper() for entity in reader.entities)


@every
def test_it_bears_food_for_careless_engines(reader):
    checked(reader, FOOD)


@every
@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(st.characters(), max_size=60), max_size=5))
def test_it_bears_any_texts(reader, texts):
    checked(reader, texts)


@every
@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.sampled_from(["Call Ann Lee in Rome.", "", "due 2024-05-01", "\n", "x"]) | st.text(max_size=20),
        min_size=1,
        max_size=5,
    )
)
def test_a_text_is_read_the_same_alone_and_among_others(reader, texts):
    assert checked(reader, texts) == [checked(reader, [text])[0] for text in texts]
