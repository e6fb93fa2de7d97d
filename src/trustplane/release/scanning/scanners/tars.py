"""Tape archives: regular files and folders alone, each described once, and zeros to the end."""

import tarfile

from trustplane.release.scanning.archives import judge_members, names_of_concern
from trustplane.release.scanning.content import PIECE, Reader, window
from trustplane.release.scanning.contract import Content, Inner, Judgement, Objection, Rejected, Rule, ScannerDescriptor

_MOST = 100_000


class Tar:
    """Judges an archive's structure, then its members."""

    descriptor = ScannerDescriptor("tar", "tape archive")

    def recognises(self, head: bytes, size: int) -> bool:
        """By the mark of POSIX and GNU archives, or the sum of older ones."""
        return size >= 512 and (head[257:262] == b"ustar" or _sum_holds(head[:512]))

    def judge(self, content: Content, inner: Inner) -> Judgement:
        """Links, devices, sparse files and sizes that are told twice are refused."""
        assert isinstance(content, Reader)
        members: dict[str, Reader] = {}
        names, concerns = [], []
        with tarfile.open(fileobj=content, mode="r:") as archive:  # type: ignore[call-overload]
            for count, entry in enumerate(archive):
                if count > _MOST:
                    raise Rejected(Rule.TOO_MUCH, f"it holds more than {_MOST:,} files")
                names.append(entry.name)
                if not (entry.isreg() or entry.isdir()) or entry.issparse():
                    concerns.append(
                        Objection(
                            Rule.OUTSIDE,
                            "a member is a link, a device or a sparse file",
                            (entry.name,),
                            entry.name,
                            entry.offset,
                        )
                    )
                elif "size" in entry.pax_headers:
                    concerns.append(
                        Objection(
                            Rule.DISGUISED, "a member's size is told twice", (entry.name,), entry.name, entry.offset
                        )
                    )
                elif entry.isreg():
                    members[entry.name] = window(content, entry.offset_data, entry.size, entry.name)
            end = archive.offset
        concerns += names_of_concern(names)
        if concerns:
            return Judgement("tar", tuple(concerns))
        judged = judge_members("tar", members, inner)
        content.seek(min(end, content.size))
        while piece := content.read(PIECE):
            if piece.strip(b"\0"):
                raise Rejected(Rule.DISGUISED, "something follows its end, or a header in it is damaged", offset=end)
        return judged


def _sum_holds(header: bytes) -> bool:
    """The check sum of a header, which counts its own field as blanks."""
    told = header[148:156].strip(b" \0")
    if not told or not all(byte in b"01234567" for byte in told) or not header[0]:
        return False
    return int(told, 8) == sum(header) - sum(header[148:156]) + 8 * 0x20
