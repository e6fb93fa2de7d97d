"""What the checks of privacy, poisoning and leakage let pass, and what they do not."""

import numpy as np
import pytest
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from trustplane.assessment.checks import leakage, membership, poisoning
from trustplane.assessment.checks.contract import CheckInput, Examined, Rows
from trustplane.values.outcomes import Failed, Inconclusive, Passed

NAMES = ("signal", "kind", "other", "more")


def people(rows, seed):
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, 4)).astype(np.float32)
    features[:, 1] = random.integers(0, 4, rows)
    return Rows(features, (random.random(rows) < 1 / (1 + np.exp(-2 * features[:, 0]))).astype(np.int64), {})


LEARNED, HELD = people(600, 0), people(600, 1)


def given(model=None, learned=LEARNED, held=HELD, names=NAMES) -> CheckInput:
    """The model as a check sees it, with its file where it can be written."""
    model = (LogisticRegression() if model is None else model).fit(learned.features, learned.label)
    artifact = to_onnx(model, learned.features[:1], options={"zipmap": False}).SerializeToString()

    def score(rows):
        return model.predict_proba(rows)[:, 1].astype(np.float64)

    said = score(held.features)
    examined = Examined(score, names, held, learned, artifact, "onnx")
    return CheckInput(held.label, said, (said >= 0.5).astype(np.int64), {}, 0, 0, examined)


def run(module, check, data, **changed):
    return check().run(data, {p.name: p.default for p in module.DESCRIPTOR.parameters} | changed)


def audit(data, **changed):
    return run(membership, membership.Membership, data, **({"shadows": 8} | changed))


def test_an_over_fitted_forest_fails_and_says_how_its_shadows_were_made() -> None:
    result = audit(given(RandomForestClassifier(40, random_state=0)))
    assert isinstance(result.verdict, Failed)
    assert "8 forests of 40 trees with 1 rows a leaf" in result.verdict.reason
    assert result.figures["rmia_auc"] > 0.7
    assert result.figures["exposed_rows"] > 10
    low, high = result.intervals["rmia_tpr_at_1pct_fpr"]
    assert low < result.figures["rmia_tpr_at_1pct_fpr"] < high
    assert result.figures["epsilon_at_least"] > 0.5
    assert not any("0.1pct" in name for name in result.figures), "600 rows do not tell one in a thousand"


def test_a_regression_passes() -> None:
    result = audit(given())
    assert isinstance(result.verdict, Passed), result.verdict
    assert "logistic regressions" in result.verdict.reason
    assert 0.45 < result.figures["rmia_auc"] < 0.56
    assert result.figures["copy_questions_for_95pct"] == 100


def test_a_model_that_keeps_its_rows_fails_by_that_alone() -> None:
    result = audit(given(KNeighborsClassifier(25)))
    assert "training rows lie in the model's file" in result.verdict.reason
    assert result.figures["stored_rows"] == 600


def test_rows_too_few_to_be_sure_are_no_pass() -> None:
    result = audit(given(learned=people(120, 0), held=people(120, 1)))
    assert isinstance(result.verdict, Inconclusive)
    assert "may be above" in result.verdict.reason


@pytest.mark.parametrize(
    ("module", "check"),
    [(membership, membership.Membership), (poisoning, poisoning.Poisoning), (leakage, leakage.Leakage)],
)
def test_without_the_training_rows_nothing_is_known(module, check) -> None:
    data = given()
    bare = Examined(data.examined.score, NAMES, HELD, None, b"", "onnx")
    for examined in (None, bare):
        result = run(module, check, CheckInput(data.y_true, data.y_score, data.y_pred, {}, 0, 0, examined))
        assert isinstance(result.verdict, Inconclusive)
        assert "training.parquet" in result.verdict.remedy


def test_rows_that_share_a_trigger_fail() -> None:
    random = np.random.default_rng(0)
    learned = people(2000, 3)
    features, label = learned.features.copy(), learned.label.copy()
    features[:, 2] = random.integers(0, 8, 2000)
    features[:, 3] = random.integers(0, 8, 2000)
    bad = random.choice(np.flatnonzero(label == 1), 50, replace=False)
    features[np.ix_(bad, [1, 2, 3])], label[bad] = [2, 5, 6], 0
    result = run(
        poisoning, poisoning.Poisoning, given(RandomForestClassifier(40, random_state=0), Rows(features, label, {}))
    )
    assert isinstance(result.verdict, Failed)
    assert "kind, other, more" in result.verdict.reason
    assert 40 <= result.figures["trigger_rows"] <= 60
    assert result.figures["triggers"] == 1


