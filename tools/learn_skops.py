"""Learn which nodes skops writes for the estimators that are admitted, by fitting and writing them.

    python tools/learn_skops.py src/trustplane/training/runtimes/skops/nodes.toml

Run it once in an environment of each release of scikit-learn that the list is to know: what is in it is kept, and added to. ``--show``
names what the list would gain and changes nothing. Of what scikit-learn has, those classes alone are learnt whose compiled code
was looked at: see :data:`ADMITTED` here, and ``state.py`` beside the list for what is checked of each file.
"""

# ruff: noqa: BLE001, S112 - whatever cannot be fitted or written is passed over

import argparse
import io
import json
import sys
import tomllib
import warnings
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools import learn_globals

ADMITTED = (
    *("sklearn._loss", "sklearn.calibration", "sklearn.compose", "sklearn.decomposition._pca", "sklearn.dummy"),
    *(
        "sklearn.decomposition._truncated_svd",
        "sklearn.decomposition._incremental_pca",
        "sklearn.decomposition._fastica",
    ),
    *("sklearn.discriminant_analysis", "sklearn.ensemble", "sklearn.feature_selection", "sklearn.frozen"),
    *("sklearn.gaussian_process", "sklearn.impute", "sklearn.isotonic", "sklearn.kernel_approximation"),
    *("sklearn.kernel_ridge", "sklearn.linear_model", "sklearn.model_selection", "sklearn.multiclass"),
    *("sklearn.multioutput", "sklearn.naive_bayes", "sklearn.neural_network", "sklearn.pipeline"),
    *("sklearn.preprocessing", "sklearn.random_projection", "sklearn.cross_decomposition"),
    *("sklearn.semi_supervised._self_training", "sklearn.svm", "sklearn.tree", "sklearn.utils._bunch"),
    *("sklearn.neighbors._nearest_centroid", "sklearn.metrics._scorer"),
)
LEFT_OUT = {"SplineTransformer"}
"""Of these modules, what is not learnt: splines are read by compiled code that looks at no bound."""
FUNCTIONS = ("numpy", "sklearn.feature_selection", "sklearn.metrics")
ATTRIBUTES = {"_sklearn_version", "n_features_in_", "feature_names_in_", "_sklearn_output_config", "_metadata_request"}
"""What any estimator may have, according to how it was fitted."""
NUMBERS = {
    "bool",
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
}
Found = dict[str, Any]


def things() -> Iterator[Any]:
    """The estimators of the tool for pickles, and more of those that people use."""
    yield from (thing for thing in learn_globals.sklearn() if not isinstance(thing, type))
    yield from more()


def more() -> Iterator[Any]:
    """Frames, three classes, texts as classes, switches the other way."""
    import inspect

    import numpy as np
    import pandas as pd
    from sklearn.utils import all_estimators

    random = np.random.RandomState(0)
    rows = np.abs(random.randn(60, 4)) + 0.1
    frame = pd.DataFrame(rows, columns=list("abcd"))
    two = (rows[:, 0] > np.median(rows[:, 0])).astype(int)
    three = np.digitize(rows[:, 0], np.quantile(rows[:, 0], [0.3, 0.6]))
    texts = np.array(["no", "yes", "perhaps"])[three]
    for _, kind in all_estimators():
        if not is_admitted(kind.__module__, kind.__name__):
            continue
        known = inspect.signature(kind.__init__).parameters
        switches = [{n: not p.default} for n, p in known.items() if isinstance(p.default, bool)]
        numbers = [{n: value} for n, value in OPTIONS.items() if n in known]
        for options in ({}, *switches, *numbers):
            for made in learn_globals.instances(kind):
                try:
                    made.set_params(**options)
                except Exception:
                    continue
                targets = [(frame, two), (rows, three), (rows, texts)] if not options else [(rows, two)]
                for given, target in targets:
                    try:
                        yield made.fit(given, target)
                    except Exception:
                        continue
                break


OPTIONS: dict[str, Any] = {
    "n_iter_no_change": 2, "n_jobs": 1, "max_samples": 0.5, "max_features": 2, "random_state": 0, "class_weight": "balanced",
    "validation_fraction": 0.2, "max_leaf_nodes": 3, "categorical_features": [0], "monotonic_cst": [1, 0, 0, 0], "oob_score": True,
    "early_stopping": True, "probability": True, "refit": True, "drop": "first", "passthrough": True, "ensemble": False,
}  # fmt: skip


def is_admitted(module: str, name: str) -> bool:
    """Whether a class was looked at."""
    return name not in LEFT_OUT and any(module == each or module.startswith(each + ".") for each in ADMITTED)


