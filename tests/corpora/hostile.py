"""Hostile model files, made here and harmless: what fires only makes an empty file called ``fired`` where it runs.

    python tests/corpora/hostile.py FOLDER      # write all of them, for other scanners to be tried on

Each names the family that it belongs to and the reader that fires it; :func:`fire` proves it in a process of its own. They follow the
published advisories of picklescan, modelscan and fickling, and the ways that files are hidden from scanners by their container.
"""

import bz2
import gzip
import io
import itertools
import json
import lzma
import marshal
import os
import pickle
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.corpora.weights import weights_files

COMMAND = "touch fired"
PYTHON = "open('fired', 'w')"


@dataclass(frozen=True)
class Hostile:
    """A hostile file. ``reader`` is what fires it: pickle, joblib, numpy, torch, pandas, dill; empty where it is hostile in another way."""

    name: str
    family: str
    data: bytes
    reader: str = "pickle"


# --- pickles by hand -------------------------------------------------------------------------------------------------
def body(value: object, protocol: int = 2) -> bytes:
    """A value as opcodes without header and end."""
    return pickle.dumps(value, protocol)[2 if protocol >= 2 else 0 : -1]


def call(module: str, name: str, *arguments: object) -> bytes:
    """Opcodes that call a global (GLOBAL, REDUCE)."""
    return f"c{module}\n{name}\n".encode() + body(arguments) + b"R"


def dotted(module: str, name: str, *arguments: object) -> bytes:
    """Opcodes that call what a dotted name reaches (STACK_GLOBAL, protocol 4)."""
    return body(module, 4) + body(name, 4) + b"\x93" + body(arguments) + b"R"


def plain(code: bytes, protocol: int = 4) -> bytes:
    """A whole pickle."""
    return bytes([0x80, protocol]) + code + b"."


SYSTEM = call("posix", "system", COMMAND)
FIRE = plain(SYSTEM)

# What the advisories name, as module, name and arguments: each runs a command, evaluates a text or loads another pickle.
CALLS: tuple[tuple[str, str, tuple[object, ...]], ...] = (
    ("os", "system", (COMMAND,)),
    ("posix", "system", (COMMAND,)),
    ("os", "popen", (COMMAND,)),
    ("os", "spawnlp", (0, "touch", "touch", "fired")),
    ("os", "posix_spawn", ("/usr/bin/touch", ["touch", "fired"], {})),
    ("subprocess", "Popen", (["touch", "fired"],)),
    ("subprocess", "check_output", (["touch", "fired"],)),
    ("subprocess", "getoutput", (COMMAND,)),
    ("_posixsubprocess", "fork_exec", None),
    ("builtins", "eval", (PYTHON,)),
    ("builtins", "exec", (PYTHON,)),
    ("builtins", "open", ("fired", "w")),
    ("io", "open", ("fired", "w")),
    ("io", "FileIO", ("fired", "w")),
    ("_io", "FileIO", ("fired", "w")),
    ("codecs", "open", ("fired", "w")),
    ("pty", "spawn", (["touch", "fired"],)),
    ("timeit", "timeit", ("0", PYTHON)),
    ("cProfile", "run", (PYTHON,)),
    ("cProfile", "runctx", (PYTHON, {}, {})),
    ("profile", "run", (PYTHON,)),
    ("pydoc", "pipepager", ("", COMMAND)),
    ("pydoc", "tempfilepager", ("", "touch fired #")),
    ("runpy", "run_path", ("fires.py",)),
    ("code", "interact", None),
    ("doctest", "debug_script", None),
    ("bdb", "Bdb", None),
    ("uuid", "_get_command_stdout", None),
    ("multiprocessing.util", "spawnv_passfds", (b"/usr/bin/touch", [b"touch", b"fired"], ())),
    ("test.support.script_helper", "assert_python_ok", ("-c", PYTHON)),
    ("ensurepip", "_run_pip", None),
    ("lib2to3.pgen2.driver", "load_grammar", None),
    ("lib2to3.pgen2.grammar", "Grammar.loads", None),
    ("distutils.file_util", "write_file", ("fired", ["x"])),
    ("distutils.spawn", "spawn", (["touch", "fired"],)),
    ("setuptools._distutils.file_util", "write_file", None),
    ("pathlib", "Path.touch", None),
    ("shutil", "copyfile", ("fires.py", "fired")),
    ("tempfile", "mkstemp", None),
    ("logging", "FileHandler", ("fired",)),
    ("sqlite3", "connect", ("fired",)),
    ("_sqlite3", "connect", ("fired",)),
    ("dbm.dumb", "open", None),
    ("gzip", "open", ("fired", "wb")),
    ("zipfile", "ZipFile", ("fired", "w")),
    ("tarfile", "TarFile", ("fired", "w")),
    ("pickle", "loads", (FIRE,)),
    ("_pickle", "loads", (FIRE,)),
    ("pickle", "_loads", (FIRE,)),
    ("joblib", "load", ("fires.pkl",)),
    ("pandas", "read_pickle", ("fires.pkl",)),
    ("pandas.io.pickle", "read_pickle", ("fires.pkl",)),
    ("pandas.core.computation.eval", "eval", None),
    ("numpy.testing._private.utils", "runstring", (PYTHON, {})),
    ("numpy.f2py.crackfortran", "myeval", (PYTHON,)),
    ("numpy.f2py.crackfortran", "getlincoef", (f"__import__('os').system('{COMMAND}')", {"n": 1})),
    ("numpy", "savetxt", ("fired", [1.0])),
    ("numpy", "save", ("fired.npy", [1.0])),
    ("torch.utils.collect_env", "run", (COMMAND,)),
    ("torch.serialization", "load", None),
    ("torch.storage", "_load_from_bytes", None),
    ("cloudpickle", "loads", None),
)  # fmt: skip


