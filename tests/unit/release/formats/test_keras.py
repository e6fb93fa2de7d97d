"""Keras: what it writes of its own parts passes, in the archive and in the older file; all else is refused and named."""

import inspect as inspecting
import io
import os
import tomllib
from importlib.resources import files

import numpy as np
import pytest
from tests.corpora import weights

from trustplane.release.formats.keras.config import known, read
from trustplane.release.formats.registry import inspect
from trustplane.values.errors import Refused

pytestmark = pytest.mark.filterwarnings("ignore")
NAMES = tomllib.loads((files("trustplane.release.formats.keras") / "names.toml").read_text())
UNSAFE = (
    "Lambda",
    "TFSMLayer",
    "TorchModuleWrapper",
    "JaxLayer",
    "FlaxLayer",
    "__lambda__",
    "get_file",
    "Map",
    "Scan",
    "WhileLoop",
)
ARGUMENTS = {
    "filters": 2, "kernel_size": 3, "units": 2, "rate": 0.1, "input_dim": 4, "output_dim": 2, "num_heads": 2, "key_dim": 2, "n": 2, "target_shape": (2, 2), "dims": (2, 1),
    "stddev": 0.1, "height": 4, "width": 4, "num_bins": 4, "num_tokens": 4, "factor": 0.1, "num_query_heads": 2, "num_key_value_heads": 2, "head_dim": 2, "groups": 1, "output_size": 2,
    "sequence_length": 4, "sequence_stride": 2, "padding": 1, "num_classes": 2, "target_class_ids": [0], "recall": 0.5, "precision": 0.5, "specificity": 0.5, "sensitivity": 0.5,
    "initial_learning_rate": 0.1, "decay_steps": 10, "first_decay_steps": 10, "decay_rate": 0.9, "boundaries": [1], "values": [0.1, 0.2], "scale": 0.1, "max_tokens": 4, "height_factor": 0.1,
}  # fmt: skip


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras")


def saved(model, kind, tmp_path):
    path = tmp_path / f"model.{kind}"
    model.save(path)
    return path.read_bytes()


def test_the_list_holds_nothing_that_holds_code():
    names = {name for section in ("classes", "functions") for held in NAMES[section].values() for name in held}
    assert not names.intersection(UNSAFE)
    assert not names.intersection({"get", "serialize", "deserialize"})
    assert all(name.isidentifier() for name in names)
    assert len(known().classes) > 600


def test_every_part_that_can_be_made_passes_as_keras_writes_it(keras):
    made = 0
    for module in (
        keras.layers,
        keras.losses,
        keras.metrics,
        keras.optimizers,
        keras.optimizers.schedules,
        keras.initializers,
        keras.regularizers,
        keras.constraints,
    ):
        for name, kind in vars(module).items():
            if not inspecting.isclass(kind) or name in UNSAFE or not hasattr(kind, "from_config"):
                continue
            wanted = [
                p
                for p in list(inspecting.signature(kind.__init__).parameters.values())[1:]
                if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
            ]
            try:
                config = keras.saving.serialize_keras_object(kind(**{p.name: ARGUMENTS[p.name] for p in wanted}))
            except (KeyError, ImportError, NotImplementedError, TypeError, ValueError):
                continue
            if config["class_name"] in {
                "Layer",
                "Loss",
                "Metric",
                "Optimizer",
                "Initializer",
                "Regularizer",
                "Quantizer",
                "InputSpec",
            }:
                continue  # what others are made from, and no part of a model
            assert read(config).objections == [], name
            made += 1
    assert made > 200


def test_every_activation_passes_as_keras_writes_it(keras):
    for name in NAMES["functions"]["keras.activations"]:
        layer = keras.layers.Dense(1, activation=getattr(keras.activations, name, None))
        assert read(keras.saving.serialize_keras_object(layer)).objections == []


def networks(keras):
    layers = keras.layers
    yield (
        "sequential",
        keras.Sequential(
            [
                layers.Input((5,)),
                layers.Dense(4, "relu", kernel_regularizer="l2"),
                layers.BatchNormalization(),
                layers.Dropout(0.2),
                layers.Dense(1, "sigmoid"),
            ]
        ),
    )
    yield (
        "images",
        keras.Sequential(
            [
                layers.Input((8, 8, 1)),
                layers.RandomFlip(),
                layers.Conv2D(2, 3),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(2),
            ]
        ),
    )
    start = keras.Input((6, 3))
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(start)
    x = layers.TimeDistributed(layers.Dense(3, activation=keras.activations.gelu))(x)
    y = keras.ops.relu(x) + x * 2.0
    y = keras.ops.concatenate([y[:, -1], y[:, 0]], axis=-1)
    yield "functional", keras.Model(start, [layers.Dense(2)(y), layers.GlobalAveragePooling1D()(x)])
    inner = keras.Sequential([layers.Input((3,)), layers.Dense(2)])
    start = keras.Input((3,))
    yield "nested", keras.Model(start, layers.Add()([inner(start), inner(start)]))
    start = keras.Input((4, 8))
    yield "attention", keras.Model(start, layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(start, start)))
    yield "policy", keras.Sequential([layers.Input((3,)), layers.Dense(2, dtype="mixed_bfloat16")])
    yield "no weights", keras.Sequential([layers.Input((3,)), layers.Rescaling(0.5)])


