"""What the jobs database holds: JSON, never pickles, so that reading a row cannot run code.

A stored form is an object with one key: ``value`` for arguments, results and progress, ``error`` for a coded error.
"""

import json
import traceback
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from trustplane.values.clock import rfc3339
from trustplane.values.errors import FAMILIES, BadInput, TrustplaneError

Json = Any
"""Null, booleans, finite numbers, text, lists and objects of these."""

_FAMILIES: dict[str, type[TrustplaneError]] = {family.__name__: family for family in FAMILIES}


def plain(value: object, what: str) -> Json:
    """``value`` as it comes back from storage: tuples as lists, keys as text.

    A first run and a resumed one must see the same value, so both see this one. Raises :class:`BadInput` when
    ``value`` is not JSON.
    """
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadInput("TP-JOB-002", f"{what} is not JSON", why=_shape(error)) from None


def encode(value: object) -> str:
    """The stored form of a value or of an exception."""
    body = {"error": _error(value)} if isinstance(value, Exception) else {"value": value}
    return json.dumps(body, allow_nan=False, separators=(",", ":"), default=_moment)


def decode(text: str) -> Json | TrustplaneError:
    """Read what :func:`encode` writes; an error comes back as an exception of its family."""
    body = json.loads(text)
    return _raised(body["error"]) if "error" in body else body["value"]


def unexpected(error: Exception) -> TrustplaneError:
    """The coded error that stands for a foreign one.

    A foreign exception's message may hold values of rows, so only its type and its place in the source are kept.
    """
    frames = traceback.extract_tb(error.__traceback__)
    facts = {"type": type(error).__name__}
    if frames:
        facts["place"] = f"{Path(frames[-1].filename).name}:{frames[-1].lineno} {frames[-1].name}"
    return TrustplaneError(
        "TP-JOB-005", f"the job ended in {_article(facts['type'])}", why=facts.get("place", ""), facts=facts
    )


def _error(error: Exception) -> dict[str, Json]:
    coded = error if isinstance(error, TrustplaneError) else unexpected(error)
    return {
        "family": type(coded).__name__,
        "code": coded.code,
        "what": coded.what,
        "why": coded.why,
        "fix": coded.fix,
        "facts": json.loads(json.dumps(coded.facts, default=str)),
    }


def _raised(body: Mapping[str, Json]) -> TrustplaneError:
    family = _FAMILIES.get(body["family"], TrustplaneError)
    return family(body["code"], body["what"], why=body["why"], fix=body["fix"], facts=body["facts"])


def _moment(value: object) -> str:
    if isinstance(value, datetime):  # DBOS hands a scheduled job its moment
        return rfc3339(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _shape(error: Exception) -> str:
    """What was wrong, without the value: these messages of ``json`` name types; any other may quote the value."""
    text = str(error)
    return (
        text
        if text.startswith(("Object of type", "Out of range float", "Circular reference", "keys must be"))
        else type(error).__name__
    )


def _article(name: str) -> str:
    return f"an {name}" if name[:1] in "AEIOU" else f"a {name}"
