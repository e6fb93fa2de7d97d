"""The scanner of pickles: each stream of a file is run, then nothing may be left."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from trustplane.release.scanning.content import Reader
from trustplane.release.scanning.contract import (
    Content,
    Inner,
    Judgement,
    Objection,
    Rejected,
    Rule,
    ScannerDescriptor,
    TooMuch,
)
from trustplane.release.scanning.pickles.allowed import PLAIN_NAME
from trustplane.release.scanning.pickles.opcodes import offsets
from trustplane.release.scanning.pickles.running import WRAPPER, Watch, modern, run, run_as_joblib
from trustplane.release.scanning.pickles.tensors import MAGIC, pass_storages

PROTOCOLS = range(2, 6)
_COUNTED = frozenset({b"\x8d", b"\x8e", b"\x95", b"\x96"})
"""Opcodes behind which a length of eight bytes stands: BINUNICODE8, BINBYTES8, FRAME, BYTEARRAY8."""
_STREAMS = 1_000
_TWICE = 4 << 20
"""Streams up to this size are run by both unpicklers."""


@dataclass(slots=True)
class Seen:
    """What the streams of one file were seen to do."""

    objections: list[Objection] = field(default_factory=list)
    globals: dict[str, None] = field(default_factory=dict)
    persistent: list[object] = field(default_factory=list)
    results: list[object] = field(default_factory=list)


class Pickles:
    """pickle, cloudpickle and dill, joblib, and PyTorch's files of before version 1.6."""

    descriptor = ScannerDescriptor("pickle", "Python pickle")

    def recognises(self, head: bytes, size: int) -> bool:
        """Protocols 2 and up begin with their number; the frame of the scan tries files of no known kind as the others.

        No opcode is zero: a pickle that goes on so stops there, and the file is another's (the length that safetensors begins with).
        """
        return size > 1 and head[0] == 0x80 and head[1] in PROTOCOLS and head[2:3] != b"\0"

    def judge(self, content: Content, inner: Inner) -> Judgement:
        """Run every stream."""
        assert isinstance(content, Reader)
        return judge_streams(content)


def judge_streams(content: Reader, *, torch: bool = False, seen: Seen | None = None) -> Judgement:
    """Run the streams of a content to its end. ``torch`` says that its reader knows persistent ids: those of tensors."""
    content.seek(0)
    seen = seen or Seen()
    kind = "pickle"
    for count in range(_STREAMS):
        if not _stream(content, seen, torch=torch or kind == "torch-legacy"):
            break
        if count == 0 and seen.results[0] == MAGIC:
            kind = "torch-legacy"
        if kind == "torch-legacy" and len(seen.results) == 5:
            pass_storages(content, seen.persistent, seen.results[4])
        if content.tell() == content.size:
            break
        if content.peek(2)[:1] != b"\x80":
            left = content.size - content.tell()
            seen.objections.append(Objection(Rule.DISGUISED, f"{left:,} bytes follow its end", (), "", content.tell()))
            break
    else:
        raise TooMuch(f"it holds more than {_STREAMS} pickles")
    if f"{WRAPPER[0]}.{WRAPPER[1]}" in seen.globals:
        kind = "joblib"
    return Judgement(kind, tuple(seen.objections), tuple(seen.globals), loads_code=True)


def _stream(content: Reader, seen: Seen, *, torch: bool) -> bool:
    """Run one stream; False where it cannot be followed to an end."""
    start = content.tell()
    watch = run(content)
    end = content.tell()
    seen.objections += _objections(content, start, watch)
    seen.globals.update({".".join(modern(*name)): None for name in watch.names})
    seen.persistent += watch.persistent
    seen.results.append(watch.result)
    if watch.persistent and not torch:
        seen.objections.append(Objection(Rule.UNSAFE_OPERATION, "it asks its reader for objects by persistent ids"))
    again = _again(content, start, end, watch)
    known = {(o.rule, o.subject) for o in seen.objections}
    seen.objections += [o for o in again if (o.rule, o.subject) not in known]
    content.seek(end)
    if watch.failure:
        message = f"the unpickler stops with {watch.failure}; what comes before has run by then"
        seen.objections.append(Objection(Rule.DAMAGED, message, (), "", -1))
        return False
    return True


def _again(content: Reader, start: int, end: int, watch: Watch) -> Iterator[Objection]:
    """What the other unpickler sees, where it is another one's file too.

    A file of joblib may be opened by pickle.load, which takes the arrays for opcodes. A small file may be opened by a
    reader that uses the unpickler written in Python, as dill does.
    """
    content.seek(start)
    if WRAPPER in watch.names:
        other = run(content, joblib_stops=False)
        yield from (o for o in _objections(content, start, other) if PLAIN_NAME.match(o.subject))
    elif end - start <= _TWICE and not watch.failure:
        other = run_as_joblib(content)
        yield from _objections(content, start, other)
        if other.failure or content.tell() != end:
            yield Objection(Rule.DAMAGED, "the two unpicklers of Python read it in two ways", (), "", start)


def _objections(content: Reader, start: int, watch: Watch) -> list[Objection]:
    here = content.tell()
    wanted = frozenset(trouble.number for trouble in watch.troubles if trouble.offset < 0)
    try:
        found = offsets(content, start, wanted) if wanted else {}
    except Rejected:
        found = {}
    content.seek(here)
    return [
        Objection(t.rule, t.message, (), t.subject, t.offset if t.offset >= 0 else found.get(t.number, -1))
        for t in watch.troubles
    ]


def hides_pickle(content: Reader) -> Objection | None:
    """Whether a reader of pickles would find one in a content of another kind: one that uses a global before it fails, or ends."""
    content.seek(0)
    first = content.read(9)
    if first[:1] in _COUNTED and int.from_bytes(first[1:], "little") > content.size - 9:
        return None  # its first opcode asks for more than there is, and every reader stops at it
    content.seek(0)
    watch = run(content)
    named = [".".join(name) for name in watch.names if PLAIN_NAME.match(".".join(name))]
    if not named or (watch.failure and not watch.used):
        return None
    return Objection(Rule.DISGUISED, f"read as a pickle, it asks for {named[0]}", (), named[0], 0)
