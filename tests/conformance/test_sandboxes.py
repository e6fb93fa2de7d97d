"""What every sandbox must hold back, as attacks.

Each script reports every attempt that it made and how it went, so that an attack that was never tried is a failure of
the test; the effect is then looked for from outside, where the script cannot lie.
"""

import json
import os
import secrets
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from trustplane.training.sandboxes.contract import GIB, MIB, Ended, Limits, Sandbox, SandboxJob, SandboxResult
from trustplane.training.sandboxes.registry import GROUP, installed_sandboxes, loaded
from trustplane.values.errors import BadInput
from trustplane.values.outcomes import Passed

BUILT_IN = {"sandlock": EntryPoint("sandlock", "trustplane.training.sandboxes.sandlock:SandlockSandbox", GROUP)}
SANDBOXES = {
    name: entry for name, entry in {**BUILT_IN, **installed_sandboxes()}.items() if not name.startswith("unsafe")
}

PRELUDE = """
import ctypes, json, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
report = {}
def attempt(name, action):
    try:
        got = action()
    except OSError as error:
        report[name] = "refused: " + type(error).__name__
    else:
        report[name] = "done: " + repr(got)[:200]
def call(name, *arguments):
    def action():
        result = libc[name](*arguments)
        if result < 0:
            raise OSError(ctypes.get_errno(), name)
        return result
    attempt(name, action)
def tell(**facts):
    report.update(facts)
    print(json.dumps(report), flush=True)
"""


@dataclass(frozen=True)
class Ran:
    """A job's result, what its script reported, and a word that stands in the command line of all its processes."""

    result: SandboxResult
    report: dict[str, object]
    mark: str

    def attempts(self) -> dict[str, str]:
        return {
            name: how
            for name, how in self.report.items()
            if isinstance(how, str) and how.startswith(("refused", "done"))
        }


@dataclass(frozen=True)
class Place:
    """A folder with what a job needs, and a secret beside it that no job may read."""

    root: Path
    sandbox: Sandbox

    @property
    def secret(self) -> Path:
        return self.root / "secret.key"

    @property
    def output(self) -> Path:
        return self.root / "output"

    @property
    def input(self) -> Path:
        return self.root / "input.txt"

    def run(self, script: str, *arguments: str, **limits: float) -> Ran:
        mark = f"mark-{secrets.token_hex(8)}"
        bounds = Limits(**{"wall_seconds": 20, "memory_bytes": GIB, "output_bytes": 64 * MIB, **limits})  # type: ignore[arg-type]
        command = (sys.executable, "-c", PRELUDE + script, mark, *arguments)
        result = self.sandbox.run(SandboxJob(command, (self.input,), self.output, self.root / "logs", limits=bounds))
        lines = result.stdout.read_text().splitlines()
        report = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
        return Ran(result, report, mark)


@pytest.fixture(params=sorted(SANDBOXES))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    place = Place(tmp_path.resolve(), loaded(SANDBOXES[request.param]))
    place.output.mkdir()
    (place.root / "logs").mkdir()
    place.secret.write_text("the secret")
    place.input.write_text("the input")
    return place


def assert_all_refused(ran: Ran, *names: str) -> None:
    assert ran.result.succeeded, ran.result.stderr.read_text()
    attempts = ran.attempts()
    assert set(names) <= set(attempts), "an attack was not tried"
    assert {name: how for name, how in attempts.items() if not how.startswith("refused")} == {}


def processes_marked(mark: str) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and mark.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@pytest.fixture
def listeners(tmp_path: Path) -> Iterator[dict[str, socket.socket]]:
    """A live listener of every kind, so that a refusal is not just a connection that nobody answered."""
    name = f"\0trustplane-{secrets.token_hex(8)}"
    kinds = {
        "tcp": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        "udp": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        "path": (socket.AF_UNIX, socket.SOCK_STREAM, str(tmp_path / "s")),
        "path_datagram": (socket.AF_UNIX, socket.SOCK_DGRAM, str(tmp_path / "d")),
        "abstract": (socket.AF_UNIX, socket.SOCK_STREAM, name),
        "abstract_datagram": (socket.AF_UNIX, socket.SOCK_DGRAM, name + "d"),
    }
    with ExitStack() as stack:
        opened = {}
        for kind, (family, how, address) in kinds.items():
            opened[kind] = stack.enter_context(socket.socket(family, how))
            opened[kind].bind(address)
            opened[kind].setblocking(False)
            if how == socket.SOCK_STREAM:
                opened[kind].listen()
        yield opened


