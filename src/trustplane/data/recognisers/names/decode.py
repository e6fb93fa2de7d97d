"""The likeliest tags of many texts at once (Viterbi 1967), and the spans that they mean.

Long texts are cut into pieces before anything is computed, so memory stays bounded, and time is linear in the characters.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from trustplane.data.recognisers.names.features import features, looks
from trustplane.data.recognisers.names.model import Floats, Model
from trustplane.data.recognisers.names.tokens import BREAK, SIGN, Ints, Tokens, tokens

_AT_ONCE = 1 << 18
"""Characters that are looked at together."""
_PIECE = 1 << 16
"""Characters of one text that are looked at as one text."""
_CHAIN = 64
"""Tokens of which the tags are sought together."""
_LONGEST = 60
"""Tokens of the longest span: more is no name and no address, but a text that the model does not understand."""

Found = tuple[int, int, int, str, float]
"""Number of the text, start, end, entity and score."""


def find(texts: Sequence[str], model: Model) -> Iterator[Found]:
    """What the model finds in texts, text by text."""
    held: list[tuple[int, int, str]] = []
    size = 0
    for piece in _pieces(texts):
        if held and size + len(piece[2]) > _AT_ONCE:
            yield from _found(held, model)
            held, size = [], 0
        held.append(piece)
        size += len(piece[2])
    if held:
        yield from _found(held, model)


def _pieces(texts: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Number of the text, start and characters, cut at a space where there is one."""
    for number, text in enumerate(texts):
        start = 0
        while start < len(text):
            end = min(start + _PIECE, len(text))
            if end < len(text):
                gap = max(text.rfind("\n", start + _PIECE // 2, end), text.rfind(" ", start + _PIECE // 2, end))
                end = gap + 1 if gap > 0 else end
            yield number, start, text[start:end]
            start = end


def _found(pieces: Sequence[tuple[int, int, str]], model: Model) -> Iterator[Found]:
    seen = tokens([text for _, _, text in pieces])
    if not len(seen.starts):
        return
    weights = scores(seen, model)
    tags = _chains(weights, seen.text, model)
    signs = np.append(0, np.cumsum(seen.kinds[seen.starts] > SIGN))
    breaks = seen.kinds[seen.starts] == BREAK
    for first, last, entity in _runs(tags, seen.text, model.tags):
        while breaks[first] and first < last:
            first += 1  # noqa: PLW2901 - a name begins with its first word
        while breaks[last] and first < last:
            last -= 1  # noqa: PLW2901
        if last - first >= _LONGEST or signs[first] == signs[last + 1]:
            continue
        number, offset, _ = pieces[seen.text[first]]
        begin = int(seen.offsets[seen.text[first]])
        start, end = int(seen.starts[first]) - begin, int(seen.ends[last]) - begin
        yield number, offset + start, offset + end, entity, _sure(weights[first : last + 1], tags[first : last + 1])


def scores(seen: Tokens, model: Model) -> Floats:
    """What the features of each token say for each tag, in log-odds: (tokens, tags)."""
    total = np.zeros((len(seen.starts), len(model.tags)), np.int16)
    for rows in features(looks(seen, model.lists), seen.text, model.bits):
        total += model.table[rows]
    return total.astype(np.float32) * np.float32(model.scale)


def _sure(weights: Floats, tags: Ints) -> float:
    """The mean probability of the span's tags, each token by itself; at least one half, since the chain chose them."""
    odds = np.exp(weights - weights.max(axis=1, keepdims=True))
    share = odds[np.arange(len(tags)), tags] / odds.sum(axis=1)
    return 0.5 + 0.5 * float(share.mean())


def _chains(weights: Floats, text: Ints, model: Model) -> Ints:
    """The tags of all tokens. Chains of about one length are sought together, one step of all of them at a time."""
    starts = _starts(text)
    lengths = np.diff(np.append(starts, len(text)))
    opens = np.ones(len(starts), bool)
    opens[1:] = text[starts[1:]] != text[starts[1:] - 1]
    tags = np.zeros(len(text), np.int64)
    order = np.argsort(lengths, kind="stable")
    for group in np.array_split(order, max(1, min(8, len(order) // 256))):
        if len(group):
            place = starts[group][:, None] + np.arange(int(lengths[group].max()))
            inside = place < (starts + lengths)[group][:, None]
            place = np.where(inside, place, starts[group][:, None])
            tags[place[inside]] = _viterbi(weights[place], inside, opens[group], model)[inside]
    return tags


def _starts(text: Ints) -> Ints:
    """Where chains begin: at each text, and within one after every so many tokens."""
    begins = np.flatnonzero(np.append(True, text[1:] != text[:-1]))
    since = np.arange(len(text)) - np.repeat(begins, np.diff(np.append(begins, len(text))))
    return np.flatnonzero(since % _CHAIN == 0)


def _viterbi(weights: Floats, inside: npt.NDArray[np.bool_], opens: npt.NDArray[np.bool_], model: Model) -> Ints:
    """The best tags of each chain: (chains, steps). A chain that continues a text may begin within a span."""
    chains, steps, count = weights.shape
    best = weights[:, 0] + np.where(opens[:, None], model.first, np.float32(0))
    came = np.zeros((steps, chains, count), np.uint8)
    rows, columns = np.arange(chains)[:, None], np.arange(count)[None]
    for step in range(1, steps):
        reach = best[:, None, :] + model.after.T[None]
        came[step] = reach.argmax(axis=2)
        new = reach[rows, columns, came[step]] + weights[:, step]
        best = np.where(inside[:, step, None], new, best)
        came[step] = np.where(inside[:, step, None], came[step], columns)
    tags = np.zeros((chains, steps), np.int64)
    tags[:, -1] = best.argmax(axis=1)
    for step in range(steps - 1, 0, -1):
        tags[:, step - 1] = came[step][rows[:, 0], tags[:, step]]
    return tags


def _runs(tags: Ints, text: Ints, names: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """First and last token and entity of each run; an ``I-`` that follows nothing of its kind begins one."""
    order = list(dict.fromkeys(name[2:] for name in names if name != "O"))
    kind = np.array([0 if name == "O" else 1 + order.index(name[2:]) for name in names])[tags]
    begins = np.array([name[0] == "B" for name in names])[tags] & (kind > 0)
    joined = np.zeros(len(tags), bool)
    joined[1:] = (kind[1:] == kind[:-1]) & (text[1:] == text[:-1]) & ~begins[1:]
    first = np.flatnonzero((kind > 0) & ~joined)
    stop = np.flatnonzero(np.append(~joined[1:], True))
    last = stop[np.searchsorted(stop, first)]
    for one, other in zip(first.tolist(), last.tolist(), strict=True):
        yield one, other, order[kind[one] - 1]
