"""Features to do without: those by which evasions get through, taken out until none gets through or ranking suffers."""

from collections.abc import Callable, Iterator, Sequence

from trustplane.training.attacks.engine import Outcome
from trustplane.training.attacks.figures import weaknesses
from trustplane.training.hardening.standing import Standing

MOST_STEPS = 8
_USED_BY, _AT_ONCE = 0.1, 12


def to_remove(outcome: Outcome, already: Sequence[str]) -> tuple[str, ...]:
    """The features that a tenth of the evasions or more change, at most twelve, the most used first; the most used one where none is so common."""
    listed = [w for w in weaknesses(outcome) if w.feature not in already]
    common = [w.feature for w in listed if w.share >= _USED_BY][:_AT_ONCE]
    return tuple(common or [w.feature for w in listed[:1]])


def removals(
    try_without: Callable[[tuple[str, ...]], tuple[Standing, Outcome]], outcome: Outcome, least_auc: float
) -> Iterator[tuple[Standing, Outcome]]:
    """What comes of taking out more and more features, until nothing evades or the area under the curve falls below ``least_auc``."""
    removed: tuple[str, ...] = ()
    for _ in range(MOST_STEPS):
        more = to_remove(outcome, removed)
        if not more:
            return
        removed += more
        standing, outcome = try_without(removed)
        if standing.auc < least_auc and len(more) > 1:
            # too much at once: the most used half of it
            removed = removed[: len(removed) - len(more) // 2]
            standing, outcome = try_without(removed)
        yield standing, outcome
        if standing.auc < least_auc or not outcome.evaded.any():
            return
