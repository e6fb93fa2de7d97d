"""Keras 3's ``.keras``: an archive of what the model is built of (``config.json``), what wrote it, and its weights as HDF5."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from trustplane.release.formats.contract import FormatDescriptor
from trustplane.release.formats.judged import Judged
from trustplane.release.formats.keras.config import names_model, read
from trustplane.release.scanning.contract import (
    HEAD,
    Content,
    Inner,
    Judgement,
    Objection,
    Rejected,
    Rule,
    ScannerDescriptor,
)
from trustplane.release.scanning.frame import unknown_member
from trustplane.release.scanning.strict_json import parsed

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
LONGEST = 32 << 20
_FIRST = (METADATA.encode(), CONFIG.encode())
_VERSION = re.compile(r"[0-9A-Za-z.+\-]{1,40}\Z")
_DATE = re.compile(r"[0-9@:\-]{1,40}\Z")
_WORDS = re.compile(r"assets/([\w.\-]+/)*vocabulary\.txt\Z", re.ASCII)


class KerasLayout:
    """Judges the members of one model."""

    descriptor = ScannerDescriptor("keras", "Keras")

    def fits(self, names: frozenset[str]) -> bool:
        """It says what it is built of, and has weights or says what wrote it."""
        return CONFIG in names and bool({METADATA, WEIGHTS} & names or any(".weights." in name for name in names))

    def arrange(self, members: Mapping[str, Content], inner: Inner) -> Iterator[Judgement]:
        """Each member has its place; words for lookups are there for layers that have some."""
        missing = [name for name in (METADATA, CONFIG, WEIGHTS) if name not in members]
        if missing:
            yield Judgement("keras", (Objection(Rule.DAMAGED, f"it has no {missing[0]}"),))
        config = parsed(_held(members[CONFIG]), "its configuration")
        if not names_model(config):
            yield Judgement("keras", (Objection(Rule.DAMAGED, "its configuration names no model", (CONFIG,)),))
        found = read(config)
        facts: dict[str, str | int] = {"layers": found.layers}
        if METADATA in members:
            facts["keras"] = _version(parsed(_held(members[METADATA]), "its metadata"))
        objections = tuple(replace(each, place=(CONFIG,)) for each in found.objections)
        yield Judgement("keras", objections, tuple(found.names), found.code, facts)
        words = [name for name in members if _WORDS.match(name)]
        for name, member in members.items():
            if name == WEIGHTS:
                yield self._weights(member, inner)
            elif name in words[: found.lookups]:
                yield _words(member, inner)
            elif name not in {CONFIG, METADATA}:
                yield Judgement("keras", (unknown_member(name),))

    def _weights(self, member: Content, inner: Inner) -> Judgement:
        judged = inner(member)
        if judged.format != "hdf5" and not judged.objections:
            return Judgement("keras", (Objection(Rule.DISGUISED, "its weights are no HDF5", (WEIGHTS,)),))
        return judged


class Keras(Judged):
    """Weights and the description of a network; nothing here runs it."""

    descriptor = FormatDescriptor("keras", "Keras 3 archive", weights=True)

    def recognises(self, data: bytes) -> bool:
        """An archive whose first member is what Keras writes first."""
        head = data[:HEAD]
        if head[:4] != b"PK\x03\x04":
            return False
        name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
        return name in _FIRST and any(each in head[30 + len(name) :] for each in _FIRST if each != name)


def _held(member: Content) -> bytes:
    if member.size > LONGEST:
        raise Rejected(Rule.TOO_MUCH, f"a text in it is longer than {LONGEST >> 20} MiB", member.name)
    member.seek(0)
    return member.read()


def _version(metadata: Any) -> str:
    """The release that wrote it."""
    if not isinstance(metadata, dict) or not {"keras_version"} <= metadata.keys() <= {"keras_version", "date_saved"}:
        raise Rejected(Rule.DAMAGED, "its metadata are others than Keras writes", METADATA)
    version, date = metadata["keras_version"], metadata.get("date_saved", "0")
    if not (isinstance(version, str) and _VERSION.match(version) and isinstance(date, str) and _DATE.match(date)):
        raise Rejected(Rule.DISGUISED, "its metadata are no version and date", METADATA)
    return version


def _words(member: Content, inner: Inner) -> Judgement:
    judged = inner(member)
    if judged.format == "text" or judged.objections:
        return judged
    return Judgement("keras", (Objection(Rule.DISGUISED, "the words of a layer are no text", (member.name,)),))
