"""The key file: private, written whole or not at all, and clear about what is wrong with it. What every key store does is in the conformance suite."""

import json
import os
import signal
import stat
import subprocess
import sys
from base64 import b64encode

import pytest

from trustplane.kernel.vault.keystores.keyfile import KeyFile
from trustplane.values.errors import Conflict, Unavailable


@pytest.fixture
def path(tmp_path):
    KeyFile.create(tmp_path / "keys" / "root.json")
    return tmp_path / "keys" / "root.json"


def test_file_and_folder_are_private(tmp_path):
    old = os.umask(0)
    try:
        KeyFile.create(tmp_path / "keys" / "root.json").begin_rotation()
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "keys" / "root.json").stat().st_mode) == 0o600
    assert [p.name for p in (tmp_path / "keys").iterdir()] == ["root.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666, 0o610])
def test_a_file_that_others_can_read_is_not_used(path, mode):
    path.chmod(mode)
    with pytest.raises(Unavailable) as told:
        KeyFile(path)
    assert told.value.code == "TP-VAULT-006"
    assert "chmod 600" in told.value.fix


def test_a_link_is_not_followed(path, tmp_path):
    (tmp_path / "link.json").symlink_to(path)
    with pytest.raises(Unavailable) as told:
        KeyFile(tmp_path / "link.json")
    assert told.value.code == "TP-VAULT-005"


def test_a_folder_or_a_pipe_is_not_a_key_file(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        for place in (tmp_path, tmp_path / "pipe"):
            with pytest.raises(Unavailable):
                KeyFile(place)
    finally:
        os.close(writer)


def test_a_lost_file_is_said_to_be_lost(path):
    store = KeyFile(path)
    path.unlink()
    with pytest.raises(Unavailable) as told:
        store.wrap(b"k" * 32, b"here")
    assert told.value.code == "TP-VAULT-004"


@pytest.mark.parametrize(
    "change",
    [
        lambda b: "",
        lambda b: "{",
        lambda b: "[]",
        lambda b: "null",
        lambda b: json.dumps({**b, "version": 2}),
        lambda b: json.dumps({**b, "current": "another"}),
        lambda b: json.dumps({**b, "keys": {}}),
        lambda b: json.dumps({**b, "keys": {b["current"]: "AAAA"}}),
        lambda b: json.dumps({**b, "keys": {b["current"]: "not base64!"}}),
        lambda b: json.dumps({**b, "keys": {b["current"]: 5}}),
        lambda b: json.dumps({"version": 1}),
        lambda b: "\ud800".encode("utf-8", "surrogatepass"),
    ],
)
def test_a_damaged_file_is_said_to_be_damaged(path, change):
    body = json.loads(path.read_text())
    made = change(body)
    path.write_bytes(made if isinstance(made, bytes) else made.encode())
    with pytest.raises(Unavailable) as told:
        KeyFile(path)
    assert told.value.code == "TP-VAULT-005"
    assert body["keys"][body["current"]] not in str(told.value)


def test_a_crash_while_writing_keeps_the_old_file(path, monkeypatch):
    store = KeyFile(path)
    before = path.read_bytes()

    def fail(_handle):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Unavailable, match="Input/output"):
        store.begin_rotation()
    assert path.read_bytes() == before


def test_nothing_of_the_root_shows(path):
    store = KeyFile(path)
    root = json.loads(path.read_text())["keys"][store.current()]
    assert root not in repr(store)
    assert root not in str(vars(store))


def test_a_pipe_without_a_writer_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    signal.alarm(30)  # else this would wait for ever
    try:
        with pytest.raises(Unavailable, match="TP-VAULT-005"):
            KeyFile(tmp_path / "pipe")
    finally:
        signal.alarm(0)


def test_a_file_of_another_account_is_not_used(path, monkeypatch):
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(Unavailable, match="TP-VAULT-006") as told:
        KeyFile(path)
    assert "chown" in told.value.fix


def test_a_file_cut_anywhere_is_said_to_be_damaged_and_left_as_it_is(path):
    store, whole = KeyFile(path), path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        for use in (store.current, store.begin_rotation, store.finish_rotation):
            with pytest.raises(Unavailable, match="TP-VAULT-005"):
                use()
        assert path.read_bytes() == whole[:size], "whoever repairs it wants to see what is left"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"version": ' + "1" * 10_000 + "}",
        json.dumps({"version": 1, "current": ["a"], "keys": {"a": b64encode(b"k" * 32).decode()}}),
        json.dumps({"version": 1, "current": "a", "keys": {"a": "é" * 44}}),
        json.dumps({"version": 1, "current": "a", "keys": {"a": b64encode(b"k" * 33).decode()}}),
        json.dumps({"version": 1, "current": "a", "keys": {"a": b64encode(b"k" * 32).decode(), "b": ""}}),
    ],
    ids=["nested", "a long number", "a list for a name", "beyond ASCII", "a long key", "a bad one beside a good one"],
)
def test_a_hostile_file_is_said_to_be_damaged(path, text):
    path.write_text(text)
    with pytest.raises(Unavailable, match="TP-VAULT-005"):
        KeyFile(path)


