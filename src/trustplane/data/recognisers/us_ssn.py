"""Social security numbers of the United States, which have no check digit: by form, name, and numbers never issued."""

import re

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement, Opening, TextForm
from trustplane.data.recognisers.evidence import Mask, confidence, matching, share
from trustplane.data.recognisers.headers import mentions, phrases

_WRITTEN = r"^[0-9]{3}[- ][0-9]{2}[- ][0-9]{4}$"
_BARE = r"^[0-9]{9}$"
# Never issued (Social Security Administration, POMS RM 10201.035): area 000, 666 and 9xx, group 00, serial 0000.
_NEVER_ISSUED = r"^(?:000|666|9)|^[0-9]{3}[- ]?00|0000$"
_INSIDE = r"(?<![0-9A-Za-z.+-])[0-9]{3}([- ])[0-9]{2}\1[0-9]{4}(?![0-9A-Za-z-])"
_OPENING = Opening(("###[ -]##[ -]####",), "0-9A-Za-z.+-")
_NAMES = phrases("ssn, social security, social security number, social, ss number, tin, itin")


class UsSsn:
    """Columns of social security numbers. Nine bare digits count only under a name that says so."""

    descriptor = Descriptor("us_ssn", "US_SSN", SensitivityClass.IDENTIFIER, ("US",))

    def in_text(self) -> TextForm:
        """Written with hyphens or spaces."""
        return TextForm(_INSIDE, 0.6, _NAMES, lambda text: re.search(_NEVER_ISSUED, text) is None, opening=_OPENING)

    def judge(self, column: ColumnSample) -> Judgement | None:
        named = mentions(column.header, _NAMES)
        if not named and (column.fractions or not column.holds("- ")):
            return None
        formed = matching(column, _WRITTEN)
        if not named and not formed.any():
            return None
        issued: Mask = ~matching(column, _NEVER_ISSUED)
        written = share(formed & issued)
        bare = share(matching(column, _BARE) & issued)
        if written.enough and (named or written.value >= 0.5):
            sure = confidence(0.85, written, named=named)
            return Judgement(
                self.descriptor.entity, sure, f"{written} have the form of a social security number that may be issued"
            )
        if named and bare.enough:
            sure = confidence(0.5, bare, named=True)
            why = (
                f"{bare} are nine digits that may be issued as a social security number, and the column's name says so"
            )
            return Judgement(self.descriptor.entity, sure, why)
        return None
