"""The Open Inference Protocol: what is read is exactly what was sent, or nothing is read."""

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.serving import oip
from trustplane.values.errors import BadInput, TrustplaneError

WIDE = ({"name": "x", "datatype": "FP32", "shape": [-1, 2]},)
KINDS = {
    "BOOL": (0, 1),
    "UINT8": (0, 255),
    "INT8": (-128, 127),
    "INT16": (-(2**15), 2**15 - 1),
    "INT32": (-(2**31), 2**31 - 1),
    "INT64": (-(2**63), 2**63 - 1),
}


def tensor(data, shape=None, datatype="FP32", name="x"):
    return {"name": name, "shape": [len(data)] if shape is None else shape, "datatype": datatype, "data": data}


def read(*tensors, expected=None):
    request = oip.parse(json.dumps({"inputs": tensors}).encode())
    default = [{"name": t["name"], "datatype": t["datatype"], "shape": [-1] * len(t["shape"])} for t in tensors]
    return oip.arrays(request, default if expected is None else expected)


def refused(*tensors, expected=None, code="TP-SERVING-003"):
    with pytest.raises(BadInput) as caught:
        read(*tensors, expected=expected)
    assert caught.value.code == code
    return caught.value


def code_of(call) -> str:
    """The code of the error that a call ends with, empty where it ends well."""
    try:
        call()
    except TrustplaneError as error:
        return error.code
    return ""


def test_flat_and_nested_data_are_the_same():
    for data in ([1, 2, 3, 4], [[1, 2], [3.0, 4]]):
        array = read(tensor(data, [2, 2]), expected=WIDE)["x"]
        assert array.dtype == np.float32
        assert array.tolist() == [[1, 2], [3, 4]]


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_whole_numbers_arrive_unchanged_or_not_at_all(kind, data):
    low, high = KINDS[kind]
    value = data.draw(st.integers(2 * low - 2, 2 * high + 2) | st.integers(low, high) | st.sampled_from((low, high)))
    if low <= value <= high:
        assert read(tensor([value], datatype=kind))["x"].tolist() == [value]
    else:
        refused(tensor([value], datatype=kind))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=20))
def test_floats_arrive_unchanged(values):
    for kind in ("FP32", "FP64"):
        assert read(tensor(values, datatype=kind))["x"].tolist() == values


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("FP32", "1.5"),
        ("FP32", "nan"),
        ("FP64", None),
        ("FP32", True),
        ("FP32", {"value": 1}),
        ("FP32", [1]),
        ("FP64", 10**400),
        ("INT32", 1.7),
        ("INT32", "7"),
        ("INT32", None),
        ("INT64", 10**30),
        ("INT64", 1e300),
        ("INT8", 200),
        ("UINT8", 300.0),
        ("UINT8", -1),
        ("BOOL", 5),
        ("BOOL", "false"),
        ("BOOL", 0.5),
        ("BOOL", None),
    ],
)
def test_no_value_is_turned_into_another(kind, value):
    refused(tensor([value], datatype=kind))


def test_truth_values_and_whole_floats_are_what_they_say():
    assert read(tensor([True, False], datatype="BOOL"))["x"].tolist() == [True, False]
    assert read(tensor([3.0], datatype="INT16"))["x"].tolist() == [3]


def test_a_float_beyond_its_type_becomes_infinite_for_the_guards_to_refuse():
    assert np.isinf(read(tensor([1e300]))["x"]).all()
    assert np.isinf(read(tensor([70000.0], datatype="FP16"))["x"]).all()


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        ([], [0, 2]),
        ([], [1, 2]),
        ([1, 2, 3], [2, 2]),
        ([1, 2, 3, 4, 5, 6], [2, 3]),
        ([1, 2, 3, 4], [4]),
        ([1, 2, 3, 4], [2, 2, 1]),
        ([1, 2], []),
        ([1, 2], [-1, 2]),
        ([1, 2], [-1, -2]),
        ([1, 2], [10**30, 2]),
        ([[1, 2, 3, 4]], [2, 2]),
        ([[1, 2], [3]], [2, 2]),
        ([[1, 2], 3], [2, 2]),
        ([[[1, 2]]], [1, 2]),
    ],
)
def test_a_shape_that_the_data_do_not_fill_is_refused(data, shape):
    refused(tensor(data, shape), expected=WIDE)


def test_rows_of_another_shape_are_not_read_as_if_they_were_right():
    refused(tensor([[1, 2, 3], [4, 5, 6]], [3, 2]), expected=WIDE)


def test_deep_nesting_is_refused():
    for depth in (70, 900):
        data = [1.0]
        for _ in range(depth):
            data = [data]
        refused(tensor(data, [1, 1]), expected=WIDE)
    with pytest.raises(BadInput) as caught:
        oip.parse(b'{"inputs": ' + b"[" * 200_000)
    assert caught.value.code == "TP-SERVING-002"


