"""Learn which names the pickles of each library ask for, by fitting every estimator and writing it with every protocol.

    python tools/learn_globals.py src/trustplane/release/scanning/pickles/globals

Run it once in an environment of each release that the lists are to know: what is in them is kept, and added to. It needs none
of Trustplane. ``--show`` names what the lists would gain and changes nothing. Names that fetch attributes, call or evaluate
are left out, whatever writes them; they are printed.
"""

# ruff: noqa: BLE001, S112 - whatever a library cannot fit or write is passed over; the pickles are our own

import argparse
import importlib
import io
import os
import pickle
import sys
import tomllib
import warnings
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TextIO

PROTOCOLS = (0, 2, 4, 5)
# Must agree with NEVER of trustplane.release.scanning.pickles.allowed, which has the last word.
UNWANTED_MODULES = (
    "functools",
    "operator",
    "types",
    "importlib",
    "os",
    "posix",
    "subprocess",
    "sys",
    "marshal",
    "pickle",
    "_pickle",
    "cloudpickle",
    "dill",
)
UNWANTED = {
    "builtins.getattr",
    "builtins.eval",
    "builtins.exec",
    "builtins.map",
    "builtins.type",
    "builtins.print",
    "torch.storage._load_from_bytes",
    "torch._tensor._rebuild_from_type_v2",
}
Name = tuple[str, str]


class Recording(pickle.Unpickler):
    """Loads a pickle that was just written here, and notes its names."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.names: set[Name] = set()

    def find_class(self, module: str, name: str) -> Any:
        """Note the name as Python 3 calls it."""
        found = super().find_class(module, name)
        if (module, name) in NAME_MAPPING:
            module, name = NAME_MAPPING[module, name]
        self.names.add((IMPORT_MAPPING.get(module, module), name))
        return found


def names_of(thing: Any) -> set[Name]:
    """The names that the pickles of a thing ask for; nothing where it cannot be pickled."""
    names: set[Name] = set()
    for protocol in PROTOCOLS:
        try:
            recording = Recording(io.BytesIO(pickle.dumps(thing, protocol)))
            recording.load()
        except Exception as error:
            print(f"  not pickled with protocol {protocol}: {type(thing).__name__}: {error}"[:200], file=sys.stderr)
            continue
        names |= recording.names
    return names


# --- the standard library --------------------------------------------------------------------------------------------
def python() -> Iterator[Any]:
    """What models keep beside numbers."""
    import collections
    import datetime as dt
    import decimal
    import fractions
    import pathlib
    import uuid

    yield [{1}, frozenset({1}), 1j, bytearray(b"x"), b"x", range(3), slice(1, 2), object(), [], {}, (), "x", 1, 1.0]
    yield [int, float, str, bool, bytes, list, dict, tuple, set, complex, object, frozenset]
    yield [
        collections.OrderedDict(a=1),
        collections.defaultdict(int, a=1),
        collections.defaultdict(list),
        collections.Counter("ab"),
        collections.deque([1]),
    ]
    yield [
        decimal.Decimal(1),
        fractions.Fraction(1, 2),
        uuid.UUID(int=1),
        pathlib.PurePosixPath("a"),
        pathlib.Path("a"),
    ]
    now = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    yield [now, now.date(), now.timetz(), now - now, dt.timezone(dt.timedelta(hours=1))]
    yield ValueError("x")


# --- numpy, scipy, pandas --------------------------------------------------------------------------------------------
def numpy() -> Iterator[Any]:
    """Arrays and scalars of every type, generators, the functions of one argument."""
    import numpy as np

    for code in "?bhilqBHILQefdgFDGSU":
        yield np.zeros(3, code)
        yield np.zeros((2, 2), code, order="F")
        yield np.zeros(1, code)[0]
    yield np.zeros(3, "V4")
    yield np.array([1, "x"], dtype=object)
    yield np.array(["2020-01-01"], "M8[ns]")
    yield np.array([1], "m8[s]")
    yield np.array(["2020-01-01"], "M8[D]")[0]
    yield np.zeros(2, [("a", "f4"), ("b", "i8", (2,))])
    yield np.zeros(2, [("a", "f4"), ("b", "i8")]).view(np.recarray)
    yield np.ma.masked_array([1, 2], [0, 1])
    yield np.matrix([[1]])
    yield [
        np.dtype("f4"),
        np.dtype("O"),
        np.float32,
        np.float64,
        np.int64,
        np.int32,
        np.ndarray,
        np.bool_,
        np.uint8,
        np.object_,
        np.str_,
    ]
    yield [
        np.random.RandomState(0),
        *(
            np.random.Generator(kind(0))
            for kind in (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64)
        ),
    ]
    yield np.random.SeedSequence(1)
    yield [
        getattr(np, name)
        for name in [
            "log",
            "log1p",
            "log2",
            "log10",
            "exp",
            "expm1",
            "sqrt",
            "abs",
            "square",
            "sin",
            "cos",
            "tan",
            "tanh",
            "sign",
            "mean",
            "median",
            "std",
            "var",
            "min",
            "max",
            "argmin",
            "argmax",
            "nanmean",
            "nanmedian",
            "ravel",
        ]
    ]
    yield np.poly1d([1, 2])


def scipy() -> Iterator[Any]:
    """Sparse matrices and arrays, interpolators, frozen distributions' parts."""
    import numpy as np
    import scipy.interpolate
    import scipy.sparse as sp
    import scipy.spatial
    import scipy.special

    for kind in ("csr", "csc", "coo", "bsr", "dia", "dok", "lil"):
        yield getattr(sp, f"{kind}_matrix")(np.eye(3))
        if hasattr(sp, f"{kind}_array"):
            yield getattr(sp, f"{kind}_array")(np.eye(3))
    line = np.arange(6.0)
    yield scipy.interpolate.interp1d(line, line)
    yield scipy.interpolate.BSpline([0, 1, 2, 3], [1, 2, 3], 0)
    yield scipy.interpolate.CubicSpline(line, line)
    yield scipy.interpolate.PchipInterpolator(line, line)
    yield scipy.interpolate.PPoly([[1.0]], [0, 1])
    yield scipy.interpolate.UnivariateSpline(line, line)
    yield scipy.spatial.cKDTree(np.eye(3))
    yield scipy.spatial.KDTree(np.eye(3))
    yield [scipy.special.expit, scipy.special.logit]