def called() -> Iterator[Hostile]:
    """Each of them, called; those with no arguments here are only asked for."""
    for module, name, arguments in CALLS:
        label = f"{module}.{name}".replace(".", "-")
        if arguments is None:
            code = (
                f"c{module}\n{name}\n".encode() + b"0N"
                if "." not in name
                else body(module, 4) + body(name, 4) + b"\x930N"
            )
            yield Hostile(f"asks-{label}.pkl", "named", plain(code), "")
        else:
            yield Hostile(f"calls-{label}.pkl", "named", plain(call(module, name, *arguments)))


def virtual_machine() -> Iterator[Hostile]:
    """Tricks of the pickle machine itself."""
    yield Hostile("protocol-0.pkl", "opcodes", b"cos\nsystem\n(S'touch fired'\ntR.")
    yield Hostile("inst.pkl", "opcodes", b"(S'touch fired'\nios\nsystem\n.")
    yield Hostile("obj.pkl", "opcodes", b"(cos\nsystem\nS'touch fired'\no.")
    yield Hostile("newobj.pkl", "opcodes", plain(b"c_io\nFileIO\n" + body(("fired", "w")) + b"\x81"), "")
    yield Hostile("newobj-then-call.pkl", "opcodes", plain(b"csubprocess\nPopen\n)\x81" + b"0" + SYSTEM))
    yield Hostile("newobj-ex.pkl", "opcodes", plain(SYSTEM + b"0ccollections\nOrderedDict\n)}\x92"))
    yield Hostile("python-2-names.pkl", "opcodes", plain(call("__builtin__", "eval", PYTHON), 2))
    yield Hostile("python-2-commands.pkl", "opcodes", plain(call("commands", "getoutput", COMMAND), 2))
    yield Hostile("no-header.bin", "opcodes", b"]" + call("posix", "system", COMMAND) + b"a.")
    yield Hostile("popped.pkl", "opcodes", plain(SYSTEM + b"0N"))
    yield Hostile("popped-with-mark.pkl", "opcodes", plain(b"(" + SYSTEM + b"1N"))
    yield Hostile("in-state.pkl", "opcodes", plain(b"ccollections\nOrderedDict\n)R}U\x01a" + SYSTEM + b"sb"))
    # PUT and MEMOIZE count apart: a scanner that follows one of them alone looks up another text.
    mixed = b"U\x04safeq\x000U\x05posix\x94" + b"0U\x06system\x940" + b"h\x01h\x02\x93" + body((COMMAND,)) + b"R"
    yield Hostile("memo-mixed.pkl", "opcodes", plain(mixed))
    yield Hostile(
        "memo-overwritten.pkl",
        "opcodes",
        plain(b"\x8c\x04mathq\x010\x8c\x05posixq\x010h\x01\x8c\x06system\x93" + body((COMMAND,)) + b"R"),
    )
    yield Hostile(
        "memo-long.pkl",
        "opcodes",
        plain(b"\x8c\x05posixr\x10\x27\x00\x000j\x10\x27\x00\x00\x8c\x06system\x93" + body((COMMAND,)) + b"R"),
    )
    yield Hostile(
        "memo-text.pkl", "opcodes", plain(b"\x8c\x05posixp7\n0g7\n\x8c\x06system\x93" + body((COMMAND,)) + b"R")
    )
    yield Hostile(
        "duplicated.pkl", "opcodes", plain(b"\x8c\x05posix\x8c\x06system\x932" + b"0" + body((COMMAND,)) + b"R")
    )
    yield Hostile(
        "texts-of-all-kinds.pkl",
        "opcodes",
        plain(b"V\\u0070osix\nX\x06\x00\x00\x00system\x93" + body((COMMAND,)) + b"R"),
    )
    yield Hostile(
        "long-texts.pkl",
        "opcodes",
        plain(b"\x8d\x05\x00\x00\x00\x00\x00\x00\x00posix\x8c\x06system\x93" + body((COMMAND,)) + b"R"),
    )
    yield Hostile(
        "frames.pkl",
        "opcodes",
        plain(b"\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93" + body((COMMAND,)) + b"R"),
    )
    yield Hostile(
        "extension-registry.pkl",
        "opcodes",
        plain(call("copyreg", "add_extension", "posix", "system", 240) + b"0\x82\xf0" + body((COMMAND,)) + b"R"),
    )
    yield Hostile(
        "extension-registry-long.pkl",
        "opcodes",
        plain(
            call("copyreg", "add_extension", "posix", "system", 70000)
            + b"0\x84\x70\x11\x01\x00"
            + body((COMMAND,))
            + b"R"
        ),
    )
    yield Hostile("build-overwrites.pkl", "opcodes", plain(_overwrites()))
    yield Hostile("dotted-os.pkl", "dotted", plain(dotted("joblib", "os.system", COMMAND)))
    yield Hostile("dotted-in-stdlib.pkl", "dotted", plain(dotted("logging", "os.system", COMMAND)))
    yield Hostile("dotted-sys-modules.pkl", "dotted", plain(dotted("random", "_os.system", COMMAND)))
    yield Hostile(
        "getattr-import.pkl",
        "indirect",
        plain(
            b"cbuiltins\ngetattr\n"
            + call("importlib", "import_module", "os")
            + body("system")
            + b"\x86R"
            + body((COMMAND,))
            + b"R"
        ),
    )
    yield Hostile(
        "getattr-loader.pkl",
        "indirect",
        plain(b"cbuiltins\ngetattr\ncos\nenviron\n" + body("get") + b"\x86R0" + SYSTEM),
    )
    yield Hostile(
        "map.pkl",
        "indirect",
        plain(b"cbuiltins\nlist\ncbuiltins\nmap\ncposix\nsystem\n" + body([COMMAND]) + b"\x86R\x85R"),
    )
    yield Hostile(
        "partial.pkl", "indirect", plain(b"cfunctools\npartial\ncposix\nsystem\n" + body(COMMAND) + b"\x86R)R")
    )
    yield Hostile("reduce.pkl", "indirect", plain(_reduced()))
    yield Hostile(
        "methodcaller.pkl",
        "indirect",
        plain(
            call("operator", "methodcaller", "system", COMMAND) + call("importlib", "import_module", "os") + b"\x85R"
        ),
    )
    yield Hostile(
        "attrgetter.pkl",
        "indirect",
        plain(
            call("operator", "attrgetter", "system")
            + call("importlib", "import_module", "os")
            + b"\x85R"
            + body((COMMAND,))
            + b"R"
        ),
    )
    yield Hostile(
        "defaultdict.pkl",
        "indirect",
        plain(
            b"cbuiltins\ngetattr\n"
            b"ccollections\ndefaultdict\ncsubprocess\nPopen\n\x85R" + body("get") + b"\x86R0" + SYSTEM
        ),
    )
    yield Hostile("code-object.pkl", "code", plain(_function()))
    yield Hostile(
        "resolve-name.pkl", "indirect", plain(call("pkgutil", "resolve_name", "os:system") + body((COMMAND,)) + b"R")
    )
    yield Hostile("then-junk.pkl", "broken", plain(SYSTEM)[:-1] + b"\xff\xff\xff")
    yield Hostile("cut-off.pkl", "broken", plain(SYSTEM)[:-1])
    yield Hostile("then-more.pkl", "broken", FIRE + b"\x00" * 64)
    yield Hostile("second-stream.pkl", "broken", plain(b"N") + FIRE, "pickles")
    yield Hostile("persistent-id.pkl", "opcodes", plain(SYSTEM + b"0" + body("x") + b"Q"))
    yield Hostile("out-of-band.pkl", "opcodes", plain(SYSTEM + b"0\x97", 5))


