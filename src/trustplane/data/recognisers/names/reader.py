"""The shipped model as a reader of texts."""

from collections.abc import Sequence

from trustplane.data.recognisers.names.decode import find
from trustplane.data.recognisers.names.model import Model, shipped
from trustplane.data.recognisers.readers import Span


class Names:
    """Marks people, places, organisations, groups of people and dates. Raise ``Tampered`` (TP-DATA-083) for a changed model."""

    def __init__(self, model: Model | None = None) -> None:
        self._model = shipped() if model is None else model
        self.entities = frozenset(self._model.entities)

    def read(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, in their order and apart."""
        found: list[list[Span]] = [[] for _ in texts]
        for text, start, end, entity, score in find(texts, self._model):
            found[text].append(Span(start, end, entity, score))
        return found
