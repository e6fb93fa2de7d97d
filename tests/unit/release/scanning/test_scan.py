"""Files and folders as they are found: each bad one is a clear objection, and never an error."""

import gzip
import os
import pickle
import socket
import threading
import time
from pathlib import Path

import pytest
from tests.corpora.hostile import FIRE, tarred, zipped

from trustplane.release.scanning import scan as scanning
from trustplane.release.scanning.contract import Judgement, Objection, Rule
from trustplane.release.scanning.scan import Scanned, scan_chunks, scan_paths, verdict
from trustplane.values.digests import sha256
from trustplane.values.errors import BadInput
from trustplane.values.outcomes import Failed, Inconclusive, Passed


def found(*paths):
    return {Path(s.path).name: s for s in scan_paths(paths)}


def rules(scanned):
    return [str(o.rule) for o in scanned.judgement.objections]


def test_each_bad_file_is_an_objection_and_the_good_ones_pass(tmp_path):
    (tmp_path / "good.txt").write_text("words\n")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    (tmp_path / "naïve-模型-\u202e.pkl").write_bytes(FIRE)
    with Path(os.fsdecode(os.fsencode(tmp_path) + b"/not-text-\xff")).open("wb") as file:
        file.write(FIRE)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "model.pkl").write_bytes(FIRE)
    seen = found(tmp_path)
    server.close()
    assert {name: rules(s) for name, s in seen.items()} == {
        "good.txt": [],
        "empty": ["unknown-format"],
        "link": ["outside"],
        "loop": ["outside"],
        "dangling": ["outside"],
        "pipe": ["unreadable"],
        "socket": ["unreadable"],
        "naïve-模型-\u202e.pkl": ["unknown-global"],
        "not-text-\\udcff": ["unknown-global"],
        "model.pkl": ["unknown-global"],
    }
    assert seen["good.txt"].digest == sha256(b"words\n")


def test_what_is_not_there_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match="TP-RELEASE-021"):
        list(scan_paths([tmp_path / "nothing"]))


def test_a_file_that_may_not_be_read_is_an_objection(tmp_path, monkeypatch):
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "secret").chmod(0)
    if os.geteuid() == 0:  # root reads everything, so what the system tells others is told here
        opened = os.open

        def refusing(path, *how, **more):
            if os.fspath(path).endswith("secret"):
                raise PermissionError(13, "Permission denied", path)
            return opened(path, *how, **more)

        monkeypatch.setattr(os, "open", refusing)
    assert rules(found(tmp_path)["secret"]) == ["unreadable"]


def test_a_file_that_grows_is_an_objection(tmp_path):
    path = tmp_path / "grows.txt"
    path.write_bytes(b"x" * (64 << 20))
    ended = threading.Event()

    def grow():
        with path.open("ab") as file:
            while not ended.is_set():
                file.write(b"x")
                file.flush()
                time.sleep(0.001)

    thread = threading.Thread(target=grow)
    thread.start()
    seen = found(path)["grows.txt"]
    ended.set()
    thread.join()
    assert rules(seen) == ["unreadable"]
    assert seen.digest == ""


def test_many_nested_tuples_are_bounded(tmp_path):
    path = tmp_path / "tuples.pkl"
    with path.open("wb") as file:
        file.write(b"\x80\x04")
        for _ in range(400):
            file.write(b"(" * (1 << 20))
    assert rules(found(path)["tuples.pkl"])[0] in {"too-much", "damaged"}


def test_the_process_starts_again_after_one_that_is_killed(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    with scanning.Judge() as judge, (tmp_path / "a.txt").open("rb") as file:
        assert judge.of(file.fileno(), "a").judgement.format == "text"
        judge._process.kill()
        judge._process.wait()
        assert judge.of(file.fileno(), "a").judgement.format == "text"


def test_containers_of_what_passes_pass(tmp_path):
    inner = pickle.dumps([1])
    for data in (
        zipped({"a.txt": b"x", "b.pkl": inner}),
        tarred({"a.txt": b"x"}),
        gzip.compress(tarred({"a.pkl": inner})),
    ):
        assert scan_chunks([data], "file").judgement.objections == ()


def test_the_verdict_of_what_was_not_checked_is_no_pass():
    def scanned(*objections):
        return Scanned("x", 1, "", Judgement("x", objections))

    unchecked, bad = Objection(Rule.NOT_CHECKED, "m"), Objection(Rule.DAMAGED, "m", ("a", "b"), "", 7)
    assert isinstance(verdict(scanned()), Passed)
    assert isinstance(verdict(scanned(unchecked)), Inconclusive)
    assert verdict(scanned(unchecked, bad)).reason == "m at byte 7 of b in a"
    assert isinstance(verdict(scanned(bad)), Failed)


def test_the_process_can_start_nothing_and_reach_nothing(tmp_path):
    from trustplane.release.scanning.confinement import confine

    reading, writing = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if not child:
        said = []
        try:
            confine(0, parent)
            for attempt in (
                lambda: os.execv("/bin/true", ["true"]),
                lambda: socket.socket(),
                lambda: os.kill(parent, 0),
                lambda: (tmp_path / "kept").unlink(),
                lambda: (tmp_path / "made").mkdir(),
            ):
                try:
                    attempt()
                    said.append("did")
                except PermissionError:
                    said.append("refused")
        finally:
            os.write(writing, ",".join(said).encode())
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 1000) == b"refused,refused,refused,refused,refused"
