"""What a scanner is: it knows files by their content, and says what speaks against them.

Scanners run in a process of their own that holds one open file, has limits and can start nothing
(:mod:`trustplane.release.scanning.worker`). They still never load what they judge, and import nothing that it names. What
is not known is refused: a file that no scanner recognises, a member that no layout expects, a parser that stops.

A *scanner* judges one sequence of bytes; a *layout* judges the members of an archive whose structure is already
checked. Both are plug-ins of the group ``trustplane.scanners``; the suite in ``tests/conformance/test_scanners.py`` states
what they must keep to.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from trustplane.training.runtimes.contract import Tensor

HEAD = 1 << 16
"""Bytes from the beginning of a file that ``recognises`` is shown."""


class Rule(StrEnum):
    """What can speak against a file. The words are stable: SARIF, the ledger and people's filters name them."""

    UNKNOWN_FORMAT = "unknown-format"
    UNKNOWN_MEMBER = "unknown-member"
    UNKNOWN_GLOBAL = "unknown-global"
    UNSAFE_OPERATION = "unsafe-operation"
    HOLDS_CODE = "holds-code"
    DAMAGED = "damaged"
    DISGUISED = "disguised"
    OUTSIDE = "outside"
    TOO_MUCH = "too-much"
    TOO_DEEP = "too-deep"
    UNREADABLE = "unreadable"
    NOT_CHECKED = "not-checked"


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing that speaks against a file. ``place`` is the path of members to it, empty for the file itself; ``subject`` is
    what it is about, such as the global ``os.system``; ``offset`` counts bytes within the place, -1 where there is none."""

    rule: Rule
    message: str
    place: tuple[str, ...] = ()
    subject: str = ""
    offset: int = -1


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a sequence of bytes was found to be, and what speaks against it: nothing, if it may pass.

    ``loads_code`` says that its reader builds objects by name (a pickle): such a file is never admitted as a model, even where nothing
    speaks against it. ``globals`` are the names that it asks for.
    """

    format: str
    objections: tuple[Objection, ...] = ()
    globals: tuple[str, ...] = ()
    loads_code: bool = False
    facts: Mapping[str, str | int] = field(default_factory=dict)
    takes: tuple[Tensor, ...] = ()
    gives: tuple[Tensor, ...] = ()


class Content(Protocol):
    """A sequence of bytes, read as a binary file is. It may be far larger than memory: read it in pieces."""

    @property
    def name(self) -> str:
        """What it is called: for messages alone, never to judge by."""
        ...

    @property
    def size(self) -> int:
        """Its length in bytes."""
        ...

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes from here; empty at the end. A negative size reads to the end, which
        raises :class:`TooMuch` where more than 256 MiB is left."""
        ...

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to an offset. Backwards may be slow: a compressed content is read again from its start."""
        ...

    def tell(self) -> int:
        """Where it is."""
        ...


class Rejected(Exception):
    """Raised by a scanner to stop at one objection; the frame of the scan turns it into a judgement."""

    def __init__(self, rule: Rule, message: str, subject: str = "", offset: int = -1) -> None:
        super().__init__(message)
        self.objection = Objection(rule, message, (), subject, offset)


class TooMuch(Rejected):
    """More is asked for than a scan may use."""

    def __init__(self, message: str) -> None:
        super().__init__(Rule.TOO_MUCH, message)


Inner = Callable[[Content], Judgement]
"""Judges an inner content by the same rules as any file, and counts the depth. The objections carry its name as place."""


@dataclass(frozen=True, slots=True)
class ScannerDescriptor:
    """A plug-in's name, as in its entry point, and the title of what it judges."""

    name: str
    title: str


class Scanner(Protocol):
    """Judges one kind of file."""

    @property
    def descriptor(self) -> ScannerDescriptor:
        """What it judges."""
        ...

    def recognises(self, head: bytes, size: int) -> bool:
        """Whether a file that begins with ``head`` (at most :data:`HEAD` bytes) and is ``size`` bytes long is of this kind."""
        ...

    def judge(self, content: Content, inner: Inner) -> Judgement:
        """Judge it whole, to its last byte: bytes that no part of the format accounts for are an objection.

        May raise :class:`Rejected`. Any other error is an objection too (``damaged``).
        """
        ...


class Layout(Protocol):
    """Judges archives that hold certain members: a Keras model, a skops file, a PyTorch checkpoint.

    The archive's own structure (names, links, sums, sizes, flags) is checked before; the members may be read in any order.
    """

    @property
    def descriptor(self) -> ScannerDescriptor:
        """What it judges."""
        ...

    def fits(self, names: frozenset[str]) -> bool:
        """Whether an archive with these members is of this kind."""
        ...

    def arrange(self, members: Mapping[str, Content], inner: Inner) -> Iterator[Judgement]:
        """Judge every member; a member that has no place in the layout is an objection (``unknown-member``).

        What is yielded is gathered into one judgement: objections and globals together, ``loads_code`` if any says so.
        May raise :class:`Rejected`.
        """
        ...
