"""What holds for the members of any archive, whatever wrote it."""

from collections.abc import Iterator, Mapping

from trustplane.release.scanning.content import Reader
from trustplane.release.scanning.contract import Inner, Judgement, Objection, Rule
from trustplane.release.scanning.frame import gathered, layouts


def names_of_concern(names: list[str]) -> Iterator[Objection]:
    """Names that would be written elsewhere than below the folder an archive is unpacked to, or twice."""
    seen: set[str] = set()
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or name[1:2] == ":" or not name.isprintable() or not name:
            yield Objection(Rule.OUTSIDE, "a member's name leads out of the archive's folder", (name,), name)
        if name in seen:
            yield Objection(Rule.DISGUISED, "two members have one name", (name,), name)
        seen.add(name)


def judge_members(kind: str, members: Mapping[str, Reader], inner: Inner) -> Judgement:
    """The layouts that know these members judge them; without one, each is judged as a file of its own."""
    fitting = [each for each in layouts() if each.fits(frozenset(members))]
    if not fitting:
        return gathered(kind, [Judgement(kind), *(inner(member) for member in members.values())])
    said = [judged for layout in fitting for judged in layout.arrange(members, inner)]
    return gathered(fitting[0].descriptor.name, said)
