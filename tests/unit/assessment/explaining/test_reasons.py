"""Reasons speak against the person, in the model's words, the same for the same basis."""

from dataclasses import replace

import numpy as np
import pytest

from trustplane.assessment.explaining.reasons import Decided, basis, tell
from trustplane.assessment.explaining.reference import favourable_rows, rank_correlations, together
from trustplane.assessment.explaining.wording import Wording, phrase, read_wording
from trustplane.values.errors import BadInput, Refused

NAMES = ("debt", "income", "age", "noise")


def risk(features):
    """Debt raises it, income and age lower it."""
    total = 2 * features[:, 0] - 2 * features[:, 1] - features[:, 2] + 0 * features[:, 3]
    return 1 / (1 + np.exp(-total.astype(np.float64)))


@pytest.fixture(scope="module")
def people():
    return np.random.default_rng(5).normal(size=(400, 4)).astype(np.float32)


def poor():
    return np.array([[2, -2, -1, 0]], np.float32)


def test_an_unfavourable_decision_has_its_reasons_in_order(people) -> None:
    [told] = tell(basis(Decided(b"", risk, NAMES), people), poor())
    assert not told.favourable
    assert [(r.name, r.side) for r in told.reasons] == [("debt", "high"), ("income", "low"), ("age", "low")]
    assert [r.text for r in told.reasons][:2] == ["debt is too high", "income is too low"]
    assert sum(r.share for r in told.reasons) == pytest.approx(1, abs=0.01)
    assert set(told.contributions) == set(NAMES)


def test_a_favourable_decision_has_none(people) -> None:
    [told] = tell(basis(Decided(b"", risk, NAMES), people), -poor())
    assert told.favourable
    assert told.reasons == ()


def test_reasons_turn_with_the_class_that_is_good(people) -> None:
    good = basis(Decided(b"", lambda f: 1 - risk(f), NAMES, favourable=1), people)
    [told] = tell(good, poor())
    assert {r.name for r in told.reasons} == {"debt", "income", "age"}
    assert told.contributions["debt"] < 0
    assert all(r.contribution > 0 for r in told.reasons)


def test_the_reference_are_people_decided_favourably_about(people) -> None:
    found = favourable_rows(people, risk(people), 0.5, 0)
    assert len(found) <= 256
    assert (risk(found) < 0.5).all()
    assert len(favourable_rows(people, risk(people), 0.5, 1)) > 0
    with pytest.raises(Refused) as told:
        basis(Decided(b"", lambda f: np.ones(len(f)), NAMES), people)
    assert told.value.code == "TP-ASSESS-020"


def test_a_missing_value_is_told_as_such(people) -> None:
    def score(features):
        return np.where(np.isnan(features[:, 0]), 0.9, 0.1)

    row = poor()
    row[0, 0] = np.nan
    [told] = tell(basis(Decided(b"", score, NAMES), people), row)
    assert [(r.name, r.side, r.text) for r in told.reasons] == [("debt", "missing", "debt is not known")]


def test_words_groups_and_what_nobody_can_change(people) -> None:
    text = b"""
    most = 2
    immutable = ["age"]
    [features.debt]
    high = "You owe much"
    [groups.means]
    features = ["income", "age"]
    low = "Your means are small for your age"
    """
    wording = read_wording(text, NAMES)
    [told] = tell(basis(Decided(b"", risk, NAMES), people, wording), poor())
    means, debt = told.reasons
    assert (means.name, means.features, means.immutable) == ("means", ("income", "age"), False)
    assert means.text == "Your means are small for your age"
    assert (debt.text, debt.immutable) == ("You owe much", False)
    more = Wording(most=4, immutable=("age",))
    assert [r.immutable for r in tell(basis(Decided(b"", risk, NAMES), people, more), poor())[0].reasons][-1]


def test_what_rises_and_falls_as_one_is_one_reason(people) -> None:
    doubled = people.copy()
    doubled[:, 3] = doubled[:, 0] * 3 + 1
    assert together(NAMES, doubled) == ((0, 3), (1,), (2,))
    made = basis(Decided(b"", risk, NAMES), doubled)
    assert ("debt", "noise") in [r.features for r in tell(made, poor())[0].reasons]


def test_categories_of_one_column_are_one_reason() -> None:
    kind = np.random.default_rng(0).integers(0, 3, 200)
    rows = np.column_stack([kind == 0, kind == 1, kind == 2, np.random.default_rng(1).random(200)]).astype(np.float32)
    assert together(("job_clerk", "job_smith", "job_other", "pay_1"), rows) == ((0, 1, 2), (3,))
    apart = rows.copy()
    apart[:, 1] = np.random.default_rng(2).integers(0, 2, 200)  # now a row may have two
    assert together(("job_clerk", "job_smith", "job_other", "pay_1"), apart) == ((0,), (1,), (2,), (3,))
    said = [("job_clerk", "pay_1")]
    assert together(("job_clerk", "job_smith", "job_other", "pay_1"), rows, said) == ((0, 3), (1, 2))


def test_correlations_of_ranks_are_spearmans() -> None:
    from scipy.stats import spearmanr

    rows = np.random.default_rng(0).integers(0, 6, (50, 3)).astype(float)
    rows = np.column_stack([rows, np.ones(50)])
    found = rank_correlations(rows)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert found[one, other] == pytest.approx(spearmanr(rows[:, one], rows[:, other]).statistic)
    assert found[0, 3] == 0


def test_the_basis_names_all_that_reasons_are_made_of(people) -> None:
    model = Decided(b"", risk, NAMES)
    once = basis(model, people).digest
    assert basis(model, people).digest == once
    others = [
        basis(replace(model, threshold=0.4), people),
        basis(replace(model, favourable=1), people),
        basis(model, people + 1),
        basis(model, people, Wording(most=3)),
        basis(model, people, seed=1),
    ]
    assert len({once, *(o.digest for o in others)}) == 6


def test_the_same_row_has_the_same_reasons_alone_and_among_others(people) -> None:
    on = basis(Decided(b"", risk, NAMES), people)
    assert tell(on, people[:5])[3] == tell(on, people[3:4])[0]


@pytest.mark.parametrize(
    "text",
    [
        b"\xff",
        b"most = 0",
        b"most = 'x'",
        b"other = 1",
        b"immutable = ['wealth']",
        b"[features.wealth]\nhigh = 'x'",
        b"[features.debt]\nhuge = 'x'",
        b'[features.debt]\nhigh = "a\\u0007"',
        b"[groups.a]\nfeatures = ['debt']\n[groups.b]\nfeatures = ['debt']",
        b"[features.debt]\nhigh = '" + b"x" * 301 + b"'",
    ],
)
def test_a_wording_that_does_not_fit_is_refused(text) -> None:
    with pytest.raises(BadInput) as told:
        read_wording(text, NAMES)
    assert told.value.code == "TP-ASSESS-021"


def test_what_has_no_words_is_told_plainly() -> None:
    assert [phrase(Wording(), "x", side) for side in ("high", "low", "missing")] == [
        "x is too high",
        "x is too low",
        "x is not known",
    ]
