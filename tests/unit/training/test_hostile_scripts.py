"""Scripts that mean harm, the whole way: every run ends on record, and nothing leaves the sandbox.

What the sandbox itself holds back is the matter of its conformance suite; here it is seen through a run. The kind of the database plays
no part in that, so one is enough.
"""

import json
import os
import secrets
import socket
from pathlib import Path

import pytest

from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.ledger.evidence import events_about
from trustplane.training.sandboxes.contract import MIB
from trustplane.training.tables import Run

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

ATTEMPTS = """
import json, os, socket, sys
told = json.loads(os.environ["TRUSTPLANE_PARAMETERS"])
inputs = os.environ["TRUSTPLANE_INPUT"] + "/people.parquet"
done = []
def attempt(name, action):
    try:
        action()
    except OSError:
        return
    done.append(name)
tried = {}
"""
REPORT = """
for name, action in tried.items():
    attempt(name, action)
open("report.json", "w").write(json.dumps({"tried": sorted(tried), "done": done}))
"""


def report(row, output):
    """What a script tried and what of it was done."""
    assert row.state == "done", row.ended
    said = json.loads(output(row, "report.json"))
    assert said["tried"], "an attack that was never tried proves nothing"
    return said


def traces(folder: Path, *needles: bytes) -> list[str]:
    """The files below a folder that hold one of the needles."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [str(path.relative_to(folder)) for path in files if any(needle in path.read_bytes() for needle in needles)]


def test_no_socket_reaches_anything(run, output, tmp_path) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as unix,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as abstract,
    ):
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", 0))
        unix.bind(str(tmp_path / "s"))
        abstract.bind(name := f"\0trustplane-{secrets.token_hex(8)}")
        for listener in (tcp, unix, abstract):
            listener.listen()
        for each in (tcp, udp, unix, abstract):
            each.setblocking(False)
        row = run(
            ATTEMPTS
            + """
inet, unix, stream, datagram = socket.AF_INET, socket.AF_UNIX, socket.SOCK_STREAM, socket.SOCK_DGRAM
tried["tcp"] = lambda: socket.create_connection(("127.0.0.1", told["tcp"]), 2)
tried["udp"] = lambda: socket.socket(inet, datagram).sendto(b"x", ("127.0.0.1", told["udp"]))
tried["unix"] = lambda: socket.socket(unix, stream).connect(told["unix"])
tried["abstract"] = lambda: socket.socket(unix, stream).connect("\\0" + told["abstract"])
tried["listen"] = lambda: socket.create_server(("127.0.0.1", 0))
tried["name"] = lambda: socket.getaddrinfo("example.org", 443)
"""
            + REPORT,
            parameters={
                "tcp": tcp.getsockname()[1],
                "udp": udp.getsockname()[1],
                "unix": str(tmp_path / "s"),
                "abstract": name[1:],
            },
        )
        assert report(row, output) == {"tried": ["abstract", "listen", "name", "tcp", "udp", "unix"], "done": []}
        for listener in (tcp, unix, abstract):
            with pytest.raises(BlockingIOError):
                listener.accept()
        with pytest.raises(BlockingIOError):
            udp.recv(10)


@pytest.mark.parametrize(
    "script",
    ["import socket\nsocket.create_connection(('127.0.0.1', 9), 1)", "print(open('/etc/passwd').read())"],
    ids=["socket", "file"],
)
def test_who_does_not_catch_the_refusal_has_failed(run, said, script) -> None:
    row = run(script)
    assert (row.state, row.ended) == ("failed", "completed: the script ended with exit code 1")
    stdout, stderr = said(row)
    assert "PermissionError" in stderr
    assert stdout == ""


def test_nothing_of_the_workspace_or_the_user_is_read(plane, view, run, output, tmp_path) -> None:
    elsewhere = plane.workspace.folder / "scratch" / "another-run" / "input"
    elsewhere.mkdir(parents=True)
    (elsewhere / "people.parquet").write_bytes(b"rows of another run")
    (tmp_path / "home").mkdir()
    places = {
        "key": plane.workspace.key_file,
        "settings": plane.workspace.folder / "trustplane.toml",
        "state": plane.workspace.folder / "state.sqlite",
        "checkpoint": plane.workspace.ledger / "checkpoint",
        "other_run": elsewhere / "people.parquet",
        "passwords": "/etc/passwd",
        "server": f"/proc/{os.getpid()}/environ",
    }
    folders = {"workspace": plane.workspace.folder, "home": tmp_path / "home", "user": Path.home(), "temporary": "/tmp"}
    row = run(
        ATTEMPTS
        + """
