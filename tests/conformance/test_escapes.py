"""The ways out of a sandbox, one table: each is tried from within, as root and as an ordinary user, and the effect is looked for outside.

``test_sandboxes.py`` states the contract; this suite goes through what is known to break out of sandboxes, vector by vector. All vectors of
one user run in one job, so a vector costs milliseconds and is a line of the table. What takes a whole job of its own (bombs) follows.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.conformance.test_sandboxes import SANDBOXES, processes_marked

from trustplane.training.sandboxes.contract import MIB

NOBODY = 65534
USERS = ("root", "ordinary") if os.geteuid() == 0 else ("ordinary",)

PRELUDE = """
import array, ctypes, errno, fcntl, json, os, signal, socket, struct, sys, mmap
libc = ctypes.CDLL(None, use_errno=True)
told = json.loads(sys.argv[2])
buffer = ctypes.create_string_buffer(4096)
x86 = os.uname().machine == "x86_64"
def number(x, arm):
    return x if x86 else arm
def syscall(call, *arguments):
    result = libc.syscall(call, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result
def read(path):
    with open(path, "rb") as file:
        return file.read(64)
def write(path):
    with open(path, "wb") as file:
        file.write(b"x")
def sent(kind, address, family=socket.AF_UNIX, how=socket.SOCK_STREAM):
    with socket.socket(family, how) as one:
        one.connect(address)
        one.send(b"x")
def resolved():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x07example\\x03org\\x00\\x00\\x01\\x00\\x01", ("127.0.0.53", 53))
def by_symlink(target, name):
    os.symlink(target, name)
    return read(name)
def traced(pid):
    return syscall(number(101, 117), 16, pid, 0, 0)
def passed_on():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [os.open(told["secret"], os.O_RDONLY)]))])
def stolen(pid):
    return syscall(438, os.pidfd_open(pid), 3, 0)
