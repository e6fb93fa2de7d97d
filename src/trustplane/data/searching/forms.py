"""Forms in running text: a pattern is tried only where the form can begin, which tables say of all texts at once.

Patterns are for :mod:`re`, since RE2 cannot say what may stand in front of and behind a form. Those with an opening
never search: each is tried at single places.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from trustplane.data.recognisers.codes import Shape, spread
from trustplane.data.recognisers.contract import Opening, TextForm
from trustplane.data.searching.batch import Batch, Places
from trustplane.data.searching.sieve import Sieve, bits_of, pieces

_Sieves = list[tuple[Sieve, dict[int, np.uint64]]]

_SPACE = np.isin(np.arange(256), list(b" \t\n\r\f\v\0"))


class FormSearch:
    """Where forms stand in texts, as if each pattern were searched through them with ``finditer``."""

    def __init__(self, forms: Sequence[TextForm]) -> None:
        self._forms = forms
        self._patterns = [re.compile(form.pattern) for form in forms]
        self._openings = {at: form.opening for at, form in enumerate(forms) if form.opening is not None}
        marked = {at: each for at, each in self._openings.items() if each.marks}
        self._marks = _sieves((at, "", sign) for at, each in marked.items() for sign in each.marks)
        self._marked = {at: _beginnings({at: each}) for at, each in marked.items()}
        self._others = _beginnings({at: each for at, each in self._openings.items() if not each.marks})

    def find(
        self, batch: Batch, kept: Callable[[int, Places], Places] | None = None
    ) -> Iterator[tuple[int, Places, Places]]:
        """Forms, by their place in the sequence, and where what is valid of them starts and ends.

        ``kept`` leaves the places where a form with an opening is worth a try.
        """
        tried = self._places(batch)
        if kept is not None:
            tried = {at: kept(at, places) for at, places in tried.items()}
        for at, (form, pattern) in enumerate(zip(self._forms, self._patterns, strict=True)):
            if form.gate and not any(sign in batch.whole for sign in form.gate):
                continue
            if form.opening is None:
                matches = pattern.finditer(batch.whole)
            else:
                matches = _matches(pattern, batch.whole, tried[at].tolist() if at in tried else ())
            found = [match.span() for match in matches if form.valid is None or form.valid(match[0])]
            if found:
                starts, ends = np.array(found, np.int64).T
                inside = ends <= batch.ends[batch.text_at(starts)]
                yield at, starts[inside], ends[inside]

    def _places(self, batch: Batch) -> dict[int, Places]:
        """Where each form with an opening can begin."""
        places = _standing(self._others, batch)
        for at, marks in _standing(self._marks, batch).items():
            begin = _standing(self._marked[at], batch).get(at)
            if begin is not None:
                places[at] = _in_piece(batch, begin, marks)
        return places


def _matches(pattern: re.Pattern[str], whole: str, places: Iterable[int]) -> Iterator[re.Match[str]]:
    """The matches that begin at one of the places, none within another."""
    end = 0
    for at in places:
        if at >= end and (match := pattern.match(whole, at)) is not None:
            end = match.end()
            yield match


def _in_piece(batch: Batch, places: Places, marks: Places) -> Places:
    """The places behind which a mark stands before the next white space."""
    spaces = np.flatnonzero(_SPACE[batch.signs])
    nearest = marks[np.minimum(np.searchsorted(marks, places, "left"), len(marks) - 1)]
    return places[(nearest >= places) & (nearest < spaces[np.searchsorted(spaces, places, "left")])]


def _beginnings(openings: dict[int, Opening]) -> _Sieves:
    return _sieves((at, each.not_after, sign) for at, each in openings.items() for sign in each.signs or ("",))


def _sieves(signs: Iterable[tuple[int, str, str]]) -> _Sieves:
    """Sieves for the signs of forms, each with what does not stand before it, and the bits of each form in them."""
    every, made = list(signs), []
    for piece in pieces(len(every)):
        of, before, texts = zip(*every[piece], strict=True)
        bits = {one: bits_of([at for at, each in enumerate(of) if each == one]) for one in dict.fromkeys(of)}
        made.append((Sieve([Shape(text) for text in texts], [spread(each) for each in before]), bits))
    return made


def _standing(sieves: _Sieves, batch: Batch) -> dict[int, Places]:
    """Where the signs of each form stand."""
    found: dict[int, Places] = {}
    for sieve, bits in sieves:
        places, fitting = sieve.places(batch.signs)
        for at, own in bits.items():
            here = places[(fitting & own) != 0]
            if len(here):
                found[at] = np.union1d(found[at], here) if at in found else here
    return found