def test_the_errors_behind_an_error_show_no_root_either(path):
    """An error of the parser keeps the text that it could not read."""
    whole = path.read_text()
    secret = json.loads(whole)["keys"][KeyFile(path).current()]
    for text in (whole.replace(secret, secret + "!"), whole.replace('"version": 1', '"version": 2'), whole[:-2]):
        path.write_text(text)
        with pytest.raises(Unavailable) as told:
            KeyFile(path)
        error = told.value
        while error is not None:
            assert secret not in f"{error} {error!r} {error.args}"
            error = error.__cause__ or error.__context__


def test_making_one_never_replaces_a_file_or_follows_a_link(path, tmp_path):
    before = path.read_bytes()
    with pytest.raises(Conflict, match="TP-VAULT-002"):
        KeyFile.create(path)
    assert path.read_bytes() == before
    (tmp_path / "link.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Conflict, match="TP-VAULT-002"):
        KeyFile.create(tmp_path / "link.json")
    assert not (tmp_path / "elsewhere").exists()


def test_one_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable, match="TP-VAULT-005"):
        KeyFile.create(tmp_path / "file" / "root.json")


def test_a_full_disk_leaves_nothing_half_written(path, tmp_path, monkeypatch):
    def full(_handle):
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="TP-VAULT-012"):
        KeyFile(path).begin_rotation()
    with pytest.raises(Unavailable, match="TP-VAULT-012"):
        KeyFile.create(tmp_path / "new" / "root.json")
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["root.json"]
    assert list((tmp_path / "new").iterdir()) == []


def test_a_destroyed_root_is_nowhere_in_the_folder(path):
    store = KeyFile(path)
    secret = json.loads(path.read_text())["keys"][store.current()]
    store.begin_rotation()
    store.finish_rotation()
    assert [each.name for each in path.parent.iterdir()] == ["root.json"]
    assert secret not in path.read_text()


KILLED = """
import os, signal, sys
from trustplane.kernel.vault.keystores.keyfile import KeyFile

step, path, point = sys.argv[1:]
store = KeyFile.open(path)

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def audit(event, arguments):
    if event == point and str(arguments[0]).endswith(".tmp"):
        die()

sys.addaudithook(audit)
if point == "fsync":
    os.fsync = die
getattr(store, step)()
die()
"""


@pytest.mark.parametrize("point", ["open", "fsync", "os.rename", "the end"])
@pytest.mark.parametrize("step", ["begin_rotation", "finish_rotation"])
def test_a_kill_at_any_point_of_a_step_leaves_a_whole_file(path, step, point):
    store = KeyFile(path)
    if step == "finish_rotation":
        store.begin_rotation()
    sealed, root, roots = store.wrap(b"k" * 32, b"here"), store.current(), store.roots()
    done = subprocess.run([sys.executable, "-c", KILLED, step, path, point], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    again = KeyFile.open(path)
    assert (again.roots() != roots) == (point == "the end")
    assert again.unwrap(root, sealed, b"here") == b"k" * 32
    again.begin_rotation()
    again.finish_rotation()
    assert len(again.roots()) == 1
