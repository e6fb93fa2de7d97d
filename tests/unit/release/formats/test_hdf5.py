"""HDF5: numbers in groups pass, in every version of the format that h5py writes."""

import random

import h5py
import numpy as np
import pytest
from tests.corpora import weights

from trustplane.release.formats import hdf5
from trustplane.release.formats.registry import inspect
from trustplane.release.scanning.content import PIECE, Held, Reader
from trustplane.release.scanning.scan import scan_chunks
from trustplane.values.errors import Refused


def fill(file):
    file.attrs["text"] = "Wörter."
    file.attrs["bytes"] = np.bytes_("ends with a stop.")
    file.attrs["names"] = [b"a", b"b"]
    file.attrs["number"] = 3
    file.attrs["truth"] = True
    file.attrs["nothing"] = h5py.Empty("f4")
    group = file.create_group("layers/dense/vars")
    for number, kind in enumerate(("f2", "f4", "f8", "i1", "i8", "u1", "?", "S4")):
        group[str(number)] = np.ones((3, 2)).astype(kind)
    group.create_dataset("packed", data=np.zeros((500, 500)), compression="gzip", shuffle=True, fletcher32=True)
    group.create_dataset("none", (0, 4), "f4")
    group["one"] = np.float32(1)
    group["empty"] = h5py.Empty("f4")


@pytest.mark.parametrize("version", ["earliest", "v108", "v110", "latest"])
def test_numbers_pass(version, judged):
    data = weights.hdf5(fill, libver=(version, "latest"))
    found = judged(data)
    assert found.objections == ()
    assert (found.format, found.loads_code, found.facts["parameters"]) == ("hdf5", False, 8 * 6 + 250_000 + 1)
    assert scan_chunks([data], "x").judgement == found


def test_a_large_file_is_not_held(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("w", (1 << 26,), "u1", chunks=(1 << 20,))[-1] = 1
        file.create_dataset("v", data=np.zeros(1 << 24))

    class Counted:
        passed = most = 0

        def __init__(self):
            self.data = np.memmap(tmp_path / "x.h5", "u1", "r")
            self.size = len(self.data)

        def fetch(self, offset, most):
            self.passed, self.most = self.passed + most, max(self.most, most)
            return self.data[offset : offset + most].tobytes()

    source = Counted()
    assert hdf5.Hdf5().judge(Reader(source, "x"), lambda _content: None).objections == ()
    assert source.size > hdf5.HELD
    assert source.passed <= 32 * PIECE


def test_a_path_of_plug_ins_is_never_used(monkeypatch, judged, tmp_path):
    monkeypatch.setenv("HDF5_PLUGIN_PATH", str(tmp_path))
    found = judged(weights.hdf5(weights._filtered))
    assert [str(o.rule) for o in found.objections] == ["unsafe-operation"]


def test_bounds_hold(monkeypatch, judged):
    data = weights.hdf5(fill)
    for name, value, rule in (
        ("OBJECTS", 3, "too-much"), ("ATTRIBUTES", 2, "too-much"), ("LONGEST_NAME", 2, "disguised"), ("LONGEST_CONFIG", 4, "too-much"), ("DEEPEST", 1, "too-deep"),
    ):  # fmt: skip
        with monkeypatch.context() as patched:
            patched.setattr(hdf5, name, value)
            assert [str(o.rule) for o in judged(data).objections] == [rule], name


def test_without_the_library_it_is_not_checked(monkeypatch, judged):
    monkeypatch.setattr(hdf5, "find_spec", lambda _name: None)
    (objection,) = judged(weights.hdf5(fill)).objections
    assert str(objection.rule) == "not-checked"
    assert "trustplane[formats]" in objection.message


def test_the_door_refuses_it_and_says_what_to_do():
    for data in (weights.hdf5(fill), weights.model_config({"class_name": "Sequential", "config": {"layers": []}})):
        with pytest.raises(Refused, match="TP-RELEASE-010") as caught:
            inspect(data)
        assert "save them as .keras" in caught.value.why


def test_changed_bytes_end_in_an_answer():
    """In the confined process: the library is not ours, and may end it."""
    dice = random.Random(1)
    sound = weights.hdf5(fill)
    for _ in range(25):
        data = bytearray(sound)
        for _ in range(dice.choice([1, 2, 8])):
            data[dice.randrange(4096)] = dice.randrange(256)
        assert scan_chunks([bytes(data)], "x").judgement.format


@pytest.mark.parametrize("most", [0, 1 << 20])
def test_the_content_reads_as_a_file_does(most, monkeypatch):
    monkeypatch.setattr(hdf5, "HELD", most)
    readable = hdf5._Readable(Reader(Held(b"abcdef"), "x"))
    buffer = bytearray(4)
    assert readable.seek(3) == 3
    assert (readable.readinto(memoryview(buffer)), bytes(buffer), readable.tell()) == (3, b"def\0", 6)
    assert readable.seek(-2, 1) == 4
    assert readable.seek(0, 2) == 6
    assert readable.readinto(memoryview(buffer)) == 0
    assert readable.seek(1) == 1
    assert readable.read(3) == b"bcd"
    assert readable.seek(9) == 9
    assert readable.readinto(memoryview(buffer)) == 0
    readable.flush()
