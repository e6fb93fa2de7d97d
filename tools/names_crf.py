"""A linear-chain conditional random field (Lafferty et al. 2001) with hashed features, trained by AdaGrad on its likelihood.

It runs in the sandbox too: it needs NumPy, SciPy and the package, no corpus.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from trustplane.data.recognisers.names.decode import find
from trustplane.data.recognisers.names.features import Looks, features, looks, mixed, of_word
from trustplane.data.recognisers.names.model import Model
from trustplane.data.recognisers.names.tokens import Tokens, tokens

Marked = tuple[str, list[tuple[int, int, str]]]
TAGS = (
    "O",
    *(f"{kind}-{entity}" for entity in ("PERSON", "LOCATION", "ORGANIZATION", "DATE_TIME", "NRP") for kind in "BI"),
)
FORBIDDEN = -1e4
OPEN = frozenset({"first", "last", "city", "region"})
"""Lists that are never whole."""
DROP, STRANGE, UNLISTED = 0.4, 0.15, 0.6
"""Shares of features that are left out of a step, of words made unknown, and of names made unknown to the lists (Srivastava et al. 2014)."""
START = 1e-5
"""Where AdaGrad's sums of squares begin."""
AT_ONCE = 384
"""Texts of one step."""


def hashed(words: dict[str, list[str]]) -> dict[str, np.ndarray]:
    """Lists of known words as sorted hashes."""
    return {
        name: np.unique(np.array([of_word(part) for each in known for part in _parts(each)], np.uint32))
        for name, known in words.items()
    }


def _parts(value: str) -> list[str]:
    return value.replace("-", " ").replace("'", " ").split()


def encoded(marked: list[Marked]) -> tuple[Tokens, np.ndarray]:
    """The tokens of texts and the tag of each."""
    seen = tokens([text for text, _ in marked])
    tags = np.zeros(len(seen.starts), np.int64)
    for number, (_, spans) in enumerate(marked):
        begin = int(seen.offsets[number])
        for start, end, entity in spans:
            first, last = np.searchsorted(seen.starts, [begin + start, begin + end])
            if first < last:
                tags[first:last] = TAGS.index(f"I-{entity}")
                tags[first] -= 1
    return seen, tags


def blurred(look: Looks, opens: np.uint64, dice: np.random.Generator) -> Looks:
    """The looks with some words unknown to all lists and some unknown at all, so that no word says too much by itself."""
    count = len(look.low)
    unlisted = np.where(dice.random(count) < UNLISTED, look.lists & ~opens, look.lists)
    unlisted = np.where(dice.random(count) < 0.1, np.uint64(0), unlisted)
    strange = dice.random(count) < STRANGE
    unknown = mixed(dice.integers(0, 2**63, count).astype(np.uint64))
    return Looks(
        np.where(strange, unknown, look.low), np.where(strange, unknown, look.word), tuple(np.where(strange, unknown, p) for p in look.heads),
        tuple(np.where(strange, unknown, p) for p in look.tails), look.shape, look.size, unlisted, look.cased,
    )  # fmt: skip