def pandas() -> Iterator[Any]:
    """Frames and series of every type, indexes."""
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame(
        {
            "a": [1, 2],
            "b": ["x", "y"],
            "c": [1.0, 2.0],
            "d": [True, False],
            "e": pd.to_datetime(["2020-01-01", "2020-01-02"]),
        }
    )
    yield frame
    yield frame["b"]
    yield frame.set_index("b")
    yield frame.set_index(["a", "b"])
    yield frame.groupby("b")["c"].mean()
    for kind in (
        "category",
        "string",
        "Int64",
        "Int32",
        "Int16",
        "Int8",
        "UInt64",
        "UInt32",
        "UInt16",
        "UInt8",
        "Float64",
        "Float32",
        "boolean",
        "object",
    ):
        try:
            yield pd.Series([1, 0, 1]).astype(kind)
        except Exception:
            print(f"  pandas has no {kind}", file=sys.stderr)
    yield pd.Series(pd.date_range("2020", periods=2, tz="UTC"))
    yield pd.Series(pd.date_range("2020", periods=2, freq="D"))
    yield pd.Series(pd.period_range("2020", periods=2, freq="M"))
    yield pd.Series(pd.interval_range(0, 2))
    yield pd.Series(pd.arrays.SparseArray([0, 1]))
    yield pd.timedelta_range("1D", periods=2)
    for name in [
        "Hour",
        "Minute",
        "Second",
        "BusinessDay",
        "Week",
        "MonthBegin",
        "QuarterBegin",
        "QuarterEnd",
        "YearBegin",
        "YearEnd",
        "BusinessMonthEnd",
    ]:
        yield getattr(pd.offsets, name)()
    yield [pd.Timestamp("2020"), pd.Timedelta("1D"), pd.NaT, pd.NA, pd.Period("2020", "M"), pd.Interval(0, 1)]
    yield [
        pd.Index([1, 2]),
        pd.Index(["a"]),
        pd.RangeIndex(2),
        pd.CategoricalIndex(["a"]),
        pd.CategoricalDtype(["a"]),
        pd.Index([1.5]),
        pd.Index([np.nan, "a"], dtype=object),
    ]