def _overwrites() -> bytes:
    """BUILD sets attributes of a module: its state is a pair of nothing and what to set."""
    module = call("importlib", "import_module", "os")
    return module + b"(N}U\x06getcwdcposix\nsystem\nstb0" + b"cos\ngetcwd\n" + body((COMMAND,)) + b"R"


def _reduced() -> bytes:
    return b"cfunctools\nreduce\n" + b"cbuiltins\nexec\n" + body([PYTHON, {}]) + b"\x86R"


def _function() -> bytes:
    code = marshal.dumps(compile(PYTHON, "x", "exec"))
    builtins = b"}U\x0c__builtins__" + call("importlib", "import_module", "builtins") + b"s"
    return b"ctypes\nFunctionType\n" + call("marshal", "loads", code) + builtins + b"\x86R)R"


# --- containers ------------------------------------------------------------------------------------------------------
def packed() -> Iterator[Hostile]:
    """The same pickle where scanners do not look."""
    for name, pack in (("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress), ("z", zlib.compress)):
        yield Hostile(f"joblib.{name}", "compressed", pack(FIRE), "joblib")
    yield Hostile("two-members.gz", "compressed", gzip.compress(FIRE[:20]) + gzip.compress(FIRE[20:]), "")
    yield Hostile("renamed.txt", "renamed", FIRE)
    yield Hostile("renamed.safetensors", "renamed", FIRE)
    yield Hostile("no-extension", "renamed", FIRE)
    yield Hostile("in.zip", "nested", zipped({"model.pkl": FIRE}), "")
    yield Hostile("in-zip-in.zip", "nested", zipped({"inner.zip": zipped({"model.pkl": FIRE})}), "")
    yield Hostile("deep.zip", "nested", zipped({"a": zipped({"b": zipped({"c": zipped({"d": FIRE})})})}), "")
    yield Hostile("in.tar", "nested", tarred({"model.pkl": FIRE}), "")
    yield Hostile("in.tar.gz", "nested", gzip.compress(tarred({"model.pkl": FIRE})), "")


def numpy_files() -> Iterator[Hostile]:
    """Arrays of objects, and joblib's arrays between opcodes."""
    import joblib
    import numpy as np

    class Fires:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, (COMMAND,)

    array = np.empty(1, dtype=object)
    array[0] = Fires()
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    yield Hostile("objects.npy", "numpy", file.getvalue(), "numpy")
    file = io.BytesIO()
    np.savez(file, a=np.arange(3), b=array)
    yield Hostile("objects.npz", "numpy", file.getvalue(), "numpy")
    file = io.BytesIO()
    np.savez_compressed(file, b=array)
    yield Hostile("objects-compressed.npz", "numpy", file.getvalue(), "numpy")
    file = io.BytesIO()
    joblib.dump([np.arange(100.0), {"a": Fires()}], file)
    yield Hostile("after-arrays.joblib", "joblib", file.getvalue(), "joblib")
    file = io.BytesIO()
    joblib.dump([np.arange(3), array], file)
    yield Hostile("objects.joblib", "joblib", file.getvalue(), "joblib")
    # joblib.load sees numbers; pickle.load goes on with their bytes as opcodes.
    padded = np.frombuffer((SYSTEM + b"0").ljust(256, b"N"), dtype="u1")
    file = io.BytesIO()
    joblib.dump([padded], file)
    yield Hostile("numbers-are-opcodes.joblib", "joblib", _without_padding(file.getvalue()), "pickle")


def _without_padding(data: bytes) -> bytes:
    """joblib's own padding would stop pickle.load before the numbers; files of before version 1.2 had none."""
    start = data.index(SYSTEM)
    name = b"numpy_array_alignment_bytes"
    at = data.index(name) - 2
    head = data[: data.index(b"\x95") + 1]
    frame_at = len(head)
    length = int.from_bytes(data[frame_at : frame_at + 8], "little")
    frame = data[frame_at + 8 : frame_at + 8 + length]
    cut = at - frame_at - 8
    # The key, its memo and its value (a small number) go.
    end = frame.index(b"K\x10", cut) + 2
    frame = frame[:cut] + frame[end:]
    return head + len(frame).to_bytes(8, "little") + frame + data[start:]


def torch_files() -> Iterator[Hostile]:
    """PyTorch's two forms, and what a ZIP archive can be bent to."""
    pickled = plain(SYSTEM, 2)
    members = {"m/data.pkl": pickled, "m/version": b"3\n"}
    sound = zipped(members)
    yield Hostile("model.pt", "torch", sound, "torch")
    magic = (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}})
    legacy = b"".join(pickle.dumps(each, 2) for each in magic) + pickled + pickle.dumps([], 2)
    yield Hostile("legacy.pt", "torch", legacy, "torch")
    yield Hostile("bad-sum.pt", "zip", flipped(sound, b"PK\x01\x02", 16, 0xFF), "torch")
    yield Hostile("encrypted-flag.pt", "zip", flipped(flipped(sound, b"PK\x01\x02", 8, 1), b"PK\x03\x04", 6, 1), "")
    yield Hostile("flag-in-directory.pt", "zip", flipped(sound, b"PK\x01\x02", 8, 1), "")
    yield Hostile("other-name-inside.pt", "zip", sound.replace(b"m/data.pkl", b"m/data.txt", 1), "")
    yield Hostile("other-name-outside.pt", "zip", b"m/data.txt".join(sound.rsplit(b"m/data.pkl", 1)), "")
    yield Hostile(
        "script.pt",
        "torch",
        zipped({"m/data.pkl": plain(b"N", 2), "m/constants.pkl": plain(b")", 2), "m/code/__torch__.py": b"x"}),
        "",
    )
    yield Hostile("hidden-member.pt", "torch", zipped({"m/data.pkl": plain(b"N", 2), "m/extra/more.pkl": FIRE}), "")
    yield Hostile("second-pickle.pt", "torch", zipped({"m/data.pkl": plain(b"N", 2), "n/data.pkl": FIRE}), "")