def likelihood(
    weights: np.ndarray, after: np.ndarray, first: np.ndarray, starts: np.ndarray, lengths: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Marginals of each tag of each token, and expected counts of each tag after another (forward-backward, scaled)."""
    count, steps = weights.shape[1], int(lengths.max())
    place = np.minimum(starts[:, None] + np.arange(steps), len(weights) - 1)
    inside = np.arange(steps) < lengths[:, None]
    local = np.exp(weights - weights.max(axis=1, keepdims=True))[place] * inside[:, :, None]
    local[:, :, 0] += ~inside
    follow = np.exp(after)
    forward, scale = np.empty_like(local), np.empty((len(starts), steps, 1), local.dtype)
    reach = local[:, 0] * np.exp(first)
    for step in range(steps):
        if step:
            reach = (forward[:, step - 1] @ follow) * local[:, step]
        scale[:, step] = reach.sum(axis=1, keepdims=True)
        forward[:, step] = reach / scale[:, step]
    backward = np.ones_like(local)
    pairs = np.zeros((count, count))
    for step in range(steps - 2, -1, -1):
        ahead = local[:, step + 1] * backward[:, step + 1] / scale[:, step + 1]
        on = inside[:, step + 1, None]
        pairs += (forward[:, step] * on).T @ ahead
        backward[:, step] = np.where(on, ahead @ follow.T, 1.0)
    marginals = np.zeros_like(weights)
    marginals[place[inside]] = (forward * backward)[inside]
    return marginals, pairs * follow


@dataclass(frozen=True, slots=True)
class Settings:
    """How the model is trained: 2**bits rows of weights, rounds over the texts, and AdaGrad's pace and decay."""

    bits: int = 19
    rounds: int = 4
    seed: int = 20
    rate: float = 0.2
    decay: float = 1e-5


def train(marked: list[Marked], lists: dict[str, np.ndarray], settings: Settings) -> Model:
    """The model that several rounds over the texts lead to."""
    dice, bits, rounds = np.random.default_rng(settings.seed), settings.bits, settings.rounds
    rate, decay, count = settings.rate, settings.decay, len(TAGS)
    table = np.zeros((1 << bits, count), np.float32)
    squares = np.full_like(table, START)
    allowed = np.array([[(a != "O" and b[0] == "I" and a[2:] == b[2:]) or b[0] != "I" for b in TAGS] for a in TAGS])
    after, first = np.where(allowed, 0.0, FORBIDDEN), np.where([t[0] == "I" for t in TAGS], FORBIDDEN, 0.0)
    after_squares, first_squares = np.full_like(after, 1.0), np.full_like(first, 1.0)
    marked = sorted(marked, key=lambda each: len(each[0]))
    groups = [marked[at : at + AT_ONCE] for at in range(0, len(marked), AT_ONCE)]
    known = [(*encoded(group),) for group in groups]
    plain = [looks(seen, lists) for seen, _ in known]
    opens = np.uint64(sum(1 << bit for bit, name in enumerate(sorted(lists)) if name in OPEN))
    for turn in range(rounds):
        pace = rate * (1 - turn / rounds) + 0.01
        for at in dice.permutation(len(groups)).tolist():
            seen, tags = known[at]
            rows = np.stack(list(features(blurred(plain[at], opens, dice), seen.text, bits)), axis=1)
            tokens_, each = rows.shape
            unique, where = np.unique(rows, return_inverse=True)
            ones = (dice.random(rows.size, np.float32) >= DROP).astype(np.float32) / np.float32(1 - DROP)
            matrix = csr_matrix((ones, where.ravel(), np.arange(0, rows.size + 1, each)), shape=(tokens_, len(unique)))
            weights = (matrix @ table[unique]).astype(np.float64)
            starts = np.flatnonzero(np.append(True, seen.text[1:] != seen.text[:-1]))
            lengths = np.diff(np.append(starts, tokens_))
            marginals, pairs = likelihood(weights, after, first, starts, lengths)
            wanted = np.zeros_like(weights)
            wanted[np.arange(tokens_), tags] = 1.0
            slope = (matrix.T @ (marginals - wanted).astype(np.float32)) / np.float32(AT_ONCE)
            slope += np.float32(decay) * table[unique]
            squares[unique] += slope * slope
            table[unique] -= np.float32(pace) * slope / np.sqrt(squares[unique])
            same = np.flatnonzero(seen.text[1:] == seen.text[:-1])
            told = np.zeros_like(after)
            np.add.at(told, (tags[same], tags[same + 1]), 1.0)
            steps = np.where(allowed, (pairs - told) / AT_ONCE, 0.0)
            after_squares += steps**2
            after -= pace * steps / np.sqrt(after_squares)
            opening = np.where(first > FORBIDDEN / 2, (marginals[starts] - wanted[starts]).sum(axis=0) / AT_ONCE, 0.0)
            first_squares += opening**2
            first -= pace * opening / np.sqrt(first_squares)
        print(f"round {turn + 1}: {np.abs(table).max():.2f} largest weight", flush=True)
    return rounded(table, after, first, lists, bits)


def rounded(table: np.ndarray, after: np.ndarray, first: np.ndarray, lists: dict[str, np.ndarray], bits: int) -> Model:
    """The model with weights of eight bits; what is rounded to nothing takes no room."""
    scale = float(np.quantile(np.abs(table[table != 0]), 0.9999)) / 127
    small = np.clip(np.round(table / scale), -127, 127).astype(np.int8)
    small[np.abs(small).max(axis=1) < 3] = 0
    small[0] |= small[0] == 0  # the first row is never empty, so that all others have one before them
    return Model(TAGS, bits, small, scale, after.astype(np.float32), first.astype(np.float32), lists)


def judged(model: Model, marked: list[Marked]) -> dict[str, tuple[float, float, float]]:
    """Precision, recall and F1 by entity, exact spans only."""
    gold = {(number, *span) for number, (_, spans) in enumerate(marked) for span in spans}
    found = {
        (number, start, end, entity) for number, start, end, entity, _ in find([text for text, _ in marked], model)
    }
    made = {}
    for entity in ("all", *model.entities):
        there = {each for each in gold if entity in ("all", each[3])}
        said = {each for each in found if entity in ("all", each[3])}
        right = len(there & said)
        made[entity] = (
            right / max(len(said), 1),
            right / max(len(there), 1),
            2 * right / max(len(said) + len(there), 1),
        )
    return made
