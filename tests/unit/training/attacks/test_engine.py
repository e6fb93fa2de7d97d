"""The ensemble: what counts, what never does, and that it comes back in time whatever the model does."""

import dataclasses
import threading
import time
from itertools import pairwise

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from trustplane.training.attacks.contract import AttackDescriptor, Model
from trustplane.training.attacks.engine import Effort, attack
from trustplane.training.attacks.figures import curve, figures, nearest_evasions, weaknesses, wilson
from trustplane.training.attacks.foreign import Foreign
from trustplane.training.attacks.models import open_model
from trustplane.training.threats.model import Budget, Goal, Kind, Knowledge, Norm
from trustplane.training.threats.validator import validate
from trustplane.values.errors import BadInput

QUICK = Effort(queries=300, seconds=60)


def run(known, model, threat=None, rows=60, effort=QUICK, extra=()):
    threat = threat or known.threat
    start = threat.goal.start
    opened = model if isinstance(model, Model) else open_model(model)
    return attack(opened, threat, known.names, known.of(start, rows), known.of(1 - start), effort, extra)


@pytest.mark.parametrize("knowledge", Knowledge)
@pytest.mark.parametrize("start", [0, 1])
def test_what_counts_is_valid_and_evades(known, linear, boosted, knowledge, start) -> None:
    threat = dataclasses.replace(known.threat, knowledge=knowledge, goal=Goal(start, 0.05))
    for model in (linear, boosted):
        found = run(known, model, threat)
        rows = found.evaded
        assert found.success > 0.5
        assert validate(threat, known.names, found.origins[rows], found.evasions[rows]).valid.all()
        scores = model.predict_proba(found.evasions[rows].astype(np.float32))[:, 1]
        assert (scores < 0.45 if start == 1 else scores >= 0.55 - 1e-9).all()
        assert np.array_equal(found.evasions[~rows], found.origins[~rows])
        assert (found.distance[rows] <= threat.budget.distance).all()
        assert not (rows & ~found.right).any()


@pytest.mark.parametrize(
    "budget", [Budget(Norm.LINF, 0.2), Budget(Norm.L2, 0.6, features=1), Budget(Norm.L2, 0.6, cost=0.3)]
)
def test_every_budget_is_kept(known, boosted, budget) -> None:
    threat = dataclasses.replace(known.threat, budget=budget)
    found = run(known, boosted, threat)
    rows = found.evaded
    assert rows.any()
    assert validate(threat, known.names, found.origins[rows], found.evasions[rows]).valid.all()


def test_where_nothing_can_change_nothing_evades(known, boosted) -> None:
    fixed = tuple(dataclasses.replace(f, mutable=False) for f in known.threat.features)
    found = run(known, boosted, dataclasses.replace(known.threat, features=fixed, groups=()))
    assert (found.success, found.robust_accuracy) == (0.0, found.clean_accuracy)


def test_a_choice_alone_may_be_what_can_change(known) -> None:
    fixed = tuple(dataclasses.replace(f, mutable=f.name in ("web", "shop")) for f in known.threat.features)
    threat = dataclasses.replace(known.threat, features=fixed, derived=(), budget=Budget(Norm.L2, 0.6))
    by_channel = Model(lambda rows: np.where(rows[:, known.names.index("web")] > 0, 0.9, 0.1))
    found = run(known, by_channel, threat)
    assert (found.success, set(np.flatnonzero((found.evasions != found.origins).any(axis=0)))) == (
        1.0,
        {known.names.index("web"), known.names.index("shop")},
    )


def test_a_model_that_looks_at_what_is_fixed_alone_withstands(known) -> None:
    found = run(known, Model(lambda rows: np.where(rows[:, -1] > 0, 0.9, 0.1)))
    assert (found.success, found.clean_accuracy) == (0.0, 1.0)


