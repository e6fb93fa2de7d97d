"""The frame of a scan: which scanners know a content, what they say, and that nothing unknown passes."""

import codecs
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

from trustplane.kernel.plugins import group, load
from trustplane.release.scanning.content import PIECE, Reader
from trustplane.release.scanning.contract import (
    HEAD,
    Content,
    Inner,
    Judgement,
    Layout,
    Objection,
    Rejected,
    Rule,
    Scanner,
)
from trustplane.release.scanning.pickles.scanner import hides_pickle, judge_streams

DEEPEST = 3
"""An archive in a compressed archive is judged, and what it holds; an archive within that is not."""
MEMBERS = 100_000
OBJECTIONS = 1_000
_CONTROLS = frozenset(map(chr, range(32))) - frozenset("\t\n\r\f\x1b") | {"\x7f"}


@dataclass(slots=True)
class _Budget:
    members: int = MEMBERS


@cache
def installed() -> tuple[Scanner | Layout, ...]:
    """Every installed scanner and layout, by name."""
    return tuple(load(entry)() for entry in group("scanners"))


def scanners() -> tuple[Scanner, ...]:
    """Those that judge bytes."""
    return tuple(cast("Scanner", each) for each in installed() if hasattr(each, "recognises"))


def layouts() -> tuple[Layout, ...]:
    """Those that judge the members of archives."""
    return tuple(cast("Layout", each) for each in installed() if hasattr(each, "fits"))


def judge(content: Reader) -> Judgement:
    """Judge a content and all that it holds."""
    return _judge(content, 0, _Budget())


def _judge(content: Reader, depth: int, budget: _Budget) -> Judgement:
    budget.members -= 1
    if budget.members < 0:
        return _refusal("unknown", Rejected(Rule.TOO_MUCH, f"it holds more than {MEMBERS:,} files"))
    if depth > DEEPEST:
        return _refusal("unknown", Rejected(Rule.TOO_DEEP, "it is nested deeper than a model needs"))
    if not content.size:
        return _refusal("empty", Rejected(Rule.UNKNOWN_FORMAT, "it is empty"))

    def inner(part: Content) -> Judgement:
        assert isinstance(part, Reader)
        return placed(part.name, _judge(part, depth + 1, budget))

    content.seek(0)
    head = content.read(HEAD)
    knowing = [each for each in scanners() if each.recognises(head, content.size)]
    if not knowing:
        return _of_no_kind(content)
    said = [_ask(each, content, inner) for each in knowing]
    if not any(each.loads_code for each in said):
        said.append(_without_pickle(content))
    return gathered(said[0].format, said)


def placed(name: str, judgement: Judgement) -> Judgement:
    """A judgement as one of a part of that name."""
    moved = tuple(replace(each, place=(name, *each.place)) for each in judgement.objections)
    return replace(judgement, objections=moved)


def gathered(format_: str, judgements: list[Judgement]) -> Judgement:
    """Several judgements as one: what speaks against any part speaks against the whole."""
    return Judgement(
        format_,
        tuple(dict.fromkeys(o for each in judgements for o in each.objections))[:OBJECTIONS],
        tuple(dict.fromkeys(name for each in judgements for name in each.globals)),
        any(each.loads_code for each in judgements),
        {key: value for each in judgements for key, value in each.facts.items()},
        next((each.takes for each in judgements if each.takes), ()),
        next((each.gives for each in judgements if each.gives), ()),
    )


def _ask(scanner: Scanner, content: Reader, inner: Inner) -> Judgement:
    content.seek(0)
    name = scanner.descriptor.name
    try:
        return scanner.judge(content, inner)
    except Rejected as rejected:
        return _refusal(name, rejected)
    except MemoryError:
        return _refusal(name, Rejected(Rule.TOO_MUCH, "judging it needs more memory than a scan may use"))
    except Exception as error:  # noqa: BLE001 - a parser that stops has not judged: whatever stopped it, the file is refused
        return _refusal(
            name, Rejected(Rule.DAMAGED, f"it cannot be read as {scanner.descriptor.title}: {type(error).__name__}")
        )


def _refusal(format_: str, rejected: Rejected) -> Judgement:
    return Judgement(format_, (rejected.objection,))


def _without_pickle(content: Reader) -> Judgement:
    try:
        hidden = hides_pickle(content)
    except Rejected as rejected:
        return _refusal("pickle", rejected)
    return Judgement("pickle", (hidden,) if hidden else ())


def _of_no_kind(content: Reader) -> Judgement:
    """A pickle without a header, a text, or nothing that is known."""
    disguised = _without_pickle(content)
    if disguised.objections:
        try:
            return replace(judge_streams(content), format="pickle")
        except Rejected:
            return disguised
    if _is_text(content):
        return Judgement("text")
    try:
        as_pickle = judge_streams(content)
    except Rejected:
        as_pickle = None
    if as_pickle is not None and not any(o.rule is Rule.DAMAGED for o in as_pickle.objections):
        return as_pickle
    return _refusal("unknown", Rejected(Rule.UNKNOWN_FORMAT, "it is of no format that is known here"))


def _is_text(content: Reader) -> bool:
    content.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := content.read(PIECE):
            if not _CONTROLS.isdisjoint(decoder.decode(piece)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def unknown_member(name: str) -> Objection:
    """The objection to a member that has no place in a layout."""
    return Objection(Rule.UNKNOWN_MEMBER, f"a file of this kind has no member {name[:200]!a}", (name,))
