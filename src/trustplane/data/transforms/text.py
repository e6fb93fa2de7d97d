"""The transform that takes personal data out of running text, in place."""

from typing import Any, ClassVar

import pyarrow as pa

from trustplane.data.spans import SpanFinder
from trustplane.data.transforms.coarse import NOTHING, as_text
from trustplane.data.transforms.contract import Keys
from trustplane.values.errors import BadInput, nearest

BATCH = 2_000


class Redact:
    """Replaces each find in a text with its entity: ``call <PERSON> at <PHONE_NUMBER>``."""

    hides: ClassVar[bool] = True
    follows: ClassVar[bool] = False
    needs: ClassVar[frozenset[str]] = NOTHING

    def __init__(self, entities: Any = None) -> None:
        """``entities`` are those to replace; all that are known without."""
        self._finder = SpanFinder()
        known = self._finder.entities
        if entities is not None and not (isinstance(entities, list) and entities):
            raise BadInput("TP-DATA-130", "entities is a list of entities")
        for each in entities or ():
            if each not in known:
                raise BadInput(
                    "TP-DATA-130", f"there is no entity {str(each)[:40]!r}", why=nearest(str(each), set(known))
                )
        self._entities = known if entities is None else frozenset(entities)

    def apply(self, values: Any, keys: Keys) -> Any:
        """The texts without what was found."""
        encoded = as_text(values).dictionary_encode()
        texts, made = encoded.dictionary.to_pylist(), []
        for start in range(0, len(texts), BATCH):
            part = texts[start : start + BATCH]
            made += [self._without(text, spans) for text, spans in zip(part, self._finder.find(part), strict=True)]
        return pa.DictionaryArray.from_arrays(encoded.indices, pa.array(made, pa.string())).cast(pa.string())

    def _without(self, text: str, spans: Any) -> str:
        parts, at = [], 0
        for span in spans:
            if span.entity in self._entities:
                parts += [text[at : span.start], f"<{span.entity}>"]
                at = span.end
        return "".join([*parts, text[at:]])
