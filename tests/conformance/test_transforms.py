"""What every installed transform must keep to, built-in or not (trustplane.data.transforms.contract)."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.transforms.contract import Reversible
from trustplane.data.transforms.registry import make_transform, transform_names
from trustplane.kernel.vault.keys import fresh
from trustplane.values.errors import BadInput

KEYS = {"pseudonym": fresh("a"), "token": fresh("b")}
OTHERS = {"pseudonym": fresh("c"), "token": fresh("d")}
OPTIONS = {
    "generalise": {"length": 2}, "clamp": {"lowest": 0, "highest": 9}, "noise": {"deviation": 1.5}, "synthetic": {"kind": "name"},
}  # fmt: skip
"""What transforms need that take no step without an option. A stranger's are tried without any."""
every = pytest.mark.parametrize("do", transform_names())
VALUES = (
    pa.array(["C0012345", "Zoë Müller", None, "", "DE89 3704 0044 0532 0130 00", "\u202eabc\u0301", "x" * 3000, "0123456789"]),
    pa.array([None, None], pa.string()),
    pa.array([], pa.string()),
    pa.array([1, None, -5, 2**53], pa.int64()),
    pa.array([1.5, None, float("nan"), float("inf")], pa.float64()),
    pa.array([True, None]),
    pa.array([b"\xff\x00", None]),
    pa.array([[1], None]),
)  # fmt: skip


def made(do):
    return make_transform(do, OPTIONS.get(do, {}))


def applied(transform, values, keys=KEYS):
    """What became of the values, after a look at everything that the contract says of it; None where they do not fit."""
    try:
        after = transform.apply(values, {p: keys[p] for p in transform.needs})
    except BadInput as error:
        said = f"{error.code} {error} {error.why or ''}"
    else:
        said = ""
    if said:
        held = [str(v) for v in values.to_pylist() if v is not None and len(str(v)) > 3]
        assert not any(v in said for v in held), "an error holds no value"
        return None
    assert len(after) == len(values)
    if transform.follows or not transform.hides:
        assert after.is_null().to_pylist() == values.is_null().to_pylist()
    return after


def revealed(transform, value, keys):
    try:
        return transform.reveal(value, keys)
    except BadInput as error:
        return error.code


@every
def test_it_says_what_it_is(do):
    transform = made(do)
    assert isinstance(transform.hides, bool)
    assert isinstance(transform.follows, bool)
    assert transform.needs <= set(KEYS)


@every
def test_it_bears_all_kinds_of_columns(do):
    transform = made(do)
    assert any(applied(transform, values) is not None for values in VALUES)
    for values in VALUES:
        applied(transform, values)


@every
@settings(deadline=None, max_examples=30)
@given(st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=30), max_size=6))
def test_it_bears_any_text(do, texts):
    applied(made(do), pa.array(texts, pa.string()))


@every
def test_what_follows_is_the_same_under_the_same_keys_and_another_under_others(do):
    transform = made(do)
    if not transform.follows:
        return
    values = pa.array(["4111111111", "4111 1111 11", "5222222222"])
    first = applied(transform, values).to_pylist()
    assert first == applied(made(do), values).to_pylist()
    assert first != applied(made(do), values, OTHERS).to_pylist()
    assert len(set(first)) >= 2


@every
def test_what_hides_shows_no_identifier(do):
    transform = made(do)
    if not transform.hides:
        return
    people = ["ann.lee1234567@mail.example", "+49 30 901820", "DE89370400440532013000"]
    assert not set(people) & set(applied(transform, pa.array(people)).to_pylist())


@every
def test_what_is_reversible_turns_back_with_its_keys_alone(do):
    transform = made(do)
    if not isinstance(transform, Reversible):
        return
    values = ["4111-1111-1111", "0123456789"]
    made_of = applied(transform, pa.array(values)).to_pylist()
    assert [transform.reveal(each, KEYS) for each in made_of] == values
    for each in made_of:
        assert revealed(transform, each, OTHERS) not in values
    for hostile in ("", "tk_", "x", "tk_" + "a" * 26 + "_" + "!" * 9, "\0" * 50, "é" * 100):
        with pytest.raises(BadInput):
            transform.reveal(hostile, KEYS)
