"""NumPy's ``.npy``: a header in Python's notation, then numbers, or a pickle where the items are objects."""

import ast
import re
from typing import cast

from trustplane.release.scanning.content import Reader, window
from trustplane.release.scanning.contract import Content, Inner, Judgement, Objection, Rejected, Rule, ScannerDescriptor

MAGIC = b"\x93NUMPY"
_LONGEST = 64 << 10
_TYPE = re.compile(r"[<>|=]?([biufcSUVmM])(\d{1,9})(\[\w+\])?\Z")


class Npy:
    """Judges one array."""

    descriptor = ScannerDescriptor("npy", "NumPy array")

    def recognises(self, head: bytes, size: int) -> bool:
        """By its magic."""
        return head.startswith(MAGIC)

    def judge(self, content: Content, inner: Inner) -> Judgement:
        """Its numbers must end where the file does; objects are a pickle."""
        assert isinstance(content, Reader)
        content.seek(len(MAGIC))
        major, _minor = content.read(2)
        if major not in {1, 2, 3}:
            raise Rejected(Rule.DAMAGED, "the version of its header is not known")
        length = int.from_bytes(content.read(2 if major == 1 else 4), "little")
        if length > _LONGEST:
            raise Rejected(Rule.TOO_MUCH, f"its header is longer than {_LONGEST:,} bytes")
        header = _header(content.read(length))
        start = content.tell()
        if _holds_objects(header["descr"]):
            judged = inner(window(content, start, content.size - start, "<objects>"))
            wrong = () if judged.loads_code else (Objection(Rule.DAMAGED, "its objects are no pickle"),)
            return Judgement("npy", (*judged.objections, *wrong), judged.globals, loads_code=True)
        count = 1
        for each in cast("tuple[int, ...]", header["shape"]):
            count *= each
        if start + count * item_size(header["descr"]) != content.size:
            raise Rejected(Rule.DISGUISED, "its numbers do not end where the file ends", offset=start)
        return Judgement("npy")


def _header(text: bytes) -> dict[str, object]:
    try:
        header = ast.literal_eval(text.decode("utf-8"))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise Rejected(Rule.DAMAGED, "its header cannot be read") from None
    if not isinstance(header, dict) or header.keys() != {"descr", "fortran_order", "shape"}:
        raise Rejected(Rule.DAMAGED, "its header has other parts than NumPy writes")
    shape = header["shape"]
    if not isinstance(shape, tuple) or any(type(n) is not int or n < 0 for n in shape):
        raise Rejected(Rule.DAMAGED, "its shape is no row of counts")
    return header


def _holds_objects(described: object) -> bool:
    if isinstance(described, str):
        return described.lstrip("<>|=").startswith("O")
    fields = described if isinstance(described, list) else []
    return any(isinstance(f, tuple) and len(f) > 1 and _holds_objects(f[1]) for f in fields)


def item_size(described: object, depth: int = 0) -> int:
    """The bytes of an item of a type as a header describes it."""
    if isinstance(described, str) and (match := _TYPE.match(described)):
        return int(match[2]) * (4 if match[1] == "U" else 1)
    if isinstance(described, list) and depth < 8:
        return sum(_field_size(field, depth) for field in described)
    raise Rejected(Rule.DAMAGED, "its type is not known")


def _field_size(field: object, depth: int) -> int:
    if not isinstance(field, tuple) or len(field) not in {2, 3}:
        raise Rejected(Rule.DAMAGED, "its type is not known")
    repeated = 1
    for each in field[2] if len(field) == 3 and isinstance(field[2], tuple) else ():
        if type(each) is not int or each < 0:
            raise Rejected(Rule.DAMAGED, "its type is not known")
        repeated *= each
    return repeated * item_size(field[1], depth + 1)
