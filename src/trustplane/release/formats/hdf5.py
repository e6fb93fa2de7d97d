"""HDF5: every link is walked and every type, filter and place of data looked at; the numbers themselves are not read.

The format is large, and its library, written in C, has had holes: here it reads in a process that can do nothing. What is at the
file's own ends is checked before it is asked (HDF5 File Format Specification 3.0, II.A). A file of numbers in named groups passes; one that
reaches outside of itself (CVE-2026-1669), tells of far more numbers than it holds (CVE-2026-0897), hides objects or needs a plug-in to be read
does not. Of Keras, ``model_config`` is read as well.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from math import prod
from typing import Any

from trustplane.release.formats.keras.config import names_model, read
from trustplane.release.scanning.content import Held, Reader, Source
from trustplane.release.scanning.contract import Content, Inner, Judgement, Objection, Rejected, Rule, ScannerDescriptor
from trustplane.release.scanning.pickles.scanner import hides_pickle
from trustplane.release.scanning.strict_json import parsed
from trustplane.release.scanning.unpacking import FREE, RATIO, Unpacked

SIGNATURE = b"\x89HDF\r\n\x1a\n"
HELD = 32 << 20
"""Files up to this size, and compressed ones up to what may be held, are read once; of larger ones, what describes the arrays is read where it lies."""
OBJECTS, DEEPEST, ATTRIBUTES = 200_000, 64, 10_000
LONGEST_NAME, LONGEST_TEXT, LONGEST_CONFIG = 1024, 1 << 20, 32 << 20
CONFIGS = ("model_config", "training_config")
_DEFLATE, _SHUFFLE, _FLETCHER32 = 1, 2, 3
_UNDEFINED = bytes([255])


class Hdf5:
    """Judges one file."""

    descriptor = ScannerDescriptor("hdf5", "HDF5")

    def recognises(self, head: bytes, size: int) -> bool:
        """By its signature, which may stand behind a user block."""
        return any(head[at : at + 8] == SIGNATURE for at in (0, 512, 1024, 2048, 4096, 8192, 16384, 32768))

    def judge(self, content: Content, inner: Inner) -> Judgement:
        """Its two ends, its links and objects, and what Keras is to build of it."""
        assert isinstance(content, Reader)
        _check_ends(content)
        if find_spec("h5py") is None:
            raise Rejected(Rule.NOT_CHECKED, "it is HDF5, and h5py is not installed: it comes with trustplane[formats]")
        os.environ["HDF5_PLUGIN_PRELOAD"] = "::"  # no plug-ins, wherever they lie
        import h5py

        content.seek(0)
        with h5py.File(_Readable(content), "r") as file:
            walk = _Walk(content.size)
            walk.group(file.id, 0)
            kind, configs = "hdf5", list(_configs(file))
        found = [Judgement(kind, facts={"tensors": walk.tensors, "parameters": walk.numbers})]
        for name, text in configs:
            kind = "keras-h5"
            found.append(_of_config(name, text))
        return Judgement(
            kind,
            tuple(objection for each in found for objection in each.objections),
            tuple(dict.fromkeys(name for each in found for name in each.globals)),
            any(each.loads_code for each in found),
            found[0].facts,
        )


class _Readable:
    """A content as h5py takes files: it asks for a few bytes here and there, and is given no more than them."""

    def __init__(self, content: Reader) -> None:
        content.seek(0)
        held = content.size <= HELD or isinstance(content.source, Unpacked)  # going back in these starts again
        self._source: Source = Held(content.read()) if held else content.source
        self._at = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """As of a file."""
        self._at = offset + (0, self._at, self._source.size)[whence]
        return self._at

    def tell(self) -> int:
        """As of a file."""
        return self._at

    def read(self, size: int) -> bytes:
        """As of a file."""
        buffer = bytearray(size)
        return bytes(buffer[: self.readinto(buffer)])

    def readinto(self, buffer: Any) -> int:
        """As of a file."""
        wanted, got = min(len(buffer), max(self._source.size - self._at, 0)), 0
        while got < wanted:
            data = self._source.fetch(self._at, wanted - got)
            buffer[got : got + len(data)] = data
            got, self._at = got + len(data), self._at + len(data)
        return got

    def flush(self) -> None:
        """There is nothing to be written."""


@dataclass(slots=True)
class _Walk:
    """Goes through every group once."""

    size: int
    tensors: int = 0
    numbers: int = 0
    stored: int = 0
    seen: set[int] = field(default_factory=set)

    def group(self, group: Any, depth: int) -> None:
        """Every link of a group leads to an object of its own, in this file."""
        from h5py import h5d, h5g, h5l, h5o

        if depth > DEEPEST:
            raise Rejected(Rule.TOO_DEEP, f"its groups are nested more than {DEEPEST} deep")
        self._once(group)
        for name in group:
            shown = _plain(name, "a link")
            if group.links.get_info(name).type != h5l.TYPE_HARD:
                raise Rejected(Rule.OUTSIDE, "a link leads by a path, which may be one to another file", shown)
            found = h5o.open(group, name)
            if isinstance(found, h5g.GroupID):
                self.group(found, depth + 1)
            elif isinstance(found, h5d.DatasetID):
                self._once(found)
                self._dataset(found, shown)
            else:
                raise Rejected(Rule.UNKNOWN_MEMBER, "it holds an object that is no group and no array", shown)

    def _once(self, found: Any) -> None:
        from h5py import h5o

        place = h5o.get_info(found).addr
        if place in self.seen:
            raise Rejected(Rule.DISGUISED, "two of its links lead to one object")
        self.seen.add(place)
        if len(self.seen) > OBJECTS:
            raise Rejected(Rule.TOO_MUCH, f"it holds more than {OBJECTS:,} objects")
        for attribute in _attributes(found):
            _check_attribute(attribute)

    def _dataset(self, found: Any, name: str) -> None:
        """Numbers, stored here, no more of them than is stored."""
        from h5py import h5d, h5s

        made = found.get_create_plist()
        if made.get_layout() == h5d.VIRTUAL or made.get_external_count():
            raise Rejected(Rule.OUTSIDE, "an array takes its numbers from other files", name)
        filters = {made.get_filter(n)[0] for n in range(made.get_nfilters())}
        if filters - {_DEFLATE, _SHUFFLE, _FLETCHER32}:
            raise Rejected(Rule.UNSAFE_OPERATION, "an array needs a filter that would be loaded to read it", name)
        kind, space = found.get_type(), found.get_space()
        _check_type(kind, name, texts=False)
        if space.get_simple_extent_type() == h5s.NULL:
            return
        count = prod(space.get_simple_extent_dims())
        told, stored = count * kind.get_size(), found.get_storage_size()
        whole = told == stored or (made.get_layout() == h5d.CHUNKED and told <= max(FREE, RATIO * stored))
        if not whole or (found.get_offset() or 0) + (stored if found.get_offset() else 0) > self.size:
            raise Rejected(Rule.DISGUISED, "an array tells of more numbers than are stored", name)
        self.tensors, self.numbers, self.stored = self.tensors + 1, self.numbers + count, self.stored + stored
        if self.stored > self.size:
            raise Rejected(Rule.DISGUISED, "its arrays are larger than the file: they overlap", name)


def _check_ends(content: Reader) -> None:
    """The file begins with its superblock, ends where that says, and is not one of several."""
    content.seek(0)
    head = content.read(128)
    if head[:8] != SIGNATURE:
        raise Rejected(Rule.DISGUISED, "something stands before its beginning", offset=0)
    if len(head) < 128:
        raise Rejected(Rule.DAMAGED, "it ends within its beginning", offset=len(head))
    version, width = head[8], head[13] if head[8] < 2 else head[9]
    if version > 3 or width not in {4, 8}:
        raise Rejected(Rule.DAMAGED, "the version of its beginning, or the width of its places, is not known", offset=8)
    # Base, free space or extension, end; before version 2 the place of the driver's block is the fourth.
    at = {0: 24, 1: 28}.get(version, 12)
    base, _, end, fourth = (head[at + n * width : at + (n + 1) * width] for n in range(4))
    if int.from_bytes(base, "little"):
        raise Rejected(Rule.DISGUISED, "its places do not count from its beginning", offset=at)
    if version < 2 and fourth != _UNDEFINED * width:
        raise Rejected(Rule.OUTSIDE, "it is one of several files that are read as one", offset=at)
    if int.from_bytes(end, "little") != content.size:
        raise Rejected(Rule.DISGUISED, "it does not end where it says", offset=at + 2 * width)


def _attributes(found: Any) -> Iterator[Any]:
    from h5py import h5a

    count = h5a.get_num_attrs(found)
    if count > ATTRIBUTES:
        raise Rejected(Rule.TOO_MUCH, f"an object has more than {ATTRIBUTES:,} attributes")
    for n in range(count):
        yield h5a.open(found, index=n)


def _check_attribute(attribute: Any) -> None:
    """Numbers and texts alone, and none that PyTables takes for an object that it has kept as a pickle."""
    from h5py import h5t

    name = _plain(attribute.name, "an attribute")
    kind = attribute.get_type()
    _check_type(kind, name, texts=True)
    if name.startswith("PYTABLES_"):
        raise Rejected(Rule.HOLDS_CODE, "it is a file of PyTables, which reads attributes as pickles", name)
    size = kind.get_size() * prod(attribute.shape or ())
    if size > LONGEST_CONFIG:
        raise Rejected(Rule.TOO_MUCH, f"an attribute is larger than {LONGEST_CONFIG >> 20} MiB", name)
    if kind.get_class() == h5t.STRING and not kind.is_variable_str() and size <= LONGEST_TEXT and name not in CONFIGS:
        import numpy as np

        held = np.empty(attribute.shape, dtype=f"S{kind.get_size()}")
        attribute.read(held, mtype=kind)
        for text in held.reshape(-1):
            if text.endswith(b".") and (hidden := hides_pickle(Reader(Held(bytes(text)), name))):
                raise Rejected(hidden.rule, f"{hidden.message}, in an attribute", hidden.subject)


def _check_type(kind: Any, name: str, *, texts: bool) -> None:
    from h5py import h5t

    plain = {h5t.INTEGER, h5t.FLOAT, h5t.ENUM, h5t.STRING, h5t.BITFIELD}
    if kind.get_class() not in plain or (not texts and kind.get_class() == h5t.STRING and kind.is_variable_str()):
        raise Rejected(Rule.UNSAFE_OPERATION, "it holds values that are no numbers and no texts", name)


def _plain(name: bytes, what: str) -> str:
    text = name.decode("utf-8", "backslashreplace")
    if "\\" in text or not text.isprintable() or not 0 < len(text) <= LONGEST_NAME:
        raise Rejected(Rule.DISGUISED, f"the name of {what} is not plain", text[:200].encode("unicode_escape").decode())
    return text


def _configs(file: Any) -> Iterator[tuple[str, bytes]]:
    """What Keras keeps of a model at the root of a file."""
    for name in CONFIGS:
        if name in file.attrs:
            held = file.attrs[name]
            text = held.encode("utf-8", "surrogateescape") if isinstance(held, str) else bytes(held)
            if len(text) > LONGEST_CONFIG:
                raise Rejected(Rule.TOO_MUCH, f"an attribute is larger than {LONGEST_CONFIG >> 20} MiB", name)
            yield name, text


def _of_config(name: str, text: bytes) -> Judgement:
    config = parsed(text, f"its {name}")
    found = read(config, legacy=True)
    wrong = (
        ()
        if name != CONFIGS[0] or names_model(config)
        else (Objection(Rule.DAMAGED, "its configuration names no model"),)
    )
    return Judgement("keras-h5", (*wrong, *found.objections), tuple(found.names), found.code)