def zips() -> Iterator[Hostile]:
    """Archives that two readers read in two ways, or that write elsewhere."""
    safe = {"a.txt": b"hello\n"}
    with_fire = zipped({"a.txt": FIRE})
    yield Hostile("same-name-twice.zip", "zip", zipped([("a.txt", b"hello\n"), ("a.txt", FIRE)]), "")
    yield Hostile("out-of-folder.zip", "zip", zipped({"../a.txt": b"hello\n"}), "")
    yield Hostile("absolute.zip", "zip", zipped({"/etc/a.txt": b"hello\n"}), "")
    yield Hostile("backslash.zip", "zip", zipped({"..\\a.txt": b"hello\n"}), "")
    yield Hostile("before.zip", "zip", FIRE + zipped(safe))
    yield Hostile("after.zip", "zip", zipped(safe) + FIRE, "")
    yield Hostile("between.zip", "zip", _with_gap(zipped(safe), FIRE), "")
    yield Hostile("two-archives.zip", "zip", with_fire + zipped(safe), "")
    yield Hostile("comment.zip", "zip", zipped(safe)[:-2] + struct.pack("<H", len(FIRE)) + FIRE, "")
    link = zipfile.ZipInfo("link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    yield Hostile("link.zip", "zip", zipped([(link, b"/etc/passwd")]), "")
    yield Hostile("bomb.zip", "bomb", zipped({"a.txt": b"\0" * (300 << 20)}, zipfile.ZIP_DEFLATED), "")
    yield Hostile("overlap.zip", "bomb", _overlapping(), "")
    yield Hostile("bomb.gz", "bomb", gzip.compress(b"\0" * (300 << 20), 1), "")


def tars() -> Iterator[Hostile]:
    """Tape archives that write elsewhere."""
    yield Hostile("out-of-folder.tar", "tar", tarred({"../a.txt": b"hello\n"}), "")
    for name, kind, target in (
        ("link", tarfile.SYMTYPE, "/etc/passwd"),
        ("hard-link", tarfile.LNKTYPE, "a.txt"),
        ("device", tarfile.CHRTYPE, ""),
        ("pipe", tarfile.FIFOTYPE, ""),
    ):
        entry = tarfile.TarInfo("link")
        entry.type, entry.linkname = kind, target
        yield Hostile(f"{name}.tar", "tar", tarred([(entry, b"")]), "")
    yield Hostile("after.tar", "tar", tarred({"a.txt": b"hello\n"}) + FIRE, "")
    yield Hostile(
        "same-name-twice.tar",
        "tar",
        tarred([(_entry("a.txt", b"hello\n"), b"hello\n"), (_entry("a.txt", FIRE), FIRE)]),
        "",
    )


def other_formats() -> Iterator[Hostile]:
    """Formats of other tools that hold code, or lie about themselves."""
    layer = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Lambda", "config": {"function": "x"}}]}}
    config = json.dumps(layer).encode()
    yield Hostile(
        "lambda.keras",
        "keras",
        zipped({"config.json": config, "metadata.json": b"{}", "model.weights.h5": b"\x89HDF\r\n\x1a\n"}),
        "",
    )
    yield Hostile("lambda.h5", "keras", b"\x89HDF\r\n\x1a\n" + bytes(64) + config, "")
    yield Hostile("object.rds", "r", gzip.compress(b"X\n\x00\x00\x00\x03\x00\x04\x00\x00"), "")
    yield Hostile("workspace.RData", "r", gzip.compress(b"RDX3\nX\n\x00\x00\x00\x03"), "")
    yield Hostile("header.safetensors", "length", (1 << 40).to_bytes(8, "little") + b"{}", "")
    yield Hostile("program.bin", "program", b"\x7fELF" + bytes(60), "")
    yield Hostile("script.bin", "program", b"#!/bin/sh\ntouch fired\n", "")
    yield from boosted_trees()
    yield Hostile("empty.pkl", "empty", b"", "")
    yield Hostile("noise.bin", "unknown", bytes(range(256)) * 4, "")


# --- skops: a schema of nodes by hand --------------------------------------------------------------------------------
def node(loader: str, dotted: str, **parts: object) -> dict[str, object]:
    """A node of skops."""
    module, _, name = dotted.rpartition(".")
    return {"__class__": name, "__module__": module, "__loader__": loader, "__id__": next(_NUMBERS), **parts}


_NUMBERS = itertools.count(1)


def held(value: object) -> dict[str, object]:
    """A plain value."""
    return node("JsonNode", "builtins.str", content=json.dumps(value), is_json=True)


def row(*items: object, kind: str = "Tuple") -> dict[str, object]:
    """A tuple or a list."""
    return node(f"{kind}Node", f"builtins.{kind.lower()}", content=list(items))


def mapping(**parts: object) -> dict[str, object]:
    """A dictionary whose keys are texts."""
    types = row(*(node("TypeNode", "builtins.str") for _ in parts), kind="List")
    return node("DictNode", "builtins.dict", content=parts, key_types=types)


def skops_file(root: dict[str, object], protocol: int = 2, **members: bytes) -> bytes:
    """A whole file."""
    schema = {**root, "protocol": protocol, "_skops_version": "0.16.0"}
    return zipped({**members, "schema.json": json.dumps(schema).encode()})


def skops_files() -> Iterator[Hostile]:
    """What skops loads where every type is trusted that it asks to be trusted, as people do; and what it asks for nothing of."""
    touch = row(held("touch fired"))
    system = node("FunctionNode", "posix.system")
    path = node("ConstructorFromReduceNode", "pathlib.PosixPath", content=row(held("fired")))
    method = node("MethodNode", "pathlib.PosixPath", content={"func": "touch", "obj": path})
    yield Hostile(
        "cve-2025-54412.skops",
        "skops-operator",
        skops_file(node("OperatorFuncNode", "operator.call", attrs=row(system, *touch["content"]))),
        "skops",
    )
    yield Hostile(
        "cve-2025-54413.skops",
        "skops-method",
        skops_file(node("OperatorFuncNode", "operator.call", attrs=row(method))),
        "skops",
    )
    yield Hostile("cve-2025-54886.skops", "skops-fallback", FIRE, "joblib")
    command = row(held("touch"), held("fired"), kind="List")
    yield Hostile(
        "constructor.skops",
        "skops-constructor",
        skops_file(node("ConstructorFromReduceNode", "subprocess.Popen", content=row(command))),
        "skops",
    )
    partial = {"func": system, "args": touch, "kwds": mapping(), "namespace": held(None)}
    yield Hostile(
        "partial.skops",
        "skops-operator",
        skops_file(
            node(
                "OperatorFuncNode",
                "operator.call",
                attrs=row(node("PartialNode", "functools.partial", content=partial)),
            )
        ),
        "skops",
    )
    yield Hostile("spoofed.skops", "skops-operator", skops_file(
        node("OperatorFuncNode", "sklearn.linear_model._stochastic_gradient.SGDRegressor", attrs=touch)), "")  # fmt: skip
    yield Hostile("function.skops", "skops-function", skops_file(system), "")
    yield Hostile("type.skops", "skops-type", skops_file(node("TypeNode", "builtins.eval")), "")
    yield Hostile("imports.skops", "skops-type", skops_file(node("TypeNode", "antigravity.geohash")), "")
    yield Hostile("dotted.skops", "skops-type", skops_file(node("TypeNode", "os.path.system")), "")
    yield Hostile("cached.skops", "skops-cached", skops_file(row(touch, node("CachedNode", "builtins.str"))), "")
    old = {**node("FunctionNode", "numpy.log1p"), "content": {"module_path": "posix", "function": "system"}}
    yield Hostile("protocol.skops", "skops-protocol", skops_file(old, protocol=0), "")
    yield Hostile("unknown-loader.skops", "skops-loader", skops_file(node("QuantileForestNode", "builtins.str")), "")
    yield Hostile("absent.skops", "skops-member", skops_file(
        node("NdArrayNode", "numpy.ndarray", type="numpy", file="7.npy")), "")  # fmt: skip
    yield Hostile("beside.skops", "skops-member", skops_file(held(1), **{"evil.pkl": FIRE}), "")
    yield Hostile("twice.skops", "skops-member", zipped({"schema.json": b'{"protocol": 2, "protocol": 2}'}), "")
    yield Hostile(
        "deep.skops", "skops-bomb", zipped({"schema.json": b'{"content":' * 50_000 + b"1" + b"}" * 50_000}), ""
    )
    objects = (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117)
        + b"\n"
        + FIRE
    )
    yield Hostile("objects.skops", "skops-member", skops_file(
        node("NdArrayNode", "numpy.ndarray", type="numpy", file="7.npy"), **{"7.npy": objects}), "")  # fmt: skip
    shadow = mapping(C=held(1.0), predict=node("FunctionNode", "numpy.exp"))
    yield Hostile("shadow.skops", "skops-attribute", skops_file(
        node("ObjectNode", "sklearn.linear_model._logistic.LogisticRegression", content=shadow)), "")  # fmt: skip
    generator = {"bit_generator": mapping(bit_generator=held("seed")), "seed_seq": mapping()}
    yield Hostile("generator.skops", "skops-generator", skops_file(
        node("RandomGeneratorNode", "numpy.random._generator.Generator", content=generator)), "")  # fmt: skip


