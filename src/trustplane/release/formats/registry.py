"""The admitted formats: the entry points of the group ``trustplane.formats``."""

from functools import cache

from trustplane.kernel.plugins import group, load
from trustplane.release.formats.contract import Format, Inspected
from trustplane.release.formats.foreign import foreign
from trustplane.release.scanning.contract import Rule
from trustplane.release.scanning.report import objection_facts
from trustplane.release.scanning.scan import scan_chunks, told
from trustplane.values.errors import Refused


@cache
def installed_formats() -> tuple[Format, ...]:
    """Every installed format, by name."""
    return tuple(load(entry)() for entry in group("formats"))


def inspect(data: bytes) -> Inspected:
    """What a model file is and takes and gives; raise :class:`Refused` if no format admits it. Its name plays no part."""
    for known in installed_formats():
        if known.recognises(data):
            return known.inspect(data)
    admitted = f"admitted: {', '.join(known.descriptor.title for known in installed_formats())}"
    judged = scan_chunks([data], "the file")
    against = [o for o in judged.judgement.objections if o.rule not in {Rule.UNKNOWN_FORMAT, Rule.NOT_CHECKED}]
    if against:
        raise Refused(
            "TP-RELEASE-020",
            "the file is refused by the scan",
            why=f"it is {foreign(data)}; {told(against[0])}; {admitted}",
            facts={"objections": [objection_facts(o) for o in against[:20]]},
        )
    raise Refused(
        "TP-RELEASE-010", "the file is of no format that is admitted", why=f"it is {foreign(data)}; {admitted}"
    )