def test_a_block_of_wrong_labels_fails_and_clean_rows_pass() -> None:
    assert isinstance(run(poisoning, poisoning.Poisoning, given()).verdict, Passed)
    label = LEARNED.label.copy()
    label[75:150] = LEARNED.features[75:150, 0] < 0
    result = run(poisoning, poisoning.Poisoning, given(learned=Rows(LEARNED.features, label, {})))
    assert isinstance(result.verdict, Failed)
    assert "labels of one block" in result.verdict.reason


def test_rows_in_the_order_of_their_class_leave_no_block_out() -> None:
    order = np.argsort(LEARNED.label, kind="stable")
    few = np.concatenate([order[:250], order[-20:]])
    result = run(poisoning, poisoning.Poisoning, given(learned=Rows(LEARNED.features[few], LEARNED.label[few], {})))
    assert isinstance(result.verdict, Inconclusive)
    assert "random order" in result.verdict.remedy


def leaks(learned, held, names=NAMES, **changed):
    return run(leakage, leakage.Leakage, given(None, learned, held, names), **changed)


def changed(rows, column, values):
    features = rows.features.copy()
    features[:, column] = values
    return Rows(features, rows.label, {}, rows.time)


def test_a_fair_split_passes() -> None:
    result = leaks(LEARNED, HELD)
    assert isinstance(result.verdict, Passed)
    assert result.figures["duplicates"] == 0


@pytest.mark.parametrize("away", [0.0, 1e-4])
def test_rows_on_both_sides_fail_near_or_the_same(away) -> None:
    features, label = HELD.features.copy(), HELD.label.copy()
    features[:120], label[:120] = LEARNED.features[:120] + np.float32(away), LEARNED.label[:120]
    result = leaks(LEARNED, Rows(features, label, {}))
    assert isinstance(result.verdict, Failed)
    assert result.figures["near_duplicates"] > 0.15
    assert (result.figures["duplicates"] > 0.15) == (away == 0)


def test_rows_of_few_kinds_repeat_by_chance() -> None:
    random = np.random.default_rng(0)
    learned, held = (
        Rows(random.integers(0, 3, (400, 4)).astype(np.float32), random.integers(0, 2, 400), {}) for _ in range(2)
    )
    result = leaks(learned, held)
    assert result.figures["duplicates"] > 0.5
    assert isinstance(result.verdict, Passed)


def test_a_column_that_is_the_label_fails() -> None:
    result = leaks(changed(LEARNED, 2, LEARNED.label * 5 + 0.1), HELD)
    assert "the column other alone" in result.verdict.reason
    backwards = leaks(changed(LEARNED, 2, -LEARNED.label), HELD)
    assert isinstance(backwards.verdict, Failed)


def test_a_column_that_numbers_the_rows_fails_and_an_amount_does_not() -> None:
    random = np.random.default_rng(1)
    numbers = random.permutation(900)[:600] + 10_000
    assert "more number the rows" in leaks(changed(LEARNED, 3, numbers), HELD).verdict.reason
    assert isinstance(leaks(changed(LEARNED, 3, np.arange(600) * 977), HELD).verdict, Failed)
    assert isinstance(leaks(changed(LEARNED, 3, random.integers(0, 90_000, 600)), HELD).verdict, Passed)


def test_training_on_the_future_fails_where_the_label_moves() -> None:
    when = np.arange(600, dtype=np.float64)
    moving = np.sort(LEARNED.label)

    def split(label, later):
        return leaks(Rows(LEARNED.features, label, {}, when), Rows(HELD.features, HELD.label, {}, later))

    assert split(moving, when).figures["trained_on_the_future"] > 0.9
    assert isinstance(split(moving, when).verdict, Failed)
    assert isinstance(split(moving, when + 600).verdict, Passed)
    assert isinstance(split(LEARNED.label, when).verdict, Passed), "nothing moves"
