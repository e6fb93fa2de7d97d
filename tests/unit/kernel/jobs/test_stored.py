"""Stored forms: what goes in comes out, and nothing else does."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.kernel.jobs.stored import decode, encode, plain, unexpected
from trustplane.values.errors import FAMILIES, BadInput, Refused, TrustplaneError, catalogue

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(JSON)
def test_a_value_comes_back(value: Any) -> None:
    assert decode(encode(value)) == value


@settings(deadline=None)
@given(JSON)
def test_json_is_plain_already(value: Any) -> None:
    assert plain(value, "it") == value


@settings(deadline=None)
@given(JSON)
def test_no_value_is_taken_for_an_error(value: Any) -> None:
    assert not isinstance(decode(encode({"error": value})), Exception)


@settings(deadline=None)
@given(
    st.sampled_from([*FAMILIES, TrustplaneError]),
    st.sampled_from(sorted(catalogue())),
    st.text(),
    st.text(),
    st.text(min_size=1),
    JSON,
)
def test_a_coded_error_comes_back_as_it_was(
    family: type[TrustplaneError], code: str, what: str, why: str, fix: str, fact: Any
) -> None:
    before = family(code, what, why=why, fix=fix, facts={"fact": fact})
    after = decode(encode(before))
    assert type(after) is family
    assert after.problem() == before.problem()


def test_facts_that_are_not_json_are_kept_as_text() -> None:
    after = decode(encode(Refused("TP-JOB-006", "it", facts={"where": 3 + 4j})))
    assert after.facts == {"where": "(3+4j)"}


class _Subject:
    def __repr__(self) -> str:
        return "ann@example.org"


@pytest.mark.parametrize(
    "value", [_Subject(), {"x": _Subject()}, {_Subject(): 1}, b"ann@example.org", float("inf"), {"ann@example.org"}]
)
def test_what_is_not_json_is_refused_without_being_shown(value: object) -> None:
    with pytest.raises(BadInput, match="TP-JOB-002 the argument is not JSON") as raised:
        plain(value, "the argument")
    assert "ann@example.org" not in str(raised.value)


def test_a_value_within_itself_is_refused() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(BadInput, match="TP-JOB-002"):
        plain(value, "it")


@settings(deadline=None)
@given(st.text(min_size=12))
def test_a_foreign_error_leaves_its_words_behind(words: str) -> None:
    try:
        raise LookupError(words)
    except LookupError as error:
        coded = unexpected(error)
    assert words not in str(coded.problem())
    assert coded.facts["type"] == "LookupError"
    assert coded.facts["place"].startswith("test_stored.py:")


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert unexpected(ValueError("x")).facts == {"type": "ValueError"}
