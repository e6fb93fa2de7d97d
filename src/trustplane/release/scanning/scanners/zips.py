"""ZIP archives, as PyTorch, NumPy, Keras and wheels are.

Readers differ in which of an archive's two descriptions of a member they believe, and in what they make of gaps, so an archive passes
only where all of them must see the same: one description, no gap, nothing before or after (APPNOTE.TXT 4.3; CVE-2025-1944, CVE-2025-1945).
"""

import stat
import struct
import zlib
from dataclasses import dataclass

from trustplane.release.scanning.archives import judge_members, names_of_concern
from trustplane.release.scanning.content import PIECE, Reader, window
from trustplane.release.scanning.contract import Content, Inner, Judgement, Objection, Rejected, Rule, ScannerDescriptor
from trustplane.release.scanning.unpacking import unpacked

_END, _END64, _LOCATOR64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")
_CENTRAL, _LOCAL = struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8
_HARMLESS_FLAGS = 0x0800 | 0x0008 | 0x0006  # UTF-8 names, sizes after the data, the compressor's effort
_SIZES_AFTER, _ENCRYPTED = 0x0008, 0x0001
_MOST = 100_000
_ALL = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """A member, as the central directory describes it."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int


class Zip:
    """Judges an archive's structure, then its members."""

    descriptor = ScannerDescriptor("zip", "ZIP archive")

    def recognises(self, head: bytes, size: int) -> bool:
        """By the mark of its first member, or of an empty archive's end."""
        return head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"))

    def judge(self, content: Content, inner: Inner) -> Judgement:
        """Refuse at the first thing that two readers could read in two ways."""
        assert isinstance(content, Reader)
        entries, end = _directory(content)
        concerns = [*names_of_concern([e.name for e in entries]), *_of_entries(entries)]
        if concerns:
            return Judgement("zip", tuple(concerns))
        members: dict[str, Reader] = {}
        position = 0
        for entry in sorted(entries, key=lambda e: e.offset):
            start = _check_local(content, entry, position)
            member = _member(content, entry, start)
            _check_sum(member, entry)
            position = start + entry.packed + _descriptor(content, entry, start + entry.packed)
            if not entry.name.endswith("/"):
                members[entry.name] = member
        if position != end:
            raise Rejected(Rule.DISGUISED, "bytes lie between its members and its directory", offset=position)
        return judge_members("zip", members, inner)


def _directory(content: Reader) -> tuple[list[Entry], int]:
    """The entries, and where the directory begins."""
    at = content.size - _END.size
    content.seek(max(at, 0))
    record = content.read(_END.size)
    if at < 0 or record[:4] != b"PK\x05\x06":
        raise Rejected(Rule.DISGUISED, "it does not end with its directory: something follows, or it is cut off")
    _, disk, first_disk, here, count, size, offset, comment = _END.unpack(record)
    end = at
    if 0xFFFF in {here, count} or _ALL in {size, offset} or _has_locator(content, at):
        here, count, size, offset, end = _directory64(content, at)
    if disk or first_disk or here != count or comment:
        raise Rejected(Rule.DISGUISED, "it is one of several parts, or has a comment")
    if offset + size != end or count > _MOST:
        raise Rejected(Rule.DISGUISED, "its directory is not where its end says", offset=offset)
    if size > 64 << 20:
        raise Rejected(Rule.TOO_MUCH, "its directory is larger than 64 MiB")
    content.seek(offset)
    raw = content.read(size)
    entries, position = [], 0
    for _ in range(count):
        entry, position = _entry(raw, position)
        entries.append(entry)
    if position != size:
        raise Rejected(Rule.DISGUISED, "its directory holds more than its members")
    return entries, offset


def _has_locator(content: Reader, at: int) -> bool:
    content.seek(max(at - _LOCATOR64.size, 0))
    return content.read(4) == b"PK\x06\x07"


def _directory64(content: Reader, at: int) -> tuple[int, int, int, int, int]:
    content.seek(max(at - _LOCATOR64.size, 0))
    mark, _, where, disks = _LOCATOR64.unpack(content.read(_LOCATOR64.size))
    if mark != b"PK\x06\x07" or disks > 1 or where + _END64.size != at - _LOCATOR64.size:
        raise Rejected(Rule.DAMAGED, "its end for large archives is not where it should be")
    content.seek(where)
    mark, _, _, _, _, _, here, count, size, offset = _END64.unpack(content.read(_END64.size))
    if mark != b"PK\x06\x06":
        raise Rejected(Rule.DAMAGED, "its end for large archives is missing")
    return here, count, size, offset, where