def weights() -> Iterator[Hostile]:
    """Files of weights alone (``tests/corpora/weights.py``)."""
    for name, family, data in weights_files():
        yield Hostile(name, family, data, "")


def xgboost_model(**changes: object) -> bytes:
    """A small sound model of XGBoost, with changes of its one tree."""
    tree = {
        "base_weights": [0.0, 1.0, -1.0], "categories": [], "categories_nodes": [], "categories_segments": [], "categories_sizes": [],
        "default_left": [0, 0, 0], "id": 0, "left_children": [1, -1, -1], "loss_changes": [1.0, 0.0, 0.0], "parents": [2147483647, 0, 0],
        "right_children": [2, -1, -1], "split_conditions": [0.5, 1.0, -1.0], "split_indices": [0, 0, 0], "split_type": [0, 0, 0],
        "sum_hessian": [2.0, 1.0, 1.0],
        "tree_param": {"num_deleted": "0", "num_feature": "2", "num_nodes": "3", "size_leaf_vector": "1"},
    }  # fmt: skip
    counts = {"num_parallel_tree": "1", "num_trees": "1"}
    booster = {"gbtree_model_param": counts, "tree_info": [0], "trees": [{**tree, **changes}]}
    learner = {
        "attributes": {},
        "gradient_booster": {"model": booster, "name": "gbtree"},
        "learner_model_param": {"base_score": "5E-1", "num_class": "0", "num_feature": "2"},
        "objective": {"name": "binary:logistic", "reg_loss_param": {"scale_pos_weight": "1"}},
    }
    return json.dumps({"learner": learner, "version": [3, 2, 0]}).encode()