def test_no_network_of_any_kind_is_reached(place: Place, listeners: dict[str, socket.socket]) -> None:
    """TCP, UDP, path and abstract sockets, raw and netlink sockets, listening, and name resolution."""
    addresses = {
        kind: (one.getsockname().decode("latin-1") if isinstance(one.getsockname(), bytes) else one.getsockname())
        for kind, one in listeners.items()
    }
    ran = place.run(
        """
addresses = json.loads(sys.argv[2])
inet, unix, stream, datagram = socket.AF_INET, socket.AF_UNIX, socket.SOCK_STREAM, socket.SOCK_DGRAM
def address(kind):
    return tuple(addresses[kind]) if isinstance(addresses[kind], list) else addresses[kind]
attempt("tcp", lambda: socket.create_connection(address("tcp"), 2))
attempt("tcp6", lambda: socket.create_connection(("::1", address("tcp")[1]), 2))
attempt("listen", lambda: socket.create_server(("127.0.0.1", 0)))
attempt("udp", lambda: socket.socket(inet, datagram).sendto(b"x", address("udp")))
attempt("path", lambda: socket.socket(unix, stream).connect(address("path")))
attempt("path_datagram", lambda: socket.socket(unix, datagram).sendto(b"x", address("path_datagram")))
attempt("pair_datagram", lambda: socket.socketpair(unix, datagram)[0].sendmsg([b"x"], [], 0, address("path_datagram")))
attempt("abstract", lambda: socket.socket(unix, stream).connect(address("abstract")))
attempt("abstract_datagram", lambda: socket.socket(unix, datagram).sendto(b"x", address("abstract_datagram")))
attempt("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0))
attempt("raw", lambda: socket.socket(inet, socket.SOCK_RAW, socket.IPPROTO_ICMP))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
attempt("dns", lambda: socket.getaddrinfo("example.org", 443))
tell()
""",
        json.dumps(addresses),
    )
    assert_all_refused(
        ran, "tcp", "tcp6", "listen", "udp", "path", "path_datagram", "pair_datagram", "abstract", "netlink", "dns"
    )
    for listener in listeners.values():
        with pytest.raises(BlockingIOError):
            listener.accept() if listener.type == socket.SOCK_STREAM else listener.recv(10)


def test_nothing_but_inputs_is_read(place: Place) -> None:
    """By path, by going up, through links made in the output, through /proc, and in the folder itself."""
    os.link(place.secret, place.root / "linked.key")
    ran = place.run(
        """
root, server = sys.argv[2], sys.argv[3]
secret = root + "/secret.key"
def read(path):
    return lambda: open(path, "rb").read(100)
os.symlink(secret, "link")
os.symlink(root, "folder")
attempt("path", read(secret))
attempt("up", read("../secret.key"))
attempt("input_up", read(root + "/output/../secret.key"))
attempt("symlink", read("link"))
attempt("symlink_folder", read("folder/secret.key"))
attempt("other_name", read(root + "/linked.key"))
attempt("hard_link", lambda: os.link(secret, "hard"))
attempt("rename", lambda: os.rename(secret, "moved"))
attempt("list", lambda: os.listdir(root))
attempt("at", lambda: os.open("secret.key", os.O_RDONLY, dir_fd=os.open(root, os.O_PATH)))
attempt("handle", lambda: os.open(f"/proc/self/fd/{os.open(secret, os.O_PATH)}", os.O_RDONLY))
for pid in ("self", "1", server, str(os.getppid())):
    attempt(f"root_of_{pid}", read(f"/proc/{pid}/root{secret}"))
for pid in ("1", server, str(os.getppid())):
    attempt(f"cwd_of_{pid}", lambda: os.listdir(f"/proc/{pid}/cwd"))
    attempt(f"memory_of_{pid}", read(f"/proc/{pid}/mem"))
    attempt(f"environment_of_{pid}", read(f"/proc/{pid}/environ"))
    attempt(f"command_of_{pid}", read(f"/proc/{pid}/cmdline"))
attempt("passwords", read("/etc/passwd"))
attempt("shadow", read("/etc/shadow"))
attempt("home", lambda: os.listdir(sys.argv[4]))
attempt("shared_memory", lambda: open("/dev/shm/trustplane-test", "w"))
tell(input=open(root + "/input.txt").read())
""",
        str(place.root),
        str(os.getpid()),
        str(Path.home()),
    )
    assert_all_refused(
        ran,
        "path",
        "symlink",
        "symlink_folder",
        "hard_link",
        "handle",
        "root_of_self",
        f"root_of_{os.getpid()}",
        "home",
    )
    assert ran.report["input"] == "the input"
    assert place.secret.read_text() == "the secret"
    assert place.input in ran.result.readable