"""

# name: an expression. A refusal is an OSError; what does not raise one has got through.
ESCAPES = {
    # network
    "tcp": 'socket.create_connection(("127.0.0.1", told["tcp"]), 2)',
    "tcp6": 'socket.create_connection(("::1", told["tcp"]), 2)',
    "tcp-fast-open": 'socket.socket(socket.AF_INET, socket.SOCK_STREAM).sendto(b"x", 0x20000000, ("127.0.0.1", told["tcp"]))',
    "mptcp": "socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)",
    "udp": 'socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", told["udp"]))',
    "unix-path": 'sent("path", told["path"])',
    "unix-datagram": 'socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b"x", told["path_datagram"])',
    "unix-abstract": 'sent("abstract", "\\0" + told["abstract"])',
    "dns-by-library": 'socket.getaddrinfo("example.org", 443)',
    "dns-by-hand": "resolved()",
    "listen": 'socket.create_server(("127.0.0.1", 0))',
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
    "vsock": "socket.socket(40, socket.SOCK_STREAM)",
    "raw": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "packet": "socket.socket(17, socket.SOCK_RAW, 0)",
    "alg": "socket.socket(38, socket.SOCK_SEQPACKET, 0)",
    "tunnel-device": 'os.open("/dev/net/tun", os.O_RDWR)',
    # files
    "file-by-path": 'read(told["secret"])',
    "file-by-climbing": 'read("../../../../../../.." + told["secret"])',
    "file-by-symlink": 'by_symlink(told["secret"], "link")',
    "file-by-symlinked-folder": 'by_symlink(os.path.dirname(told["secret"]), "folder") or read("folder/secret")',
    "file-by-hard-link": 'os.link(told["secret"], "hard")',
    "file-by-rename": 'os.rename(told["secret"], "moved")',
    "file-by-exchange": 'syscall(number(316, 276), -100, told["secret"].encode(), -100, b"swap", 2)',
    "file-by-proc-root": 'read("/proc/self/root" + told["secret"])',
    "file-by-proc-cwd-of-server": "read(f\"/proc/{told['server']}/cwd/secret\")",
    "file-by-proc-fd-of-server": "read(f\"/proc/{told['server']}/fd/{told['descriptor']}\")",
    "file-by-thread-self": 'read("/proc/thread-self/root" + told["secret"])',
    "file-by-path-handle": "read(f\"/proc/self/fd/{os.open(told['secret'], os.O_PATH)}\")",
    "file-by-handle": "syscall(number(304, 265), -100, buffer, 0)",
    "file-by-passed-descriptor": "passed_on()",
    "file-by-openat2": 'syscall(437, -100, told["secret"].encode(), struct.pack("QQQ", 0, 0, 0), 24)',
    "file-by-execve": 'os.execve(told["secret"], ["x"], {})',
    "file-by-swap": 'syscall(number(167, 224), told["secret"].encode(), 0)',
    "file-by-quota": 'syscall(number(179, 60), 0x80000200, told["secret"].encode(), 0, buffer)',
    "file-beside-output": 'write("../beside")',
    "file-in-tmp": 'write("/tmp/" + sys.argv[1])',
    "file-in-shm": 'write("/dev/shm/" + sys.argv[1])',
    "file-truncated": 'os.truncate(told["secret"], 0)',
    "file-removed": 'os.unlink(told["secret"])',
    "passwords": 'read("/etc/shadow")',
    "kernel-memory": 'read("/dev/kmsg")',
    "core-pattern": 'os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)',
    "sysrq": 'os.open("/proc/sysrq-trigger", os.O_WRONLY)',
    "cgroup": 'os.mkdir("/sys/fs/cgroup/" + sys.argv[1])',
    "device-made": 'os.mknod("device", 0o020600, os.makedev(1, 5)) or read("device")',
    # other processes
    "ptrace-server": 'traced(told["server"])',
    "ptrace-parent": "traced(os.getppid())",
    "memory-of-server": "read(f\"/proc/{told['server']}/mem\")",
    "memory-of-parent": 'read(f"/proc/{os.getppid()}/mem")',
    "process-vm-readv": 'syscall(number(310, 270), told["server"], buffer, 1, buffer, 1, 0)',
    "process-vm-writev": 'syscall(number(311, 271), told["server"], buffer, 1, buffer, 1, 0)',
    "environment-of-server": "read(f\"/proc/{told['server']}/environ\")",
    "environment-of-parent": 'read(f"/proc/{os.getppid()}/environ")',
    "descriptor-stolen-by-pidfd": 'stolen(told["server"])',
    "kcmp": 'syscall(number(312, 272), os.getpid(), told["server"], 0, 0, 0)',
    "term-parent": "os.kill(os.getppid(), signal.SIGTERM)",
    "kill-parent": "os.kill(os.getppid(), signal.SIGKILL)",
    "kill-server": 'os.kill(told["server"], signal.SIGKILL)',
    "signal-init": "os.kill(1, 0)",
    "kill-by-handle": "signal.pidfd_send_signal(os.pidfd_open(told['server']), signal.SIGKILL)",
    "queue-signal": 'syscall(number(129, 138), told["server"], 9, buffer)',
    "thread-signal": 'syscall(number(234, 131), told["server"], told["server"], 9)',
    "limits-of-server": 'syscall(number(302, 261), told["server"], 7, buffer, None)',
    "priority-of-server": 'os.setpriority(os.PRIO_PROCESS, told["server"], 19)',
    "affinity-of-server": 'os.sched_setaffinity(told["server"], {0})',
    "oom-score-of-server": "write(f\"/proc/{told['server']}/oom_score_adj\")",
    "session-of-its-own": "os.setsid()",
    "terminal-input-injected": 'fcntl.ioctl(0, 0x5412, b"x")',
    # the kernel's other doors
    "keyctl": "syscall(number(250, 219), 0, -3, 1, 0, 0)",
    "add-key": 'syscall(number(248, 217), b"user", b"x", b"y", 1, -3)',
    "request-key": 'syscall(number(249, 218), b"user", b"x", None, -3)',
    "mount": 'syscall(number(165, 40), b"none", b".", b"tmpfs", 0, None)',
    "unmount": 'syscall(number(166, 39), b"/", 2)',
    "fsopen": 'syscall(430, b"tmpfs", 0)',
    "open-tree": 'syscall(428, -100, b"/", 1)',
    "move-mount": 'syscall(429, -100, b".", -100, b".", 0)',
    "mount-setattr": 'syscall(442, -100, b"/", 0, buffer, 32)',
    "pivot-root": 'syscall(number(155, 41), b".", b".")',
    "chroot": 'os.chroot(".")',
    "unshare-user": "syscall(number(272, 97), 0x10000000)",
    "unshare-mount": "syscall(number(272, 97), 0x20000)",
    "unshare-network": "syscall(number(272, 97), 0x40000000)",
    "unshare-process": "syscall(number(272, 97), 0x20000000)",
    "clone-user": "syscall(number(56, 220), 0x10000000 | 17, 0, 0, 0, 0) or os._exit(0)",
    "clone3-user": 'syscall(435, struct.pack("QQQQQQQQ", 0x10000000, 0, 0, 0, 17, 0, 0, 0), 64) or os._exit(0)',
    "setns": "syscall(number(308, 268), 0, 0)",
    "setns-of-server": "syscall(number(308, 268), os.pidfd_open(told['server']), 0x40000000)",
    "io-uring": "syscall(425, 4, buffer)",
    "io-uring-enter": "syscall(426, 0, 1, 0, 0, None, 0)",
    "bpf": "syscall(number(321, 280), 5, buffer, 64)",
    "perf": "syscall(number(298, 241), buffer, 0, -1, -1, 0)",
    "userfaultfd": "syscall(number(323, 282), 1)",
    "module": 'syscall(number(175, 105), buffer, 1, b"")',
    "module-from-file": 'syscall(number(313, 273), 0, b"", 0)',
    "kexec": "syscall(number(246, 104), 0, 0, buffer, 0)",
    "reboot": "syscall(number(169, 142), 0xFEE1DEAD, 672274793, 0, 0)",
    "memfd": 'syscall(number(319, 279), b"x", 0)',
    "memfd-secret": "syscall(447, 0)",
    "host-name": 'syscall(number(170, 161), b"x", 1)',
    "clock": "syscall(number(227, 112), 0, buffer)",
    "set-user": "os.setuid(12345)",
    "set-groups": "os.setgroups([12345])",
    "capabilities": "syscall(number(126, 91), struct.pack('Ii', 0x20080522, 0), struct.pack('IIIIII', 0x200000, 0x200000, 0, 0, 0, 0))",
    "ambient": "syscall(number(157, 167), 47, 2, 21, 0, 0)",
    "not-dumpable": "syscall(number(157, 167), 4, 0, 0, 0, 0)",
    "syslog": "syscall(number(103, 116), 3, buffer, 64)",
    "inotify": 'syscall(number(254, 27), syscall(number(294, 26), 0), told["secret"].encode(), 1)',
    "fanotify": "syscall(number(300, 262), 0, 0)",
    "shared-memory": "syscall(number(29, 194), 0x7470, 4096, 0o1600)",
    "message-queue": 'syscall(number(240, 180), b"trustplane", 0o102, 0o600, None)',
}
"""Refused by what the operating system or the sandbox says; the table is the same for both users."""

ENDING = """
inherited = []
for fd in range(3, 1024):
    try:
        os.fstat(fd)
    except OSError:
        continue
    inherited.append(fd)
