"""What every model format must keep to, as attacks (trustplane.release.formats.contract).

A plug-in passes by being installed: the suite runs over the entry points of the group ``trustplane.formats``. One that this suite does not
know shows a sound file of its own by the environment variable ``TRUSTPLANE_TEST_FORMAT_<NAME>``.
"""

import gzip
import io
import json
import os
import pickle
import random
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import onnx
import pytest
import skops.io
from onnx import TensorProto, helper
from sklearn.linear_model import LinearRegression
from tests.corpora import boosters

from trustplane.release.formats import onnx as onnx_format
from trustplane.release.formats.contract import FormatDescriptor, Inspected
from trustplane.release.formats.foreign import foreign
from trustplane.release.formats.onnx_worker import NODES
from trustplane.release.formats.registry import inspect, installed_formats
from trustplane.training.runtimes.contract import Tensor
from trustplane.values.errors import Refused, Unavailable

INSTALLED = installed_formats()
every = pytest.mark.parametrize("kind", INSTALLED, ids=[each.descriptor.name for each in INSTALLED])

X = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 3])
Y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 3])
TRUTH = helper.make_tensor_value_info("t", TensorProto.BOOL, [])
WEIGHTS = helper.make_tensor("w", TensorProto.FLOAT, [3], [1.0, 2.0, 3.0])


def model(nodes=None, inputs=(X,), outputs=(Y,), held=(WEIGHTS,), domains=(("", 17),), **more):
    """A model as a message; by default it adds three weights to three features."""
    nodes = [helper.make_node("Add", ["x", "w"], ["y"])] if nodes is None else nodes
    graph = helper.make_graph(nodes, "g", list(inputs), list(outputs), list(held))
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid(*each) for each in domains], ir_version=9, **more
    )


def file_of(message):
    return message if isinstance(message, bytes) else message.SerializeToString()


def gguf_of(numbers=b"\0" * 12):
    """One tensor of three numbers, by the published layout."""

    def text(value):
        return struct.pack("<Q", len(value)) + value

    told = text(b"general.architecture") + struct.pack("<I", 8) + text(b"llama")
    tensor = text(b"w") + struct.pack("<IQIQ", 1, 3, 0, 0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + told + tensor
    return head + bytes(-len(head) % 32) + numbers


def keras_of():
    """An archive of one layer without weights, as Keras writes it."""
    dense = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 1}, "registered_name": None}
    config = {"module": "keras", "class_name": "Sequential", "config": {"layers": [dense]}, "registered_name": None}
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file["layers/dense/vars/0"] = np.zeros((3, 1), "f4")
    return zipped(
        **{
            "metadata.json": '{"keras_version": "3.15.1", "date_saved": "2026-11-29@12:00:00"}',
            "config.json": json.dumps(config),
            "model.weights.h5": weights.getvalue(),
        }
    )


def safetensors_of():
    header = b'{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}'
    return len(header).to_bytes(8, "little") + header + bytes(12)


