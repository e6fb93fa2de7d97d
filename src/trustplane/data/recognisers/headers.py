"""What a column's name says.

Names are compared word by word, never by letters: ``public`` does not hold the word ``lic``.
"""

import re
import unicodedata
from functools import lru_cache

Words = tuple[str, ...]

_LONGEST = 200
LONGEST_PHRASE = 6
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")
_SEPARATOR = re.compile(r"[\W_]+")


def words(header: str) -> Words:
    """The words of a column's name in lower case: ``customerFullName2`` gives customer, full, name, 2."""
    return _words(header[:_LONGEST])


@lru_cache(1024)
def _words(header: str) -> Words:
    text = unicodedata.normalize("NFKC", header)
    spaced = _BOUNDARY.sub(" ", text)
    return tuple(word for word in _SEPARATOR.split(spaced.casefold()) if word)


def vocabulary(text: str) -> frozenset[str]:
    """Single words, separated by spaces."""
    return frozenset(text.split())


def phrases(text: str) -> frozenset[Words]:
    """Phrases for the functions below, written one per comma: ``"first name, surname"``.

    They are read as columns' names are, so that what stands in one can be found in the other.
    """
    return frozenset(words(part) for part in text.split(",") if words(part))


WHOSE = vocabulary(
    "a account applicant at borrower client current customer employee guest holder in member my of owner patient"
    " policyholder student the user"
)
"""Words that say whose, and leave open what."""

FORM = vocabulary("band bracket category class code group level num range status years")
"""Words that say in which form a trait is given, and leave open which."""


OTHER_THINGS = vocabulary(
    "article asset barcode batch bestellnummer booking cart case catalog commande contract delivery document ean facture"
    " factura gtin invoice isbn item job lot machine mpn order orden ordine package parcel part pedido po"
    " product receipt rechnung ref reference request serial session shipment sku stock ticket token tracking transaction"
    " txn upc voucher warehouse waybill artikel auftrag zamowienie zamówienie 訂單 编号 订单"
)
"""Words that say that a column numbers things and not people."""


def mentions(header: str, wanted: frozenset[Words]) -> bool:
    """Whether one of ``wanted``, of up to six words each, stands anywhere in the name, as whole words in this order."""
    return not wanted.isdisjoint(_runs(header[:_LONGEST]))


def runs(have: Words) -> frozenset[Words]:
    """Every run of up to six words."""
    return frozenset(
        have[at : at + length] for length in range(1, LONGEST_PHRASE + 1) for at in range(len(have) - length + 1)
    )


@lru_cache(1024)
def _runs(header: str) -> frozenset[Words]:
    return runs(_words(header))


def is_about(header: str, wanted: frozenset[Words], ignored: frozenset[str] = WHOSE) -> bool:
    """Whether the name says ``wanted`` and ``ignored`` words: ``customer_age`` is about age, ``domain_age`` not."""
    have = words(header)
    bare = tuple(word for word in have if word not in ignored and not word.isdecimal())
    return have in wanted or bare in wanted