# --- scikit-learn ----------------------------------------------------------------------------------------------------
SMALL = {
    "n_estimators": 3, "max_iter": 5, "n_iter": 2, "cv": 2, "n_components": 2, "n_clusters": 2, "n_bins": 3, "n_neighbors": 3,
    "max_n_alphas": 3, "n_alphas": 3, "n_resampling": 2, "n_init": 1, "n_jobs": None, "min_samples": 2, "n_best": 1, "perplexity": 3,
    "n_quantiles": 10, "n_folds": 2, "n_trees": 2, "n_nystroem": 3, "max_trials": 20, "n_subsets": 1,
}  # fmt: skip


def sklearn() -> Iterator[Any]:
    """Every estimator, and each of them with every word that its parameters know."""
    from sklearn.utils import all_estimators

    for _, kind in all_estimators():
        yield kind
        for instance in instances(kind):
            fitted = fit(instance)
            if fitted is not None:
                yield fitted
    yield from compositions()


def instances(kind: type) -> Iterator[Any]:
    """An estimator with small parameters, then with every other word, one parameter at a time."""
    import inspect

    from sklearn.linear_model import LogisticRegression, Ridge

    parts = {
        "estimator": LogisticRegression(), "base_estimator": LogisticRegression(), "regressor": Ridge(),
        "estimators": [("a", LogisticRegression()), ("b", LogisticRegression(C=2.0))], "transformers": [("a", "passthrough", [0])],
        "transformer_list": [("a", "passthrough")], "steps": [("a", LogisticRegression())], "param_grid": {"C": [1.0, 2.0]},
        "param_distributions": {"C": [1.0, 2.0]}, "dictionary": [[1.0] * 5] * 2,
    }  # fmt: skip
    known = inspect.signature(kind.__init__).parameters
    for part in (
        {},
        {
            "estimator": Ridge(),
            "estimators": [("a", Ridge()), ("b", Ridge(alpha=2.0))],
            "param_grid": {"alpha": [1.0]},
            "param_distributions": {"alpha": [1.0]},
        },
    ):
        given = {**SMALL, **parts, **part}
        if kind.__name__.endswith("CV") and "Search" not in kind.__name__:
            given.pop("estimator" if "estimator" not in known else "", None)
        try:
            chosen = {
                n: given[n]
                for n in known
                if n in given
                and (
                    n not in {"estimator", "base_estimator", "regressor"} or known[n].default is inspect.Parameter.empty
                )
            }
            yield kind(**chosen)
        except Exception:
            continue
    constraints = getattr(kind, "_parameter_constraints", {})
    for name, rules in constraints.items():
        words = (
            {
                w
                for rule in rules
                if isinstance(rules, list) and hasattr(rule, "options")
                for w in rule.options
                if isinstance(w, str)
            }
            if isinstance(rules, list)
            else set()
        )
        for word in sorted(words)[:8]:
            try:
                yield kind(
                    **{n: SMALL[n] for n in known if n in SMALL and n != name},
                    **{n: parts[n] for n in known if n in parts and known[n].default is inspect.Parameter.empty},
                    **{name: word},
                )
            except Exception:
                continue


