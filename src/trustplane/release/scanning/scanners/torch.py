"""PyTorch's ZIP files: a pickle that names tensors, and the numbers of each tensor beside it."""

import re
from collections.abc import Iterator, Mapping

from trustplane.release.scanning.content import Reader
from trustplane.release.scanning.contract import Content, Inner, Judgement, Objection, Rule, ScannerDescriptor
from trustplane.release.scanning.frame import placed, unknown_member
from trustplane.release.scanning.pickles.scanner import Seen, judge_streams
from trustplane.release.scanning.pickles.tensors import storages

_SMALL = frozenset({"byteorder", "version", ".format_version", ".storage_alignment", ".data/serialization_id"})
_STORAGE = re.compile(r"data/(\d{1,9})\Z", re.ASCII)
_PLAIN = re.compile(rb"[\w.\-]{1,64}\n?\Z", re.ASCII)


class TorchZip:
    """Judges what ``torch.save`` writes since version 1.6."""

    descriptor = ScannerDescriptor("torch", "PyTorch")

    def fits(self, names: frozenset[str]) -> bool:
        """One of its members is a ``data.pkl``, or the code of TorchScript."""
        return any(
            name.endswith(("/data.pkl", "/constants.pkl")) or name in {"data.pkl", "constants.pkl"} for name in names
        )

    def arrange(self, members: Mapping[str, Content], inner: Inner) -> Iterator[Judgement]:
        """Every member has its place, and each tensor the size that the pickle says."""
        roots = {name.partition("/")[0] for name in members}
        if len(roots) != 1:
            yield Judgement(
                "torch",
                tuple(unknown_member(name) for name in members if not name.endswith("data.pkl"))
                or (Objection(Rule.UNKNOWN_MEMBER, "its members lie in several folders"),),
            )
            return
        root = roots.pop() + "/"
        parts = {name.removeprefix(root): member for name, member in members.items()}
        if "data.pkl" not in parts or "constants.pkl" in parts or any(part.startswith("code/") for part in parts):
            yield Judgement(
                "torchscript",
                (Objection(Rule.HOLDS_CODE, "it is a TorchScript archive: it holds code"),),
                loads_code=True,
            )
            return
        pickled = parts["data.pkl"]
        assert isinstance(pickled, Reader)
        seen = Seen()
        yield placed(pickled.name, judge_streams(pickled, torch=True, seen=seen))
        sizes = storages(seen.persistent)
        for part, member in parts.items():
            yield Judgement("torch", tuple(_of_part(part, member, sizes)))
        missing = sizes.keys() - {match[1] for part in parts if (match := _STORAGE.match(part))}
        yield Judgement(
            "torch",
            tuple(Objection(Rule.DAMAGED, "a tensor's numbers are missing", (), key) for key in sorted(missing)),
        )


def _of_part(part: str, member: Content, sizes: Mapping[str, int]) -> Iterator[Objection]:
    if match := _STORAGE.match(part):
        if match[1] not in sizes:
            yield unknown_member(member.name)
        elif sizes[match[1]] != member.size:
            yield Objection(
                Rule.DISGUISED, "a tensor's numbers are not as many as the pickle says", (member.name,), match[1]
            )
    elif part in _SMALL:
        member.seek(0)
        if member.size > 64 or not _PLAIN.match(member.read(65)):
            yield Objection(Rule.DISGUISED, "it holds more than it is for", (member.name,))
    elif part != "data.pkl":
        yield unknown_member(member.name)