def test_inputs_cannot_be_changed(place: Place) -> None:
    """Neither content nor mode, times, owner, attributes or place; also not through a second name in the output."""
    place.input.chmod(0o644)
    before = place.input.stat()
    ran = place.run(
        """
target = sys.argv[2]
attempt("write", lambda: open(target, "r+b"))
attempt("append", lambda: open(target, "ab"))
attempt("truncate", lambda: os.truncate(target, 0))
attempt("remove", lambda: os.unlink(target))
attempt("move", lambda: os.rename(target, "moved"))
attempt("replace", lambda: os.replace("/dev/null", target))
attempt("hard_link", lambda: os.link(target, "second"))
attempt("owner", lambda: os.chown(target, 1, 1))
attempt("attribute", lambda: os.setxattr(target, "user.x", b"x"))
changes = {}
for name, change in {
    "mode": lambda: os.chmod(target, 0o777),
    "mode_of_open": lambda: os.fchmod(os.open(target, os.O_RDONLY), 0o777),
    "mode_by_number": lambda: libc.syscall(452, -100, target.encode(), 0o777, 0),
    "times": lambda: os.utime(target, (1, 1)),
}.items():
    try:
        change()
    except OSError as error:
        changes[name] = type(error).__name__
    else:
        changes[name] = "said to have worked"
tell(changes=changes)
""",
        str(place.input),
    )
    assert_all_refused(
        ran, "write", "append", "truncate", "remove", "move", "replace", "hard_link", "owner", "attribute"
    )
    assert set(ran.report["changes"]) == {"mode", "mode_of_open", "mode_by_number", "times"}
    after = place.input.stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_uid, after.st_nlink) == (
        before.st_mode,
        before.st_mtime_ns,
        before.st_uid,
        1,
    )
    assert place.input.read_text() == "the input"


def test_nothing_outside_the_output_is_written(place: Place) -> None:
    ran = place.run(
        """
root = sys.argv[2]
def write(path):
    return lambda: open(path, "w").write("x")
attempt("beside", write(root + "/beside"))
attempt("up", write("../up"))
attempt("temporary", write("/tmp/" + sys.argv[1]))
attempt("logs", write(root + "/logs/stdout.log"))
attempt("folder", lambda: os.mkdir(root + "/new"))
attempt("device", lambda: os.mknod("device", 0o020600, os.makedev(1, 1)))
attempt("remove_output", lambda: os.rename(root + "/output", root + "/elsewhere"))
os.symlink(root + "/through", "link")
attempt("through_link", write("link"))
open("own", "w").write("x")
tell()
""",
        str(place.root),
    )
    assert_all_refused(ran, "beside", "up", "temporary", "logs", "folder", "remove_output", "through_link")
    assert (place.output / "own").read_text() == "x"
    assert sorted(path.name for path in place.root.iterdir()) == ["input.txt", "logs", "output", "secret.key"]


def test_no_open_file_is_inherited(place: Place) -> None:
    descriptor = os.open(place.secret, os.O_RDONLY)
    try:
        os.set_inheritable(descriptor, True)
        ran = place.run(
            """
found = []
for number in range(3, 256):
    try:
        os.fstat(number)
    except OSError:
        continue
    found.append(number)
tell(tried=256 - 3, found=found)
"""
        )
    finally:
        os.close(descriptor)
    assert ran.report == {"tried": 253, "found": []}