class Payload:
    """Unpickling it leaves a trace."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return (open, (str(self.trace), "w"))


def zipped(**files):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return sink.getvalue()


BOOSTED = ("catboost", "lightgbm", "xgboost")
SOUND = {
    "onnx": file_of(model()),
    "gguf": gguf_of(),
    "keras": keras_of(),
    "safetensors": safetensors_of(),
    "skops": skops.io.dumps(LinearRegression().fit([[0.0, 1.0, 2.0]], [1.0])),
    **{name: boosters.simple(name) for name in BOOSTED},
}


def sound(kind):
    """A small file that the format admits."""
    if kind.descriptor.name in SOUND:
        return SOUND[kind.descriptor.name]
    return Path(os.environ[f"TRUSTPLANE_TEST_FORMAT_{kind.descriptor.name.upper().replace('-', '_')}"]).read_bytes()


def arrays(**named):
    sink = io.BytesIO()
    np.savez(sink, **named)
    return sink.getvalue()


def strangers(trace):
    """Files of other kinds, by what the refusal should call them. What some of them hold would leave the trace."""
    evil = pickle.dumps(Payload(trace), 2)
    held = np.array([Payload(trace)], dtype=object)
    return {
        **{f"pickle {protocol}": ("a pickle", pickle.dumps(Payload(trace), protocol)) for protocol in range(6)},
        "a pickled dictionary, protocol 0": ("a pickle", pickle.dumps({"w": Payload(trace)}, 0)),
        "a pickled list, protocol 0": ("a pickle", pickle.dumps([Payload(trace)], 0)),
        "torch": ("a ZIP archive", zipped(**{"model/data.pkl": evil})),
        "keras": ("a ZIP archive", zipped(**{"config.json": "{}"})),
        "npz of objects": ("a ZIP archive", arrays(w=held)),
        "an empty archive": ("a ZIP archive", zipped()),
        "npy": ("a NumPy array", b"\x93NUMPY" + evil),
        "hdf5": ("an HDF5 file", b"\x89HDF\r\n\x1a\n" + bytes(512)),
        "joblib, zlib": ("a zlib stream", zlib.compress(evil)),
        "joblib, gzip": ("a gzip file", gzip.compress(evil)),
        "a program": ("a program", b"\x7fELF\x02\x01\x01" + bytes(64)),
        "a script": ("a script", b"#!/bin/sh\ntouch " + str(trace).encode()),
        "JSON": ("a JSON text", b' {"learner": {}}'),
        "CatBoost's binary form": ("a CatBoost model in its binary form", b"CBM1" + bytes(64)),
        "Parquet": ("a Parquet file", b"PAR1" + bytes(64) + b"PAR1"),
        "nothing": ("no file", b""),
        "one byte": ("no file", b"\x08"),
        "NULs": ("no file", bytes(4096)),
        "a text": ("no file", "Ünïcödé".encode()),
    }


KINDS = list(strangers("nowhere"))


def refused(kind, data, code="TP-RELEASE-011"):
    """The reason why a format refuses a file, which must be said in the product's words."""
    with pytest.raises(Refused) as caught:
        kind.inspect(data)
    assert caught.value.code == code
    assert caught.value.why
    assert caught.value.fix
    return caught.value.why


@pytest.fixture
def trace(tmp_path):
    return tmp_path / "it ran"


# --- every format


@every
def test_it_describes_itself(kind):
    assert isinstance(kind.descriptor, FormatDescriptor)
    assert kind.descriptor.name
    assert kind.descriptor.title


@every
def test_it_knows_a_sound_file_and_reads_what_it_takes_and_gives(kind):
    data = sound(kind)
    assert kind.recognises(data)
    found = kind.inspect(data)
    assert isinstance(found, Inspected)
    assert found == inspect(data) == kind.inspect(data)
    for tensor in (*found.inputs, *found.outputs):
        assert isinstance(tensor, Tensor)
        assert tensor.name.isprintable()
        assert all(size == -1 or size > 0 for size in tensor.shape)
    assert bool(found.inputs) is bool(found.outputs) is not kind.descriptor.weights


@every
@pytest.mark.parametrize("which", KINDS)
def test_it_does_not_take_a_file_of_another_kind_for_its_own(kind, which, trace):
    _, data = strangers(trace)[which]
    assert not kind.recognises(data)


@every
@pytest.mark.parametrize("which", ["pickle 4", "torch", "nothing", "NULs"])
def test_it_refuses_a_file_of_another_kind_that_it_is_made_to_look_at(kind, which, trace):
    refused(kind, strangers(trace)[which][1])
    assert not trace.exists()


@every
@pytest.mark.parametrize("which", ["pickle 2", "torch", "a script"])
def test_it_refuses_a_file_of_another_kind_that_begins_as_its_own(kind, which, trace):
    data, other = sound(kind), strangers(trace)[which][1]
    head = next(data[:n] for n in range(2, len(data)) if kind.recognises(data[:n] + other))
    refused(kind, head + other)
    assert not trace.exists()


@every
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_it_refuses_a_cut_file(kind, part):
    data = sound(kind)
    refused(kind, data[: int(len(data) * part)])


@every
def test_it_refuses_a_file_that_lost_its_last_byte_or_goes_on(kind):
    refused(kind, sound(kind)[:-1])
    refused(kind, sound(kind) + b"\xff")


