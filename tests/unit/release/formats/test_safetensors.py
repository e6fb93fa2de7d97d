"""safetensors: what its library writes passes, whatever the length of its header reads as; what lies does not."""

import json
import struct

import numpy as np
import pytest
import safetensors.numpy

from trustplane.release.formats.registry import inspect
from trustplane.release.formats.safetensors import LONGEST
from trustplane.release.scanning.content import PIECE
from trustplane.values.errors import Refused

ONE = {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}


def file(header, data=b""):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def of_length(length):
    """A sound file whose header is so many bytes long."""
    start = len(json.dumps({**ONE, "__metadata__": {"a": ""}}))
    made = file({**ONE, "__metadata__": {"a": "x" * (length - start)}}, bytes(4))
    assert int.from_bytes(made[:8], "little") == length
    return made


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "c8"])
def test_numbers_of_each_type_pass(kind, judged):
    data = safetensors.numpy.save({"a": np.ones((3, 2), kind), "none": np.ones((0, 4), kind), "one": np.array(1, kind)})
    found = judged(data)
    assert found.objections == ()
    assert (found.format, found.loads_code) == ("safetensors", False)
    assert (found.facts["tensors"], found.facts["parameters"]) == (3, 7)


def test_a_state_dict_of_pytorch_passes_with_all_its_types(judged):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save

    net = torch.nn.Sequential(torch.nn.Embedding(5, 4), torch.nn.LSTM(4, 3), torch.nn.BatchNorm1d(3))
    assert judged(save(net.state_dict(), {"format": "pt"})).objections == ()
    kinds = [
        torch.bfloat16,
        torch.float16,
        torch.float8_e4m3fn,
        torch.float8_e5m2,
        torch.complex64,
        torch.bool,
        torch.uint8,
    ]
    found = judged(save({str(kind): torch.zeros((2, 3), dtype=kind) for kind in kinds}))
    assert found.objections == ()
    assert found.facts["types"] == "BF16, BOOL, C64, F16, F8_E4M3, F8_E5M2, U8"


def test_no_tensor_at_all_passes(judged):
    assert judged(safetensors.numpy.save({})).objections == ()


# The length of a header is the file's first bytes, and so the beginning of any other format: zlib, ONNX, pickles of protocols 2 to 5,
# R's objects, opcodes of pickles that ask for exabytes.
@pytest.mark.parametrize(
    "length",
    [
        0x178,
        0x5E78,
        0x108,
        0x208,
        0x1208,
        0x280,
        0x380,
        0x480,
        0x580,
        0xA58,
        0x158,
        0x18E,
        0x18D,
        0x195,
        0x196,
        0x18B,
        0x154,
        0x142,
        0x128,
        0x163,
    ],
)
def test_no_length_of_the_header_is_taken_for_another_format(length, judged):
    found = judged(of_length(length))
    assert found.objections == ()
    assert found.format == "safetensors"
    assert inspect(of_length(length)).format == "safetensors"


def test_ten_gigabytes_are_not_held(large):
    size = 10 << 30
    head = file({"a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
    found, source = large(head, len(head) + size)
    assert found.objections == ()
    assert found.facts["parameters"] == size
    assert source.most <= PIECE
    assert source.passed <= 64 * PIECE


def test_a_header_beyond_the_bound_is_refused_before_it_is_read(large):
    found, source = large(struct.pack("<Q", LONGEST + 8) + b"{" + b" " * 100, LONGEST + 100)
    assert [str(o.rule) for o in found.objections] == ["too-much"]
    assert source.passed <= 64 * PIECE


def test_many_tensors_pass(judged):
    header = {
        f"layers.{n}.weight": {"dtype": "F32", "shape": [1], "data_offsets": [n * 4, n * 4 + 4]} for n in range(50_000)
    }
    assert judged(file(header, bytes(200_000))).facts["tensors"] == 50_000


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"a": {**ONE["a"], "shape": [2]}}, "not as many"),
        ({"a": {**ONE["a"], "data_offsets": [0, 4, 8]}}, "no beginning and end"),
        ({"a": {**ONE["a"], "data_offsets": ["0", "4"]}}, "no beginning and end"),
        ({"a": {**ONE["a"], "shape": [1] * 40}}, "no row of counts"),
        ({"a": [1]}, "type, shape and place"),
        ({"a": {**ONE["a"], "dtype": "f32"}}, "type that the format does not have"),
        ({"": ONE["a"]}, "no plain name"),
        ({"\ud800": ONE["a"]}, "no plain name"),
        ({"a" * 2000: ONE["a"]}, "no plain name"),
        ({**ONE, "__metadata__": None}, "more than texts"),
        ({**ONE, "__metadata__": ["a"]}, "more than texts"),
    ],
)
def test_the_door_says_what_is_wrong(header, words):
    with pytest.raises(Refused, match="TP-RELEASE-011") as caught:
        inspect(file(header, bytes(4)))
    assert words in caught.value.why


def test_the_door_admits_weights_that_answer_nothing():
    found = inspect(file(ONE, bytes(4)))
    assert (found.format, found.inputs, found.outputs) == ("safetensors", (), ())
