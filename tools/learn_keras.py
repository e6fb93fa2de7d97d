"""Learn the names of the parts that a model of Keras may be built of, from the public interface of the Keras that is installed.

    KERAS_BACKEND=torch python tools/learn_keras.py src/trustplane/release/formats/keras/names.toml

Run it once in an environment of each release that the list is to know: what is in it is kept, and added to. Left out is what holds code,
what calls or reads what its configuration names, and what is no part of a model.
"""

import importlib
import inspect
import sys
import tomllib
from pathlib import Path

CLASSES = (
    "keras.layers",
    "keras._legacy.layers",
    "keras._legacy.losses",
    "keras.initializers",
    "keras.regularizers",
    "keras.constraints",
    "keras.losses",
    "keras.metrics",
    "keras.optimizers",
    "keras.optimizers.schedules",
    "keras.dtype_policies",
)
FUNCTIONS = ("keras.activations", "keras.losses", "keras.metrics")
OPERATIONS = ("core", "einops", "fft", "image", "linalg", "math", "nn", "numpy")
ALSO = {
    "keras": ("Sequential", "Model", "DTypePolicy", "FloatDTypePolicy"),
    "keras.quantizers": (
        "AbsMaxQuantizer",
        "Int8QuantizationConfig",
        "Int4QuantizationConfig",
        "Float8QuantizationConfig",
    ),
    "keras.src.models.functional": ("Functional",),
    "keras.src.engine.functional": ("Functional",),
}
NEVER = frozenset({
    "Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "get", "serialize", "deserialize", "InputSpec", "Reduction",
    "AssociativeScan", "Cond", "ForiLoop", "JVP", "Map", "Scan", "Switch", "VectorizedMap", "Vectorize", "WhileLoop", "CustomGradient",
})  # fmt: skip
CALLS = frozenset(
    {"f", "fn", "func", "function", "pyfunc", "cond", "body", "true_fn", "false_fn", "branches", "call", "callable"}
)
"""Parameters of operations that are functions."""


def learn() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Classes and functions, by module."""
    from keras.src import api_export

    classes: dict[str, set[str]] = {module: set(names) for module, names in ALSO.items()}
    functions: dict[str, set[str]] = {}
    for full, symbol in api_export.REGISTERED_NAMES_TO_OBJS.items():
        module, _, name = full.rpartition(".")
        if name in NEVER:
            continue
        if module in CLASSES and inspect.isclass(symbol):
            classes.setdefault(module, set()).add(name)
        elif module in FUNCTIONS and inspect.isfunction(symbol):
            functions.setdefault(module, set()).add(name)
    for part in OPERATIONS:
        try:
            module = importlib.import_module(f"keras.src.ops.{part}")
        except ModuleNotFoundError:
            continue
        base = importlib.import_module("keras.src.ops.operation").Operation
        for name, symbol in vars(module).items():
            own = inspect.isclass(symbol) and issubclass(symbol, base) and symbol.__module__ == module.__name__
            if own and name not in NEVER and not CALLS.intersection(inspect.signature(symbol.__init__).parameters):
                classes.setdefault(module.__name__, set()).add(name)
    for name in ("Adadelta", "Adagrad", "Adam", "Adamax", "AdamW", "Lion", "Nadam", "RMSprop", "SGD"):
        # With PyTorch, an optimizer is of a class of its own, under its own path.
        classes[f"keras.src.backend.torch.optimizers.torch_{name.lower()}"] = {name}
    return classes, functions


def main() -> None:
    """Add what the Keras here has."""
    import keras

    file = Path(sys.argv[1])
    known = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
    made = learn()
    versions = sorted({*known.get("versions", ()), keras.__version__}, key=lambda v: tuple(map(int, v.split("."))))
    lines = ["# Made by tools/learn_keras.py.", f"versions = [{', '.join(map(_quoted, versions))}]"]
    for kind, found in zip(("classes", "functions"), made, strict=True):
        for module, names in known.get(kind, {}).items():
            found.setdefault(module, set()).update(names)
        lines += ["", f"[{kind}]"]
        lines += [
            f"{_quoted(module)} = [{', '.join(map(_quoted, sorted(names)))}]" for module, names in sorted(found.items())
        ]
    file.write_text("\n".join(lines) + "\n", "utf-8")


def _quoted(text: str) -> str:
    return f'"{text}"'


if __name__ == "__main__":
    main()