for name, path in told.items():
    if name.startswith("file_"):
        tried[name] = lambda path=path: open(path, "rb").read(1)
        tried["link_to_" + name] = lambda path=path, name=name: (os.symlink(path, name), open(name, "rb").read(1))
    else:
        tried[name] = lambda path=path: os.listdir(path)
"""
        + REPORT
        + "\nfor name in told:\n    if os.path.islink(name): os.unlink(name)",
        views=(view,),
        parameters={f"file_{n}": str(p) for n, p in places.items()}
        | {f"folder_{n}": str(p) for n, p in folders.items()},
    )
    found = report(row, output)
    assert len(found["tried"]) == 2 * len(places) + len(folders)
    assert found["done"] == []
    assert all(Path(p).exists() for p in (*places.values(), *folders.values())), "what is not there refuses itself"


def test_inputs_and_code_cannot_be_changed(view, run, output) -> None:
    row = run(
        ATTEMPTS
        + """
script = os.path.abspath(sys.argv[0])
for name, path in {"input": inputs, "code": script}.items():
    tried["write_" + name] = lambda path=path: open(path, "r+b")
    tried["truncate_" + name] = lambda path=path: os.truncate(path, 0)
    tried["remove_" + name] = lambda path=path: os.unlink(path)
    tried["move_" + name] = lambda path=path: os.rename(path, "moved")
    tried["link_" + name] = lambda path=path: os.link(path, "linked")
    tried["beside_" + name] = lambda path=path: open(path + ".new", "w")
