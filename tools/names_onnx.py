"""What the model says of single tokens, as an ONNX graph: the sum of the weights of a token's features, and whether it is part of a name.

The graph is the model without its chain: tags that follow one another are decoded by Viterbi outside of it.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from trustplane.data.recognisers.names.features import features, looks
from trustplane.data.recognisers.names.model import Model
from trustplane.data.recognisers.names.tokens import Tokens


def token_rows(seen: Tokens, model: Model) -> np.ndarray:
    """The rows of the table that each token's features have, as float32: exact, since no row lies beyond 2**24. Shape (tokens, features)."""
    return np.stack(list(features(looks(seen, model.lists), seen.text, model.bits)), axis=1).astype(np.float32)


def emissions(model: Model, width: int, facts: dict[str, str]) -> bytes:
    """The graph: ``features`` (tokens, width) to ``probability`` (tokens, 1) that a token is part of a name. ``facts`` are kept with it."""
    constants = {
        "table": model.table,
        "scale": np.array(model.scale, np.float32),
        "one": np.array(1.0, np.float32),
        "axis": np.array([1], np.int64),
        "outside": np.array([model.tags.index("O")], np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["features"], ["rows"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "rows"], ["small"], axis=0),
        helper.make_node("Cast", ["small"], ["weights"], to=TensorProto.INT32),
        helper.make_node("ReduceSum", ["weights", "axis"], ["sums"], keepdims=0),
        helper.make_node("Cast", ["sums"], ["whole"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["whole", "scale"], ["odds"]),
        helper.make_node("Softmax", ["odds"], ["tags"], axis=1),
        helper.make_node("Gather", ["tags", "outside"], ["none"], axis=1),
        helper.make_node("Sub", ["one", "none"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "names",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(made, facts)
    onnx.checker.check_model(made, full_check=True)
    return made.SerializeToString(deterministic=True)