def lightgbm_model(**changes: str) -> bytes:
    """A small sound model of LightGBM, with changes of its one tree."""
    lines = {
        "num_leaves": "2", "num_cat": "0", "split_feature": "0", "split_gain": "1", "threshold": "0.5", "decision_type": "2",
        "left_child": "-1", "right_child": "-2", "leaf_value": "0.1 -0.1", "leaf_weight": "1 1", "leaf_count": "1 1", "internal_value": "0",
        "internal_weight": "2", "internal_count": "2", "cat_boundaries": "", "cat_threshold": "", "is_linear": "0", "shrinkage": "1",
        **changes,
    }  # fmt: skip
    tree = "Tree=0\n" + "".join(f"{k}={v}\n" for k, v in lines.items() if v or not k.startswith("cat_")) + "\n\n"
    head = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\nobjective=binary sigmoid:1\n"
    head += f"feature_names=a b\nfeature_infos=[0:1] [0:1]\ntree_sizes={len(tree)}\n\n"
    return (head + tree + "end of trees\n\nfeature_importances:\na=1\n\nparameters:\n\nend of parameters\n").encode()


def boosted_trees() -> Iterator[Hostile]:
    """Native models of boosted trees whose indices lead beyond them, or round in circles: their C++ readers follow."""
    yield Hostile("circle.json", "indices", xgboost_model(left_children=[0, -1, -1]), "")
    yield Hostile("child.json", "indices", xgboost_model(left_children=[1 << 29, -1, -1]), "")
    yield Hostile("feature.json", "indices", xgboost_model(split_indices=[1 << 28, 0, 0]), "")
    yield Hostile("short.json", "indices", xgboost_model(split_conditions=[]), "")
    high = {"categories": [(1 << 31) - 1], "categories_nodes": [0], "categories_segments": [0], "categories_sizes": [1]}
    yield Hostile("category.json", "bomb", xgboost_model(**high, split_type=[1, 0, 0]), "")
    yield Hostile("twice.json", "length", xgboost_model()[:-1] + b', "version": [1, 0, 0]}', "")
    learner = b"{L" + (7).to_bytes(8, "big") + b"learner{L" + (10).to_bytes(8, "big") + b"attributes"
    yield Hostile("count.ubj", "length", learner + b"[$T#L" + (1 << 60).to_bytes(8, "big") + b"}", "")
    yield Hostile("deep.ubj", "bomb", learner + b"[" * 200_000, "")
    yield Hostile("circle.txt", "indices", lightgbm_model(left_child="0"), "")
    yield Hostile("leaf.txt", "indices", lightgbm_model(right_child="-9999"), "")
    yield Hostile("feature.txt", "indices", lightgbm_model(split_feature="99999999"), "")
    yield Hostile("leaves.txt", "bomb", lightgbm_model(num_leaves="2000000000"), "")
    bits = {"num_cat": "1", "decision_type": "1", "threshold": "7", "cat_boundaries": "0 1", "cat_threshold": "1"}
    yield Hostile("category.txt", "indices", lightgbm_model(**bits), "")
    yield Hostile("binary.cbm", "unknown", b"CBM1" + bytes(64), "")