# --- the door of them all


@pytest.mark.parametrize("which", KINDS)
def test_a_file_of_no_admitted_format_is_refused_and_called_what_it_is(which, trace):
    called, data = strangers(trace)[which]
    with pytest.raises(Refused) as caught:
        inspect(data)
    assert caught.value.code in {"TP-RELEASE-010", "TP-RELEASE-020"}
    assert called in caught.value.why
    assert "Open Neural Network Exchange" in caught.value.why
    assert not trace.exists()


def test_a_sound_file_is_called_nothing_foreign():
    assert foreign(SOUND["onnx"]) == "no file that is known here"


# --- ONNX

ONNX = next(each for each in INSTALLED if each.descriptor.name == "onnx")


def outside(place="../../secret", name="w"):
    """A tensor that says its data lie in another file."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[3], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=place)
    return tensor


def branches(inner, then=()):
    """An If node with ``inner`` on its one side."""
    out = [helper.make_tensor_value_info("o", TensorProto.FLOAT, None)]
    one = helper.make_graph(inner, "inner", [], out, list(then))
    two = helper.make_graph([constant(WEIGHTS)], "other", [], out)
    return helper.make_node("If", ["t"], ["y"], then_branch=one, else_branch=two)


def constant(tensor, name="o"):
    return helper.make_node("Constant", [], [name], value=tensor)


def nested(depth):
    """If in If, so many deep."""
    node = constant(helper.make_tensor("c", TensorProto.FLOAT, [3], [0.0] * 3))
    for _ in range(depth):
        node = branches([node])
        node.output[0] = "o"
    node.output[0] = "y"
    return model([node], inputs=(TRUTH,), held=())


def part(number, data):
    """One field of a message, as it is written: its number, its length, its bytes."""
    size, length = len(data), b""
    while size > 0x7F:
        size, length = size >> 7, length + bytes([size & 0x7F | 0x80])
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def bottomless(depth=200):
    """If in If, deeper than any library would write it: an attacker writes it by hand."""
    node = part(4, b"Relu")
    for _ in range(depth):
        node = part(4, b"If") + part(5, part(1, b"then_branch") + part(6, part(1, node)))
    return file_of(model()) + part(7, part(1, node))


def sparse(values):
    return onnx.SparseTensorProto(
        values=values, indices=helper.make_tensor("i", TensorProto.INT64, [3], [0, 1, 2]), dims=[9]
    )


def with_sparse_attribute():
    node = helper.make_node("Constant", [], ["w"])
    node.attribute.add(name="sparse_value", type=onnx.AttributeProto.SPARSE_TENSOR, sparse_tensor=sparse(outside()))
    return model([node, helper.make_node("Add", ["x", "w"], ["y"])], held=())


def with_sparse_weights():
    made = model(held=())
    made.graph.sparse_initializer.append(sparse(outside()))
    return made


def with_training():
    made = model()
    made.training_info.add().algorithm.CopyFrom(
        helper.make_graph([helper.make_node("Run", [], ["z"], domain="com.evil")], "a", [], [], [outside(name="v")])
    )
    return made


def with_function():
    inner = helper.make_function(
        "", "Mine", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], [helper.make_opsetid("", 17)]
    )
    return model([helper.make_node("Mine", ["x"], ["y"])], functions=[inner])


def weights(dims, raw=b"\0" * 12):
    return TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims, raw_data=raw)


def value(name="x", kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, ["rows", 3])


ADMITTED_NOT = {
    "data in another file": (lambda: model(held=[outside()]), "other files"),
    "data in a file of the system": (lambda: model(held=[outside("/etc/passwd")]), "other files"),
    "external data that is not called so": (
        lambda: model(
            held=[
                TensorProto(name="w", data_type=1, dims=[3], raw_data=bytes(12), external_data=outside().external_data)
            ]
        ),
        "other files",
    ),
    "external data in a branch": (lambda: model([branches([constant(outside())])], (X, TRUTH)), "other files"),
    "external data of a branch": (
        lambda: model([branches([helper.make_node("Relu", ["w"], ["o"])], [outside()])], (X, TRUTH)),
        "other files",
    ),
    "external data in a sparse attribute": (with_sparse_attribute, "other files"),
    "external data in sparse weights": (with_sparse_weights, "other files"),
    "graphs for training": (with_training, "training"),
    "an operator of another domain": (
        lambda: model([helper.make_node("Run", ["x"], ["y"], domain="com.evil")], domains=(("", 17), ("com.evil", 1))),
        "beyond ai.onnx",
    ),
    "a domain that is only announced": (lambda: model(domains=(("", 17), ("com.microsoft", 1))), "beyond ai.onnx"),
    "an operator of a domain that is not announced": (
        lambda: model([helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft")]),
        "beyond ai.onnx",
    ),
    "an operator of another domain in a branch": (
        lambda: model([branches([helper.make_node("Run", [], ["o"], domain="com.evil")])], (X, TRUTH)),
        "beyond ai.onnx",
    ),
    "no version of the operators": (lambda: model(domains=()), "beyond ai.onnx"),
    "functions": (with_function, "functions"),
    "a loop": (lambda: model([helper.make_node("Loop", ["", ""], ["y"])]), "without end"),
    "a scan in a branch": (
        lambda: model([branches([helper.make_node("Scan", ["x"], ["o"])])], (X, TRUTH)),
        "without end",
    ),
    "an unknown operator": (lambda: model([helper.make_node("System", ["x"], ["y"])]), "not valid"),
    "a node that nothing feeds": (lambda: model([helper.make_node("Relu", ["nothing"], ["y"])]), "not valid"),
    "a circle": (
        lambda: model([helper.make_node("Relu", ["b"], ["y"]), helper.make_node("Relu", ["y"], ["b"])]),
        "not valid",
    ),
    "one name twice": (lambda: model([helper.make_node("Relu", ["x"], ["x"])]), "not valid"),
    "types that do not fit": (lambda: model(inputs=[value(kind=TensorProto.STRING)]), "not valid"),
    "more weights declared than there are": (lambda: model(held=[weights([2**40])]), "not valid"),
    "so many that their number overflows": (lambda: model(held=[weights([2**33, 2**33])]), "not valid"),
    "fewer weights than none": (lambda: model(held=[weights([-3])]), "not valid"),
    "nested too deep": (lambda: nested(12), "nested more than"),
    "nested deeper than a parser goes": (bottomless, "damaged"),
    "no input": (
        lambda: model([constant(WEIGHTS, "y")], (), [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])], ()),
        "takes nothing",
    ),
    "weights as the only input": (
        lambda: model([helper.make_node("Relu", ["w"], ["y"])], inputs=[value("w")], held=[weights([1, 3])]),
        "takes nothing",
    ),
    "no output": (lambda: model(outputs=()), ""),
    "complex numbers": (
        lambda: model([helper.make_node("Identity", ["x"], ["y"])], [value(kind=14)], [value("y", 14)]),
        "no tensor of numbers",
    ),
    "a sequence": (
        lambda: model(
            [helper.make_node("SequenceConstruct", ["x"], ["y"])],
            outputs=[helper.make_tensor_sequence_value_info("y", TensorProto.FLOAT, None)],
        ),
        "no tensor of numbers",
    ),
    "a name that turns the text around": (
        lambda: model([helper.make_node("Relu", ["x\u202ecba"], ["y"])], [value("x\u202ecba")]),
        "no plain name",
    ),
    "a name with a line break": (
        lambda: model([helper.make_node("Relu", ["x\ny"], ["y"])], [value("x\ny")]),
        "no plain name",
    ),
    "a long name": (lambda: model([helper.make_node("Relu", ["x" * 300], ["y"])], [value("x" * 300)]), "no plain name"),
}


CHECKER = """
import json, sys
from trustplane.release.formats.onnx_worker import NotAdmitted, checked