def test_no_variable_is_inherited(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTPLANE_TEST_SECRET", "sesame")
    ran = place.run(
        "tell(names=sorted(os.environ), values=[value for value in os.environ.values() if value == 'sesame'])"
    )
    assert ran.result.succeeded
    assert "PATH" in ran.report["names"]
    assert ran.report["values"] == []


def test_other_processes_are_out_of_reach(place: Place) -> None:
    """No signal, no tracing, no reading of memory, no change of limits or schedule; for the server, the parent and a bystander."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as bystander:
        try:
            ran = place.run(
                """
import signal
buffer = ctypes.create_string_buffer(64)
for who, pid in {"parent": os.getppid(), "server": int(sys.argv[2]), "bystander": int(sys.argv[3])}.items():
    attempt(f"term_{who}", lambda: os.kill(pid, signal.SIGTERM))
    attempt(f"kill_{who}", lambda: os.kill(pid, signal.SIGKILL))
    attempt(f"group_{who}", lambda: os.killpg(os.getpgid(pid), 0))
    attempt(f"handle_{who}", lambda: signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL))
    for name, arguments in {
        "ptrace": (16, pid, 0, 0),
        "process_vm_readv": (pid, buffer, 1, buffer, 1, 0),
        "prlimit64": (pid, 7, buffer, None),
        "setpriority": (0, pid, 19),
        "sched_setaffinity": (pid, 8, ctypes.byref(ctypes.c_ulong(1))),
    }.items():
        call(name, *arguments)
        report[f"{name}_{who}"] = report.pop(name)
tell()
""",
                str(os.getpid()),
                str(bystander.pid),
            )
            assert bystander.poll() is None
        finally:
            bystander.kill()
    assert_all_refused(
        ran, *(f"{how}_{who}" for how in ("kill", "ptrace", "prlimit64") for who in ("parent", "server", "bystander"))
    )


def test_the_kernel_offers_no_way_out(place: Place) -> None:
    """Mounts, namespaces, other roots, and the interfaces that exploits of the kernel begin with."""
    ran = place.run(
        """
call("mount", b"none", b".", b"tmpfs", 0, None)
call("chroot", b".")
call("setns", 0, 0)
call("memfd_create", b"hidden", 0)
call("sethostname", b"x", 1)
for name, flag in {"user": 0x10000000, "mount": 0x20000, "net": 0x40000000, "pid": 0x20000000}.items():
    attempt(f"unshare_{name}", lambda: (_ for _ in ()).throw(OSError(ctypes.get_errno(), name)) if libc.unshare(flag) < 0 else 0)
def by_number(name, number, *arguments):
    def action():
        result = libc.syscall(number, *arguments)
        if result < 0:
            raise OSError(ctypes.get_errno(), name)
        return result
    attempt(name, action)
buffer = ctypes.create_string_buffer(256)
by_number("io_uring_setup", 425, 4, buffer)
by_number("open_tree", 428, -100, b"/etc", 1)
by_number("fsopen", 430, b"tmpfs", 0)
if os.uname().machine == "x86_64":
    by_number("bpf", 321, 5, buffer, 64)
    by_number("perf_event_open", 298, buffer, 0, -1, -1, 0)
    by_number("userfaultfd", 323, 1)
    by_number("keyctl", 250, 0, -3, 1, 0, 0)
    by_number("open_by_handle_at", 304, -100, buffer, 0)
    by_number("init_module", 175, buffer, 1, b"")
tell()
"""
    )
    assert_all_refused(
        ran, "mount", "chroot", "memfd_create", "unshare_user", "unshare_net", "io_uring_setup", "fsopen"
    )


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="only x86-64 has a second numbering of system calls")
def test_the_second_numbering_of_system_calls_is_no_way_around(place: Place) -> None:
    """x32 numbers reach the same calls, and a filter that only knows the usual ones would let them pass (seccomp(2))."""
    ran = place.run(
        """
tell(begun=True)
result = libc.syscall(0x40000000 | 41, socket.AF_INET, socket.SOCK_STREAM, 0)
tell(socket=result)
"""
    )
    assert ran.report["begun"]
    assert ran.result.ended is Ended.KILLED or ran.report["socket"] == -1


def test_a_fork_bomb_stays_small_and_is_ended(place: Place) -> None:
    ran = place.run(
        """
children = 0
try:
    while children < 200:
        if os.fork() == 0:
            time.sleep(60)
        children += 1
except OSError:
    pass
tell(children=children)
while True:
    try:
        os.fork()
    except OSError:
        pass
""",
        processes=12,
        wall_seconds=2,
    )
    assert ran.result.ended in {Ended.TIMED_OUT, Ended.PROCESSES}
    assert 0 < ran.report["children"] < 12
    assert processes_marked(ran.mark) == []


def test_threads_without_end_are_ended(place: Place) -> None:
    ran = place.run(
        """
