"""Universal Binary JSON (draft 12) as XGBoost writes it: no more of it is read than the library writes, and to the last byte."""

import sys
from array import array
from typing import Any

from trustplane.training.runtimes.boosters.sound import Unsound

_DEEPEST = 16
_INTEGERS = {b"i": 1, b"U": 1, b"I": 2, b"l": 4, b"L": 8}
_FLOATS = {b"d": "f"}
"""Of 32 bits alone: XGBoost writes no others, and 3.2 ends its process where it finds a list of them."""
_TYPED = {b"i": "b", b"U": "B", b"I": "h", b"l": "i", b"L": "q", **_FLOATS}
_CONSTANTS = {b"T": True, b"F": False}
_LONGEST_KEY = 256


def ubjson(data: bytes) -> Any:
    """The object that the bytes are."""
    reader = _Reader(data)
    if reader.take(1) != b"{":
        raise Unsound("it is no object of UBJSON")
    found = reader.object(1)
    if reader.at != len(data):
        raise Unsound(f"something follows its end at byte {reader.at:,}")
    return found


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        """The next bytes, all of them."""
        end = self.at + count
        if count < 0 or end > len(self.data):
            raise Unsound(f"a part of it ends beyond its end, from byte {self.at:,} on")
        taken, self.at = self.data[self.at : end], end
        return taken

    def value(self, mark: bytes, depth: int) -> Any:
        """The value that a mark begins."""
        if depth > _DEEPEST:
            raise Unsound("it is nested deeper than a model needs")
        if mark == b"{":
            return self.object(depth + 1)
        if mark == b"[":
            return self.array(depth + 1)
        if mark == b"S":
            return self.text(self.integer(self.take(1)))
        if mark in _INTEGERS:
            return self.integer(mark)
        if mark in _FLOATS:
            return self.typed(mark, 1)[0]
        if mark in _CONSTANTS:
            return _CONSTANTS[mark]
        raise Unsound(f"a value of a kind that XGBoost does not write stands before byte {self.at:,}")

    def object(self, depth: int) -> dict[str, Any]:
        """Members to the closing brace, each name once."""
        found: dict[str, Any] = {}
        while (mark := self.take(1)) != b"}":
            length = self.integer(mark)
            if length > _LONGEST_KEY:
                raise Unsound("the name of a member is too long")
            name = self.text(length)
            if name in found:
                raise Unsound("a key stands twice in an object")
            found[name] = self.value(self.take(1), depth)
        return found

    def array(self, depth: int) -> list[Any]:
        """Values to the closing bracket, or as many as are told before them, of one type."""
        mark, found = self.take(1), []
        if mark == b"$":
            kind = self.take(1)
            if kind not in _TYPED or self.take(1) != b"#":
                raise Unsound(f"a list of a kind that XGBoost does not write stands before byte {self.at:,}")
            return self.typed(kind, self.integer(self.take(1)))
        if mark == b"#":
            return [self.value(self.take(1), depth) for _ in range(self.counted(self.integer(self.take(1))))]
        while mark != b"]":
            found.append(self.value(mark, depth))
            mark = self.take(1)
        return found

    def counted(self, count: int) -> int:
        """A count of values, each of which takes a byte at least."""
        if not 0 <= count <= len(self.data) - self.at:
            raise Unsound(f"a list is longer than the file, before byte {self.at:,}")
        return count

    def typed(self, kind: bytes, count: int) -> list[Any]:
        """Numbers of one type, most significant byte first."""
        found = array(_TYPED[kind])
        found.frombytes(self.take(self.counted(count) * found.itemsize))
        if sys.byteorder == "little":
            found.byteswap()
        return found.tolist()

    def integer(self, mark: bytes) -> int:
        """An integer of the type that the mark says."""
        if mark not in _INTEGERS:
            raise Unsound(f"no integer stands where one must, before byte {self.at:,}")
        return int.from_bytes(self.take(_INTEGERS[mark]), "big", signed=mark != b"U")

    def text(self, length: int) -> str:
        """A text of so many bytes."""
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise Unsound(f"a text in it is none in UTF-8, before byte {self.at:,}") from None
