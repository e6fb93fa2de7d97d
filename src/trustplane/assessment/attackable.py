"""A model under assessment as attacks take it: scores of float64 rows, and what its file shows of its inside."""

import numpy as np

from trustplane.assessment.explaining.arrays import Floats, Scorer
from trustplane.training.attacks.contract import Model
from trustplane.training.attacks.models import open_artifact


def attackable(artifact: bytes, form: str, score: Scorer, threshold: float) -> Model:
    """The model with gradients or thresholds where its file, of the format ``form``, shows them; with scores alone where there is no file."""

    def scores(rows: Floats) -> Floats:
        return score(rows.astype(np.float32))

    return open_artifact(artifact, form, scores, threshold) if artifact else Model(scores, threshold)