answers = []
while size := sys.stdin.buffer.read(8):
    data = sys.stdin.buffer.read(int.from_bytes(size, "little"))
    try:
        checked(data)
    except NotAdmitted as reason:
        answers.append(str(reason))
    else:
        answers.append(None)
print(json.dumps(answers))
"""


def checked_in_one_process(files):
    """What the checker answers to each file: the reason of its refusal, or None. One process for all of them, for speed."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", CHECKER],
        input=b"".join(len(data).to_bytes(8, "little") + data for data in files),
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:].decode()
    answers = json.loads(done.stdout)
    assert len(answers) == len(files)
    return answers


@pytest.fixture(scope="module")
def reasons():
    files = [file_of(make()) for make, _ in ADMITTED_NOT.values()]
    assert all(ONNX.recognises(data) for data in files)
    return dict(zip(ADMITTED_NOT, checked_in_one_process(files), strict=True))


@pytest.mark.parametrize("attack", ADMITTED_NOT)
def test_onnx_refuses(reasons, attack):
    assert reasons[attack] is not None, "it was admitted"
    assert ADMITTED_NOT[attack][1] in reasons[attack]
    for word in ("secret", "passwd", "evil", "\u202e"):
        assert word not in reasons[attack], "a reason never holds a word of the file"


def test_an_onnx_file_with_outside_data_is_refused_whole():
    assert "other files" in refused(ONNX, file_of(model(held=[outside("/etc/passwd")])))


