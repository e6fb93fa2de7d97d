"""Formats whose files a scanner judges: the door asks the same process as ``trustplane scan``, and admits what nothing speaks against."""

from trustplane.release.formats.contract import FormatDescriptor, Inspected
from trustplane.release.scanning.contract import HEAD, Rule, Scanner
from trustplane.release.scanning.scan import scan_chunks, told
from trustplane.values.errors import Refused, Unavailable


class Judged:
    """A format by its scanner. A subclass names its descriptor, which has the scanner's name, and the scanner; where a layout judges its
    archives, it recognises them itself."""

    descriptor: FormatDescriptor
    scanner: Scanner

    def recognises(self, data: bytes) -> bool:
        """Whether the bytes begin like a file of this format."""
        return self.scanner.recognises(data[:HEAD], len(data))

    def inspect(self, data: bytes) -> Inspected:
        """What a scan of the bytes says, unless something speaks against them."""
        judged = scan_chunks([data], "the model").judgement
        if judged.objections:
            first = judged.objections[0]
            if first.rule is Rule.NOT_CHECKED:
                raise Unavailable("TP-RELEASE-013", "the model could not be checked here", why=told(first))
            raise Refused("TP-RELEASE-011", "the model is not admitted", why=told(first))
        if judged.format != self.descriptor.name:
            raise Refused(
                "TP-RELEASE-011", "the model is not admitted", why=f"it is a file of the kind {judged.format}"
            )
        return Inspected(judged.format, judged.takes, judged.gives)
