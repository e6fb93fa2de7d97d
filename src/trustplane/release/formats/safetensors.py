"""safetensors: numbers with names, and a header in JSON that says where each tensor lies.

https://github.com/huggingface/safetensors, section "Format". PyTorch's ``state_dict`` comes in it. The header is held; the
numbers only pass by, whatever their size.
"""

from collections import Counter
from math import prod
from typing import Any

from trustplane.release.formats.contract import FormatDescriptor
from trustplane.release.formats.judged import Judged
from trustplane.release.scanning.contract import Content, Inner, Judgement, Rejected, Rule, ScannerDescriptor
from trustplane.release.scanning.strict_json import parsed

LONGEST = 16 << 20
"""Bytes of a header: some 150,000 tensors, where the largest models in one file have a few thousand. The format allows 100 MB, which as
objects of Python would be more than a scan may hold."""
TEXTS = 4 << 20
"""Characters of all that stands in ``__metadata__``."""
_NAME, _DIMENSIONS = 1024, 32
_BITS = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip


class SafetensorsScanner:
    """Judges one file."""

    descriptor = ScannerDescriptor("safetensors", "safetensors")

    def recognises(self, head: bytes, size: int) -> bool:
        """A length that fits the file, and then the brace of the header."""
        return head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= min(size - 8, 100_000_000)

    def judge(self, content: Content, inner: Inner) -> Judgement:
        """Every byte belongs to the header or to one tensor."""
        length = int.from_bytes(content.read(8), "little")
        if length > LONGEST:
            raise Rejected(Rule.TOO_MUCH, f"its header is longer than {LONGEST >> 20} MiB")
        text = content.read(length)
        if len(text) < length:
            raise Rejected(Rule.DAMAGED, "it ends within its header")
        if text.rstrip(b" ")[-1:] != b"}":
            raise Rejected(Rule.DISGUISED, "something other than spaces follows its header", offset=8)
        header = parsed(text, "its header")
        if not isinstance(header, dict):
            raise Rejected(Rule.DAMAGED, "its header is no object")
        _check_texts(header.pop("__metadata__", {}))
        spans = sorted(_span(name, entry) for name, entry in header.items())
        end = 0
        for start, stop, name in spans:
            if start != end:
                words = "two tensors overlap" if start < end else "bytes lie between its tensors"
                raise Rejected(Rule.DISGUISED, words, _shown(name), 8 + length + min(start, end))
            end = stop
        if 8 + length + end != content.size:
            words = (
                "something follows its last tensor" if 8 + length + end < content.size else "its numbers are cut off"
            )
            raise Rejected(Rule.DISGUISED, words, offset=min(8 + length + end, content.size))
        kinds = Counter(entry["dtype"] for entry in header.values())
        return Judgement(
            "safetensors",
            facts={
                "tensors": len(header),
                "parameters": sum(prod(entry["shape"]) for entry in header.values()),
                "types": ", ".join(sorted(kinds)),
            },
        )


class Safetensors(Judged):
    """Weights."""

    descriptor = FormatDescriptor("safetensors", "safetensors", weights=True)
    scanner = SafetensorsScanner()


def _check_texts(texts: Any) -> None:
    if not isinstance(texts, dict) or not all(isinstance(value, str) for value in texts.values()):
        raise Rejected(Rule.DAMAGED, "what it says of itself (__metadata__) is more than texts")
    if sum(len(key) + len(value) for key, value in texts.items()) > TEXTS:
        raise Rejected(Rule.TOO_MUCH, f"what it says of itself (__metadata__) is longer than {TEXTS >> 20} MiB")


def _span(name: str, entry: Any) -> tuple[int, int, str]:
    """Where a tensor begins and ends behind the header."""
    if not name.isprintable() or not name or len(name) > _NAME:
        raise Rejected(Rule.DISGUISED, "a tensor has no plain name", _shown(name))
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise Rejected(Rule.DAMAGED, "a tensor is not described by type, shape and place alone", _shown(name))
    kind, shape, place = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in _BITS:
        raise Rejected(Rule.DAMAGED, "a tensor is of a type that the format does not have", _shown(name))
    if not _counts(shape) or len(shape) > _DIMENSIONS:
        raise Rejected(Rule.DAMAGED, "a tensor's shape is no row of counts", _shown(name))
    if not _counts(place) or len(place) != 2 or place[0] > place[1]:
        raise Rejected(Rule.DAMAGED, "a tensor's place is no beginning and end", _shown(name))
    bits = prod(shape) * _BITS[kind]
    if bits % 8 or bits // 8 != place[1] - place[0]:
        raise Rejected(Rule.DISGUISED, "a tensor's numbers are not as many as its shape says", _shown(name))
    return place[0], place[1], name


def _counts(row: Any) -> bool:
    return isinstance(row, list) and all(type(n) is int and 0 <= n < 1 << 63 for n in row)


def _shown(name: str) -> str:
    return name[:200].encode("unicode_escape").decode()
