"""How many bytes joblib takes from the file after a ``NumpyArrayWrapper``; everything that it would take otherwise is refused.

joblib writes a stand-in for each array into the pickle and the array's bytes after it. A scan that passes a byte more or less than joblib
does would read another pickle than joblib reads, so each part of the stand-in must be exactly as joblib and NumPy write it.
"""

import re

from trustplane.release.scanning.content import Reader
from trustplane.release.scanning.contract import Rejected, Rule
from trustplane.release.scanning.pickles.stubs import Sized, Wrapped

_SPECIFICATION = re.compile(r"([biufcSUVmMO])(\d{1,9})\Z")
_PARTS = {"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"}
_NEEDED = {"subclass", "shape", "order", "dtype"}
_HAS_OBJECTS = 1  # NPY_ITEM_REFCOUNT
_ITEM_SIZE, _FLAGS = 5, 7  # places in the state of a dtype


def pass_array(wrapper: Wrapped, content: Reader) -> bool:
    """Go past the array's bytes as joblib does; True if a pickle of its objects comes here instead."""
    state = wrapper.state
    if not isinstance(state, dict) or not _NEEDED <= state.keys() <= _PARTS:
        raise _odd()
    size, objects = item_size(state["dtype"])
    count = _count(state["shape"])
    if objects:
        return True
    if state.get("numpy_array_alignment_bytes") is not None:
        content.skip(int.from_bytes(content.read(1), "little"))
    if size * count > content.size - content.tell():
        raise Rejected(Rule.DAMAGED, "an array is larger than the file that holds it", offset=content.tell())
    content.skip(size * count)
    return False


def item_size(dtype: object, depth: int = 0) -> tuple[int, bool]:
    """The bytes of an item, and whether it is a Python object."""
    if not isinstance(dtype, Sized) or depth > 8 or len(dtype.made_from) != 3:
        raise _odd()
    specification, aligned, copied = dtype.made_from
    match = _SPECIFICATION.match(specification) if isinstance(specification, str) else None
    if not match or aligned or not copied:  # without a copy, a state changes NumPy's own type
        raise _odd()
    kind, size = match[1], int(match[2]) * (4 if match[1] == "U" else 1)
    objects = kind == "O"
    if dtype.state is not None:
        _check_state(dtype.state, kind, size, depth)
    return size, objects


def _check_state(state: object, kind: str, size: int, depth: int) -> None:
    if not isinstance(state, tuple) or len(state) not in {8, 9} or not isinstance(state[_FLAGS], int):
        raise _odd()
    if state[_ITEM_SIZE] != (size if kind in "SUV" else -1) or bool(state[_FLAGS] & _HAS_OBJECTS) != (kind == "O"):
        raise _odd()
    _, _, repeated, names, fields = state[:5]
    inner = []
    if repeated is not None:
        if not isinstance(repeated, tuple) or not repeated:
            raise _odd()
        inner.append(repeated[0])
    if fields is not None:
        if not isinstance(fields, dict) or not isinstance(names, tuple):
            raise _odd()
        inner += [field[0] if isinstance(field, tuple) and field else None for field in fields.values()]
    if inner and kind != "V":
        raise _odd()
    for each in inner:
        if item_size(each, depth + 1)[1]:
            raise _odd()


def _count(shape: object) -> int:
    if not isinstance(shape, tuple) or len(shape) > 64:
        raise _odd()
    count = 1
    for length in shape:
        if type(length) is not int or not 0 <= length < 1 << 62:
            raise _odd()
        count *= length
    if count >= 1 << 62:  # joblib multiplies in 64 bits
        raise _odd()
    return count


def _odd() -> Rejected:
    return Rejected(Rule.UNSAFE_OPERATION, "an array of joblib is not described as joblib and NumPy describe one")
