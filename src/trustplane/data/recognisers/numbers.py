"""Numbers with a fixed form: the declaration of one is a few lines, and this is how all of them are judged.

A column holds such numbers when the share of its values that pass the check is far above the share that passes by
chance, or when its name says so and the values do not speak against it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.codes import Codes, Crowd, Mask, Shape, Signs
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement
from trustplane.data.recognisers.evidence import Share, chance_bound, confidence
from trustplane.data.recognisers.headers import OTHER_THINGS, Words, mentions, phrases, words

Check = Callable[[Signs], Mask]

UNNAMED_SHARE, NAMED_SHARE, FORM_SHARE = 0.5, 0.2, 0.8
"""The least share of values that must pass: under a name that says nothing; under one that says so; by form alone."""
UNNAMED_CHANCE, NAMED_CHANCE = 1e-6, 0.01
"""How probable it may be that so many pass by chance."""
LOST_ZEROS = 4
ID = (
    "national id, id number, id no, identity number, identity, identity card, id card, personal id, citizen id, nid,"
    " personal number, identification number, identity document, document number, personal code, personal identity code"
)
TAX = "tax id, tax number, tin, taxpayer id, tax file number, tax no, fiscal number, tax code"
"""What such numbers are called in English, in every country."""
RARE = 0.01
_DRAWS = 4096
_PIECE = 16_384


@dataclass(frozen=True)
class Number:
    """A recogniser of numbers of one kind.

    ``check`` takes codes of one of the ``shapes`` and says which are possible; ``None`` leaves it at the form.
    ``chance`` bounds the share of codes of the right form, with a date where the number holds one, that pass although
    they are something else: 1/10 for one check digit. ``names`` are its own, ``also`` those that it shares with the numbers of other states. ``named`` numbers have a form that says too little without a
    column's name. ``lenient`` ones are taken by form under a name that says so, since not all of them pass the check.
    """

    descriptor: Descriptor
    shapes: tuple[Shape, ...]
    check: Check | None
    chance: float
    names: frozenset[Words]
    named: bool = False
    lenient: bool = False
    also: frozenset[Words] = frozenset()

    def valid(self, signs: Signs) -> Mask:
        """Which codes, shape (count, length), are such numbers."""
        found = np.zeros(len(signs), np.bool_)
        for shape in self.shapes:
            if shape.length == signs.shape[1]:
                found |= shape.fits(signs)
        if self.check is not None and found.any():
            found[found] = self.check(signs[found])
        return found

    def judge(self, column: ColumnSample) -> Judgement | None:
        called = mentions(column.header, self.names)
        said = called or mentions(column.header, self.also)
        if not said and (self.named or self._of_things(column.header)):
            return None
        least = UNNAMED_SHARE if self.named or not said else NAMED_SHARE
        crowds = list(self._crowds(column.codes, whole=column.whole_numbers or said))
        if Share(sum(self._most(crowd) for crowd in crowds), column.distinct).value < least:
            return None
        rows = [self._formed(crowd) for crowd in crowds]
        formed = Share(sum(map(len, rows)), column.distinct)
        by_form = called and self.lenient and formed.value >= FORM_SHARE
        found = self._passing(rows, formed, 0.0 if by_form else least)
        entity, because = self.descriptor.entity, " and the column's name says so" if said else ""
        if self._told(found, formed.hits, said=said):
            what = "the form and pass the check" if self.descriptor.uses_checksum else "the form"
            why = f"{found} have {what} of {entity}{because}; of other codes of the form {self.chance:.2g} would"
            return Judgement(entity, confidence(self._specificity, found, named=said), why)
        if by_form:
            return Judgement(
                entity, confidence(0.5, formed, named=True), f"{formed} have the form of {entity}{because}"
            )
        return None

    def _told(self, found: Share, trials: int, *, said: bool) -> bool:
        """Whether so many pass that chance does not explain it."""
        if self.named:
            return found.value >= UNNAMED_SHARE
        share, chance = (NAMED_SHARE, NAMED_CHANCE) if said else (UNNAMED_SHARE, UNNAMED_CHANCE)
        return found.value >= share and chance_bound(found.hits, trials, self.chance) <= chance

    def _of_things(self, header: str) -> bool:
        """Whether the column's name speaks of things, and the check is one that numbers of things may have as well."""
        return self.rarity > RARE and bool(OTHER_THINGS.intersection(words(header)))

    @cached_property
    def _by_length(self) -> dict[int, tuple[Shape, ...]]:
        lengths = dict.fromkeys(shape.length for shape in self.shapes)
        return {length: tuple(shape for shape in self.shapes if shape.length == length) for length in lengths}

    def _crowds(self, codes: Codes, *, whole: bool) -> Iterator[Crowd]:
        """The codes that can have the form; of whole numbers also those that lost zeros, beside complete ones."""
        for length, shapes in self._by_length.items():
            crowd, digits = codes.crowd(length), all(shape.numeric for shape in shapes)
            if digits and len(crowd.signs):
                crowd = crowd.digits
            if len(crowd.signs):
                yield crowd
                if whole and digits:
                    yield codes.padded(length, LOST_ZEROS)

    def _most(self, crowd: Crowd) -> int:
        """At most how many of a crowd have the form: a bound that needs no look at single codes."""
        shapes = self._by_length[crowd.signs.shape[1]]
        return min(len(crowd.signs), sum(shape.most(crowd) for shape in shapes))

    def _formed(self, crowd: Crowd) -> Signs:
        """The codes of a crowd that have the form."""
        shapes = self._by_length[crowd.signs.shape[1]]
        formed = np.logical_or.reduce([shape.fits_of(crowd) for shape in shapes])
        return crowd.signs if formed.all() else crowd.signs[formed]

    def _passing(self, rows: Sequence[Signs], formed: Share, least: float) -> Share:
        """How many codes of the form pass, piece by piece, so that what is made on the way stays small.

        It ends where all that is left can no longer make up the ``least`` share.
        """
        if self.check is None:
            return formed
        hits, left = 0, formed.hits
        for piece in (group[at : at + _PIECE] for group in rows for at in range(0, len(group), _PIECE)):
            if Share(hits + left, formed.of).value < least:
                break
            hits += int(np.count_nonzero(self.check(piece)))
            left -= len(piece)
        return Share(hits, formed.of)

    @cached_property
    def rarity(self) -> float:
        """The share of random codes of the form that pass, by a seeded draw; 1 without a check."""
        if self.check is None:
            return 1.0
        generator = np.random.Generator(np.random.PCG64(7064))
        passed = sum(int(self.check(shape.drawn(_DRAWS, generator)).sum()) for shape in self.shapes)
        return (passed + 1) / (_DRAWS * len(self.shapes) + 1)

    @cached_property
    def _specificity(self) -> float:
        if self.named:
            return 0.6
        return min(0.99, 0.93 - 0.02 * float(np.log10(self.rarity)))


def number(  # noqa: PLR0913 - a declaration names everything that one kind of number has
    entity: str,
    shapes: str,
    check: Check | None = None,
    *,
    names: str,
    chance: float = 0.1,
    country: str = "",
    named: bool = False,
    also: str = "",
    lenient: bool = False,
    checksum: bool = True,
    klass: SensitivityClass = SensitivityClass.IDENTIFIER,
) -> Number:
    """Declare a kind of number: ``shapes`` are separated by spaces, ``names`` by commas.

    Its plug-in is called as the entity, in lower case. ``country`` defaults to the entity's first two letters.
    """
    countries = (country or entity[:2],) if country != "-" else ()
    descriptor = Descriptor(entity.lower(), entity, klass, countries, uses_checksum=check is not None and checksum)
    return Number(
        descriptor, tuple(map(Shape, shapes.split())), check, chance, phrases(names), named, lenient, phrases(also)
    )
