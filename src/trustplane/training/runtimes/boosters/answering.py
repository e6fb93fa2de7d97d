"""Boosted trees on the processor, one thread a request: requests run side by side, and the same input gives the same answer.

A file is read strictly before a library loads it, here as at the door: their loaders are C++ and take much on trust.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.training.runtimes.boosters import catboost, lightgbm, xgboost
from trustplane.training.runtimes.boosters.sound import Booster, Unsound
from trustplane.training.runtimes.contract import FEATURES, LABEL, PREDICTIONS, PROBABILITIES, Tensor
from trustplane.values.errors import Unavailable, missing_extra

Numbers = npt.NDArray[Any]
_TYPES = {"FP32": np.float32, "FP64": np.float64}
_ROWS = 4096


class LoadedBooster:
    """A model that answers by ``ask``: rows of shape (rows, features) in, numbers of shape (rows,) or (rows, outputs) out."""

    def __init__(self, read: Booster, ask: Callable[[Numbers], Numbers]) -> None:
        self.inputs: tuple[Tensor, ...] = read.takes
        self.outputs: tuple[Tensor, ...] = read.gives
        self._ask = ask

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs by name."""
        (source,) = self.inputs
        rows = inputs.get(FEATURES)
        if (
            inputs.keys() != {FEATURES}
            or not isinstance(rows, np.ndarray)
            or rows.dtype != _TYPES[source.datatype]
            or rows.ndim != 2
            or rows.shape[1] != source.shape[1]
        ):
            raise _broke(f"it takes {source.datatype} of shape (rows, {source.shape[1]:,}) alone")
        try:
            said = self._ask(np.ascontiguousarray(rows)) if len(rows) else np.zeros((0, *self.outputs[-1].shape[1:]))
            return self._named(said, len(rows))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - the libraries' errors have no base of their own, and may quote the input
            raise _broke(type(error).__name__) from None

    def _named(self, said: Numbers, rows: int) -> dict[str, Numbers]:
        last = self.outputs[-1]
        if last.name == LABEL:
            return {LABEL: said.reshape(rows).astype(np.int64)}
        kind = _TYPES[last.datatype]
        if last.name == PREDICTIONS:
            return {PREDICTIONS: said.reshape(rows, *last.shape[1:]).astype(kind, copy=False)}
        if said.ndim == 1:
            said = np.stack([1 - said, said], axis=1)
            label = said[:, 1] > 0.5
        else:
            label = said.argmax(axis=1)
        shares = said.reshape(rows, last.shape[1]).astype(kind, copy=False)
        return {LABEL: label.astype(np.int64), PROBABILITIES: shares}


def _broke(why: str) -> Unavailable:
    return Unavailable("TP-SERVING-006", "the model broke on this input", why=why)


def _unloaded(why: str) -> Unavailable:
    return Unavailable("TP-SERVING-005", "the model cannot be loaded", why=why)


class XgboostRuntime:
    """The runtime of the format ``xgboost``, in JSON and UBJSON."""

    formats = ("xgboost",)

    def load(self, data: bytes) -> LoadedBooster:
        """Load a model from memory."""
        try:
            import xgboost as library
        except ImportError as error:
            raise missing_extra("xgboost", "boosting", "running a model of XGBoost") from error
        try:
            read = xgboost.read(data)
            learner = xgboost.document(data)["learner"]
            model = library.Booster({"nthread": 1, "verbosity": 0})
            model.load_model(bytearray(data))
            model.set_param({"nthread": 1, "verbosity": 0})
        except Unsound as reason:
            raise _unloaded(str(reason)) from None
        except Exception as error:  # noqa: BLE001 - the library's errors quote its sources and the file
            raise _unloaded(type(error).__name__) from None
        return LoadedBooster(read, _ask_xgboost(library, model, learner, read))


