"""What the API answers with, as objects that show themselves."""

import html
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec


class Record(Mapping[str, Any]):
    """An answer of the API: a mapping whose members are attributes too."""

    __slots__ = ("_facts",)

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = dict(facts)

    def __getitem__(self, name: str) -> Any:
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._facts[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r} in it; there are {', '.join(self._facts)}") from None

    def __repr__(self) -> str:
        return msgspec.json.format(msgspec.json.encode(self._facts), indent=2).decode()

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(_shown(value))}</td></tr>"
            for name, value in self._facts.items()
        )
        return f"<table>{rows}</table>"


class Records(list[Record]):
    """A list of answers, shown in notebooks as a table."""

    def _repr_html_(self) -> str:
        if not self:
            return "<p>nothing</p>"
        names = [n for n in self[0] if not isinstance(self[0][n], dict | list)]
        head = "".join(f"<th>{html.escape(n)}</th>" for n in names)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_shown(r.get(n)))}</td>" for n in names) + "</tr>" for r in self
        )
        return f"<table><tr>{head}</tr>{body}</table>"


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return "" if value is None else str(value)
