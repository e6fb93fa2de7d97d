"""What a plane answers is written whole or not at all."""

import os
import stat
import threading

import pytest

from trustplane.client.files import PRIVATE, whole
from trustplane.values.errors import BadInput


def test_a_file_appears_when_it_is_whole(tmp_path):
    target = tmp_path / "räume.bin"
    with whole(target) as out:
        out.write(b"half")
        assert not target.exists()
        out.write(b"whole")
    assert target.read_bytes() == b"halfwhole"
    assert [p.name for p in tmp_path.iterdir()] == ["räume.bin"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, ValueError])
def test_what_breaks_off_leaves_what_was_there(tmp_path, error):
    target = tmp_path / "kept"
    target.write_bytes(b"before")

    def break_off():
        with whole(target) as out:
            out.write(b"after")
            raise error

    with pytest.raises(error):
        break_off()
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("kept", b"before")]


def test_a_private_file_is_private_from_its_first_byte(tmp_path):
    target = tmp_path / "rows"
    target.write_bytes(b"")
    target.chmod(0o644)
    old = os.umask(0)
    try:
        with whole(target, PRIVATE) as out:
            assert stat.S_IMODE(os.fstat(out.fileno()).st_mode) == 0o600
    finally:
        os.umask(old)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_pipe_is_written_as_it_is(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    with whole(pipe) as out:
        out.write(b"through")
    reader.join()
    assert read == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("path", ["nothing/here", "folder"])
def test_a_place_that_cannot_be_written_has_a_code(tmp_path, path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadInput) as told, whole(tmp_path / path):
        pytest.fail("it was opened")
    assert told.value.code == "TP-CLIENT-010"
    assert path in told.value.what
