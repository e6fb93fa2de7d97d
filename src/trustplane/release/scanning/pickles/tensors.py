"""PyTorch's storages: which they are, by the persistent ids of the pickle that names them, and where their bytes lie."""

from trustplane.release.scanning.content import Reader
from trustplane.release.scanning.contract import Rejected, Rule
from trustplane.release.scanning.pickles.stubs import Inert

MAGIC = 0x1950A86A20F9469CFC6C
_BYTES = {
    "DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2, "LongStorage": 8, "IntStorage": 4,
    "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1, "ComplexDoubleStorage": 16,
    "ComplexFloatStorage": 8, "QUInt8Storage": 1, "QInt8Storage": 1, "QInt32Storage": 4, "UntypedStorage": 1,
}  # fmt: skip


def storages(persistent: list[object]) -> dict[str, int]:
    """The size in bytes of each storage, by its key; an id of another form is refused."""
    sizes: dict[str, int] = {}
    for pid in persistent:
        if not isinstance(pid, tuple) or len(pid) not in {5, 6} or pid[0] != "storage":
            raise Rejected(Rule.UNSAFE_OPERATION, "a persistent id names something else than a storage of numbers")
        _, kind, key, _location, count = pid[:5]
        name = kind.stands_for.rpartition(".")[2] if isinstance(kind, type) and issubclass(kind, Inert) else ""
        if name not in _BYTES or not isinstance(key, str) or type(count) is not int or count < 0:
            raise Rejected(Rule.UNSAFE_OPERATION, "a persistent id describes no storage of numbers")
        size = count * _BYTES[name]
        if sizes.setdefault(key, size) != size:
            raise Rejected(Rule.DISGUISED, "two persistent ids describe one storage in two ways", key)
    return sizes


def pass_storages(content: Reader, persistent: list[object], keys: object) -> None:
    """Go past the storages that follow the fifth stream of a file of before version 1.6: each a count of 8 bytes and its numbers."""
    sizes = storages(persistent)
    if not isinstance(keys, list) or sorted(keys) != sorted(sizes):
        raise Rejected(Rule.DISGUISED, "the list of its storages does not agree with its ids")
    for key in keys:
        content.skip(8)
        if content.skip(sizes[key]) != sizes[key]:
            raise Rejected(Rule.DAMAGED, "a storage ends before its stated size", key)
