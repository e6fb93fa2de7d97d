"""Labels and blocks of rows by models that did not see them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trustplane.assessment.privacy.learners import boosted, forest
from trustplane.data.poisoning.signs import surprising

Floats = npt.NDArray[np.float64]
BLOCKS = 8
_LEAST = 1e-3


@dataclass(frozen=True, slots=True)
class Unseen:
    """What models trained without a block of rows say: of its rows, and of the hold-out.

    ``block`` is the number of each training row's block; ``training`` the probability of class 1 of each training row by the model that did
    not see its block; ``holdout`` that of each row of the hold-out by each model, of shape (blocks, rows).
    """

    block: npt.NDArray[np.int64] = field(repr=False)
    training: Floats = field(repr=False)
    holdout: Floats = field(repr=False)


def unseen(training: tuple[Any, Any], holdout: Any, seed: int) -> Unseen | None:
    """Blocks of rows that follow each other, and what models trained without each say; ``None`` where a class lies in one block.

    Each model is the mean of boosted trees and a forest: what both doubt is more often wrong.
    """
    features, label = training
    block = np.arange(len(label)) * BLOCKS // len(label)
    told, aside = np.empty(len(label)), np.empty((BLOCKS, len(holdout)))
    for k in range(BLOCKS):
        out = block == k
        if len(np.unique(label[~out])) < 2:
            return None
        models = [fit(features[~out], label[~out], seed) for fit in (boosted, forest)]
        both = np.concatenate([features[out], holdout])
        said = np.mean([model(both) for model in models], axis=0)
        told[out], aside[k] = said[: out.sum()], said[out.sum() :]
    return Unseen(block, told, aside)


def doubts(said: Floats, label: Any) -> npt.NDArray[np.bool_]:
    """Which labels are wrong, as confident learning prunes by noise rate (Northcutt, Jiang and Chuang 2021, section 3.2).

    ``said`` is the probability of class 1. A class is confident of a row where its probability is at least the mean over the rows labelled with it.
    Of the rows of a label so large a share is doubted as is confidently of the other class: those whose other class leads the most.
    """
    near = np.column_stack([1 - said, said])
    own, other = (near[np.arange(len(label)), of] for of in (label, 1 - label))
    doubted = np.zeros(len(label), bool)
    mean = [own[label == of].mean() if (label == of).any() else np.inf for of in (0, 1)]
    confident = np.where(near >= mean, near, -1.0)
    sure, best = confident.max(axis=1) >= 0, confident.argmax(axis=1)
    for of in (0, 1):
        rows = np.flatnonzero(label == of)
        counted = sure[rows]
        share = (best[rows][counted] != of).mean() if counted.any() else 0.0
        lead = (own - other)[rows]
        doubted[rows[np.argsort(lead, kind="stable")[: round(float(share) * len(rows))]]] = True
    return np.asarray(doubted & (own < other))


def doubtful_block(seen: Unseen, doubted: npt.NDArray[np.bool_]) -> tuple[float, bool]:
    """The greatest share of doubted labels in a block, and whether it is three times that of the others and beyond chance."""
    hits, of = np.bincount(seen.block[doubted], minlength=BLOCKS), np.bincount(seen.block, minlength=BLOCKS)
    worst = int(np.argmax(hits / of))
    rest = (int(hits.sum() - hits[worst]) + 1) / (int(of.sum() - of[worst]) + 2)
    apart = bool(hits[worst] >= 3 * rest * of[worst]) and surprising(int(hits[worst]), int(of[worst]), rest, BLOCKS)
    return float(hits[worst] / of[worst]), apart


def harm(seen: Unseen, label: Any) -> tuple[float, tuple[float, float]]:
    """By what part of itself the loss on the hold-out falls where the worst block is left out, with a 95 % interval for all blocks together.

    A block's influence is measured by training without it; the comparison is with the models that leave out another block, row by row.
    """
    given = np.where(label == 1, seen.holdout, 1 - seen.holdout)
    loss = -np.log(np.clip(given, _LEAST, 1))
    others = (loss.sum(axis=0) - loss) / (BLOCKS - 1)
    gain = (others - loss).mean(axis=1)
    worst = int(gain.argmax())
    error = float((others[worst] - loss[worst]).std() / np.sqrt(len(label)))
    base = max(float(others[worst].mean()), _LEAST)
    wide = float(np.sqrt(2 * np.log(2 * BLOCKS / 0.05))) * error
    return float(gain[worst] / base), (float(gain[worst] - wide) / base, float(gain[worst] + wide) / base)
