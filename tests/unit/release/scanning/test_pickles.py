"""The judge of pickles."""

import io
import pickle
import pickletools
import resource

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corpora.hostile import body, call, plain

from trustplane.release.scanning.content import Held, Reader
from trustplane.release.scanning.contract import Rejected
from trustplane.release.scanning.pickles.allowed import NEVER, PLAIN_NAME, allowed, listings
from trustplane.release.scanning.pickles.opcodes import offsets
from trustplane.release.scanning.pickles.running import run, run_as_joblib
from trustplane.release.scanning.pickles.scanner import judge_streams


def reader(data):
    return Reader(Held(data), "file")


def test_no_list_holds_what_fetches_calls_or_evaluates():
    for listing in listings():
        assert not listing.names & NEVER, listing.library
        assert listing.versions
        for module, name in listing.names:
            assert PLAIN_NAME.match(module)
            assert name.isidentifier(), (module, name)
            assert module.split(".")[0] not in {
                "os", "posix", "subprocess", "sys", "shutil", "socket", "importlib", "functools", "operator", "types",
                "marshal", "pickle", "_pickle", "runpy", "pty", "ctypes", "code", "io", "_io", "tempfile",
            }  # fmt: skip


def test_nothing_that_is_allowed_loads_a_file_or_another_pickle():
    hidden = {name for _, name in allowed()} & {
        "load",
        "loads",
        "read_pickle",
        "_load_from_bytes",
        "open",
        "fromfile",
        "memmap",
        "eval",
        "exec",
    }
    assert not hidden


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


@given(plain_values, st.integers(0, 5))
def test_plain_data_passes_in_every_protocol(value, protocol):
    assert judge_streams(reader(pickle.dumps(value, protocol))).objections == ()


@given(st.binary(max_size=200))
def test_no_bytes_break_the_judge(data):
    try:
        found = judge_streams(reader(b"\x80\x04" + data))
    except Rejected:
        return
    if not found.objections:
        pickle.loads(b"\x80\x04" + data)  # nothing is named in it, so it may be loaded


@given(plain_values, st.integers(0, 5))
def test_offsets_are_those_of_pickletools(value, protocol):
    data = pickle.dumps([np.float64(1), value, np.dtype("f4")], protocol)
    asking = [at for op, _, at in pickletools.genops(data) if op.name in {"GLOBAL", "STACK_GLOBAL", "INST"}]
    assert list(offsets(reader(data), 0, frozenset(range(len(asking)))).values()) == asking


def test_a_call_hidden_by_the_memo_is_told_with_its_place():
    code = b"U\x04safeq\x000U\x05posix\x94" + b"0U\x06system\x940" + b"h\x01h\x02\x93" + body(("x",)) + b"R"
    (objection,) = judge_streams(reader(plain(code))).objections
    assert (objection.subject, plain(code)[objection.offset :][:1]) == ("posix.system", b"\x93")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (b"cnumpy\nndarray\n(N}U\x01acnumpy\nfloat64\nstb", "changes numpy.ndarray itself"),
        (call("_codecs", "encode", "x", "zlib"), "arguments that are not plain"),
        (call("builtins", "bytearray", 10**12), "arguments that are not plain"),
        (call("xgboost.core", "Booster", None, (), "/etc/passwd"), "may be a file to be read"),
        (b"clightgbm.basic\nBooster\n" + body((None, None, "/etc/passwd")) + b"\x81", "may be a file to be read"),
        (b"cnumpy\nndarray\nNa", "adds to numpy.ndarray itself"),
    ],
)
def test_what_is_done_to_a_global_itself_is_told(code, words):
    assert any(words in o.message for o in judge_streams(reader(plain(code))).objections)


def test_a_dotted_name_is_never_allowed():
    code = body("numpy", 4) + body("ndarray.tofile", 4) + b"\x93"
    (objection,) = judge_streams(reader(plain(code))).objections
    assert "dotted" in objection.message


def test_names_of_python_2_are_told_as_those_of_today():
    (objection,) = judge_streams(reader(plain(call("__builtin__", "eval", "1"), 2))).objections
    assert objection.subject == "builtins.eval"


def test_both_unpicklers_see_the_same():
    for value in (np.arange(3), {"a": [np.float32(1)]}, np.dtype("f4")):
        data = pickle.dumps(value)
        assert list(run(reader(data)).names) == list(run_as_joblib(reader(data)).names)


def test_arrays_of_joblib_are_passed_exactly():
    arrays = [
        np.zeros(n, kind) for n in (0, 1, 7) for kind in ("f8", "i1", "U5", "M8[ns]", [("a", "f4"), ("b", "i8", (2,))])
    ]
    file = io.BytesIO()
    joblib.dump(arrays, file)
    content = reader(file.getvalue())
    assert judge_streams(content).objections == ()
    assert content.tell() == content.size


@pytest.mark.parametrize(
    "change",
    [
        (b"shape", b"sHape"),
        (b"K\x03\x85", b"K\x7f\x85"),
        (b"\x8c\x02i8", b"\x8c\x02O8"),
        (b"\x8c\x02i8", b"\x8c\x02i4"),
    ],
)
def test_a_description_of_an_array_that_is_bent_is_refused(change):
    file = io.BytesIO()
    joblib.dump([np.arange(3)], file)
    data = file.getvalue()
    assert change[0] in data
    from trustplane.release.scanning.frame import judge

    assert judge(reader(data.replace(*change, 1))).objections


def test_large_arrays_pass_by_without_being_held():
    size = 1 << 30

    class Zeros:
        def __init__(self):
            self.head = b"\x80\x04\x8e" + size.to_bytes(8, "little")
            self.size = len(self.head) + size + 1

        def fetch(self, offset, most):
            most = min(most, self.size - offset)
            if offset < len(self.head):
                return self.head[offset : offset + most]
            return (b"." if offset + most == self.size else b"\0").rjust(most, b"\0")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert judge_streams(Reader(Zeros(), "file")).objections == ()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def test_many_streams_are_each_judged():
    assert judge_streams(reader(pickle.dumps(1) * 5)).objections == ()
    found = judge_streams(reader(pickle.dumps(1) * 5 + plain(call("os", "system", "x"))))
    assert [o.subject for o in found.objections] == ["os.system"]