tried["log"] = lambda: open("../logs/stdout.log", "w")
tried["up"] = lambda: open("../beside", "w")
"""
        + REPORT,
        views=(view,),
    )
    found = report(row, output)
    assert len(found["tried"]) == 14
    assert found["done"] == []
    assert sorted(row.outputs) == ["report.json"]


def test_the_environment_is_clean(run, output, monkeypatch) -> None:
    monkeypatch.setenv("TRUSTPLANE_TEST_SECRET", "sesame")
    monkeypatch.setenv("PYTHONPATH", "/sesame")
    row = run("import json, os\nopen('names', 'w').write(json.dumps(dict(os.environ)))")
    environment = json.loads(output(row, "names"))
    assert set(environment) == {
        "HOME", "JOBLIB_MULTIPROCESSING", "LANG", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONPATH", "TMPDIR",
        "TRUSTPLANE_INPUT", "TRUSTPLANE_OUTPUT", "TRUSTPLANE_PARAMETERS", "TRUSTPLANE_SEED",
    }  # fmt: skip
    assert "sesame" not in str(environment)


def test_what_asks_for_the_libraries_of_its_process_works_without_proc(run, output) -> None:
    """threadpoolctl takes it that ``/proc/self`` may be read where it is; k-means and skops ask it."""
    row = run(
        "import json, threadpoolctl\n"
        "import skops.io\n"
        "from sklearn.cluster import KMeans\n"
        "KMeans(2, n_init=1).fit([[0.0], [0.1], [5.0], [5.1]])\n"
        "json.dump([p['user_api'] for p in threadpoolctl.threadpool_info()], open('pools', 'w'))"
    )
    assert row.state == "done", row.ended
    assert json.loads(output(row, "pools"))


HOGS = {
    "forks": ("import os, time\nwhile True:\n    if os.fork() == 0: time.sleep(60)", {"processes": 8}),
    "memory": ("hoard = []\nwhile True: hoard.append(bytearray(1 << 20))", {"memory_bytes": 96 * MIB}),
    "one_file": ("file = open('x', 'wb')\nwhile True: file.write(bytes(1 << 20))", {"output_bytes": 4 * MIB}),
    "deleted": ("import os\nf = open('x', 'wb')\nos.unlink('x')\nwhile True: f.write(bytes(1 << 20))", {"output_bytes": 4 * MIB}),
    "many_files": ("n = 0\nwhile True:\n    n += 1\n    open(str(n), 'w').close()", {"output_files": 300}),
    "sleep": ("import time\nopen('half', 'w').write('x')\ntime.sleep(3600)", {"wall_seconds": 2}),
    "loop": ("while True: pass", {"cpu_seconds": 1, "wall_seconds": 50}),
    "killed": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", {}),
}  # fmt: skip


def test_who_takes_too_much_is_ended_on_record(plane, start, ended) -> None:
    asked = {name: start(script, limits=limits) for name, (script, limits) in HOGS.items()}
    rows = {name: ended(run_id) for name, run_id in asked.items()}
    assert {row.state for row in rows.values()} == {"failed"}
    words = {name: row.ended.partition(":")[0] for name, row in rows.items()}
    # A process that the kernel itself refuses to start or to grow ends by its own error; the others are ended from outside.
    assert words.pop("forks") in {"processes", "completed"}
    assert words.pop("memory") in {"memory", "completed"}
    assert words.pop("deleted") in {"disk", "completed"}
    assert words.pop("loop") in {"cpu", "killed"}
    assert words == {
        "one_file": "disk",
        "many_files": "disk",
        "sleep": "timed-out",
        "killed": "killed",
    }
    assert all(row.outputs == {} and row.log_blob for row in rows.values())
    assert "2 s" in rows["sleep"].ended
    assert list((plane.workspace.folder / "scratch").iterdir()) == []
    assert alive(plane.workspace.folder) == []


def alive(folder: Path) -> list[int]:
    """Processes with the folder in their command line."""
    found = []
    for path in Path("/proc").iterdir():
        try:
            if path.name.isdigit() and os.fsencode(folder) in (path / "cmdline").read_bytes():
                found.append(int(path.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


LEFT = {
    "link_outside": ("import os\nos.symlink('/etc/passwd', 'model.onnx')", "TP-RUN-006"),
    "link_to_key": ("import os, json\nos.symlink(os.environ['TRUSTPLANE_OUTPUT'] + '/../../../keys/root.json', 'm')", "TP-RUN-006"),
    "link_to_folder": ("import os\nos.symlink('/etc', 'deep')", "TP-RUN-006"),
    "link_inside": ("import os\nopen('x', 'w').close()\nos.symlink('x', 'y')", "TP-RUN-006"),
    "pipe": ("import os\nos.mkfifo('model.onnx')", "TP-RUN-006"),
    "socket": ("import socket\nsocket.socket(socket.AF_UNIX).bind('s')", "TP-RUN-006"),
    "log": ("open('log', 'w').write('forged')", "TP-RUN-017"),
    "escape": ("open('\\x1b[2J', 'w').close()", "TP-RUN-017"),
    "no_text": ("open(b'\\xff\\xfe', 'w').close()", "TP-RUN-017"),
    "long": ("import os\nos.makedirs('/'.join(['x' * 200] * 3))\nopen('/'.join(['x' * 200] * 3) + '/y', 'w').close()", "TP-RUN-017"),
    "deep": ("import os\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')\nopen('x', 'w').close()", "TP-RUN-017"),
    "deeper": ("import os\nfor _ in range(3000): os.mkdir('d'); os.chdir('d')\nopen('x', 'w').close()", "disk"),
}  # fmt: skip


def test_an_output_that_could_lead_astray_is_refused_as_a_whole(plane, start, ended) -> None:
    asked = {name: start("open('good', 'w').close()\n" + script) for name, (script, _) in LEFT.items()}
    rows = {name: ended(run_id) for name, run_id in asked.items()}
    assert {name: row.state for name, row in rows.items()} == dict.fromkeys(LEFT, "failed")
    assert {n: row.ended.replace(":", " ").split()[0] for n, row in rows.items()} == {
        n: c for n, (_, c) in LEFT.items()
    }
    assert all(row.outputs == {} for row in rows.values())
    assert all(row.ended.isprintable() for row in rows.values())
    assert list((plane.workspace.folder / "scratch").iterdir()) == []
    assert traces(plane.workspace.folder, b"root:x:0:0") == []


def test_a_flood_of_words_is_cut_and_does_not_hold_the_script_up(plane, run, said) -> None:
    row = run(
        """