def bombs() -> Iterator[Hostile]:
    """Small pickles that ask for much."""
    hashing = b")" + b"".join(b"q%c0(" % n + b"h%c" % n * 2 + b"t" for n in range(100)) + b"q\xff0}h\xffNs"
    yield Hostile("hash-bomb.pkl", "bomb", plain(hashing), "")
    yield Hostile("memo-index.pkl", "bomb", plain(b"Nr\xff\xff\xff\x7f"), "")
    yield Hostile("length.pkl", "bomb", plain(b"\x8e" + (1 << 50).to_bytes(8, "little")), "")
    yield Hostile("frame.pkl", "bomb", plain(b"\x95" + (1 << 62).to_bytes(8, "little")), "")
    yield Hostile("bytearray.pkl", "bomb", plain(call("builtins", "bytearray", 1 << 60)), "")
    yield Hostile("codec.pkl", "bomb", plain(call("_codecs", "encode", "x", "zlib")), "")


# --- making containers -----------------------------------------------------------------------------------------------
def zipped(members: object, method: int = zipfile.ZIP_STORED) -> bytes:
    """A ZIP archive of members by name, or of pairs."""
    import warnings

    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(file, "w", method) as archive:
            for name, data in members.items() if isinstance(members, dict) else members:
                archive.writestr(name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name), data, method)
    return file.getvalue()


