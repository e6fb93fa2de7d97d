"""Wheels: Python packages. Their code is what they are for; what is judged is the archive, and every other file in it."""

import base64
import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping

from trustplane.release.scanning.content import PIECE
from trustplane.release.scanning.contract import Content, Inner, Judgement, Objection, Rule, ScannerDescriptor

_INFO = re.compile(r"[^/]+\.dist-info/WHEEL\Z")
_CODE = re.compile(r".*\.(py|pyi|pyx|pxd|so(\.[\d.]+)?|pyd|dll|dylib|h|hpp|c|cpp)\Z")
_RUNS_AT_START = re.compile(r"[^/]*\.pth\Z|[^/]+\.data/scripts/.*")


class Wheel:
    """Judges a built distribution (PyPA, binary distribution format)."""

    descriptor = ScannerDescriptor("wheel", "Python wheel")

    def fits(self, names: frozenset[str]) -> bool:
        """It has one ``*.dist-info/WHEEL``."""
        return any(_INFO.match(name) for name in names)

    def arrange(self, members: Mapping[str, Content], inner: Inner) -> Iterator[Judgement]:
        """Each file is in the record with its digest; data files are judged as files; what runs at start is an objection."""
        info = [name.rpartition("/")[0] for name in members if _INFO.match(name)]
        record = members.get(f"{info[0]}/RECORD")
        if len(info) != 1 or record is None:
            yield Judgement("wheel", (Objection(Rule.DAMAGED, "it has not one record of its files"),))
            return
        digests = {row[0]: row[1] for row in csv.reader(io.StringIO(record.read().decode("utf-8"))) if len(row) == 3}
        code = 0
        for name, member in members.items():
            if name.startswith(f"{info[0]}/RECORD"):
                continue
            if digests.get(name) != _digest(member):
                yield Judgement(
                    "wheel", (Objection(Rule.DISGUISED, "it is not the file that the record names", (name,), name),)
                )
            if _RUNS_AT_START.match(name):
                yield Judgement(
                    "wheel", (Objection(Rule.HOLDS_CODE, "it runs when Python starts, or as a command", (name,), name),)
                )
            elif _CODE.match(name) or not member.size:
                code += 1
            else:
                yield inner(member)
        yield Judgement("wheel", facts={"files of code": code})


def _digest(member: Content) -> str:
    member.seek(0)
    state = hashlib.sha256()
    while piece := member.read(PIECE):
        state.update(piece)
    member.seek(0)
    return "sha256=" + base64.urlsafe_b64encode(state.digest()).decode().rstrip("=")
