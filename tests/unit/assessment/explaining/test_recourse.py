"""What would turn a decision: within the threat model, by what a person can change, and the cheapest of it."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.assessment.explaining.advice import NOTHING, OUT_OF_TIME, advised
from trustplane.assessment.explaining.recourse import Sought, cheapened, of_person, seek
from trustplane.assessment.explaining.wording import Group, Phrase, Wording
from trustplane.training.attacks.contract import Model
from trustplane.training.attacks.engine import Effort
from trustplane.training.attacks.space import price, space_of
from trustplane.training.threats.model import Knowledge
from trustplane.training.threats.parsing import parse_threat
from trustplane.training.threats.validator import validate

NAMES = ("income", "debt", "age", "loans", "total", "job=a", "job=b", "job=c")
WEIGHTS = np.array([-1.0, 1.0, 0.5, 0.4, 0.0, 0.8, 0.0, -0.8])
THREAT = parse_threat("""
budget = { norm = "l2", distance = 3.0 }
attacker.knowledge = "labels"
goal = { start = 0, margin = 0.2 }
groups.job = ["job=a", "job=b", "job=c"]
[features]
income = { low = 0, high = 10, scale = 1 }
debt = { low = 0, high = 10, scale = 1, direction = "down" }
age = { low = 18, high = 90, scale = 10, type = "integer" }
loans = { low = 0, high = 20, type = "integer", scale = 1, cost = 3 }
total = { mutable = false }
"job=a" = {}
"job=b" = {}
"job=c" = {}
[derived]
total = "debt + loans"
""")


def score(rows):
    return 1 / (1 + np.exp(-(np.asarray(rows, np.float64) @ WEIGHTS - 0.5)))


MODEL = Model(score, 0.5)


def people(count, seed=0):
    random = np.random.default_rng(seed)
    job = np.eye(3)[random.integers(0, 3, count)]
    income, debt = random.uniform(0, 10, (2, count))
    loans, age = random.integers(0, 5, count), random.integers(18, 80, count) / 20
    rows = np.column_stack([income, debt, age.round() + 18, loans, np.zeros(count), job]).astype(np.float32)
    rows[:, 2] = 18
    rows[:, 4] = rows[:, 1] + rows[:, 3]
    return rows


def declined(count=12, seed=0):
    rows = people(4000, seed)
    said = score(rows)
    return rows[(said >= 0.5) & (said < 0.93)][:count], rows[said < 0.5][:200]


def look(threat=THREAT, fixed=("age",), most=3, rows=None, seconds=60.0, favourable=0):
    effort = Effort(400, seconds, 0)
    some, good = declined()
    rows = some if rows is None else rows
    return rows, seek(MODEL, of_person(threat, fixed, favourable), NAMES, rows, good, effort, most, fixed)


def test_every_option_turns_the_decision_within_the_means() -> None:
    rows, found = look()
    assert found.complete
    assert sum(map(bool, found.options)) >= 6
    threat = of_person(THREAT, ("age",), 0)
    for row, options in zip(rows, found.options, strict=True):
        costs = [o.cost for o in options]
        assert costs == sorted(costs)
        for option in options:
            before, after = row[None].astype(np.float64), option.row[None]
            assert validate(threat, NAMES, before, after).valid.all()
            assert score(after)[0] == pytest.approx(option.score)
            assert option.score < 0.5
            assert option.changed == tuple(np.flatnonzero(option.row != row))
            assert option.row[2] == row[2]
            assert option.cost == pytest.approx(price(space_of(threat, NAMES), before, after)[0])


def test_the_options_of_a_row_are_different_things_to_do() -> None:
    _, found = look()
    assert max(map(len, found.options)) == 3
    for options in found.options:
        for n, one in enumerate(options):
            for other in options[n + 1 :]:
                assert not set(one.changed) <= set(other.changed)


def test_the_cheapest_option_is_near_the_least_there_is() -> None:
    """Along a line the least cost is known: how far the score is from the threshold, by the feature that moves it most for its cost."""
    rows, good = declined(40)
    threat = replace(of_person(THREAT, ("age", "loans", "job=a"), 0), derived=())
    found = seek(MODEL, threat, NAMES, rows, good, Effort(400, 60, 0))
    log_odds = np.log(score(rows)) - np.log1p(-score(rows))
    room = 10 - rows[:, 0]
    reachable = (log_odds < 0.95 * np.minimum(3, room)) | (log_odds < 0.95 * np.minimum(3, rows[:, 1]))
    assert reachable.sum() > 5
    for n in np.flatnonzero(reachable):
        [option] = found.options[n]
        assert log_odds[n] - 1e-4 <= option.cost <= 1.1 * log_odds[n] + 0.02


def test_what_cannot_change_does_not_and_neither_does_what_it_follows_from() -> None:
    bound = of_person(THREAT, ("total",), 0)
    assert set(bound.mutable) == {"income", "age", "job=a", "job=b", "job=c"}
    assert of_person(THREAT, ("job=b",), 0).mutable == ("income", "debt", "age", "loans")
    assert of_person(THREAT, NAMES, 0).mutable == ()
    assert (bound.goal.start, bound.goal.margin, bound.knowledge) == (1, 0.0, Knowledge.WHITE_BOX)
    assert of_person(THREAT, (), 1).goal.start == 0
    rows, found = look(fixed=("total", "age", "job=c"))
    for row, options in zip(rows, found.options, strict=True):
        assert {c for o in options for c in o.changed} <= {0}
        assert all((o.row[1:] == row[1:]).all() for o in options)


def test_nothing_is_a_real_answer() -> None:
    rows, found = look(fixed=NAMES)
    assert (found.options, found.complete) == (((),) * len(rows), True)
    tight = replace(THREAT, budget=replace(THREAT.budget, distance=1e-4))
    rows, found = look(tight)
    assert not any(found.options)
    told = advised(found, rows, of_person(tight, (), 0), NAMES, Wording())
    assert {t.said for t in told} == {NOTHING}


def test_a_search_that_runs_out_of_time_says_so() -> None:
    rows, found = look(seconds=0.0)
    assert not found.complete
    assert {t.said for t in advised(found, rows, THREAT, NAMES, Wording())} == {OUT_OF_TIME}


def test_no_rows_have_no_options() -> None:
    assert look(rows=np.zeros((0, len(NAMES)), np.float32))[1] == Sought((), complete=True)


def test_the_other_class_may_be_the_favourable_one() -> None:
    rows = people(500)
    rows = rows[score(rows) < 0.5][:5]
    good = people(500, 1)
    threat = of_person(THREAT, ("age",), 1)
    found = seek(MODEL, threat, NAMES, rows, good[score(good) >= 0.5], Effort(400, 60, 0))
    assert any(found.options)
    assert all(o.score >= 0.5 for options in found.options for o in options)


def test_a_budget_of_features_is_kept() -> None:
    few = replace(THREAT, budget=replace(THREAT.budget, features=1))
    _, found = look(few, fixed=("age", "total"))
    assert any(found.options)
    assert {len(o.changed) for options in found.options for o in options} == {1}


def test_the_same_seed_finds_the_same() -> None:
    one, other = look()[1], look()[1]
    for mine, theirs in zip(one.options, other.options, strict=True):
        assert [o.changed for o in mine] == [o.changed for o in theirs]
        assert all((a.row == b.row).all() for a, b in zip(mine, theirs, strict=True))


@settings(max_examples=15)
@given(st.integers(0, 2**31 - 1))
def test_making_cheaper_never_leaves_the_means_nor_the_decision(seed) -> None:
    random = np.random.default_rng(seed)
    rows, good = declined(30, seed % 50)
    threat = of_person(THREAT, ("age",), 0)
    space, home = space_of(threat, NAMES), rows.astype(np.float64)
    found = seek(MODEL, threat, NAMES, rows, good, Effort(100, 60, seed))
    have = [n for n, o in enumerate(found.options) if o]
    if not have:
        return
    made = np.stack([found.options[n][0].row for n in have])
    further = made.copy()
    further[:, 0] = np.minimum(10, made[:, 0] + random.uniform(0, 0.5, len(have))).astype(np.float32)
    inside = validate(threat, NAMES, home[have], further).valid & (score(further) < 0.5)
    again = cheapened(space, MODEL, home[have][inside], further[inside])
    assert validate(threat, NAMES, home[have][inside], again).valid.all()
    assert (score(again) < 0.5).all()
    assert (price(space, home[have][inside], again) <= price(space, home[have][inside], further[inside]) + 1e-12).all()


def test_advice_is_in_the_words_of_the_model() -> None:
    wording = Wording(
        features={"income": Phrase(low="You earn little"), "job=a": Phrase(high="Your job is insecure")},
        groups={"owed": Group(("debt", "loans"), high="You owe much")},
    )
    rows, found = look(fixed=("age",))
    told = [c for t in advised(found, rows, THREAT, NAMES, wording) for o in t.options for c in o.changes]
    said = {c.feature: c for c in told}
    assert said["income"].text == "You earn little"
    assert said["income"].before < said["income"].after
    assert said["debt"].text == "You owe much"
    assert (said["total"].follows, said["total"].text) == (True, "total is too high")
    jobs = {(c.before, c.after): c.text for c in told if c.feature == "job"}
    assert jobs
    for (before, after), text in jobs.items():
        assert before != after
        assert text == ("Your job is insecure" if before == "job=a" else f"job is {before} and not {after}")
    assert {"job=a", "job=b", "job=c"} & set(said) == set()


def test_two_thousand_features_take_no_more_memory_than_there_is() -> None:
    """What is tried at a time is bounded, whatever rows, features and changes multiply to."""
    width, random = 2000, np.random.default_rng(0)
    names = tuple(f"f{n}" for n in range(width))
    said = "\n".join(f"{n} = {{ low = -9, high = 9, scale = 1 }}" for n in names)
    threat = parse_threat(f'budget = {{ norm = "l2", distance = 2.0 }}\n[features]\n{said}\n')
    weights = random.normal(size=width) / np.sqrt(width)
    model = Model(lambda rows: 1 / (1 + np.exp(-np.asarray(rows) @ weights)))
    rows = (random.normal(size=(40, width)) * 0.1 + 0.02 * np.sign(weights)).astype(np.float32)
    rows = rows[model.score(rows) >= 0.5][:4]
    tracemalloc.start()
    found = seek(model, of_person(threat, (), 0), names, rows, -rows, Effort(40, 120, 0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.complete
    assert all(found.options)
    assert peak < 6e8