def names_of(thing: Any) -> tuple[list[tuple[str, str, str]], dict[str, set[str]]]:
    """Each loader with module and name, and the attributes of each object."""
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(thing))) as archive:
        waiting: list[Any] = [json.loads(archive.read("schema.json"))]
    names, attributes = [], {}
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        if not isinstance(node, dict):
            continue
        if isinstance(node.get("__loader__"), str):
            names.append((node["__loader__"], node["__module__"], node["__class__"]))
            if node["__loader__"] == "ObjectNode":
                held = node.get("content") or {}
                parts = held.get("content") if held.get("__loader__") == "DictNode" else {}
                attributes.setdefault(f"{node['__module__']}.{node['__class__']}", set()).update(parts or {})
        waiting += [part for key, part in node.items() if isinstance(part, dict | list)]
    return names, attributes


def learn() -> Found:
    """What the estimators of the installed release are written as."""
    loaders: dict[str, set[str]] = {"TypeNode": {f"builtins.{n}" for n in ("str", "int", "float", "bool", "object")}}
    loaders["TypeNode"] |= {f"numpy.{name}" for name in NUMBERS | {"str_"}}
    loaders["NdArrayNode"] = {"numpy.ndarray", "numpy.str_", *(f"numpy.{name}" for name in NUMBERS)}
    loaders["SparseMatrixNode"] = {f"scipy.sparse._{k}.{k}_{w}" for k in ("csr", "csc") for w in ("matrix", "array")}
    loaders["PartialNode"], loaders["FunctionNode"] = {"functools.partial"}, {"sklearn.utils.validation.check_array"}
    objects: dict[str, set[str]] = {}
    answers: dict[str, set[str]] = {"classifiers": set(), "regressors": set()}
    for thing in things():
        try:
            names, attributes = names_of(thing)
        except Exception as error:
            print(f"  not written: {type(thing).__name__}: {error}"[:120], file=sys.stderr)
            continue
        if not all(is_admitted(*name.rsplit(".", 1)) for name in attributes):
            continue
        for loader, module, name in names:
            if loader in {"ObjectNode", "PartialNode"} or (
                loader == "FunctionNode" and not module.startswith(FUNCTIONS)
            ):
                continue
            if loader != "TypeNode":
                loaders.setdefault(loader, set()).add(f"{module}.{name}")
        for name, held in attributes.items():
            objects.setdefault(name, set()).update(held | (ATTRIBUTES if "n_features_in_" in held else set()))
        _answers(thing, answers)
    return {"objects": objects, "loaders": loaders, "answers": answers}


def _answers(thing: Any, answers: dict[str, set[str]]) -> None:
    from sklearn.base import is_classifier, is_regressor

    name = f"{type(thing).__module__}.{type(thing).__name__}"
    try:
        if is_classifier(thing) and hasattr(thing, "predict_proba"):
            answers["classifiers"].add(name)
        elif is_regressor(thing):
            answers["regressors"].add(name)
    except Exception:
        return


def merged(old: Found, new: Found) -> Found:
    """Both, the old one kept."""
    return {
        part: {key: sorted({*old.get(part, {}).get(key, ()), *held}) for key, held in {**old.get(part, {}), **new[part]}.items()
               } if part in new else old[part]
        for part in ("objects", "loaders", "answers")
    }  # fmt: skip


def written(found: Found, versions: list[str]) -> str:
    """The list as TOML."""
    lines = ["# Made by tools/learn_skops.py.", f"versions = [{', '.join(map(_quoted, versions))}]"]
    for part in ("answers", "loaders", "objects"):
        lines += ["", f"[{part}]"]
        lines += [f"{_quoted(key)} = [{', '.join(map(_quoted, held))}]" for key, held in sorted(found[part].items())]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return f'"{text}"'


def main() -> None:
    """Learn from what is installed here."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    old: Found = tomllib.loads(given.file.read_text("utf-8")) if given.file.exists() else {}
    found = merged(old, learn())
    gained = sum(len(h) for part in found.values() for h in part.values())
    gained -= sum(len(h) for part in ("objects", "loaders", "answers") for h in old.get(part, {}).values())
    release = version("scikit-learn")
    if not given.show:
        versions = sorted(
            {*old.get("versions", []), release}, key=lambda v: [int(n) for n in v.split(".") if n.isdigit()]
        )
        given.file.write_text(written(found, versions), "utf-8")
    sys.stderr.write(f"scikit-learn {release}: {gained} new\n")


if __name__ == "__main__":
    main()