def test_models_pass_as_archive_and_as_weights(keras, tmp_path, judged):
    for name, model in networks(keras):
        model.compile(
            keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)),
            keras.losses.Huber(),
            metrics=["mae"],
        )
        data = saved(model, "keras", tmp_path)
        found = judged(data)
        assert found.objections == (), name
        assert (found.format, found.loads_code, found.facts["keras"]) == ("keras", False, keras.__version__)
        assert found.facts["parameters"] >= model.count_params()
        model.save_weights(tmp_path / "x.weights.h5")
        assert judged((tmp_path / "x.weights.h5").read_bytes()).objections == ()
    assert inspect(data).format == "keras"


def test_trained_models_pass_in_both_formats(keras, tmp_path, judged):
    model = next(networks(keras))[1]
    model.compile(
        "sgd", "binary_crossentropy", metrics=["AUC", keras.metrics.MeanMetricWrapper(keras.metrics.mean_squared_error)]
    )
    model.fit(np.zeros((8, 5)), np.zeros(8), verbose=0)
    assert judged(saved(model, "keras", tmp_path)).objections == ()
    found = judged(saved(model, "h5", tmp_path))
    assert found.objections == ()
    assert (found.format, found.loads_code) == ("keras-h5", False)


def test_code_that_keras_writes_is_refused(keras, tmp_path, judged):
    layers = keras.layers
    plain = keras.Sequential([layers.Input((3,)), layers.Lambda(lambda x: x * 2)])
    wrapped = keras.Sequential([layers.Input((2, 3)), layers.TimeDistributed(layers.Lambda(lambda x: x * 2))])
    for model in (plain, wrapped):
        for kind in ("keras", "h5"):
            data = saved(model, kind, tmp_path)
            found = judged(data)
            assert found.loads_code
            assert "holds-code" in {str(o.rule) for o in found.objections}
    with pytest.raises(Refused, match="TP-RELEASE-011") as caught:
        inspect(saved(plain, "keras", tmp_path))
    assert "Lambda" in caught.value.why


def test_layers_of_others_are_refused_and_named(keras, tmp_path, judged):
    @keras.saving.register_keras_serializable(package="Mine")
    class Own(keras.layers.Layer):
        def call(self, x):
            return x

    model = keras.Sequential([keras.layers.Input((3,)), Own()])
    for kind in ("keras", "h5"):
        (objection, *_) = judged(saved(model, kind, tmp_path)).objections
        assert str(objection.rule) == "unknown-global"
        assert "Own" in objection.subject


def test_words_of_lookups_pass_where_a_layer_has_them(judged):
    lookup = weights.part("keras.layers", "StringLookup", {"name": "words", "vocabulary": None})
    named = {"assets/layers/string_lookup/vocabulary.txt": "a\nWörter\n".encode()}
    assert judged(weights.archive(weights.sequential(lookup), **named)).objections == ()
    listed = weights.part("keras.layers", "TextVectorization", {"vocabulary": ["a", "b"]})
    assert judged(weights.archive(weights.sequential(listed))).objections == ()
    hidden = {"assets/layers/string_lookup/vocabulary.txt": b"\x80\x04cposix\nsystem\n(S'touch fired'\ntR."}
    assert judged(weights.archive(weights.sequential(lookup), **hidden)).objections
    more = {**named, "assets/layers/string_lookup_1/vocabulary.txt": b"a\n"}
    assert [str(o.rule) for o in judged(weights.archive(weights.sequential(lookup), **more)).objections] == [
        "unknown-member"
    ]


@pytest.mark.parametrize("name", weights.LAYERS)
def test_each_published_pattern_is_refused_wherever_it_stands(name):
    layer = weights.LAYERS[name]
    for config in (
        weights.sequential(layer),
        weights.sequential(weights.part("keras.layers", "TimeDistributed", {"layer": layer})),
        weights.sequential(weights.dense(kernel_initializer=layer)),
        weights.sequential(weights.dense(), build_config={"a": [[layer]]}),
        weights.sequential(weights.dense(), compile_config={"metrics": [layer]}),
        weights.sequential(weights.dense(inbound_nodes=[{"args": [layer], "kwargs": {}}])),
    ):
        assert read(config).objections


def test_older_files_name_their_classes_without_modules():
    layer = {
        "class_name": "Dense",
        "config": {"name": "d", "units": 1, "kernel_initializer": {"class_name": "GlorotUniform", "config": {}}},
    }
    config = {
        "class_name": "Sequential",
        "config": {"name": "m", "layers": [layer]},
        "keras_version": "2.11.0",
        "backend": "tensorflow",
    }
    assert read(config, legacy=True).objections == []
    assert read(config).objections
    optimizer = {
        "optimizer_config": {
            "class_name": "Custom>Adam",
            "config": {},
            "registered_name": "Custom>Adam",
            "module": None,
        }
    }
    assert read(optimizer, legacy=True).objections == []
    other = {"optimizer_config": {"class_name": "Custom>Mine", "config": {}}}
    assert read(other, legacy=True).objections


def test_many_objections_are_cut():
    config = weights.sequential(*[weights.part("mine", "Layer")] * 5_000)
    assert len(read(config).objections) == 100


def test_the_archive_is_known_by_how_it_begins():
    from trustplane.release.formats.keras.layout import Keras

    sound = weights.archive(weights.sequential(weights.dense()))
    assert Keras().recognises(sound)
    other = io.BytesIO()
    np.savez(other, a=np.zeros(3))
    assert not Keras().recognises(other.getvalue())
    assert not Keras().recognises(weights.zipped({"metadata.json": b"{}", "a": b""}))
    assert not Keras().recognises(b"PK\x03\x04")
