"""Models of XGBoost, LightGBM and CatBoost as the libraries write them, small and of every kind, each with what the library answers."""

import warnings
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

ROWS = 240
_DICE = np.random.default_rng(0)
X = _DICE.normal(size=(ROWS, 5)).astype(np.float32)
X[_DICE.random(X.shape) < 0.1] = np.nan
BOTH = (np.nan_to_num(X[:, 0]) + _DICE.normal(size=ROWS) > 0).astype(int)
THREE = _DICE.integers(0, 3, ROWS)
ABOVE = np.abs(_DICE.normal(size=ROWS)) + 0.1
CODES = _DICE.integers(0, 40, ROWS)
WITH_CODES = np.c_[X[:, :4], CODES].astype(np.float32)
BY_CODE = ((CODES % 3 == 0) ^ (BOTH == 1)).astype(int)
"""What categories tell and thresholds do not."""


def xgboost_boosters() -> Iterator[tuple[str, object]]:
    """Boosters by what is special about them; those of ``WITH_CODES`` have "categories" in their name."""
    import xgboost as xgb

    def trained(label: object = BOTH, rounds: int = 3, prepare: Callable[[object], object] = id, **parameters: object):
        matrix = xgb.DMatrix(X, label)
        prepare(matrix)
        return xgb.train({"max_depth": 3, "nthread": 1, **parameters}, matrix, rounds)

    for objective in (
        "binary:logistic",
        "binary:logitraw",
        "binary:hinge",
        "reg:squarederror",
        "reg:logistic",
        "reg:pseudohubererror",
        "reg:absoluteerror",
    ):
        yield objective, trained(objective=objective)
    for objective in ("reg:squaredlogerror", "reg:gamma", "reg:tweedie", "count:poisson", "survival:cox"):
        yield objective, trained(ABOVE, objective=objective)
    for objective in ("multi:softmax", "multi:softprob"):
        yield objective, trained(THREE, objective=objective, num_class=3)
    for objective in ("rank:ndcg", "rank:map", "rank:pairwise"):
        yield objective, trained(objective=objective, prepare=lambda m: m.set_group([ROWS // 2, ROWS // 2]))
    yield "quantiles", trained(objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9])

    def bounds(matrix):
        matrix.set_float_info("label_lower_bound", ABOVE)
        matrix.set_float_info("label_upper_bound", ABOVE + 1)

    yield "survival:aft", trained(objective="survival:aft", prepare=bounds)
    yield "dart", trained(booster="dart", objective="binary:logistic", rate_drop=0.3, rounds=5)
    yield "linear", trained(booster="gblinear", objective="binary:logistic")
    yield "linear, three classes", trained(THREE, booster="gblinear", objective="multi:softprob", num_class=3)
    yield "two targets", trained(np.c_[BOTH, ABOVE])
    yield "leaves of two targets", trained(np.c_[BOTH, ABOVE], multi_strategy="multi_output_tree", tree_method="hist")
    yield "parallel trees", trained(objective="binary:logistic", num_parallel_tree=4, subsample=0.5)
    yield "pruned", trained(objective="binary:logistic", tree_method="exact", gamma=3.0)
    yield "trees of one leaf", trained(objective="binary:logistic", gamma=1e9)
    yield "no trees", trained(rounds=0)
    yield "rounds two and three", trained(rounds=4)[1:3]
    told = trained(objective="binary:logistic")
    told.set_attr(note='häß\n"x"\\', number="1")
    yield "attributes", told
    stopped = xgb.XGBClassifier(n_estimators=20, early_stopping_rounds=2, max_depth=3, n_jobs=1)
    yield "stopped early", stopped.fit(X, BOTH, eval_set=[(X[:50], 1 - BOTH[:50])], verbose=False)
    yield "estimator", xgb.XGBClassifier(n_estimators=3, n_jobs=1).fit(X, THREE)
    yield "random forest", xgb.XGBRFClassifier(n_estimators=3, n_jobs=1).fit(X, BOTH)
    coded = xgb.DMatrix(
        WITH_CODES, BY_CODE, feature_types=["q"] * 4 + ["c"], feature_names=list("abcde"), enable_categorical=True
    )
    for most in (2, 50):
        yield (
            f"categories {most}",
            xgb.train({"max_cat_to_onehot": most, "objective": "binary:logistic", "nthread": 1}, coded, 4),
        )


def lightgbm_boosters() -> Iterator[tuple[str, object]]:
    """Boosters by what is special about them."""
    import lightgbm as lgb

    def trained(label: object = BOTH, rows: object = X, rounds: int = 3, group: object = None, **parameters: object):
        fixed = {
            "verbose": -1,
            "num_leaves": 6,
            "min_data_in_leaf": 10,
            "num_threads": 1,
            "seed": 0,
            "deterministic": True,
        }
        told = {key: parameters[key] for key in ("zero_as_missing", "use_missing", "linear_tree") if key in parameters}
        return lgb.train({**fixed, **parameters}, lgb.Dataset(rows, label, group=group, params=told), rounds)

    for objective in (
        "binary",
        "regression",
        "regression_l1",
        "huber",
        "fair",
        "quantile",
        "cross_entropy",
        "cross_entropy_lambda",
    ):
        yield objective, trained(objective=objective)
    for objective in ("poisson", "gamma", "tweedie", "mape"):
        yield objective, trained(ABOVE, objective=objective)
    for objective in ("multiclass", "multiclassova"):
        yield objective, trained(THREE, objective=objective, num_class=3)
    for objective in ("lambdarank", "rank_xendcg"):
        yield objective, trained(objective=objective, group=[ROWS // 2, ROWS // 2])
    for boosting in ("dart", "goss"):
        yield boosting, trained(objective="binary", boosting=boosting)
    yield "random forest", trained(objective="binary", boosting="rf", bagging_freq=1, bagging_fraction=0.5)
    yield "linear leaves", trained(ABOVE, np.nan_to_num(X), objective="regression", linear_tree=True)
    yield "categories", lgb.train(
        {"objective": "binary", "verbose": -1, "min_data_in_leaf": 5, "cat_smooth": 0, "min_data_per_group": 1, "num_threads": 1},
        lgb.Dataset(WITH_CODES, BY_CODE, categorical_feature=[4]), 4,
    )  # fmt: skip
    yield "zeros are missing", trained(objective="binary", zero_as_missing=True)
    yield "nothing is missing", trained(objective="binary", use_missing=False)
    yield "monotone", trained(objective="binary", monotone_constraints=[1, 0, 0, 0, -1])
    yield "steep", trained(objective="binary", is_unbalance=True, sigmoid=2.0)
    yield "trees of one leaf", trained(objective="binary", min_data_in_leaf=500)
    yield "square roots", trained(ABOVE, objective="regression", reg_sqrt=True)
    yield "own objective", trained(objective=lambda said, data: (said - data.get_label(), np.ones(len(said))))
    yield "estimator", lgb.LGBMClassifier(n_estimators=2, verbose=-1, n_jobs=1).fit(X, THREE).booster_


def catboost_models() -> Iterator[tuple[str, object]]:
    """Models by what is special about them."""
    import catboost as cb

    fixed = {"iterations": 4, "depth": 3, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
    yield "two classes", cb.CatBoostClassifier(**fixed).fit(X, BOTH)
    yield "three classes", cb.CatBoostClassifier(**fixed).fit(X, THREE)
    yield "one class against all", cb.CatBoostClassifier(loss_function="MultiClassOneVsAll", **fixed).fit(X, THREE)
    yield "words for classes", cb.CatBoostClassifier(**fixed).fit(X, np.where(BOTH > 0, "yes", "no"))
    yield "missing above all", cb.CatBoostClassifier(nan_mode="Max", **fixed).fit(X, BOTH)
    yield "numbers", cb.CatBoostRegressor(**fixed).fit(X, ABOVE)
    yield "quantile", cb.CatBoostRegressor(loss_function="Quantile:alpha=0.9", **fixed).fit(X, ABOVE)
    yield "with uncertainty", cb.CatBoostRegressor(loss_function="RMSEWithUncertainty", **fixed).fit(X, ABOVE)
    yield "two targets", cb.CatBoostRegressor(loss_function="MultiRMSE", **fixed).fit(X, np.c_[BOTH, ABOVE])
    yield "names", cb.CatBoostClassifier(**fixed).fit(cb.Pool(X, BOTH, feature_names=["häß", "b", "c", "d", "e"]))


@cache
def made(library: str) -> dict[str, object]:
    """The models of a library by name."""
    makers = {"xgboost": xgboost_boosters, "lightgbm": lightgbm_boosters, "catboost": catboost_models}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(makers[library]())


def written(library: str, model: object, form: str = "json") -> bytes:
    """The file of a model."""
    if library == "lightgbm":
        return model.model_to_string().encode()
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        model.save_model(f"{folder}/m.{form}", **({"format": form} if library == "catboost" else {}))
        return Path(folder, f"m.{form}").read_bytes()


@cache
def files() -> dict[str, tuple[str, str, bytes]]:
    """All files: format, name of the model and bytes by a name of their own."""
    found = {}
    for library in ("xgboost", "lightgbm", "catboost"):
        for name, model in made(library).items():
            for form in ("json", "ubj") if library == "xgboost" else ("json",):
                label = f"{library} {name}" + (" ubj" if form == "ubj" else "")
                found[label] = (library, name, written(library, model, form))
    return found


@cache
def simple(library: str) -> bytes:
    """One small classifier of two classes."""
    name = {"xgboost": "binary:logistic", "lightgbm": "binary", "catboost": "two classes"}[library]
    return written(library, made(library)[name])