def tables() -> list[tuple[Any, Any]]:
    """Small tables of many kinds; an estimator is fitted on the first that it takes."""
    import numpy as np
    import scipy.sparse as sp

    random = np.random.RandomState(0)
    rows = np.abs(random.randn(40, 5)) + 0.1
    classes = (rows[:, 0] > np.median(rows[:, 0])).astype(int)
    words = ["a b c", "b c d", "c d e", "a e f"] * 10
    return [
        (rows, classes), (rows, rows[:, 0] * 2 + rows[:, 1]), (rows, np.c_[rows[:, 0], rows[:, 1]]), (rows, np.c_[classes, 1 - classes]), (rows[:, 0], rows[:, 1]),
        (words, classes), ([{"a": 1.0, "b": 2.0}, {"a": 2.0}] * 20, classes), ([["a", "b"], ["b"]] * 20, None), (sp.csr_matrix(rows), classes),
        (rows @ rows.T, classes), (classes, None), (np.array([["a"], ["b"]] * 20, dtype=object), classes),
    ]  # fmt: skip


TABLES: list[tuple[Any, Any]] = []


def fit(estimator: Any) -> Any:
    """The estimator fitted on the first table that it takes; None if it takes none."""
    from sklearn.base import clone

    TABLES[:] = TABLES or tables()
    for rows, target in TABLES:
        try:
            return clone(estimator).fit(rows, target)
        except Exception:
            continue
    print(f"  not fitted: {type(estimator).__name__}", file=sys.stderr)
    return None


def compositions() -> Iterator[Any]:
    """What people put together by hand."""
    import numpy as np
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.feature_selection import SelectKBest, chi2, f_classif, f_regression, mutual_info_classif
    from sklearn.gaussian_process import GaussianProcessRegressor, kernels
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.metrics import get_scorer, get_scorer_names, make_scorer, mean_squared_error
    from sklearn.model_selection import (
        GridSearchCV,
        GroupKFold,
        KFold,
        RepeatedKFold,
        ShuffleSplit,
        StratifiedKFold,
        TimeSeriesSplit,
    )
    from sklearn.neighbors import BallTree, KDTree, KernelDensity
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    rows, classes = tables()[0]
    for score in (chi2, f_classif, f_regression, mutual_info_classif):
        yield SelectKBest(score, k=2).fit(rows, classes)
    for kernel in (
        kernels.RBF(),
        kernels.Matern(),
        kernels.WhiteKernel(),
        kernels.RationalQuadratic(),
        kernels.ExpSineSquared(),
        kernels.DotProduct(),
        kernels.ConstantKernel() * kernels.RBF() + kernels.WhiteKernel(),
        kernels.RBF() ** 2,
    ):
        yield GaussianProcessRegressor(
            kernel, optimizer=None
        )  # the kernels are what counts, not whether they suit these rows
    for metric in (
        "euclidean",
        "manhattan",
        "chebyshev",
        "minkowski",
        "hamming",
        "canberra",
        "braycurtis",
        "haversine",
        "jaccard",
        "dice",
        "sokalsneath",
        "russellrao",
        "rogerstanimoto",
    ):
        for tree in (KDTree, BallTree):
            try:
                yield tree(rows[:, :2], metric=metric)
            except Exception:
                continue
    yield KernelDensity().fit(rows)
    for func in (None, np.log1p, np.sqrt, np.exp):
        yield FunctionTransformer(func).fit(rows)
    for split in (
        KFold(2),
        StratifiedKFold(2),
        GroupKFold(2),
        ShuffleSplit(2),
        TimeSeriesSplit(2),
        RepeatedKFold(n_splits=2),
    ):
        yield split
        yield GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=KFold(2), scoring="roc_auc").fit(rows, classes)
    for name in get_scorer_names():
        yield get_scorer(name)
    yield make_scorer(mean_squared_error)
    yield TransformedTargetRegressor(LinearRegression(), func=np.log1p, inverse_func=np.expm1).fit(rows, rows[:, 0])
    pipe = make_pipeline(
        SimpleImputer(), StandardScaler(), RandomForestClassifier(3, random_state=np.random.RandomState(0))
    ).fit(rows, classes)
    yield pipe
    yield FeatureUnion([("a", StandardScaler()), ("b", SimpleImputer())]).fit(rows)
    try:
        import pandas as pd

        frame = pd.DataFrame({"n": rows[:, 0], "c": ["a", "b"] * 20})
        yield make_pipeline(
            ColumnTransformer(
                [("n", StandardScaler(), ["n"]), ("c", OneHotEncoder(), make_column_selector(dtype_include=object))]
            ),
            LogisticRegression(),
        ).fit(frame, classes)
        yield make_pipeline(
            ColumnTransformer(
                [("n", StandardScaler(), ["n"]), ("c", OneHotEncoder(handle_unknown="ignore"), ["c"])], remainder="drop"
            ),
            RandomForestClassifier(3),
        ).fit(frame, classes)
    except ImportError:
        return


