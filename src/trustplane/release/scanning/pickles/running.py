"""Running a pickle with nothing behind any name, and watching what it asks for.

:func:`run` uses the interpreter's own unpickler, written in C: what it makes of memo, marks and frames is by definition what a loader makes
of them. :func:`run_as_joblib` uses the one written in Python, as joblib, dill and pandas do, and goes past the arrays that
joblib writes between the opcodes.
"""

import pickle
import resource
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from trustplane.release.scanning.content import Reader
from trustplane.release.scanning.contract import Rejected, Rule, TooMuch
from trustplane.release.scanning.pickles.allowed import ARGUMENTS, BARE, Name, allowed
from trustplane.release.scanning.pickles.arrays import pass_array
from trustplane.release.scanning.pickles.stubs import OBJECT, Sized, Wrapped, checked, stand_in

MEMORY = 3 << 29
"""Bytes that a run may come to hold beside what the process held before; what a pickle builds of numbers, texts and lists is real."""
AT_ONCE = 64 << 20
_STATM = Path("/proc/self/statm")
_SKIPPED = 1 << 12
_NAMES = 20_000
_TROUBLES = 100
_PERSISTENT = 1_000_000
WRAPPER: Name = ("joblib.numpy_pickle", "NumpyArrayWrapper")
_KEPT: dict[Name, Any] = {("numpy", "dtype"): Sized, WRAPPER: Wrapped}


@dataclass(slots=True)
class Trouble:
    """What was seen at the ``number``-th request for a global; ``offset`` where it is known already."""

    number: int
    rule: Rule
    message: str
    subject: str
    offset: int = -1


@dataclass(slots=True)
class Watch:
    """What a run of the unpickler asked for."""

    names: dict[Name, Any] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    persistent: list[Any] = field(default_factory=list)
    number: int = -1
    offset: int = -1
    used: bool = False
    failure: str = ""
    result: Any = None

    def asked(self, module: str, name: str) -> Any:
        """A stand-in for a global; a trouble if it is not allowed."""
        self.number += 1
        key = (module, name)
        if key not in self.names:
            if len(self.names) >= _NAMES:
                raise TooMuch(f"it asks for more than {_NAMES:,} different names")
            self.names[key] = self._stand_in(*modern(module, name))
        return self.names[key]

    def noted(self, rule: Rule, message: str, subject: str) -> None:
        """Something spoke against it, at the latest request for a global."""
        if len(self.troubles) < _TROUBLES:
            self.troubles.append(Trouble(self.number, rule, message, subject, self.offset))

    def persisted(self, pid: Any) -> Any:
        """The reader's own object for an id; PyTorch writes its tensors so."""
        if len(self.persistent) >= _PERSISTENT:
            raise TooMuch("it asks its reader for too many things")
        self.persistent.append(pid)
        return OBJECT

    def _stand_in(self, module: str, name: str) -> Any:
        subject = f"{module}.{name}"

        def tell(message: str) -> None:
            self.noted(Rule.UNSAFE_OPERATION, message, subject)

        known = (module, name) in allowed()
        if not known:
            dotted = "." in name
            reason = "it reaches through a dotted name for" if dotted else "it asks for"
            self.noted(Rule.UNKNOWN_GLOBAL, f"{reason} {_plain(subject)}, which no model needs", _plain(subject))
        elif (module, name) in _KEPT:
            return _KEPT[module, name]
        elif (module, name) in ARGUMENTS:
            return checked(subject, ARGUMENTS[module, name], tell)
        made = stand_in(module, name, tell)
        if (module, name) in BARE:
            made.__new__ = partial(_bare, tell)  # type: ignore[method-assign]
        if not known:
            made.__new__ = self._use  # type: ignore[method-assign]
        return made

    def _use(self, *_arguments: object, **_named: object) -> Any:
        self.used = True
        return OBJECT


def _bare(tell: Callable[[str], None], _cls: type, *arguments: object, **named: object) -> Any:
    if arguments or named:
        tell("makes a booster from arguments: one of them may be a file to be read")
    return OBJECT


def modern(module: str, name: str) -> Name:
    """The name that a pickle of Python 2 means: the unpickler translates it in protocols below 3."""
    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[module, name]
    return IMPORT_MAPPING.get(module, module), name


def run(content: Reader, *, joblib_stops: bool = True) -> Watch:
    """Run the stream that begins here with the C unpickler, up to its STOP or its failure."""
    watch = Watch()

    class Judge(pickle.Unpickler):
        def find_class(self, module: str, name: str, /) -> Any:
            if joblib_stops and (module, name) == WRAPPER:
                raise _IsJoblib
            return watch.asked(module, name)

        def persistent_load(self, pid: Any) -> Any:
            return watch.persisted(pid)

    start = content.tell()
    try:
        watch.result = _plain_result(Judge(_Feed(content), encoding="latin-1").load())
    except _IsJoblib:
        content.seek(start)
        return run_as_joblib(content)
    except Rejected:
        raise
    except MemoryError:
        raise TooMuch("running it needs more memory than a scan may use") from None
    except Exception as error:  # noqa: BLE001 - whatever stops the unpickler stops its run
        watch.failure = type(error).__name__
    return watch


