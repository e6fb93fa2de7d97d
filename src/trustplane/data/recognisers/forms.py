"""Things with a form of their own that is no fixed length: one is declared in a few lines, and judged here."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.codes import Mask
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement, Opening, TextForm
from trustplane.data.recognisers.evidence import Share, confidence, matching, share
from trustplane.data.recognisers.headers import Words, mentions, phrases

NAMED_SHARE = 0.5


@dataclass(frozen=True)
class Form:
    """A recogniser of values of one form.

    ``pattern`` is RE2 over a whole value, ``valid`` a closer look at one text of that form. ``specificity`` says how
    rarely other data has the form. Under a name that says nothing at least ``least`` of the values must fit; at 2 they
    never do.
    """

    descriptor: Descriptor
    pattern: str
    names: frozenset[Words]
    specificity: float
    least: float
    valid: Callable[[str], bool] | None = None
    inside: str = ""
    """The pattern within running text, for :mod:`re`; empty where the form says too little there."""
    needs: str = ""
    """One of these signs stands in every value of the form."""
    shortest: int = 5
    """Signs of the shortest value of the form, under a name that says nothing."""
    opening: Opening | None = None
    """Where the pattern within running text can begin."""

    def judge(self, column: ColumnSample) -> Judgement | None:
        said = mentions(column.header, self.names)
        if not said and (self.least > 1 or column.longest < self.shortest):
            return None
        if self.needs and not column.holds(self.needs):
            return None
        found = self._found(column)
        if not found.enough or found.value < (min(NAMED_SHARE, self.least) if said else self.least):
            return None
        because = " and the column's name says so" if said else ""
        why = f"{found} have the form of {self.descriptor.entity}{because}"
        return Judgement(self.descriptor.entity, confidence(self.specificity, found, named=said), why)

    def in_text(self) -> TextForm | None:
        """The form within running text."""
        if not self.inside:
            return None
        return TextForm(self.inside, min(0.9, self.specificity), self.names, self.valid, opening=self.opening)

    def _found(self, column: ColumnSample) -> Share:
        fits: Mask = matching(column, self.pattern)
        if self.valid is None or not fits.any():
            return share(fits)
        passed = sum(map(self.valid, column.values.filter(fits).to_pylist()))
        return share(np.arange(column.distinct) < passed)


def form(  # noqa: PLR0913 - a declaration names everything that one form has
    entity: str,
    pattern: str,
    *,
    names: str,
    specificity: float,
    least: float = 0.05,
    valid: Callable[[str], bool] | None = None,
    inside: str = "",
    needs: str = "",
    shortest: int = 5,
    opening: Opening | None = None,
    klass: SensitivityClass = SensitivityClass.IDENTIFIER,
    country: str = "",
) -> Form:
    """Declare a form; its plug-in is called as the entity, in lower case. ``names`` are separated by commas."""
    descriptor = Descriptor(
        entity.lower(), entity, klass, (country,) if country else (), uses_checksum=valid is not None
    )
    return Form(descriptor, pattern, phrases(names), specificity, least, valid, inside, needs, shortest, opening)
