"""Threat models as files: everything that is wrong at once, and that what is written reads back the same."""

import dataclasses

import numpy as np
import pytest

from trustplane.training.threats import contradictions
from trustplane.training.threats.contradictions import check_contradictions
from trustplane.training.threats.model import Direction, Kind, Knowledge, Norm, fit
from trustplane.training.threats.parsing import parse_threat
from trustplane.training.threats.writing import written
from trustplane.values.errors import BadInput

WHOLE = """
name = "loans"
[attacker]
knowledge = "white-box"
[goal]
start = 0
margin = 0.05
[budget]
norm = "linf"
distance = 0.25
cost = 3
features = 4
[groups]
job = ["job=a", "job=b"]
[derived]
total = "paid + owed"
[features]
paid = { type = "integer", low = 0, high = 100, direction = "up", cost = 2 }
owed = { low = 0.5, high = 9.5, scale = 3 }
total = { mutable = false }
"job=a" = {}
"job=b" = {}
age = { type = "integer", mutable = false }
[[relations]]
name = "nobody pays more than is owed"
holds = "paid <= 20 * owed"
tolerance = 0.01
"""


def test_a_file_says_all_of_it_and_reads_back_the_same() -> None:
    threat = parse_threat(WHOLE)
    paid, owed, total, job, _, age = threat.features
    assert (paid.kind, paid.direction, paid.cost, paid.scale) == (Kind.INTEGER, Direction.UP, 2.0, 100.0)
    assert (owed.kind, owed.low, owed.high, owed.scale) == (Kind.REAL, 0.5, 9.5, 3.0)
    assert (job.kind, job.mutable, age.mutable, total.mutable) == (Kind.CATEGORY, True, False, False)
    assert (threat.budget.norm, threat.budget.cost, threat.budget.features) == (Norm.LINF, 3.0, 4)
    assert (threat.knowledge, threat.goal.start, threat.goal.margin) == (Knowledge.WHITE_BOX, 0, 0.05)
    assert threat.relations[0].tolerance == 0.01
    assert parse_threat(written(threat)) == threat
    draft = dataclasses.replace(threat, draft=True, name='"quotes" \\ and \x7f')
    assert parse_threat(written(draft)) == draft


def test_all_problems_are_said_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        parse_threat(
            """
            colour = 1
            budget = { norm = "l1", distance = -1, features = 0 }
            attacker = { knowledge = "all", seen = 1 }
            goal = { start = 2, margin = 1 }
            groups = { job = ["a", "b"], alone = ["a"], again = ["b", "x"] }
            derived = { z = "y + nothing", y = "z + 1", x = "a > 1", unknown = "x" }
            [features]
            a = { mutable = false }
            b = { type = "complex" }
            x = { low = 2, high = 1, scale = 0, cost = -1, directoin = "up" }
            y = { mutable = false }
            z = { mutable = "no" }
            w = { type = "category", direction = "sideways" }
            v = { low = nan, high = 3 }
            [[relations]]
            holds = "lenght <= x"
            [[relations]]
            holds = "x.y"
            [[relations]]
            hold = "x <= 1"
            """
        )
    assert caught.value.code == "TP-RUN-040"
    problems = caught.value.facts["problems"]
    for part in (
        "the file has no field 'colour'", "budget.norm is 'l1'", "budget.distance is no number from 0", "budget.features", "attacker.knowledge",
        "attacker has no field 'seen'", "goal.start", "goal.margin", "'alone' has fewer than two", "'b' is in the groups 'job' and 'again'",
        "'job' is mutable in part", "derived 'z': there is no feature 'nothing'", "derived 'x': it is true or false", "there is no feature 'unknown'",
        "feature 'x': low 2 lies above high 1", "feature 'x': scale", "feature 'x': cost", "no field 'directoin' did you mean 'direction'?",
        "feature 'z': mutable is neither", "'w' is a category and in no group", "feature 'w': direction is 'sideways'", "feature 'v': low",
        "relation 1: there is no feature 'lenght'", "relation 2:", "relation 3 has no field 'hold'",
    ):  # fmt: skip
        assert any(part in p for p in problems), (part, problems)


