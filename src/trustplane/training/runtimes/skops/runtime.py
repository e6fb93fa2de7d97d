"""Models of scikit-learn from skops files, on the processor. A file is verified again before skops is told to trust what it names."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from trustplane.training.runtimes.contract import FEATURES, LABEL, PREDICTIONS, PROBABILITIES, Tensor
from trustplane.training.runtimes.skops.arrays import NotAdmitted
from trustplane.training.runtimes.skops.verify import Zipped, verify
from trustplane.values.errors import Unavailable, missing_extra


class SkopsModel:
    """A loaded estimator: features in; a label and probabilities out, or one number for each row."""

    def __init__(self, estimator: Any, takes: tuple[Tensor, ...], gives: tuple[Tensor, ...]) -> None:
        self._estimator = estimator
        self.inputs, self.outputs = takes, gives
        self._columns = _columns(estimator, takes[0].shape[1])

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs by name. Threads that an estimator would start are left out: requests run side by side."""
        from joblib import parallel_config

        try:
            rows = self._rows(inputs[FEATURES])
            with parallel_config(backend="sequential"):
                if self.outputs[0].name == PREDICTIONS:
                    return {PREDICTIONS: np.asarray(self._estimator.predict(rows), np.float64).reshape(len(rows))}
                probabilities = np.asarray(self._estimator.predict_proba(rows), np.float64)
                return {LABEL: self._labels(rows), PROBABILITIES: probabilities}
        except Exception as error:  # noqa: BLE001 - an estimator may raise anything, and its words may quote the input
            raise Unavailable("TP-SERVING-006", "the model broke on this input", why=type(error).__name__) from None

    def _labels(self, rows: Any) -> Any:
        said = np.asarray(self._estimator.predict(rows))
        return said.astype(np.int64) if self.outputs[0].datatype == "INT64" else said

    def _rows(self, given: Any) -> Any:
        if np.asarray(given).dtype not in (np.float32, np.float64):
            raise ValueError
        rows = np.ascontiguousarray(given, np.float64)
        if rows.ndim != 2 or rows.shape[1] != self.inputs[0].shape[1]:
            raise ValueError
        if self._columns is None:
            return rows
        import pandas as pd

        return pd.DataFrame(rows, columns=self._columns)


def _columns(estimator: Any, features: int) -> list[str] | None:
    """The names of the columns that it was fitted on, where it knows them: it may choose its columns by them."""
    names = getattr(estimator, "feature_names_in_", None)
    if names is None or len(names) != features:
        return None
    return [str(name) for name in names]


def loaded(data: bytes) -> Any:
    """The estimator in a file; raise :class:`NotAdmitted` where the file is not to be trusted."""
    import skops.io

    found = verify(Zipped(data))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that another release of scikit-learn wrote it
        return skops.io.loads(data, trusted=list(found.types))


class SkopsRuntime:
    """The runtime of the format ``skops``."""

    formats = ("skops",)

    def load(self, data: bytes) -> SkopsModel:
        """Load an estimator from memory."""
        try:
            import skops.io  # noqa: F401
        except ImportError:
            raise missing_extra("skops", "formats", "running a skops file") from None
        try:
            found = verify(Zipped(data))
            if not found.takes:
                raise NotAdmitted("it holds no estimator that answers rows of numbers")
            return SkopsModel(loaded(data), found.takes, found.gives)
        except NotAdmitted as reason:
            raise Unavailable("TP-SERVING-005", "the model cannot be loaded", why=reason.message) from None
        except Exception as error:  # noqa: BLE001 - skops and scikit-learn may raise anything on a damaged file
            raise Unavailable("TP-SERVING-005", "the model cannot be loaded", why=type(error).__name__) from None
