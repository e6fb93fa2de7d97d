"""The words in which a model's reasons are told: a TOML file that its run leaves as ``reasons.toml``.

::

    most = 4
    immutable = ["AGE"]

    [features.LIMIT_BAL]
    low = "Your credit limit is low"

    [groups.bills]
    features = ["BILL_AMT1", "BILL_AMT2"]
    high = "Your balances are high"
"""

import tomllib
from collections.abc import Mapping, Sequence

import msgspec

from trustplane.values.errors import BadInput, nearest

WORDING = "reasons.toml"
MOST = 4
"""More than four reasons are not likely to help an applicant: 12 CFR part 1002, supplement I, 9(b)(2)-1."""
_LONGEST = 300


class Phrase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is said where the feature speaks against a person, being above (``high``) or below (``low``) the reference, or ``missing``."""

    high: str = ""
    low: str = ""
    missing: str = ""


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Features that are told as one."""

    features: tuple[str, ...]
    high: str = ""
    low: str = ""
    missing: str = ""


class Wording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How reasons are told. Features that a person cannot change are ``immutable``; a reason says so."""

    most: int = MOST
    immutable: tuple[str, ...] = ()
    features: Mapping[str, Phrase] = {}
    groups: Mapping[str, Group] = {}


def read_wording(text: bytes, names: Sequence[str]) -> Wording:
    """The wording in a file; raise :class:`BadInput` (TP-ASSESS-021) where it does not fit the features."""
    try:
        found = msgspec.convert(tomllib.loads(text.decode()), Wording)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise BadInput("TP-ASSESS-021", f"{WORDING} cannot be read", why=str(error)[:300]) from None
    grouped = [name for group in found.groups.values() for name in group.features]
    for name in (*found.features, *found.immutable, *grouped):
        if name not in names:
            raise BadInput("TP-ASSESS-021", f"the model has no feature {name[:80]!r}", why=nearest(name, list(names)))
    if len(set(grouped)) < len(grouped):
        raise BadInput("TP-ASSESS-021", "a feature stands in two groups of the wording")
    told: list[Phrase | Group] = [*found.features.values(), *found.groups.values()]
    phrases = [p for each in told for p in (each.high, each.low, each.missing)]
    if any(len(p) > _LONGEST or not p.isprintable() for p in phrases) or not 1 <= found.most <= 20:
        raise BadInput(
            "TP-ASSESS-021", "a phrase of the wording is too long or not printable, or `most` is not 1 to 20"
        )
    return found


def phrase(wording: Wording, name: str, side: str) -> str:
    """What is said of a feature or group on a side (``high``, ``low``, ``missing``)."""
    known = wording.groups.get(name) or wording.features.get(name) or Phrase()
    plain = {"high": f"{name} is too high", "low": f"{name} is too low", "missing": f"{name} is not known"}
    said: str = getattr(known, side)
    return said or plain[side]