def test_the_best_of_a_linear_model_is_found(known, linear) -> None:
    """With columns that move freely the nearest evasion of a linear model is known: the distance to its plane."""
    free = tuple(
        dataclasses.replace(f, kind=Kind.REAL, mutable=f.name in ("got", "out"), low=-1e6, high=1e6)
        for f in known.threat.features
    )
    threat = dataclasses.replace(
        known.threat, features=free, groups=(), derived=(), relations=(), budget=Budget(Norm.L2, 0.6)
    )
    found = run(known, linear, threat, rows=200)
    slope = open_model(linear).gradient(found.origins[:1])[0][:2] * 100
    p = linear.predict_proba(found.origins)[:, 1]
    needed = np.log(p / (1 - p)) / np.linalg.norm(slope)
    assert found.evaded[found.right & (needed < 0.59)].all()
    assert not found.evaded[needed > 0.601].any()


def test_the_same_seed_gives_the_same_rows(known, boosted) -> None:
    one, other = run(known, boosted), run(known, boosted)
    assert np.array_equal(one.evasions, other.evasions)
    assert (one.queries, one.won_by) == (other.queries, other.won_by)


def test_small_boosted_trees_never_fall_where_they_are_certified(known) -> None:
    import veritas
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=10, max_depth=3, n_jobs=1, base_score=0.5, random_state=0)
    model.fit(known.rows.astype(np.float32), known.labels)
    threat = dataclasses.replace(known.threat, budget=Budget(Norm.LINF, 0.1))
    found = run(known, model, threat, rows=40)
    trees = veritas.get_addtree(model, silent=True)
    reach = np.array([0.1 * f.scale if f.mutable else 0.0 for f in threat.features])
    reach[2] = 20.0  # the derived one moves by as much as the two that it sums
    certified = []
    for row in found.origins:
        box = [veritas.Interval(float(v - r - 1e-4), float(v + r + 1e-4)) for v, r in zip(row, reach, strict=True)]
        search = veritas.Config(veritas.HeuristicType.MIN_OUTPUT).get_search(trees, box)
        assert search.step_for(5.0, 50) in {veritas.StopReason.OPTIMAL, veritas.StopReason.NO_MORE_OPEN}
        certified.append(search.current_bounds().best > 0)
    certified = np.array(certified)
    assert certified.any()
    assert found.evaded.any()
    assert not (found.evaded & certified).any()


@pytest.mark.parametrize("said", [np.nan, np.inf, 1.5, -1.0])
def test_a_model_that_gives_no_probabilities_is_named(known, said) -> None:
    with pytest.raises(BadInput, match="TP-RUN-043"):
        run(known, Model(lambda rows: np.where(rows[:, 0] > 50, said, 0.9)))


@pytest.mark.parametrize(
    "wrong", [lambda rows: rows, lambda rows: np.zeros(3), lambda rows: None, lambda rows: ["a"] * len(rows)]
)
def test_a_model_of_another_shape_is_named(known, wrong) -> None:
    with pytest.raises(BadInput, match="TP-RUN-043"):
        run(known, Model(wrong))


def test_a_model_that_answers_by_chance_gives_a_bounded_result(known) -> None:
    random = np.random.default_rng(0)
    found = run(known, Model(lambda rows: random.random(len(rows))))
    assert 0 <= found.robust_accuracy <= found.clean_accuracy <= 1
    rows = found.evaded
    assert validate(known.threat, known.names, found.origins[rows], found.evasions[rows]).valid.all()