def _entry(raw: bytes, position: int) -> tuple[Entry, int]:
    if raw[position : position + 4] != b"PK\x01\x02" or len(raw) < position + _CENTRAL.size:
        raise Rejected(Rule.DAMAGED, "an entry of its directory is damaged")
    fields = _CENTRAL.unpack_from(raw, position)
    _, made_by, _, flags, method, _, _, crc, packed, size, name_length, extra_length, comment_length = fields[:13]
    offset = fields[16]
    start = position + _CENTRAL.size
    raw_name = raw[start : start + name_length]
    extra = raw[start + name_length : start + name_length + extra_length]
    end = start + name_length + extra_length + comment_length
    if comment_length or len(raw) < end:
        raise Rejected(Rule.DISGUISED, "an entry of its directory has a comment, or is cut off")
    size, packed, offset = _large(extra, size, packed, offset)
    try:
        name = raw_name.decode("utf-8" if flags & 0x0800 else "ascii")
    except UnicodeDecodeError:
        raise Rejected(Rule.DISGUISED, "a member's name can be read in several ways") from None
    mode = fields[15] >> 16 if made_by >> 8 == 3 else 0
    return Entry(name, raw_name, flags, method, crc, packed, size, offset, mode), end


def _large(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Sizes from the extra field for large archives (4.5.3): it holds those that did not fit, in this order."""
    position, values = 0, [size, packed, offset]
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        held = extra[position + 4 : position + 4 + length]
        if kind == 1:
            for place, value in enumerate(values):
                if value == _ALL and len(held) >= 8:
                    values[place], held = int.from_bytes(held[:8], "little"), held[8:]
        position += 4 + length
    return values[0], values[1], values[2]


def _of_entries(entries: list[Entry]) -> list[Objection]:
    found = []
    for entry in entries:
        place = (entry.name,)
        if entry.flags & ~_HARMLESS_FLAGS:
            words = "is encrypted" if entry.flags & _ENCRYPTED else "has flags that readers take in different ways"
            found.append(Objection(Rule.DISGUISED, f"a member {words}", place, entry.name, entry.offset))
        if entry.method not in {_STORED, _DEFLATED}:
            found.append(Objection(Rule.NOT_CHECKED, f"a member is packed by method {entry.method}", place, entry.name))
        if stat.S_IFMT(entry.mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
            found.append(Objection(Rule.OUTSIDE, "a member is a link or a device", place, entry.name, entry.offset))
    return found


def _check_local(content: Reader, entry: Entry, expected: int) -> int:
    """Where the member's data begins, if its second description agrees with the first."""
    if entry.offset != expected:
        words = "members overlap" if entry.offset < expected else "bytes lie between its members"
        raise Rejected(Rule.DISGUISED, words, entry.name, entry.offset)
    content.seek(entry.offset)
    mark, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(
        content.read(_LOCAL.size)
    )
    name, extra = content.read(name_length), content.read(extra_length)
    if mark != b"PK\x03\x04":
        raise Rejected(Rule.DAMAGED, "a member has no beginning", entry.name, entry.offset)
    if name != entry.raw_name:
        raise Rejected(
            Rule.DISGUISED,
            "a member has two names: readers that believe one or the other see two archives",
            entry.name,
            entry.offset,
        )
    size, packed, _ = _large(extra, size, packed, 0)
    told = (crc, packed, size)
    unknown = bool(flags & _SIZES_AFTER) and (crc, size) == (0, 0) and packed == 0
    if (flags, method) != (entry.flags, entry.method) or not (unknown or told == (entry.crc, entry.packed, entry.size)):
        raise Rejected(Rule.DISGUISED, "a member is described in two ways", entry.name, entry.offset)
    return entry.offset + _LOCAL.size + len(name) + len(extra)


def _member(content: Reader, entry: Entry, start: int) -> Reader:
    packed = window(content, start, entry.packed, entry.name)
    if entry.method == _DEFLATED:
        return unpacked(packed, "deflate", entry.name)
    return packed


def _check_sum(member: Reader, entry: Entry) -> None:
    if member.size != entry.size:
        raise Rejected(Rule.DAMAGED, "a member is not as large as it says", entry.name)
    crc = 0
    while piece := member.read(PIECE):
        crc = zlib.crc32(piece, crc)
    if crc != entry.crc:
        raise Rejected(Rule.DAMAGED, "a member's check sum is wrong", entry.name)
    member.seek(0)


def _descriptor(content: Reader, entry: Entry, at: int) -> int:
    """The length of what follows the data where sizes stand there (4.3.9); it must say the same once more."""
    if not entry.flags & _SIZES_AFTER:
        return 0
    content.seek(at)
    raw = content.read(24)
    for mark in (b"PK\x07\x08", b""):
        for width in (4, 8):
            sizes = b"".join((n % (1 << 8 * width)).to_bytes(width, "little") for n in (entry.packed, entry.size))
            expected = mark + entry.crc.to_bytes(4, "little") + sizes
            if raw.startswith(expected):
                return len(expected)
    raise Rejected(Rule.DISGUISED, "what follows a member does not agree with it", entry.name, at)
