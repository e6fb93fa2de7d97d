"""The spool: a temporary file that is never plaintext."""

import errno
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.kernel.vault import spool as module
from trustplane.kernel.vault.spool import SEGMENT, Spool
from trustplane.values.errors import Unavailable


@given(st.lists(st.binary(max_size=400), max_size=10), st.data())
def test_it_reads_from_anywhere_as_often_as_wanted(chunks, data):
    whole = b"".join(chunks)
    with Spool() as spool:
        for chunk in chunks:
            spool.write(chunk)
        spool.finish()
        assert spool.size == len(whole)
        assert spool.reader().read() == whole
        at = data.draw(st.integers(0, len(whole)))
        reader = spool.reader()
        reader.seek(at)
        assert reader.read() == whole[at:]
        reader.seek(-len(whole), io.SEEK_END)
        assert reader.read(3) == whole[:3]


def test_segments_are_joined(tmp_path):
    data = bytes(range(256)) * (SEGMENT // 256 * 2 + 100)
    with Spool(tmp_path) as spool:
        for start in range(0, len(data), 70_001):
            spool.write(data[start : start + 70_001])
        spool.finish()
        assert spool.reader().read() == data
        assert list(tmp_path.iterdir()) == []


def test_the_disk_sees_no_plaintext(monkeypatch):
    class Kept(io.BytesIO):
        pass

    kept = Kept()
    monkeypatch.setattr(module.tempfile, "TemporaryFile", lambda **_: kept)
    spool = Spool()
    spool.write(b"a secret that must not lie there" * 50_000)
    spool.finish()
    assert b"secret" not in kept.getvalue()
    assert len(kept.getvalue()) > spool.size


def test_a_full_disk_has_its_code(monkeypatch):
    class Full(io.BytesIO):
        def write(self, _data):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.tempfile, "TemporaryFile", lambda **_: Full())
    spool = Spool()
    with pytest.raises(Unavailable) as told:
        spool.write(b"x" * SEGMENT)
    assert told.value.code == "TP-VAULT-012"
    spool.close()
