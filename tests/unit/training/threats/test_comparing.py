"""What differs between two threat models, and which way it goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.training.threats.comparing import Effect, compare_threats
from trustplane.training.threats.parsing import parse_threat

TEXT = """
name = "loans"
attacker = { knowledge = "scores" }
goal = { start = 1, margin = 0.05 }
[budget]
norm = "l2"
distance = 0.5
features = 4
[groups]
job = ["job_a", "job_b"]
[derived]
total = "paid + owed"
[features]
paid = { type = "integer", low = 0, high = 100, direction = "up", cost = 2 }
owed = { low = 0, high = 9 }
total = { mutable = false, low = 0, high = 109, scale = 109 }
age = { mutable = false }
job_a = {}
job_b = {}
[[relations]]
name = "no more than owed"
holds = "paid <= owed"
[[relations]]
name = "old enough"
holds = "age >= 18"
tolerance = 0.1
"""


def differences(old, new, text=TEXT):
    assert old in text
    found = compare_threats(parse_threat(text), parse_threat(text.replace(old, new)))
    return [(d.part, d.name, d.field, d.before, d.after, str(d.effect)) for d in found]


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ('name = "loans"', 'name = "credits"', ("file", "", "name", "loans", "credits", "none")),
        ('name = "loans"', 'name = "loans"\ndraft = true', ("file", "", "draft", False, True, "none")),
        ('"scores"', '"white-box"', ("attacker", "", "knowledge", "scores", "white-box", "more")),
        ('"scores"', '"labels"', ("attacker", "", "knowledge", "scores", "labels", "less")),
        ("margin = 0.05", "margin = 0.1", ("goal", "", "margin", 0.05, 0.1, "less")),
        ("start = 1", "start = 0", ("goal", "", "start", 1, 0, "open")),
        ("distance = 0.5", "distance = 0.4", ("budget", "", "distance", 0.5, 0.4, "less")),
        ('"l2"', '"linf"', ("budget", "", "norm", "l2", "linf", "more")),
        ("features = 4", "", ("budget", "", "features", 4, None, "more")),
        ("features = 4", "features = 3", ("budget", "", "features", 4, 3, "less")),
        ("features = 4", "features = 4\ncost = 3", ("budget", "", "cost", None, 3.0, "less")),
        ('type = "integer", low', "low", ("feature", "paid", "type", "integer", "real", "more")),
        ("owed = { low = 0,", "owed = { low = -1, scale = 9,", ("feature", "owed", "low", 0.0, -1.0, "more")),
        ("high = 109", "high = 100", ("feature", "total", "high", 109.0, 100.0, "less")),
        ("cost = 2", "cost = 3", ("feature", "paid", "cost", 2.0, 3.0, "less")),
        ("scale = 109", "scale = 200", ("feature", "total", "scale", 109.0, 200.0, "more")),
        ('direction = "up", ', "", ("feature", "paid", "direction", "up", "any", "more")),
        ('direction = "up"', 'direction = "down"', ("feature", "paid", "direction", "up", "down", "open")),
        ("age = { mutable = false }", "age = { low = 0, high = 9 }", ("feature", "age", "mutable", False, True, "more")),
        ("owed = { low", "owed = { mutable = false, low", ("feature", "owed", "mutable", True, False, "less")),
        ("job_a = {}", "job_a = {}\nnew = { low = 0, high = 1 }", ("feature", "new", "", None, "mutable, real", "more")),
        ("job_a = {}", "job_a = {}\nnew = { mutable = false }", ("feature", "new", "", None, "immutable, real", "none")),
        ('"paid + owed"', '"paid + 2 * owed"', ("derived", "total", "", "paid + owed", "paid + 2 * owed", "open")),
        ('holds = "paid <= owed"', 'holds = "paid < owed"', ("relation", "no more than owed", "holds", "paid <= owed", "paid < owed", "open")),
        ("tolerance = 0.1", "tolerance = 0.2", ("relation", "old enough", "tolerance", 0.1, 0.2, "more")),
        ('"old enough"', '"grown up"', ("relation", "grown up", "name", "old enough", "grown up", "none")),
        (TEXT[TEXT.rindex("[[rel"):], "", ("relation", "old enough", "", "age >= 18", None, "more")),
    ],
)  # fmt: skip
def test_each_difference_is_told_and_which_way_it_goes(old, new, difference) -> None:
    assert differences(old, new) == [difference]


def test_what_comes_and_what_goes_mirror_each_other() -> None:
    one, other = (
        parse_threat(TEXT),
        parse_threat(TEXT[: TEXT.rindex("[[rel")].replace("paid = {", "new = { low = 0, high = 1 }\npaid = {")),
    )
    turned = {Effect.MORE: Effect.LESS, Effect.LESS: Effect.MORE}
    there, back = compare_threats(one, other), compare_threats(other, one)
    assert [(d.part, d.name, d.before, d.after, d.effect) for d in there] == [
        (d.part, d.name, d.after, d.before, turned.get(d.effect, d.effect)) for d in back
    ]
    assert len(there) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"paid + owed"', '"(paid)+owed"'),
        ('holds = "paid <= owed"', 'holds = "paid<=owed"'),
        ("age = { mutable = false }", "age = { mutable = false, low = 3, high = 9, cost = 4 }"),
        ('job = ["job_a", "job_b"]', 'job = ["job_b", "job_a"]'),
        ("[features]", "# people wrote this\n[features]"),
    ],
)
def test_what_means_the_same_is_no_difference(old, new) -> None:
    assert differences(old, new) == []


def test_a_group_binds_the_attacker() -> None:
    free = TEXT.replace('[groups]\njob = ["job_a", "job_b"]\n', "").replace(
        "job_a = {}", "job_a = { low = 0, high = 1 }"
    )
    free = free.replace("job_b = {}", "job_b = { low = 0, high = 1 }")
    found = compare_threats(parse_threat(TEXT), parse_threat(free))
    assert [(d.part, d.field, str(d.effect)) for d in found] == [
        ("feature", "type", "open"), ("feature", "type", "open"), ("group", "", "more"),
    ]  # fmt: skip


@given(
    st.permutations(["a <= b", "a <= b", "b <= c", "a <= c"]),
    st.lists(st.sampled_from(["a <= b", "b <= c"]), max_size=3),
)
def test_relations_are_matched_as_often_as_they_are_there(order, fewer) -> None:
    def model(relations):
        lines = "".join(f'[[relations]]\nname = "r"\nholds = "{r}"\n' for r in relations)
        columns = "".join(f"{c} = {{ low = 0, high = 1 }}\n" for c in "abc")
        return parse_threat(f"budget = {{ distance = 1 }}\n[features]\n{columns}{lines}")

    assert compare_threats(model(order), model(["a <= b", "a <= b", "b <= c", "a <= c"])) == ()
    found = compare_threats(model(order), model(fewer))
    assert sum(d.before is None for d in found) - sum(d.after is None for d in found) == len(fewer) - 4
