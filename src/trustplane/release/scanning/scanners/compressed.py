"""Compressed files of one content: gzip, bzip2, xz, zlib (as joblib writes it), LZ4."""

from trustplane.release.scanning.content import Reader
from trustplane.release.scanning.contract import Content, Inner, Judgement, Rejected, Rule, ScannerDescriptor
from trustplane.release.scanning.unpacking import unpacked

_MARKS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x5d\x00\x00": "lzma",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_ZLIB = frozenset({b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"})


class Compressed:
    """Judges what is inside."""

    descriptor = ScannerDescriptor("compressed", "compressed file")

    def recognises(self, head: bytes, size: int) -> bool:
        """By the marks of the formats."""
        return bool(_kind(head))

    def judge(self, content: Content, inner: Inner) -> Judgement:
        """The judgement of the inside, under the name of both."""
        assert isinstance(content, Reader)
        kind = _kind(content.read(16))
        if kind == "zstd":
            raise Rejected(Rule.NOT_CHECKED, "Zstandard is not unpacked here")
        judged = inner(unpacked(content, kind, f"<{kind}>"))
        return Judgement(f"{kind}:{judged.format}", judged.objections, judged.globals, judged.loads_code, judged.facts)


def _kind(head: bytes) -> str:
    found = next((kind for mark, kind in _MARKS.items() if head.startswith(mark)), "")
    # A block of zlib that begins with zeros is stored, and its length is wrong: those are a length of safetensors.
    return found or ("zlib" if head[:2] in _ZLIB and head[2:7] != bytes(5) else "")