def test_an_onnx_file_with_too_many_nodes_is_refused():
    node = file_of(helper.make_node("Relu", ["x"], ["y"]))
    nodes = (b"\x0a" + bytes([len(node)]) + node) * (NODES + 1)
    (answer,) = checked_in_one_process(
        [file_of(model()) + onnx.ModelProto(graph=onnx.GraphProto.FromString(nodes)).SerializeToString()]
    )
    assert f"more than {NODES:,} nodes" in answer


def test_no_cut_and_no_changed_byte_breaks_the_checker_of_onnx():
    """A change may leave a sound model, of other weights or names; the checker itself must always come back with an answer."""
    data = SOUND["onnx"]
    dice = random.Random(7)
    flipped = [
        data[:at] + bytes([new]) + data[at + 1 :]
        for at in range(len(data))
        for new in {data[at] ^ 1 << dice.randrange(8), 0x00, 0x7F, 0xFF} - {data[at]}
    ]
    answers = checked_in_one_process([*flipped, *(data[:size] for size in range(len(data)))])
    cut = answers[len(flipped) :]
    assert None not in cut
    assert sum(answer is not None for answer in answers[: len(flipped)]) > len(flipped) / 2


def test_onnx_reads_only_what_varies_as_varying():
    found = ONNX.inspect(SOUND["onnx"])
    assert found.inputs == (Tensor("x", "FP32", (-1, 3)),)
    assert found.outputs == (Tensor("y", "FP32", (-1, 3)),)


def test_an_onnx_file_that_is_too_large_is_not_even_looked_at(monkeypatch):
    monkeypatch.setattr(onnx_format, "LARGEST", len(SOUND["onnx"]) - 1)
    monkeypatch.setattr(sys, "executable", "/nowhere")
    with pytest.raises(Refused, match="TP-RELEASE-005"):
        ONNX.inspect(SOUND["onnx"])


def test_a_check_of_onnx_without_end_is_ended(monkeypatch):
    monkeypatch.setattr(onnx_format, "SECONDS", 0.01)
    with pytest.raises(Refused, match="TP-RELEASE-011"):
        ONNX.inspect(SOUND["onnx"])


def test_a_check_that_cannot_be_started_is_no_verdict_on_the_file(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere")
    with pytest.raises(Unavailable, match="TP-RELEASE-013"):
        ONNX.inspect(SOUND["onnx"])


def test_a_check_that_dies_is_a_refusal(monkeypatch):
    """A file that brings the parser down, or needs more memory than it may have, is not admitted."""
    monkeypatch.setattr(onnx_format, "_WORKER", "trustplane.release.formats.no_such_worker")
    assert "more than it may use" in refused(ONNX, SOUND["onnx"])


def test_the_checker_runs_nothing_that_lies_in_the_working_folder(tmp_path, monkeypatch):
    for name in ("onnx.py", "json.py", "sitecustomize.py", "trustplane.py"):
        (tmp_path / name).write_text(f"open({str(tmp_path / 'it ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert ONNX.inspect(SOUND["onnx"]).inputs
    assert not (tmp_path / "it ran").exists()