import threading
threading.stack_size(65536)
tell(begun=True)
while True:
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
""",
        threads=64,
    )
    assert ran.report["begun"]
    assert not ran.result.succeeded
    assert ran.result.wall_seconds < 20


@pytest.mark.parametrize(
    "hog",
    [
        "hoard = []\nwhile True: hoard.append(bytearray(1 << 20))",
        "for _ in range(4):\n    if os.fork() == 0:\n        hoard = bytearray(150 << 20); time.sleep(30)\ntime.sleep(30)",
        "import mmap\nshared = mmap.mmap(-1, 2 << 30)\nfor at in range(0, 2 << 30, 4096): shared[at] = 1",
        "hoard = bytearray(1 << 40)",
    ],
    ids=["alone", "by-children", "shared", "at-once"],
)
def test_memory_beyond_the_limit_is_not_had(place: Place, hog: str) -> None:
    ran = place.run(f"tell(begun=True)\n{hog}", memory_bytes=256 * MIB)
    assert ran.report["begun"]
    assert ran.result.ended is Ended.MEMORY or (ran.result.ended is Ended.COMPLETED and ran.result.exit_code != 0)
    assert ran.result.peak_memory_bytes < 1280 * MIB
    assert processes_marked(ran.mark) == []


@pytest.mark.parametrize(
    "filler",
    [
        "file = open('one', 'wb')\nwhile True: file.write(bytes(1 << 20))",
        "number = 0\nwhile True:\n    number += 1\n    open(f'{number}', 'wb').write(bytes(1 << 20))",
        "number = 0\nwhile True:\n    number += 1\n    open(f'{number}', 'wb').close()",
        "kept = []\nwhile True:\n    kept.append(open('gone', 'wb')); os.unlink('gone'); kept[-1].write(bytes(1 << 20))",
        "number = 0\nwhile True:\n    number += 1\n    os.truncate(os.open(f'{number}', os.O_RDWR | os.O_CREAT), 4 << 20)",
    ],
    ids=["one-file", "many-files", "empty-files", "deleted-files", "sparse-files"],
)
def test_disk_beyond_the_limit_is_not_had(place: Place, filler: str) -> None:
    ran = place.run(f"tell(begun=True)\n{filler}", output_bytes=8 * MIB, output_files=500)
    assert ran.report["begun"]
    assert ran.result.ended is Ended.DISK
    written = sum(path.stat().st_blocks * 512 for path in place.output.rglob("*"))
    assert written < 1 * GIB


def test_an_endless_loop_is_ended(place: Place) -> None:
    ran = place.run("tell(begun=True)\nwhile True: pass", wall_seconds=1)
    assert ran.report["begun"]
    assert ran.result.ended is Ended.TIMED_OUT
    assert ran.result.exit_code is None


def test_cpu_time_counts_over_all_processes(place: Place) -> None:
    ran = place.run("tell(begun=True)\nos.fork()\nos.fork()\nwhile True: pass", cpu_seconds=1)
    assert ran.report["begun"]
    assert ran.result.ended in {Ended.CPU, Ended.KILLED}


def test_what_a_script_leaves_running_is_ended_with_it(place: Place) -> None:
    """A daemon: forked twice, in a session of its own, deaf to signals, its standard streams closed."""
    ran = place.run(
        """
import contextlib, signal
ready, told = os.pipe()
if os.fork() == 0:
    with contextlib.suppress(PermissionError):
        os.setsid()
    if os.fork():
        os._exit(0)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    os.write(told, b"x")
    os.closerange(0, 64)
    while True:
        pass
os.read(ready, 1)
tell(daemon=True)
"""
    )
    assert ran.result.succeeded
    assert ran.report == {"daemon": True}
    assert processes_marked(ran.mark) == []


def test_a_flood_of_output_is_cut_and_does_not_block(place: Place) -> None:
    ran = place.run(
        "for _ in range(2000): print('x' * 1000)\nprint('e' * 5000, file=sys.stderr)\nopen('done', 'w').close()",
        log_bytes=4096,
    )
    assert ran.result.succeeded
    assert (place.output / "done").exists()
    assert ran.result.logs_truncated
    assert ran.result.stdout.stat().st_size == 4096
    assert ran.result.stderr.stat().st_size == 4096


def test_a_script_that_fails_keeps_its_code_and_its_words(place: Place) -> None:
    ran = place.run("print('so far'); sys.stderr.write('so bad'); sys.exit(3)")
    assert (ran.result.ended, ran.result.exit_code) == (Ended.COMPLETED, 3)
    assert ran.result.stdout.read_text() == "so far\n"
    assert ran.result.stderr.read_text() == "so bad"


def test_training_works(place: Place) -> None:
    """NumPy and scikit-learn import, read an input, compute with several threads, start a child, and write a file with its mode."""
    place.input.write_text("\n".join(f"{n % 7},{n % 3},{int(n % 7 > 3)}" for n in range(400)))
    ran = place.run(
        """
