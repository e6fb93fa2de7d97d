"""The arrays that explanations are made of. Those of the checks have the same names; checks stand on explanations, never the other way."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.float32]

Scorer = Callable[[Matrix], Floats]
"""The model: features of shape (rows, features) in, the probability of class 1 of shape (rows,) out."""