import sys
line = "x" * 99_999 + "\\n"
for _ in range(1000):
    sys.stdout.write(line)
sys.stderr.write("e" * 200_000)
open("done", "w").close()
""",
        limits={"log_bytes": 100_000},
    )
    assert (row.state, list(row.outputs)) == ("done", ["done"])
    assert [len(text) for text in said(row)] == [100_000, 100_000]
    assert row.environment["logs_truncated"] is True


def test_binary_junk_is_no_trouble_and_no_word_of_it_leaves_the_log(plane, view, run, said) -> None:
    """Rows, a secret in several encodings, control characters and broken UTF-8 are printed, raised, and used as names."""
    secret = f"sésame-{secrets.token_hex(8)}"
    row = run(
        """
import json, os, sys
import pyarrow.parquet as pq
secret = json.loads(os.environ["TRUSTPLANE_PARAMETERS"])["word"].replace("_", "-")
secret = "".join(reversed(secret))
emails = pq.read_table(os.environ["TRUSTPLANE_INPUT"] + "/people.parquet")["email"].to_pylist()
for encoding in ("utf-8", "utf-16", "utf-32", "latin-1"):
    sys.stdout.buffer.write(secret.encode(encoding) + b"\\0\\xff\\xfe\\x1b]0;title\\x07\\xed\\xa0\\x80\\r\\n")
sys.stdout.buffer.write(json.dumps(emails).encode() + bytes(range(256)))
open("model", "w").write(secret + emails[0])
open("metrics.json", "w").write(json.dumps({"auc": secret}))
raise RuntimeError(secret + emails[1])
""",
        views=(view,),
        parameters={"word": secret[::-1].replace("-", "_")},
    )
    assert (row.state, row.ended) == ("failed", "completed: the script ended with exit code 1")
    stdout, stderr = said(row)
    assert secret in stdout
    assert "person0@mail.example" in stdout
    assert f"RuntimeError: {secret}person1@mail.example" in stderr
    needles = [secret.encode(e) for e in ("utf-8", "utf-16-le", "latin-1")] + [secret[7:].encode(), b"@mail.example"]
    assert traces(plane.workspace.folder, *needles) == []
    with plane.database.read() as session:
        events = [plane.ledger.get(e) for e in events_about(session, f"Run::{row.id}")]
    assert len(events) >= 3
    assert not any(secret[7:] in str(e) or "@mail" in str(e) for e in events)
    assert secret[7:] not in str(plane.jobs.status(row.id))


def test_after_all_that_the_log_still_holds(plane, run) -> None:
    run("import os\nos.symlink('/etc/passwd', 'x')")
    run("import sys; sys.exit(1)")
    with plane.database.read() as session:
        assert {r.state for r in session.query(Run)} == {"failed"}
    verify(plane).require_sound()