@pytest.mark.parametrize("text", ["= 1", "", "a = " + "[" * 5000, "x = '" + "a" * 1_000_001 + "'"])
def test_what_is_no_threat_model_at_all(text) -> None:
    with pytest.raises(BadInput, match="TP-RUN-040"):
        parse_threat(text)


def test_derived_features_are_computed_in_order_and_not_in_circles() -> None:
    base = "budget = { distance = 1 }\nfeatures = { a = { low = 0, high = 1 }, b = { mutable = false }, c = { mutable = false } }\n"
    threat = parse_threat(base + 'derived = { c = "b * 2", b = "a + 1" }')
    assert [d.feature for d in threat.derived] == ["b", "c"]
    with pytest.raises(BadInput, match="follow from each other"):
        parse_threat(base + 'derived = { c = "b * 2", b = "c + 1" }')


def test_contradictions_name_a_smallest_set() -> None:
    text = """
    budget = { distance = 1 }
    features = { a = { low = 0, high = 1 }, b = { low = 0, high = 1 }, c = { low = 0, high = 9 } }
    relations = [
      { name = "fine", holds = "a <= c" }, { name = "one", holds = "a < b" }, { name = "two", holds = "b + 0 < a" },
      { name = "three", holds = "abs(a) >= 2" },
    ]
    """
    with pytest.raises(BadInput) as caught:
        check_contradictions(parse_threat(text))
    assert caught.value.code == "TP-RUN-041"
    assert "'one', 'two'" in caught.value.why
    assert "fine" not in caught.value.why
    check_contradictions(parse_threat(text.replace('"b + 0 < a"', '"b >= a"')))
    with pytest.raises(BadInput, match="TP-RUN-041"):  # the bounds speak too
        check_contradictions(parse_threat(text.replace('"b + 0 < a"', '"a + b >= 2.5"')))


def wide(relations, features=400):
    columns = "".join(f"f{n} = {{ low = 0, high = 1 }}\n" for n in range(features))
    lines = "".join(f'[[relations]]\nholds = "{each}"\n' for each in relations)
    return parse_threat(f"budget = {{ distance = 1 }}\n[features]\n{columns}{lines}")


def test_a_contradiction_among_many_relations_is_found_and_the_search_ends_in_time(monkeypatch) -> None:
    harmless = [f"f{n} + f{n + 1} <= 3" for n in range(399)]
    with pytest.raises(BadInput) as caught:
        check_contradictions(wide([*harmless, "f0 + f1 >= 5"]))
    assert caught.value.why.endswith("these contradict: 'f0 + f1 >= 5'")
    round_about = [f"f{n} < f{(n + 1) % 60}" for n in range(60)]
    with pytest.raises(BadInput) as caught:
        check_contradictions(wide(round_about))
    assert " these contradict" in caught.value.why
    assert caught.value.why.endswith("and 30 more")
    monkeypatch.setattr(contradictions, "SECONDS", 0.0)
    monkeypatch.setattr(contradictions, "_possible", lambda *_: False)
    with pytest.raises(BadInput, match="some of these contradict"):
        check_contradictions(wide(round_about))


def test_many_conjunctions_and_numbers_that_overflow_are_no_contradiction() -> None:
    check_contradictions(wide([" and ".join(f"f{n} <= f{n + 1} + 1" for n in range(150))] * 100))
    check_contradictions(wide(["1e308 * 10 * f0 <= 1", "f0 <= f1"]))


def test_features_that_the_model_does_not_have_are_named() -> None:
    threat = parse_threat(WHOLE)
    fit(threat, [*threat.names, "more"])
    with pytest.raises(BadInput, match=r"TP-RUN-042.*'owed' did you mean 'owned'"):
        fit(threat, ["paid", "owned", "total", "job=a", "job=b", "age"])
    assert np.isfinite(threat.features[2].scale)