def _ask_xgboost(library: Any, model: Any, learner: Mapping[str, Any], read: Booster) -> Callable[[Numbers], Numbers]:
    objective, rounds = learner["objective"]["name"], xgboost.answering(learner) or 0
    margins = objective in {"binary:logitraw", "multi:softmax"}
    kind = "margin" if margins else "value"
    if read.linear:  # the library predicts in place with trees alone, and else is not safe for threads
        turn = threading.Lock()

        def ask(rows: Numbers) -> Numbers:
            with turn:
                matrix = library.DMatrix(rows, nthread=1)
                return _shared(
                    model.predict(matrix, output_margin=margins, validate_features=False), objective, margins
                )

        return ask

    def in_place(rows: Numbers) -> Numbers:
        said = model.inplace_predict(rows, iteration_range=(0, rounds), predict_type=kind, validate_features=False)
        return _shared(np.asarray(said), objective, margins)

    return in_place


def _shared(said: Numbers, objective: str, margins: bool) -> Numbers:
    """Margins of classifiers as probabilities; those of several targets are left as they are."""
    if objective == "binary:logitraw" and said.ndim == 1:
        return 1 / (1 + np.exp(-said))
    return _softmax(said) if margins and objective == "multi:softmax" else said


def _softmax(said: Numbers) -> Numbers:
    raised = np.exp(said - said.max(axis=1, keepdims=True))
    shares: Numbers = raised / raised.sum(axis=1, keepdims=True)
    return shares


class LightgbmRuntime:
    """The runtime of the format ``lightgbm``."""

    formats = ("lightgbm",)

    def load(self, data: bytes) -> LoadedBooster:
        """Load a model from memory."""
        try:
            import lightgbm as library
        except ImportError as error:
            raise missing_extra("lightgbm", "boosting", "running a model of LightGBM") from error
        try:
            read = lightgbm.read(data)
            model = library.Booster(model_str=data.decode())
        except Unsound as reason:
            raise _unloaded(str(reason)) from None
        except Exception as error:  # noqa: BLE001 - as above
            raise _unloaded(type(error).__name__) from None
        return LoadedBooster(read, lambda rows: np.asarray(model.predict(rows, num_threads=1, num_iteration=-1)))


class CatboostRuntime:
    """The runtime of the format ``catboost``: symmetric trees are arithmetic, and need no library."""

    formats = ("catboost",)

    def load(self, data: bytes) -> LoadedBooster:
        """Read a model from memory."""
        try:
            model = catboost.symmetric(data)
        except Unsound as reason:
            raise _unloaded(str(reason)) from None
        return LoadedBooster(model.booster, SymmetricTrees(model).ask)


class SymmetricTrees:
    """Trees of one depth side by side: their bits, their leaves' numbers and the sum over them in whole arrays."""

    def __init__(self, model: catboost.Symmetric) -> None:
        self._model = model
        self._missing = np.array(model.missing, bool)
        depths = {len(splits) for splits in model.splits}
        self._groups = [self._group(depth) for depth in sorted(depths)]

    def _group(self, depth: int) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        model = self._model
        chosen = [n for n, splits in enumerate(model.splits) if len(splits) == depth]
        shape = (len(chosen), depth)
        feature = np.array([[f for f, _ in model.splits[n]] for n in chosen], np.int64).reshape(shape)
        border = np.array([[b for _, b in model.splits[n]] for n in chosen], np.float32).reshape(shape)
        values = np.array([model.values[n] for n in chosen], np.float64).reshape(len(chosen), 1 << depth, model.width)
        return feature, border, 1 << np.arange(depth), values

    def ask(self, rows: Numbers) -> Numbers:
        """Probabilities or numbers of shape (rows,) or (rows, outputs)."""
        sums = np.concatenate([self._sums(rows[at : at + _ROWS]) for at in range(0, len(rows), _ROWS)])
        said: Numbers = self._model.scale * sums + np.array(self._model.bias)
        if self._model.objective == "MultiClass":
            return _softmax(said)
        if self._model.booster.gives[0].name == LABEL:
            said = 1 / (1 + np.exp(-said))
        return said if self._model.width > 1 else said[:, 0]

    def _sums(self, rows: Numbers) -> Numbers:
        total = np.zeros((len(rows), self._model.width))
        missing = np.isnan(rows) & self._missing if self._missing.any() else None
        for feature, border, bits, values in self._groups:
            for tree in range(len(feature)):
                asked = feature[tree]
                above = rows[:, asked] > border[tree]
                if missing is not None:
                    above |= missing[:, asked]
                total += values[tree][above @ bits]
        return total