@pytest.fixture
def release():
    """Lets hanging calls go when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_a_model_that_hangs_does_not_hold_the_attack(known, boosted, release) -> None:
    opened, asked = open_model(boosted), []

    def hangs(rows):
        asked.append(len(rows))
        if len(asked) > 2:
            release.wait(60)
        return opened.score(rows)

    begun = time.monotonic()
    found = run(known, dataclasses.replace(opened, score=hangs), effort=Effort(300, 1.0))
    assert time.monotonic() - begun < 20
    assert found.out_of_time
    assert found.clean_accuracy > 0.5


def test_an_attack_that_hangs_or_swallows_errors_does_not_either(known, boosted, release) -> None:
    class Stubborn:
        descriptor = AttackDescriptor("stubborn", "asks until it is stopped")

        def run(self, task):
            while not release.is_set():
                try:
                    task.score(task.origins)
                except Exception:  # it would swallow any error
                    continue
            return task.origins

    hangs = Foreign("hangs", lambda rows: release.wait(60))
    nothing = dataclasses.replace(known.threat, budget=Budget(Norm.L2, 0.001))
    for extra in (Stubborn(), hangs):
        found = run(known, boosted, nothing, rows=5, effort=Effort(5, 2.0), extra=[extra])
        assert found.out_of_time


def test_a_foreign_attack_goes_through_the_same_validator(known, boosted) -> None:
    nothing = dataclasses.replace(known.threat, budget=Budget(Norm.L2, 0.02))
    target = known.of(0)[:1].astype(float)
    cheating = Foreign("cheating", lambda rows: np.repeat(target, len(rows), axis=0), repair=False)
    found = run(known, boosted, nothing, extra=[cheating])
    assert found.won_by["cheating"] == 0
    assert found.invalid > 0
    wide = dataclasses.replace(known.threat, budget=Budget(Norm.L2, 1.0))
    fair = Foreign("fair", lambda rows: np.repeat(target, len(rows), axis=0))
    assert run(known, boosted, wide, effort=Effort(1, 60), extra=[fair]).won_by.get("fair", 0) >= 0


@pytest.mark.parametrize("give", [lambda rows: rows[:1], lambda rows: 1 / 0])
def test_an_attack_that_breaks_its_contract_is_named(known, give) -> None:
    robust = Model(lambda rows: np.full(len(rows), 0.9))
    with pytest.raises(BadInput, match=r"TP-RUN-044.*'broken'"):
        run(known, robust, extra=[Foreign("broken", give, repair=False)])


def test_rows_that_do_not_fit_are_named(known, boosted) -> None:
    opened = open_model(boosted)
    with pytest.raises(BadInput, match="TP-RUN-042"):
        attack(opened, known.threat, known.names, known.rows[:, :3], known.rows)
    with pytest.raises(BadInput, match="TP-RUN-046"):
        attack(opened, known.threat, known.names, known.rows * np.nan, known.rows)
    with pytest.raises(BadInput, match="TP-RUN-042"):
        attack(opened, known.threat, [*known.names[:-1], "years"], known.rows, known.rows)


def test_no_rows_are_no_evasions(known, boosted) -> None:
    found = attack(open_model(boosted), known.threat, known.names, known.rows[:0], known.rows, QUICK)
    assert (found.robust_accuracy, found.success) == (1.0, 0.0)


def test_forests_add_up_votes(known) -> None:
    forest = RandomForestClassifier(10, max_depth=5, random_state=0).fit(known.rows, known.labels)
    assert open_model(forest).votes
    assert run(known, forest).success > 0.5


def test_figures_tell_of_shares_and_features_and_no_rows(known, boosted) -> None:
    found = run(known, boosted)
    said, intervals = figures(found)
    assert said["robust_accuracy"] == pytest.approx(said["clean_accuracy"] * said["withstood"])
    assert intervals["robust_accuracy"][0] <= said["robust_accuracy"] <= intervals["robust_accuracy"][1]
    points = curve(found)
    assert points[0][1] <= points[-1][1] == pytest.approx(found.success)
    assert all(a[1] <= b[1] for a, b in pairwise(points))
    weak = weaknesses(found)
    assert {w.feature for w in weak} <= set(known.names) - {"age"}
    assert all(0 < w.share <= 1 for w in weak)
    nearest = nearest_evasions(found, 3)
    assert [n["distance"] for n in nearest] == sorted(n["distance"] for n in nearest)
    assert nearest[0]["distance"] == pytest.approx(np.nanmin(found.distance))
    assert all("age" not in n["changes"] for n in nearest)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"), [(0, 0, 0, 1), (5, 10, 0.2366, 0.7634), (0, 10, 0, 0.2775), (10, 10, 0.7225, 1)]
)
def test_wilson_intervals(hits, of, low, high) -> None:
    assert wilson(hits, of) == pytest.approx((low, high), abs=1e-4)
