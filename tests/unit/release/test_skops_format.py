"""skops at the door: what is refused is named with its type and its place, and what answers nothing is no model."""

import numpy as np
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.corpora.hostile import FIRE, corpus
from tests.unit.release.scanning.conftest import judged  # noqa: F401 - a fixture

from trustplane.release.formats.registry import inspect
from trustplane.release.scanning.contract import Rule
from trustplane.values.errors import Refused

ROWS = np.random.default_rng(1).normal(size=(30, 2))
TWO = (ROWS[:, 0] > 0).astype(int)
REASONS = {
    "cve-2025-54412.skops": (Rule.UNKNOWN_GLOBAL, "operator.call"),
    "cve-2025-54413.skops": (Rule.UNKNOWN_GLOBAL, "operator.call"),
    "constructor.skops": (Rule.UNKNOWN_GLOBAL, "subprocess.Popen"),
    "spoofed.skops": (Rule.UNKNOWN_GLOBAL, "sklearn.linear_model._stochastic_gradient.SGDRegressor"),
    "function.skops": (Rule.UNKNOWN_GLOBAL, "posix.system"),
    "type.skops": (Rule.UNKNOWN_GLOBAL, "builtins.eval"),
    "dotted.skops": (Rule.UNKNOWN_GLOBAL, "os.path.system"),
    "cached.skops": (Rule.UNKNOWN_GLOBAL, "builtins.str"),
    "protocol.skops": (Rule.UNSAFE_OPERATION, ""),
    "absent.skops": (Rule.UNSAFE_OPERATION, "numpy.ndarray"),
    "beside.skops": (Rule.UNKNOWN_MEMBER, ""),
    "twice.skops": (Rule.DISGUISED, ""),
    "shadow.skops": (Rule.UNSAFE_OPERATION, "sklearn.linear_model._logistic.LogisticRegression"),
    "generator.skops": (Rule.UNSAFE_OPERATION, "numpy.random._generator.Generator"),
}


@pytest.mark.parametrize("name", REASONS)
def test_each_hostile_file_is_refused_for_its_own_reason(name, judged):  # noqa: F811
    (file,) = [each for each in corpus() if each.name == name]
    first = judged(file.data).objections[0]
    assert (first.rule, first.subject) == REASONS[name]


def test_the_type_and_the_path_of_its_node_are_told():
    model = make_pipeline(ColumnTransformer([("n", StandardScaler(), [0, 1])]), KNeighborsClassifier()).fit(ROWS, TWO)
    with pytest.raises(Refused) as caught:
        inspect(skops.io.dumps(model))
    assert caught.value.code == "TP-RELEASE-011"
    assert (
        "sklearn.neighbors._classification.KNeighborsClassifier by ObjectNode, at model.steps[1][1]" in caught.value.why
    )


@pytest.mark.parametrize(
    "thing", [{"a": 1}, StandardScaler().fit(ROWS), LogisticRegression()], ids=["a dict", "a scaler", "not fitted"]
)
def test_what_answers_nothing_is_no_model(thing):
    with pytest.raises(Refused) as caught:
        inspect(skops.io.dumps(thing))
    assert caught.value.code == "TP-RELEASE-027"


def test_a_pickle_among_its_members_is_found(judged):  # noqa: F811
    data = skops.io.dumps(LogisticRegression().fit(ROWS, TWO))
    assert judged(data).objections == ()
    assert judged(data + FIRE).objections
