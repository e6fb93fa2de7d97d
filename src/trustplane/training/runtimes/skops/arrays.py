"""The arrays of a skops file: headers read strictly, numbers given only where a check needs them."""

import ast
import hashlib
import io
import math
import re
import zipfile
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

MAGIC = b"\x93NUMPY"
LARGEST = 256 << 20
_HEAD, _MOST_EMPTY = 64 << 10, 1 << 20
_TYPE = re.compile(r"[<|]([biufcSU])(\d{1,6})\Z")
_GAP = re.compile(r"\|V(\d{1,3})\Z")  # what stands between the fields of an item that C code reads
_SPARSE = {"format.npy", "shape.npy", "data.npy", "indices.npy", "indptr.npy"}
_INTEGERS = ("<i4", "<i8")

Array = npt.NDArray[Any]


class NotAdmitted(Exception):
    """Why a file is not admitted, what it is about, and the path of the node. ``kind`` is ``type`` where a name is on no list,
    ``damaged``, ``disguised`` where two readers could differ, ``much``, else ``state``."""

    def __init__(self, message: str, subject: str = "", path: str = "", *, kind: str = "state") -> None:
        super().__init__(message)
        self.message, self.subject, self.path, self.kind = message, subject, path, kind


class Archive(Protocol):
    """The members of a skops file, whose archive was checked before."""

    def sizes(self) -> dict[str, int]:
        """The size of each member, by its name."""
        ...

    def read(self, name: str, most: int) -> bytes:
        """At most so many bytes from the beginning of a member."""
        ...


@dataclass(frozen=True, slots=True)
class Header:
    """What a ``.npy`` file says of itself; the numbers begin at ``start``."""

    descr: Any
    fortran: bool
    shape: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        """The bytes of the whole file."""
        return self.start + math.prod(self.shape) * _item(self.descr)


def header_of(head: bytes) -> Header:
    """The header of a ``.npy`` file, from its first bytes (NEP 1); objects are refused, because NumPy keeps them as a pickle."""
    if head[:6] != MAGIC or len(head) < 12 or head[6] not in {1, 2, 3} or head[7]:
        raise NotAdmitted("an array does not begin as NumPy writes it", kind="damaged")
    wide = 2 if head[6] == 1 else 4
    length = int.from_bytes(head[8 : 8 + wide], "little")
    start = 8 + wide + length
    if start > min(len(head), _HEAD):
        raise NotAdmitted("the header of an array is cut off or too long", kind="damaged")
    try:
        said = ast.literal_eval(head[8 + wide : start].decode("ascii"))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        raise NotAdmitted("the header of an array cannot be read", kind="damaged") from None
    shape: Any = said.get("shape") if isinstance(said, dict) else None
    if not isinstance(said, dict) or said.keys() != {"descr", "fortran_order", "shape"} or not _is_shape(shape):
        raise NotAdmitted("the header of an array has other parts than NumPy writes", kind="damaged")
    if said["fortran_order"] not in {True, False}:
        raise NotAdmitted("the header of an array has other parts than NumPy writes", kind="damaged")
    if not _item(said["descr"]) and math.prod(shape) > _MOST_EMPTY:
        raise NotAdmitted("an array of nothing has more items than a model needs", kind="much")
    return Header(said["descr"], said["fortran_order"], shape, start)


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, tuple) and len(shape) <= 8 and all(type(n) is int and 0 <= n < 1 << 40 for n in shape)


def _item(descr: Any) -> int:
    """The bytes of an item."""
    if isinstance(descr, list) and 0 < len(descr) <= 64:
        return sum(_field(field) for field in descr)
    match = _TYPE.match(descr) if isinstance(descr, str) else None
    if not match:
        raise NotAdmitted("an array holds something else than numbers, truth values and texts", str(descr)[:80])
    return int(match[2]) * (4 if match[1] == "U" else 1)


def _field(field: Any) -> int:
    if not isinstance(field, tuple) or len(field) != 2 or not all(isinstance(part, str) for part in field):
        raise NotAdmitted("an array holds something else than numbers, truth values and texts")
    gap = _GAP.match(field[1]) if not field[0] else None
    return int(gap[1]) if gap else _item(field[1])


def checked_header(archive: Archive, name: str) -> Header:
    """The header of a member; its numbers end where the file does."""
    found = header_of(archive.read(name, _HEAD))
    if found.size != archive.sizes()[name]:
        raise NotAdmitted("the numbers of an array do not end where its file ends", name)
    return found


def digest_of(archive: Archive, name: str) -> bytes:
    """What a member holds, in short; its name where it is too large to be held."""
    size = archive.sizes().get(name, 0)
    return hashlib.sha256(archive.read(name, size)).digest() if 0 < size <= LARGEST else name.encode()


def numbers(archive: Archive, name: str) -> Array:
    """A member as an array of its own type."""
    found = checked_header(archive, name)
    if found.size > LARGEST:
        raise NotAdmitted(f"an array that must be looked at is larger than {LARGEST >> 20} MiB", name, kind="much")
    return _array(found, archive.read(name, found.size))


def _array(found: Header, data: bytes) -> Array:
    flat = np.frombuffer(data, np.lib.format.descr_to_dtype(found.descr), offset=found.start)
    return flat.reshape(found.shape, order="F" if found.fortran else "C")


def check_sparse(archive: Archive, name: str) -> None:
    """A sparse matrix as SciPy saves it: each index lies within the shape, because adding and multiplying do not look."""
    if archive.sizes()[name] > LARGEST:
        raise NotAdmitted(f"a sparse matrix is larger than {LARGEST >> 20} MiB", name, kind="much")
    parts = _members(archive.read(name, LARGEST), name)
    kind = parts["format.npy"]
    if kind.shape != () or bytes(kind) not in {b"csr", b"csc"}:
        raise NotAdmitted("a sparse matrix is not packed by rows or by columns", name)
    shape, data, indices, pointers = (parts[f"{part}.npy"] for part in ("shape", "data", "indices", "indptr"))
    whole = all(each.dtype.str in _INTEGERS for each in (shape, indices, pointers))
    if not whole or shape.shape != (2,) or min(shape) < 0 or any(e.ndim != 1 for e in (data, indices, pointers)):
        raise NotAdmitted("the parts of a sparse matrix do not fit together", name)
    major, minor = (int(n) for n in (shape if bytes(kind) == b"csr" else shape[::-1]))
    fits = (
        len(pointers) == major + 1
        and pointers[0] == 0
        and pointers[-1] == len(indices) == len(data)
        and bool((np.diff(pointers) >= 0).all())
        and (not len(indices) or bool(((indices >= 0) & (indices < minor)).all()))
    )
    if not fits:
        raise NotAdmitted("an index of a sparse matrix lies outside of it", name)


def _members(data: bytes, name: str) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            entries = inner.infolist()
            if {e.filename for e in entries} - {"_is_array.npy"} != _SPARSE or len(entries) > len(_SPARSE) + 1:
                raise NotAdmitted("a sparse matrix has other parts than SciPy writes", name)
            if sum(e.file_size for e in entries) > LARGEST:
                raise NotAdmitted(f"a sparse matrix is larger than {LARGEST >> 20} MiB", name, kind="much")
            held = {e.filename: inner.read(e) for e in entries}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError):
        raise NotAdmitted("a sparse matrix cannot be read", name, kind="damaged") from None
    read = {}
    for part, raw in held.items():
        found = header_of(raw[:_HEAD])
        if found.size != len(raw):
            raise NotAdmitted("the numbers of an array do not end where its file ends", name)
        read[part] = _array(found, raw)
    return read
