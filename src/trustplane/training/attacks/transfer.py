"""Transfer from a surrogate: for an attacker who sees decisions alone. A model of the model is attacked, and what evades it is tried for real."""

import numpy as np
import numpy.typing as npt

from trustplane.training.attacks.contract import AttackDescriptor, Task
from trustplane.training.attacks.coordinate import Coordinate
from trustplane.training.threats.model import Knowledge
from trustplane.values.errors import missing_extra

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MOST_ROWS, MARGINS = 4000, (0.5, 0.3, 0.1)
DESCRIPTOR = AttackDescriptor("transfer", "attacks a model of the model, and tries what evades it", Knowledge.LABELS)


class Transfer:
    """The surrogate is gradient boosting on the background rows, labelled by the model itself."""

    @property
    def descriptor(self) -> AttackDescriptor:
        """What this attack is."""
        return DESCRIPTOR

    def run(self, task: Task) -> Floats:
        """The best row found for each; the start where the model gives one label to all."""
        try:
            from sklearn.ensemble import GradientBoostingClassifier
        except ImportError:
            raise missing_extra("scikit-learn", "ml", "an attack by transfer") from None
        if not len(task.origins):
            return task.start.copy()
        known = np.concatenate([task.background[:MOST_ROWS], task.origins])
        labels = task.score(known) >= task.threshold
        best = task.start.copy()
        if labels.all() or not labels.any():
            return best
        surrogate = GradientBoostingClassifier(n_estimators=60, max_depth=4, subsample=0.7, random_state=task.seed)
        surrogate.fit(known.astype(np.float32), labels)
        for (
            threshold
        ) in MARGINS:  # the deeper it lies in the other class for the surrogate, the likelier for the model too
            tried: list[tuple[Floats, Ints]] = []

            def score(rows: Floats) -> Floats:
                said: Floats = surrogate.predict_proba(rows.astype(np.float32))[:, 1]
                return said

            inner = Task(
                task.space, task.origins, best, task.background, score,
                lambda rows, of, kept=tried: kept.append((rows, of)),  # type: ignore[misc]
                threshold=threshold, queries=task.queries, seed=task.seed,
            )  # fmt: skip
            made = Coordinate().run(inner)
            won = task.score(made) < task.threshold
            task.offer(made[won], np.flatnonzero(won))
            best[won] = made[won]
            if won.all():
                break
        return best