import shutil, subprocess, tempfile
import numpy
from sklearn.ensemble import RandomForestClassifier
table = numpy.loadtxt(sys.argv[2], delimiter=",")
model = RandomForestClassifier(n_estimators=5, n_jobs=2, random_state=0).fit(table[:, :2], table[:, 2])
with tempfile.NamedTemporaryFile() as scratch:
    numpy.save(scratch, model.predict_proba(table[:, :2]))
    scratch.flush()
    shutil.copy2(scratch.name, "scores.npy")
open(os.devnull, "w").write("x")
child = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True, check=True)
tell(score=model.score(table[:, :2], table[:, 2]), child=child.stdout.strip())
""",
        str(place.input),
        memory_bytes=2 * GIB,
        wall_seconds=60,
    )
    assert ran.result.succeeded, ran.result.stderr.read_text()
    assert ran.report == {"score": 1.0, "child": "42"}
    assert ran.result.peak_memory_bytes > 20 * MIB
    assert [path.name for path in place.output.iterdir()] == ["scores.npy"]
    assert stat.S_ISREG((place.output / "scores.npy").lstat().st_mode)


def test_the_script_ends_when_the_server_is_killed(place: Place, tmp_path: Path) -> None:
    mark = f"mark-{secrets.token_hex(8)}"
    entry = SANDBOXES[place.sandbox.descriptor.name]
    server = subprocess.Popen(
        [
            sys.executable,
            "-c",
            """
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from trustplane.training.sandboxes.contract import SandboxJob
root = Path(sys.argv[3])
sandbox = EntryPoint("x", sys.argv[1], "x").load()()
script = "open('begun', 'w').close()\\nwhile True: pass"
sandbox.run(SandboxJob((sys.executable, "-c", script, "mark-" + sys.argv[2]), (), root / "output", root / "logs"))
""",
            entry.value,
            mark.removeprefix("mark-"),  # so that only the script's command line holds the whole mark
            str(place.root),
        ]
    )
    try:
        wait_until(lambda: (place.output / "begun").exists())
        assert processes_marked(mark) != []
    finally:
        server.kill()
        server.wait()
    wait_until(lambda: processes_marked(mark) == [])


def test_what_the_pulse_raises_ends_the_script_at_once(place: Place) -> None:
    mark = f"mark-{secrets.token_hex(8)}"
    beats: list[int] = []

    class Cancelled(BaseException):
        pass

    def pulse() -> None:
        beats.append(len(processes_marked(mark)))
        if beats[-1]:
            raise Cancelled

    script = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)"
    job = SandboxJob((sys.executable, "-c", script, mark), (), place.output, place.root / "logs", pulse=pulse)
    with pytest.raises(Cancelled):
        place.sandbox.run(job)
    assert beats[-1] > 0, "it ran when it was cancelled"
    assert processes_marked(mark) == []


def test_a_device_is_opened_where_it_is_shown_and_nowhere_else(place: Place) -> None:
    script = "import sys\nsys.exit(int(open('/dev/zero', 'rb').read(1) != bytes(1)))"
    job = SandboxJob((sys.executable, "-c", script), (), place.output, place.root / "logs")
    refused = place.sandbox.run(job)
    assert (refused.exit_code, "PermissionError" in refused.stderr.read_text()) == (1, True)
    shown = place.sandbox.run(replace(job, devices=(Path("/dev/zero"),)))
    assert shown.succeeded, shown.stderr.read_text()
    with pytest.raises(BadInput):
        place.sandbox.run(replace(job, devices=(place.input,)))


def test_the_machine_is_found_capable_by_trial(place: Place) -> None:
    assert isinstance(place.sandbox.capability(), Passed)


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
