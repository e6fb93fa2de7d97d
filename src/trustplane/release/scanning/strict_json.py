"""JSON of which every reader makes the same: UTF-8, no key twice in an object, no words for numbers that are none."""

import json
from typing import Any, NoReturn

from trustplane.release.scanning.contract import Rejected, Rule


def parsed(data: bytes, what: str) -> Any:
    """The value that a text stands for; ``what`` names it in objections."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise Rejected(Rule.DISGUISED, f"{what} names a key twice: readers take one or the other")
        return found

    def no_number(_word: str) -> NoReturn:
        raise Rejected(Rule.DAMAGED, f"{what} holds a number that is none")

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=no_number)
    except RecursionError:
        raise Rejected(Rule.TOO_DEEP, f"{what} is nested deeper than a model needs") from None
    except ValueError:
        raise Rejected(Rule.DAMAGED, f"{what} is no JSON text in UTF-8") from None
