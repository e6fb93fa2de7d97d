"""Sensitivity classes: how a column must be treated, and so which key it is encrypted under."""

from collections.abc import Iterable
from enum import StrEnum


class SensitivityClass(StrEnum):
    """The classes, from the most to the least sensitive; the order of definition is the order of sensitivity."""

    SPECIAL = "special"
    """Special categories and convictions (GDPR art. 9(1) and 10): health, religion, ethnic origin and so on."""
    IDENTIFIER = "identifier"
    """Says by itself who the row is about: a name, an e-mail address, an account number."""
    QUASI_IDENTIFIER = "quasi-identifier"
    """Singles a person out together with others: age, sex, postcode."""
    CONFIDENTIAL = "confidential"
    """Says nothing of who, and is nobody else's business: amounts, free text, measurements."""
    OPEN = "open"
    """May be seen by everybody who may see the dataset at all."""

    @property
    def rank(self) -> int:
        """0 for the least sensitive class; a higher rank is more sensitive."""
        return len(_ORDER) - 1 - _ORDER.index(self)


_ORDER = tuple(SensitivityClass)

PERSONAL: frozenset[SensitivityClass] = frozenset(
    {SensitivityClass.SPECIAL, SensitivityClass.IDENTIFIER, SensitivityClass.QUASI_IDENTIFIER}
)
"""The classes that hold personal data in the sense of GDPR art. 4(1)."""

COUNTS_ONLY: frozenset[SensitivityClass] = frozenset({SensitivityClass.SPECIAL, SensitivityClass.IDENTIFIER})
"""The classes of whose columns statistics keep counts and no figure made of values."""


def most_sensitive(classes: Iterable[SensitivityClass]) -> SensitivityClass:
    """The most sensitive of ``classes``; raise ``ValueError`` when there is none."""
    return max(classes, key=lambda each: each.rank)