# --- boosted trees, PyTorch ------------------------------------------------------------------------------------------
def xgboost() -> Iterator[Any]:
    """Estimators and boosters."""
    import xgboost as xgb

    rows, classes = tables()[0]
    for name in ("XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor"):
        for booster in ("gbtree", "dart", "gblinear"):
            try:
                yield getattr(xgb, name)(n_estimators=3, booster=booster).fit(rows, classes)
            except Exception:
                continue
    yield xgb.XGBRanker(n_estimators=3).fit(rows, classes, qid=[0] * 40)
    yield xgb.train({"max_depth": 2}, xgb.DMatrix(rows, classes), 2)
    yield xgb.XGBClassifier(n_estimators=3, early_stopping_rounds=1).fit(
        rows, classes, eval_set=[(rows, classes)], verbose=False
    )


def lightgbm() -> Iterator[Any]:
    """Estimators and boosters."""
    import lightgbm as lgb

    rows, classes = tables()[0]
    for name in ("LGBMClassifier", "LGBMRegressor", "LGBMModel"):
        for boosting in ("gbdt", "dart"):
            more = {"objective": "binary"} if name == "LGBMModel" else {}
            yield getattr(lgb, name)(n_estimators=3, boosting_type=boosting, verbose=-1, **more).fit(rows, classes)
    yield lgb.LGBMRanker(n_estimators=3, verbose=-1).fit(rows, classes, group=[40])
    yield lgb.train({"verbose": -1}, lgb.Dataset(rows, classes), 2)
    yield lgb.LGBMClassifier(n_estimators=3, verbose=-1).fit(rows, classes, eval_set=[(rows, classes)])


def catboost() -> Iterator[Any]:
    """Estimators."""
    import catboost as cat

    rows, classes = tables()[0]
    quiet = {"iterations": 3, "verbose": False, "allow_writing_files": False}
    for made in (cat.CatBoostClassifier(**quiet), cat.CatBoostRegressor(**quiet), cat.CatBoost(quiet)):
        yield made.fit(rows, classes)
    yield cat.CatBoostRanker(**quiet).fit(rows, classes, group_id=[0] * 40)


def torch() -> Iterator[Any]:
    """What torch.save writes of tensors and states; its pickle asks for the storages by persistent ids."""
    import torch as t

    kinds = (
        t.float64,
        t.float32,
        t.float16,
        t.bfloat16,
        t.int64,
        t.int32,
        t.int16,
        t.int8,
        t.uint8,
        t.bool,
        t.complex64,
        t.complex128,
    )
    net = t.nn.Sequential(t.nn.Linear(2, 2), t.nn.BatchNorm1d(2), t.nn.LSTM(2, 2), t.nn.Embedding(3, 2))
    optimiser = t.optim.Adam(net.parameters())
    yield [t.zeros(2, dtype=kind) for kind in kinds]
    yield net.state_dict()
    yield dict(net.named_parameters())
    yield optimiser.state_dict()
    yield [*kinds, t.device("cpu"), t.Size([1])]
    yield t.eye(2).to_sparse()


