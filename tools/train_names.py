"""Train the model of names, places, organisations, groups and dates on generated text, and write it into the package.

Needs the dependency group ``names`` (Faker, GeoNames) and SciPy: ``python tools/train_names.py``. The same seed gives the same weights on the same versions.
A linear-chain conditional random field (Lafferty et al. 2001) with hashed features, by AdaGrad on its likelihood.
"""

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

sys.path.insert(0, str(Path(__file__).parent))
from names_corpus import values as v
from names_corpus import vocabulary as y
from names_corpus import words as w
from names_corpus.generate import Marked, texts
from trustplane.data.recognisers.names.decode import find
from trustplane.data.recognisers.names.features import Looks, features, looks, mixed, of_word
from trustplane.data.recognisers.names.model import Manifest, Model, packed, parsed
from trustplane.data.recognisers.names.tokens import Tokens, tokens

TAGS = (
    "O",
    *(f"{kind}-{entity}" for entity in ("PERSON", "LOCATION", "ORGANIZATION", "DATE_TIME", "NRP") for kind in "BI"),
)
FOLDER = Path(__file__).parents[1] / "src" / "trustplane" / "data" / "recognisers" / "names"
FORBIDDEN = -1e4
OPEN = frozenset({"first", "last", "city", "region"})
"""Lists that are never whole."""
DROP, STRANGE, UNLISTED = 0.4, 0.15, 0.6
"""Shares of features that are left out of a step, of words made unknown, and of names made unknown to the lists (Srivastava et al. 2014)."""
START = 1e-5
"""Where AdaGrad's sums of squares begin."""
AT_ONCE = 384
"""Texts of one step."""


def word_lists() -> dict[str, np.ndarray]:
    """Known words, as sorted hashes: of training values only."""
    from babel import Locale

    calendar = [word for language in v.LANGUAGES for month in v.months(language) for word in month] + [
        d for one in v.LANGUAGES for d in v.weekdays(one)
    ]
    held = {
        "first": v.split(v.first_names(), held=False), "last": v.split(v.last_names(), held=False), "city": v.split([*v.cities()[0], *v.cities()[1]], held=False),
        "country": [c for language in v.LANGUAGES for c in v.countries(language)], "region": v.split(v.regions(), held=False), "calendar": calendar,
        "common": [word for language in v.LANGUAGES for word in v.common_words(language)] + y.PEOPLE + y.THINGS + y.LOOKS + y.DID + y.MADE,
        "company": w.NOUNS + [form for forms in w.FORMS.values() for form in forms], "people": w.DEMONYMS + w.BELIEFS, **{f"cue_{name}": cues for name, cues in w.CUES.items()},
    }  # fmt: skip
    assert Locale("en")
    return {
        name: np.unique(
            np.array(
                [of_word(part) for value in many for part in value.replace("-", " ").replace("'", " ").split()],
                np.uint32,
            )
        )
        for name, many in held.items()
    }


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


def train(
    marked: list[Marked], lists: dict[str, np.ndarray], bits: int, rounds: int, seed: int, rate: float, decay: float
) -> Model:
    """The model that several rounds over the texts lead to."""
    dice = np.random.default_rng(seed)
    count = len(TAGS)
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


def main() -> None:
    """Train, judge on held-out templates and values, and write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--texts", type=int, default=80_000)
    asked.add_argument("--rounds", type=int, default=4)
    asked.add_argument("--bits", type=int, default=18)
    asked.add_argument("--seed", type=int, default=20)
    asked.add_argument("--rate", type=float, default=0.2)
    asked.add_argument("--decay", type=float, default=1e-5)
    asked.add_argument("--into", type=Path, default=FOLDER)
    given = asked.parse_args()
    start = time.process_time()
    lists = word_lists()
    model = train(
        list(texts(given.texts, given.seed, held=False)),
        lists,
        given.bits,
        given.rounds,
        given.seed,
        given.rate,
        given.decay,
    )
    weights = packed(model)
    manifest = Manifest("names.npz", hashlib.sha256(weights).hexdigest(), TAGS, given.bits, given.seed)
    given.into.mkdir(parents=True, exist_ok=True)
    (given.into / manifest.weights).write_bytes(weights)
    told = {name: getattr(manifest, name) for name in manifest.__struct_fields__}
    (given.into / "manifest.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    print(f"{len(weights):,} bytes, {time.process_time() - start:.0f} s of CPU")
    for entity, (precision, recall, f1) in judged(
        parsed(weights, manifest), list(texts(4000, given.seed + 1, held=True))
    ).items():
        print(f"{entity:14} {precision:.3f} {recall:.3f} {f1:.3f}")


if __name__ == "__main__":
    main()