def run_as_joblib(content: Reader) -> Watch:
    """Run the stream that begins here as joblib reads it."""
    watch = Watch()
    try:
        watch.result = _plain_result(_AsJoblib(content, watch).load())
    except Rejected:
        raise
    except (MemoryError, RecursionError):
        raise TooMuch("running it needs more memory than a scan may use") from None
    except Exception as error:  # noqa: BLE001 - whatever stops the unpickler stops its run
        watch.failure = type(error).__name__
    return watch


class _IsJoblib(Exception):
    """The stream has arrays between its opcodes."""


class _Feed:
    """What the unpickler reads from. The bytes of large arrays pass by and are hashed, but never reach its memory: their pages stay
    untouched, so that a pickle may be larger than memory."""

    def __init__(self, content: Reader) -> None:
        self._content = content
        self._calls = 0
        self._most = held() + MEMORY

    def read(self, size: int) -> bytes:
        """As of a file."""
        self._check()
        if size > AT_ONCE:
            raise TooMuch(f"a text or frame of {size:,} bytes")
        return self._content.read(size)

    def peek(self, size: int) -> bytes:
        """As of a buffered file; in pieces small enough that most of an array is still to be read by ``readinto``."""
        self._check()
        return self._content.peek(min(size, _SKIPPED))

    def readline(self) -> bytes:
        """As of a file."""
        self._check()
        return self._content.readline()

    def readinto(self, buffer: Any) -> int:
        """Pass over as many bytes as the buffer holds; only BINBYTES and BYTEARRAY ask in this way, and nothing is decided by their bytes."""
        return self._content.skip(len(buffer))

    def _check(self) -> None:
        self._calls += 1
        if self._calls % 256 == 0:
            check_memory(self._most)


def held() -> int:
    """Bytes of memory that this process holds now (proc(5), statm)."""
    return int(_STATM.read_text("ascii").split()[1]) * resource.getpagesize()


def check_memory(most: int) -> None:
    """Raise :class:`TooMuch` once this process holds more than it may."""
    if held() > most:
        raise TooMuch(f"what it builds needs more than {MEMORY >> 20:,} MiB")


_Python: Any = pickle._Unpickler  # noqa: SLF001 - the class that joblib extends


class _AsJoblib(_Python):  # type: ignore[misc]
    """joblib's unpickler (``joblib.numpy_pickle.NumpyUnpickler``) with nothing behind any name."""

    dispatch: ClassVar[dict[int, Any]] = dict(_Python.dispatch)

    def __init__(self, content: Reader, watch: Watch) -> None:
        super().__init__(_Feed(content), encoding="latin-1")
        self._content, self._watch = content, watch
        self._frame_at = 0

    def find_class(self, module: str, name: str) -> Any:
        return self._watch.asked(module, name)

    def persistent_load(self, pid: Any) -> Any:
        return self._watch.persisted(pid)

    def _place(self) -> int:
        frame = self._unframer.current_frame
        return self._content.tell() if frame is None else int(self._frame_at + frame.tell())

    def load_frame(self) -> None:
        _Python.load_frame(self)
        self._frame_at = self._content.tell() - len(self._unframer.current_frame.getbuffer())

    dispatch[pickle.FRAME[0]] = load_frame

    def load_build(self) -> None:
        _Python.load_build(self)
        if isinstance(self.stack[-1], Wrapped):
            if pass_array(self.stack.pop(), self._content):
                _AsJoblib(self._content, self._watch).load()
            self.stack.append(OBJECT)

    dispatch[pickle.BUILD[0]] = load_build


def _placed(opcode: bytes) -> None:
    plain = _Python.dispatch[opcode[0]]

    def load(self: Any) -> None:
        self._watch.offset = self._place() - 1
        plain(self)

    _AsJoblib.dispatch[opcode[0]] = load


for _opcode in (pickle.GLOBAL, pickle.STACK_GLOBAL, pickle.INST):
    _placed(_opcode)


def _plain(text: str) -> str:
    """A name as it may be shown: what stands in a file may be anything."""
    return text[:200].encode("ascii", "backslashreplace").decode() if text.isprintable() else ascii(text[:200])[1:-1]


def _plain_result(result: Any) -> Any:
    """What a later stream's reading depends on: PyTorch's first and fifth."""
    if isinstance(result, int) or (isinstance(result, list) and all(isinstance(each, str) for each in result)):
        return result
    return None
