"""skops: estimators of scikit-learn as a schema and arrays. Its reader builds what the schema names, so each name and each index is judged."""

import os
from collections.abc import Iterator, Mapping

from trustplane.release.formats.contract import FormatDescriptor, Inspected
from trustplane.release.formats.judged import Judged
from trustplane.release.scanning.contract import Content, Inner, Judgement, Objection, Rule, ScannerDescriptor
from trustplane.release.scanning.frame import unknown_member
from trustplane.values.errors import Refused

SCHEMA = "schema.json"
TAIL = 1 << 20
_RULES = {"type": Rule.UNKNOWN_GLOBAL, "damaged": Rule.DAMAGED, "disguised": Rule.DISGUISED, "much": Rule.TOO_MUCH}


class _Members:
    """The members of an archive, as the reader of schemas takes them."""

    def __init__(self, members: Mapping[str, Content]) -> None:
        self._members = members
        self._sizes = {name: member.size for name, member in members.items()}

    def sizes(self) -> dict[str, int]:
        """Sizes by name."""
        return self._sizes

    def read(self, name: str, most: int) -> bytes:
        """The beginning of a member, or all of it."""
        self._members[name].seek(0)
        return self._members[name].read(min(most, self._sizes[name]))


class SkopsLayout:
    """Judges what ``skops.io.dump`` writes."""

    descriptor = ScannerDescriptor("skops", "skops")

    def fits(self, names: frozenset[str]) -> bool:
        """It has a schema."""
        return SCHEMA in names

    def arrange(self, members: Mapping[str, Content], inner: Inner) -> Iterator[Judgement]:
        """Every node, every array, and no member beside them."""
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # each thread would take addresses, which are counted here
        from trustplane.training.runtimes.skops.arrays import NotAdmitted
        from trustplane.training.runtimes.skops.verify import verify

        try:
            found = verify(_Members(members))
        except NotAdmitted as reason:
            at = f", at {reason.path}" if reason.path else ""
            rule = _RULES.get(reason.kind, Rule.UNSAFE_OPERATION)
            yield Judgement("skops", (Objection(rule, reason.message + at, (SCHEMA,), reason.subject),))
            return
        unknown = tuple(unknown_member(name) for name in members if name not in found.members)
        yield Judgement("skops", unknown, found.types, takes=found.takes, gives=found.gives)


class Skops(Judged):
    """Admits estimators that answer rows of numbers."""

    descriptor = FormatDescriptor("skops", "skops")

    def recognises(self, data: bytes) -> bool:
        """A ZIP archive whose directory names a schema; the directory is at the end."""
        return data.startswith(b"PK\x03\x04") and SCHEMA.encode() in data[-TAIL:]

    def inspect(self, data: bytes) -> Inspected:
        """What the scan says, if the estimator answers."""
        found = super().inspect(data)
        if not found.inputs:
            raise Refused("TP-RELEASE-027", "the skops file holds no classifier or regressor that can be asked")
        return found