how = {}
open("swap", "w").close()
for name, action in ESCAPES.items():
    try:
        got = eval(action)
    except OSError as error:
        how[name] = "refused: " + errno.errorcode.get(error.errno, type(error).__name__)
    else:
        how[name] = "got through: " + repr(got)[:80]
for name in ("link", "folder", "device", "swap"):
    if os.path.lexists(name):
        os.unlink(name)
how["inherited-descriptors"] = "refused: none" if not inherited else f"got through: {inherited}"
how["inherited-environment"] = "refused: none" if "sesame" not in str(os.environ) else "got through"
how["stdin"] = "refused: empty" if os.read(0, 1) == b"" else "got through"
print(json.dumps(how))
"""

HOST = """
import json, os, sys
from importlib.metadata import EntryPoint
from pathlib import Path
from trustplane.training.sandboxes.contract import Limits, SandboxJob
order = json.load(sys.stdin)
os.environ["SESAME"] = "sesame"
order["told"]["server"] = os.getpid()
order["told"]["descriptor"] = held = os.open(order["told"]["secret"], os.O_RDONLY)
os.set_inheritable(held, True)
root = Path(order["root"])
sandbox = EntryPoint("x", order["entry"], "x").load()()
command = (sys.executable, "-c", order["script"], order["mark"], json.dumps(order["told"]))
limits = Limits(**order["limits"])
result = sandbox.run(SandboxJob(command, (), root / "output", root / "logs", limits=limits))
print(json.dumps({"ended": str(result.ended), "code": result.exit_code, "out": result.stdout.read_text(), "err": result.stderr.read_text()[-2000:]}))
"""


@contextmanager
def place_for(user: str) -> Iterator[Path]:
    """A folder that belongs to the user, with a secret that is theirs too: only the sandbox keeps it from the script."""
    root = Path(tempfile.mkdtemp(prefix="trustplane-escape-"))
    try:
        (root / "output").mkdir()
        (root / "logs").mkdir()
        (root / "secret").write_text("the secret")
        if user == "ordinary" and os.geteuid() == 0:
            for path in (root, *root.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        yield root
    finally:
        shutil.rmtree(root)


def as_nobody(command: list[str]) -> list[str]:
    """The command as a user without rights. An interpreter in a home that is closed to others is shown to it in a mount namespace."""
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--bounding-set=-all", *command]
    base = Path(sys.base_prefix).resolve()
    closed = next((p for p in (*reversed(base.parents), base) if not p.stat().st_mode & 0o001), None)
    if closed is None:
        return drop
    shown = """
        set -e
        mkdir -p "$3" && mount --bind "$1" "$3" && mount -t tmpfs -o mode=755 none "$2"
        mkdir -p "$1" && mount --bind "$3" "$1" && shift 3 && exec "$@"
    """
    place = str(Path(tempfile.gettempdir(), "trustplane-escape-interpreter"))
    return ["unshare", "--mount", "sh", "-c", shown, "sh", str(base), str(closed), place, *drop]


def hosted(
    user: str, sandbox: str, root: Path, script: str, told: dict[str, object], **limits: float
) -> dict[str, object]:
    """Run a script in the sandbox of a server that is a process of the user; what came of it."""
    mark = f"mark-{secrets.token_hex(8)}"
    bounds = {"wall_seconds": 60, "memory_bytes": 512 * MIB, "output_bytes": 16 * MIB, **limits}
    order = {
        "entry": SANDBOXES[sandbox].value,
        "root": str(root),
        "script": script,
        "mark": mark,
        "told": told,
        "limits": bounds,
    }
    command = [sys.executable, "-B", "-c", HOST]
    if user == "ordinary" and os.geteuid() == 0:
        command = as_nobody(command)
    done = subprocess.run(
        command,
        input=json.dumps(order),
        capture_output=True,
        text=True,
        cwd=root,
        env={"PATH": os.defpath},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert processes_marked(mark) == []
    result: dict[str, object] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module", params=[(s, u) for s in sorted(SANDBOXES) for u in USERS], ids="-".join)
def tried(request: pytest.FixtureRequest) -> Iterator[tuple[dict[str, str], Path, dict[str, socket.socket]]]:
    """What came of every vector; the place, and listeners of every kind that nothing may have reached."""
    sandbox, user = request.param
    with place_for(user) as root, ExitStack() as stack:
        name = f"trustplane-{secrets.token_hex(8)}"
        listeners = {
            "tcp": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            "udp": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            "path": (socket.AF_UNIX, socket.SOCK_STREAM, str(root / "s")),
            "path_datagram": (socket.AF_UNIX, socket.SOCK_DGRAM, str(root / "d")),
            "abstract": (socket.AF_UNIX, socket.SOCK_STREAM, f"\0{name}"),
        }
        opened = {}
        for kind, (family, how, address) in listeners.items():
            opened[kind] = stack.enter_context(socket.socket(family, how))
            opened[kind].bind(address)
            opened[kind].setblocking(False)
            if how == socket.SOCK_STREAM:
                opened[kind].listen()
        for path in (root / "s", root / "d"):
            path.chmod(0o777)
        told: dict[str, object] = {
            "secret": str(root / "secret"),
            "tcp": opened["tcp"].getsockname()[1],
            "udp": opened["udp"].getsockname()[1],
            "path": str(root / "s"),
            "path_datagram": str(root / "d"),
            "abstract": name,
        }
        script = PRELUDE + f"ESCAPES = {ESCAPES!r}\n" + ENDING
        result = hosted(user, sandbox, root, script, told)
        assert result["code"] == 0, result
        yield json.loads(str(result["out"]).splitlines()[-1]), root, opened


BARRED = {"EPERM", "EACCES", "ENOSYS", "EXDEV", "EMFILE", "gaierror", "none", "empty"}


@pytest.mark.parametrize("vector", [*ESCAPES, "inherited-descriptors", "inherited-environment", "stdin"])
def test_no_vector_gets_through(tried: tuple[dict[str, str], Path, object], vector: str) -> None:
    # Not for another reason, such as an argument that makes no sense: then the vector would prove nothing.
    assert tried[0][vector].removeprefix("refused: ") in BARRED, tried[0][vector]


def test_nothing_of_it_is_seen_outside(tried: tuple[dict[str, str], Path, dict[str, socket.socket]]) -> None:
    _, root, listeners = tried
    assert (root / "secret").read_text() == "the secret"
    assert sorted(path.name for path in root.iterdir()) == ["d", "logs", "output", "s", "secret"]
    assert list((root / "output").iterdir()) == []
    for listener in listeners.values():
        with pytest.raises(BlockingIOError):
            listener.accept() if listener.type == socket.SOCK_STREAM else listener.recv(10)


BOMBS = {
    "forks": ("import os, time\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        time.sleep(0.01)", {"processes": 8, "wall_seconds": 2}, {"timed-out", "processes"}),
    "threads": ("import threading, time\nthreading.stack_size(65536)\nwhile True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()", {"threads": 32}, {"processes", "completed"}),
    "memory": ("kept = []\nwhile True: kept.append(bytearray(1 << 20))", {"memory_bytes": 96 * MIB}, {"memory", "completed"}),
    "disk": ("with open('x', 'wb') as file:\n    while True: file.write(bytes(1 << 20))", {"output_bytes": 4 * MIB}, {"disk"}),
    "files": ("for n in range(1 << 30): open(str(n), 'w').close()", {"output_files": 200}, {"disk"}),
    "time": ("import signal, time\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\ntime.sleep(600)", {"wall_seconds": 1}, {"timed-out"}),
    "processor": ("while True: pass", {"cpu_seconds": 1}, {"cpu", "killed"}),
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize(("sandbox", "user"), [(s, u) for s in sorted(SANDBOXES) for u in USERS])
def test_a_bomb_is_ended_and_leaves_no_process(sandbox: str, user: str, bomb: str) -> None:
    script, limits, ends = BOMBS[bomb]
    with place_for(user) as root:
        result = hosted(user, sandbox, root, script, {"secret": str(root / "secret")}, **limits)
    assert result["ended"] in ends, result
    assert result["code"] != 0, result
