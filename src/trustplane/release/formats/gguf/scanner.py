"""Judges GGUF: what is told before the numbers is read value by value, and the numbers must fill the rest of the file.

Readers written in C have been brought down by counts and offsets that a file made up (CVE-2024-21802, -21825, -21836, -23496, -23605),
and chat templates of such files were run as code (CVE-2024-34359).
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from math import prod

from trustplane.release.formats.gguf.layout import ARRAY, BOOL, STRING, TYPES, UINT32, WIDTHS
from trustplane.release.formats.gguf.templates import unsafe
from trustplane.release.scanning.content import PIECE, Reader
from trustplane.release.scanning.contract import Content, Inner, Judgement, Rejected, Rule, ScannerDescriptor

MAGIC = b"GGUF"
VERSIONS = frozenset({2, 3})
KEYS, TENSORS, TEXTS, DEEPEST = 10_000, 100_000, 2_000_000, 3
"""The most of each: pairs of key and value, tensors, texts in arrays, arrays in arrays. The largest vocabularies have some 300,000 words."""
LONGEST, LONGEST_NAME = 16 << 20, 64
ALIGNMENT, MOST_ALIGNMENT = 32, 1 << 16
_KEY = re.compile(rb"[A-Za-z0-9_.\-/]{1,256}\Z")


@dataclass(slots=True)
class _Told:
    """What a file says before its numbers."""

    keys: set[str] = field(default_factory=set)
    alignment: int = ALIGNMENT
    templates: int = 0
    texts: int = 0
    architecture: str = ""


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    kind: str
    count: int
    size: int
    offset: int
    at: int


class GgufScanner:
    """Judges one file."""

    descriptor = ScannerDescriptor("gguf", "GGUF")

    def recognises(self, head: bytes, size: int) -> bool:
        """By its magic."""
        return head.startswith(MAGIC)

    def judge(self, content: Content, inner: Inner) -> Judgement:
        """Read what it tells, then pass by its numbers."""
        assert isinstance(content, Reader)
        content.seek(len(MAGIC))
        version = _number(content, 4)
        if version not in VERSIONS:
            other = version >> 24 in VERSIONS and not version & 0xFFFFFF
            words = "its numbers begin with their large end" if other else "its version is not known"
            raise Rejected(Rule.NOT_CHECKED if other else Rule.DAMAGED, words, offset=len(MAGIC))
        tensors, pairs = _number(content, 8), _number(content, 8)
        if pairs > KEYS or tensors > TENSORS:
            raise Rejected(Rule.TOO_MUCH, f"it tells of more than {KEYS:,} values or {TENSORS:,} tensors", offset=8)
        told = _Told()
        for _ in range(pairs):
            _pair(content, told)
        held = [_tensor(content) for _ in range(tensors)]
        if len({each.name for each in held}) < len(held):
            raise Rejected(Rule.DISGUISED, "two tensors have one name")
        _check_numbers(content, held, told.alignment)
        kinds = Counter(each.kind for each in held)
        return Judgement(
            "gguf",
            facts={
                "tensors": len(held),
                "parameters": sum(each.count for each in held),
                "types": ", ".join(sorted(kinds)),
                "architecture": told.architecture,
                "chat templates": told.templates,
            },
        )


def _number(content: Reader, width: int) -> int:
    return int.from_bytes(_exactly(content, width), "little")


def _exactly(content: Reader, size: int) -> bytes:
    data = content.read(size)
    if len(data) < size:
        raise Rejected(Rule.DAMAGED, "it ends within what it tells", offset=content.size)
    return data


def _text(content: Reader) -> str:
    at = content.tell()
    length = _number(content, 8)
    if length > LONGEST:
        raise Rejected(Rule.TOO_MUCH, f"a text is longer than {LONGEST >> 20} MiB", offset=at)
    try:
        return _exactly(content, length).decode("utf-8")
    except UnicodeDecodeError:
        raise Rejected(Rule.DAMAGED, "a text is not UTF-8", offset=at) from None


def _pair(content: Reader, told: _Told) -> None:
    at = content.tell()
    length = _number(content, 8)
    raw = _exactly(content, length) if length <= 256 else b""
    if not _KEY.match(raw):
        raise Rejected(Rule.DISGUISED, "the name of a value is not plain", offset=at)
    key = raw.decode()
    if key in told.keys:
        raise Rejected(Rule.DISGUISED, "a value is told twice", key, at)
    told.keys.add(key)
    kind, at = _number(content, 4), content.tell()
    if key == "general.alignment":
        if kind != UINT32:
            raise Rejected(Rule.DAMAGED, "its alignment is of another type than the format says", key, at)
        told.alignment = _number(content, 4)
        if not 1 <= told.alignment <= MOST_ALIGNMENT or told.alignment & (told.alignment - 1):
            raise Rejected(Rule.DAMAGED, f"its alignment is no power of two up to {MOST_ALIGNMENT:,}", key, at)
    elif "chat_template" in key:
        for template in _templates(content, kind, key, told):
            told.templates += not key.endswith("chat_templates")
            if why := unsafe(template):
                raise Rejected(Rule.UNSAFE_OPERATION, f"its chat template, which readers run, {why}", key, at)
    elif key == "general.architecture":
        if kind != STRING:
            raise Rejected(Rule.DAMAGED, "its architecture is no text", key, at)
        told.architecture = _text(content)[:64].encode("ascii", "backslashreplace").decode()
    else:
        _pass(content, kind, told, 0)


def _templates(content: Reader, kind: int, key: str, told: _Told) -> list[str]:
    """The texts of a value about chat templates: one, or several (of which ``tokenizer.chat_templates`` are names alone)."""
    if kind == STRING:
        return [_text(content)]
    if kind != ARRAY or _number(content, 4) != STRING:
        raise Rejected(Rule.DAMAGED, "a chat template is no text", key, content.tell())
    return [_text(content) for _ in range(_length(content, told))]


def _length(content: Reader, told: _Told) -> int:
    """The length of an array of texts or arrays, within what all of them may be."""
    length = _number(content, 8)
    told.texts += length
    if told.texts > TEXTS:
        raise Rejected(Rule.TOO_MUCH, f"its arrays hold more than {TEXTS:,} texts", offset=content.tell())
    return length


def _pass(content: Reader, kind: int, told: _Told, depth: int) -> None:
    """Go past a value that nothing hangs on, checking that it is one."""
    if kind == STRING:
        _text(content)
    elif kind == ARRAY:
        if depth >= DEEPEST:
            raise Rejected(Rule.TOO_DEEP, "arrays are nested deeper than a model needs", offset=content.tell())
        within = _number(content, 4)
        if within in {STRING, ARRAY}:
            for _ in range(_length(content, told)):
                _pass(content, within, told, depth + 1)
        else:
            _pass_numbers(content, within, _number(content, 8))
    else:
        _pass_numbers(content, kind, 1)


def _pass_numbers(content: Reader, kind: int, count: int) -> None:
    at = content.tell()
    if kind not in WIDTHS:
        raise Rejected(Rule.DAMAGED, "a value is of a type that the format does not have", offset=at)
    if count * WIDTHS[kind] > content.size - at:
        raise Rejected(Rule.DAMAGED, "an array is longer than the file", offset=at)
    if kind != BOOL:
        content.skip(count * WIDTHS[kind])
        return
    while count:
        piece = content.read(min(count, PIECE))
        if piece.strip(b"\0\x01"):
            raise Rejected(Rule.DAMAGED, "a truth value is neither", offset=at)
        count -= len(piece)


def _tensor(content: Reader) -> _Tensor:
    at = content.tell()
    length = _number(content, 8)
    name = _exactly(content, length).decode("utf-8", "replace") if length < LONGEST_NAME else ""
    if not name or not name.isprintable():
        raise Rejected(Rule.DISGUISED, f"a tensor's name is not plain, or not shorter than {LONGEST_NAME}", offset=at)
    dimensions = _number(content, 4)
    if dimensions > 4:
        raise Rejected(Rule.DAMAGED, "a tensor has more than four dimensions", offset=at)
    shape = [_number(content, 8) for _ in range(dimensions)]
    kind, offset = _number(content, 4), _number(content, 8)
    if kind not in TYPES:
        raise Rejected(Rule.DAMAGED, "a tensor is of a type that the format does not have", offset=at)
    title, block, width = TYPES[kind]
    count = prod(shape)
    if any(n >= 1 << 63 for n in shape) or count >= 1 << 63 or (shape[0] if shape else 1) % block:
        raise Rejected(Rule.DAMAGED, "a tensor's rows are no whole blocks of its type, or too many", offset=at)
    return _Tensor(name, title, count, count // block * width, offset, at)


def _check_numbers(content: Reader, held: list[_Tensor], alignment: int) -> None:
    """Tensors lie in their order, each at the next aligned place, with zeros between them, and end where the file does."""
    _check_padding(content, alignment)
    start = content.tell()
    for each in held:
        if start + each.offset != content.tell():
            words = "tensors overlap" if start + each.offset < content.tell() else "bytes lie between its tensors"
            raise Rejected(Rule.DISGUISED, f"{words}, or they are in another order", each.name, each.at)
        if content.skip(each.size) < each.size:
            raise Rejected(Rule.DISGUISED, "its numbers are cut off", each.name, each.at)
        _check_padding(content, alignment)
    if content.tell() != content.size:
        raise Rejected(Rule.DISGUISED, "something follows its last tensor", offset=content.tell())


def _check_padding(content: Reader, alignment: int) -> None:
    """Zeros up to the next aligned place; at the end of the file they may be left out."""
    at = content.tell()
    found = content.read(-at % alignment)
    if found.strip(b"\0") or len(found) not in {0, -at % alignment}:
        raise Rejected(Rule.DISGUISED, "something else than zeros fills up to its alignment", offset=at)