def flipped(data: bytes, mark: bytes, offset: int, bits: int) -> bytes:
    """Bits flipped behind the first such mark."""
    at = data.index(mark) + offset
    return data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]


def _with_gap(data: bytes, hidden: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    end = data.rindex(b"PK\x05\x06")
    moved = data[end : end + 16] + struct.pack("<L", at + len(hidden)) + data[end + 20 :]
    return data[:at] + hidden + data[at:end] + moved


def _overlapping() -> bytes:
    """Two entries of the directory for one member."""
    data = zipped({"a.txt": b"hello\n"})
    at, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    entry = data[at:end]
    two = entry + entry.replace(b"a.txt", b"b.txt")
    return data[:at] + two + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 2, 2, len(two), at, 0)


def _entry(name: str, data: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    return entry


def tarred(members: object) -> bytes:
    """A tape archive of members by name, or of pairs."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for entry, data in [(_entry(n, d), d) for n, d in members.items()] if isinstance(members, dict) else members:
            archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def corpus() -> list[Hostile]:
    """All of them."""
    families: tuple[Callable[[], Iterator[Hostile]], ...] = (
        called,
        virtual_machine,
        packed,
        numpy_files,
        torch_files,
        zips,
        tars,
        other_formats,
        skops_files,
        weights,
        bombs,
    )
    return [each for family in families for each in family()]


def fire(folder: Path) -> None:
    """Load, in a process of its own each, every file of the corpus that has a reader; say which fired. Run me in a process of its own."""
    import joblib
    import numpy as np
    import pandas as pd

    readers: dict[str, Callable[[str], object]] = {
        "pickle": lambda path: pickle.loads(Path(path).read_bytes()),
        "pickles": _all_streams,
        "joblib": joblib.load,
        "numpy": _all_arrays(np),
        "pandas": pd.read_pickle,
        "torch": _with_torch,
        "skops": _with_skops,
    }
    for hostile in corpus():
        if hostile.reader:
            place = folder / f"{hostile.name}.d"
            place.mkdir()
            (place / "fires.pkl").write_bytes(FIRE)
            (place / "fires.py").write_text(PYTHON)
            (place / hostile.name).write_bytes(hostile.data)
            child = os.fork()
            if not child:
                os.chdir(place)
                os.dup2(os.open(os.devnull, os.O_RDWR), 0), os.dup2(0, 1), os.dup2(0, 2)
                try:
                    readers[hostile.reader](hostile.name)
                finally:
                    os._exit(0)
            os.waitpid(child, 0)
            sys.stdout.write(f"{hostile.name}\t{_fired(place)}\n")


def _fired(place: Path) -> bool:
    import time

    for _ in range(100):  # what was started in the background needs its moment
        if any((place / name).exists() for name in ("fired", "fired.npy")):
            return True
        time.sleep(0.02)
    return False


def _all_streams(path: str) -> None:
    with Path(path).open("rb") as file:
        pickle.load(file)
        pickle.load(file)


def _all_arrays(np: object) -> Callable[[str], object]:
    def load(path: str) -> object:
        held = np.load(path, allow_pickle=True)
        return [held[name] for name in held.files] if hasattr(held, "files") else held

    return load


def _with_torch(path: str) -> object:
    import torch

    return torch.load(path, weights_only=False)


def _with_skops(path: str) -> object:
    import skops.io

    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


def main() -> None:
    """Write the corpus, or fire it."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    if sys.argv[2:] == ["--fire"]:
        fire(folder)
        return
    for hostile in corpus():
        (folder / hostile.name).write_bytes(hostile.data)
    sys.stdout.write(f"{len(corpus())} files\n")


if __name__ == "__main__":
    main()