def torch_names(thing: Any) -> set[Name]:
    """The names in what torch.save writes, both of today's form and of the one before version 1.6."""
    import torch as t

    # Kinds of storages stand in persistent ids, which torch.load reads by itself.
    names = {
        ("torch", name)
        for name in dir(t)
        if name.endswith("Storage") and not name.startswith(("_", "Typed")) and name[0].isupper()
    }

    class Recorder(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            found = super().find_class(module, name)
            if (module, name) in NAME_MAPPING:
                module, name = NAME_MAPPING[module, name]
            names.add((IMPORT_MAPPING.get(module, module), name))
            return found

    class Module:
        Unpickler = Recorder
        load, loads = staticmethod(pickle.load), staticmethod(pickle.loads)

    for modern in (True, False):
        file = io.BytesIO()
        t.save(thing, file, _use_new_zipfile_serialization=modern)
        file.seek(0)
        t.load(file, pickle_module=Module, weights_only=False)
    return names


LIBRARIES: dict[str, tuple[str, Callable[[], Iterator[Any]]]] = {
    "python": ("", python), "numpy": ("numpy", numpy), "scipy": ("scipy", scipy), "pandas": ("pandas", pandas),
    "scikit-learn": ("scikit-learn", sklearn), "xgboost": ("xgboost-cpu", xgboost), "lightgbm": ("lightgbm", lightgbm),
    "catboost": ("catboost", catboost), "torch": ("torch", torch),
}  # fmt: skip


def learn(library: str, dropped: set[Name]) -> tuple[str, set[Name]] | None:
    """The version that is installed and the names of its pickles; None if it is not installed."""
    package, make = LIBRARIES[library]
    try:
        release = version(package) if package else f"{sys.version_info.major}.{sys.version_info.minor}"
    except PackageNotFoundError:
        return None
    names: set[Name] = set()
    for thing in make():
        names |= torch_names(thing) if library == "torch" else names_of(thing)
    if library == "python":
        names.add(("joblib.numpy_pickle", "NumpyArrayWrapper"))
    unwanted = {
        n
        for n in names
        if n[0].split(".")[0] in UNWANTED_MODULES or ".".join(n) in UNWANTED or "." in n[1] or n[0] == "__main__"
    }
    dropped |= unwanted
    return release, names - unwanted


def write(file: Path, library: str, release: str, names: set[Name], told: TextIO, *, show: bool) -> None:
    """Add names to a list."""
    old = tomllib.loads(file.read_text("utf-8")) if file.exists() else {"versions": [], "globals": {}}
    have = {(module, name) for module, held in old["globals"].items() for name in held}
    if not show:
        versions = sorted(
            {*old["versions"], release}, key=lambda v: [int(p) if p.isdigit() else 0 for p in v.split(".")]
        )
        file.write_text(listing(library, versions, have | names), "utf-8")
    told.write(f"{library} {release}: {len(names)} names, {len(names - have)} new\n")
    if show:
        told.writelines(f"  {module}.{name}\n" for module, name in sorted(names - have))
    told.flush()


def listing(library: str, versions: list[str], names: set[Name]) -> str:
    """A list as TOML."""
    by_module: dict[str, list[str]] = {}
    for module, name in sorted(names):
        by_module.setdefault(module, []).append(name)
    quoted = ", ".join(f'"{v}"' for v in versions)
    lines = ["# Made by tools/learn_globals.py.", f'library = "{library}"', f"versions = [{quoted}]", "", "[globals]"]
    for module, held in by_module.items():
        words = ", ".join(f'"{name}"' for name in held)
        lines.append(f'"{module}" = [{words}]')
    return "\n".join(lines) + "\n"


def main() -> None:
    """Learn from what is installed here."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--library", action="append", choices=LIBRARIES)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    told = os.fdopen(os.dup(1), "w")  # something that is fitted here closes standard output
    given.folder.mkdir(exist_ok=True)
    dropped: set[Name] = set()
    for library in given.library or LIBRARIES:
        learnt = learn(library, dropped)
        if learnt is not None:
            write(given.folder / f"{library}.toml", library, *learnt, told, show=given.show)
    if dropped:
        told.write(f"left out: {', '.join(sorted('.'.join(n) for n in dropped))}\n")


if __name__ == "__main__":
    importlib.invalidate_caches()
    main()