def test_the_inputs_are_those_of_the_model_each_once():
    good = tensor([1, 2], [1, 2])
    assert "it takes x" in refused(good | {"name": "y"}, expected=WIDE).why
    refused(expected=WIDE)
    refused(good, good, expected=WIDE)
    refused(good, good | {"name": "y"}, expected=WIDE)
    refused(good | {"name": "X"}, expected=WIDE)


def test_another_datatype_is_refused_and_so_is_one_that_is_not_served():
    assert "FP32, not FP64" in str(refused(tensor([1, 2], [1, 2], "FP64"), expected=WIDE))
    refused(tensor([1, 2], [1, 2], "fp32"), expected=WIDE)
    refused(tensor(["a"], datatype="BYTES"))


def test_all_inputs_have_the_same_number_of_rows():
    refused(tensor([1, 2]), tensor([1], name="y"))
    assert len(read(tensor([1, 2]), tensor([1, 2], name="y"))) == 2


def test_rows_are_bounded():
    assert len(read(tensor([0] * oip.MOST_ROWS))["x"]) == oip.MOST_ROWS
    refused(tensor([0] * (oip.MOST_ROWS + 1)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"not json 4711",
        b'{"inputs": 4711}',
        b'{"inputs": [4711]}',
        b'{"inputs": [{"name": "4711"}]}',
        b'{"inputs": [{"name": "x", "shape": ["4711"], "datatype": "FP32", "data": [1]}]}',
        b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": 4711}]}',
        b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [NaN, 4711]}]}',
        b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1e999, 4711]}]}',
        b'{"inputs": [{"name": "\xff4711", "shape": [1], "datatype": "FP32", "data": [1]}]}',
        b'{"inputs": [{"name": "\\ud8004711", "shape": [1], "datatype": "FP32", "data": [1]}]}',
        b'\xef\xbb\xbf{"inputs": []}',
        b'{"inputs": []} 4711',
        b"\x00" * 100,
    ],
)
def test_what_is_no_request_is_refused_and_not_quoted(body):
    with pytest.raises(BadInput) as caught:
        oip.parse(body)
    assert caught.value.code == "TP-SERVING-002"
    assert "4711" not in str(caught.value.problem())


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_a_coded_error(body):
    assert code_of(lambda: oip.parse(body)) in {"", "TP-SERVING-002"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=12,
)


@given(
    st.lists(JSON, max_size=6),
    st.lists(st.integers(-2, 4), max_size=3),
    st.sampled_from((*KINDS, "FP16", "FP32", "FP64", "BYTES", "")),
)
def test_any_tensor_is_read_or_refused_with_its_code(data, shape, kind):
    expected = [{"name": "x", "datatype": kind, "shape": [-1] * len(shape)}]
    made = []
    code = code_of(lambda: made.append(read(tensor(data, shape, kind), expected=expected)["x"]))
    assert code in {"", "TP-SERVING-002", "TP-SERVING-003"}
    assert [list(m.shape) for m in made] == ([shape] if code == "" else [])


def answered(outputs=(), **said):
    request = msgspec.json.decode(
        msgspec.json.encode({"inputs": [], "outputs": list(outputs), **said}), type=oip.InferRequest
    )
    arrays = {"score": np.asarray([[0.5], [0.25]], np.float32), "label": np.asarray([1, 0])}
    return oip.answer(request, "risk", "3", arrays, "the-event")


def test_an_answer_names_model_version_event_and_every_output():
    assert answered(id="mine") == {
        "model_name": "risk",
        "model_version": "3",
        "id": "mine",
        "parameters": {"event": "the-event"},
        "outputs": [
            {"name": "score", "datatype": "FP32", "shape": [2, 1], "data": [0.5, 0.25]},
            {"name": "label", "datatype": "INT64", "shape": [2], "data": [1, 0]},
        ],
    }
    assert "id" not in answered()


def test_the_outputs_that_are_asked_for_are_given_in_that_order():
    assert [o["name"] for o in answered([{"name": "label"}, {"name": "score"}])["outputs"]] == ["label", "score"]
    assert [o["name"] for o in answered([{"name": "label"}])["outputs"]] == ["label"]


@pytest.mark.parametrize("names", [["other"], ["score", "other"], ["score", "score"], ["label"] * 100_000])
def test_an_output_that_is_unknown_or_asked_for_twice_is_refused(names):
    with pytest.raises(BadInput) as caught:
        answered([{"name": n} for n in names])
    assert (caught.value.code, caught.value.why) == ("TP-SERVING-003", "it gives score, label")
