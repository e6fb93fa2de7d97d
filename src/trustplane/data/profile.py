"""What the columns of a dataset hold: a proposal of a sensitivity class for each, from a seeded sample, with its
reason.

A proposal is for a data steward to confirm. Where nothing is recognised it errs towards the more sensitive class.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trustplane.data.classes import SensitivityClass
from trustplane.data.presets import presets_of
from trustplane.data.recognisers.contract import ColumnSample, Judgement, Recogniser
from trustplane.data.recognisers.headers import vocabulary, words
from trustplane.data.recognisers.registry import installed_recognisers
from trustplane.data.sampling import SAMPLE, Sampler, miss_probability, unseen_share

LEAST_CONFIDENCE = 0.5
"""A judgement below this is not followed."""
RARE_SHARE = 0.001
"""The share of a column's values for which :attr:`Proposal.miss_probability` is given."""
FEW = 50
"""At most this many distinct values, each standing for many rows, single nobody out."""
OFTEN = 20

_MONEY = vocabulary(
    "amount amounts amt balance bal bill billing budget capital cash charge cost costs credit debit debt deposit"
    " earnings expense expenses fee fees fine gain income installment instalment interest limit loan loss mortgage"
    " overdraft pay payment payments payroll premium price profit purchase refund rent revenue salary savings spend"
    " spending tax turnover wage wages wealth wire withdrawal betrag gehalt saldo montant salaire importe 金額 薪資"
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """The class proposed for one column. ``entity`` is empty where no recogniser spoke.

    ``sampled`` of ``non_null`` values were looked at; ``miss_probability`` is the chance that the sample holds none of
    a kind of value that makes up :data:`RARE_SHARE` of the column, ``unseen_share`` the largest share that a kind which
    the sample does not hold may have, with a certainty of 95 %. Both are 0 after a look at every row (``exact``).
    ``presets`` says which lists of the law name the entity (:mod:`trustplane.data.presets`).
    """

    column: str
    klass: SensitivityClass
    entity: str
    confidence: float
    why: str
    sampled: int
    non_null: int
    miss_probability: float
    unseen_share: float = 0.0
    presets: tuple[str, ...] = ()
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """The proposals for a dataset's columns, in the order of the columns, and how they were come by."""

    proposals: tuple[Proposal, ...]
    rows: int
    seed: int
    recognisers: tuple[str, ...]

    @property
    def classes(self) -> dict[str, SensitivityClass]:
        """The proposed class by column."""
        return {proposal.column: proposal.klass for proposal in self.proposals}


def profile(
    batches: Iterable[Any],
    *,
    schema: Any,
    seed: int = 0,
    size: int = SAMPLE,
    recognisers: Sequence[Recogniser] | None = None,
) -> Profile:
    """The profile of a stream of record batches of ``schema``, by the installed recognisers unless others are given."""
    sampler = Sampler(schema, seed=seed, size=size)
    for batch in batches:
        sampler.add(batch)
    return profile_of(sampler.samples(), rows=sampler.rows, seed=seed, recognisers=recognisers)


def profile_of(
    samples: Iterable[ColumnSample], *, rows: int, seed: int, recognisers: Sequence[Recogniser] | None = None
) -> Profile:
    """The profile that follows from samples."""
    used = installed_recognisers() if recognisers is None else tuple(recognisers)
    proposals = tuple(propose(sample, used) for sample in samples)
    return Profile(proposals, rows, seed, tuple(recogniser.descriptor.name for recogniser in used))


def confirmed(profile: Profile, seen: Sequence[Proposal]) -> Profile:
    """The profile of a sample after every row was looked at: where the whole column says more, that counts."""
    pairs = zip(profile.proposals, seen, strict=True)
    return replace(profile, proposals=tuple(_confirmed(sampled, whole) for sampled, whole in pairs))


def _confirmed(sampled: Proposal, whole: Proposal) -> Proposal:
    better = max(sampled, whole, key=lambda each: (bool(each.entity), each.confidence))
    return replace(
        better, sampled=sampled.non_null, non_null=sampled.non_null, miss_probability=0.0, unseen_share=0.0, exact=True
    )


def propose(column: ColumnSample, recognisers: Iterable[Recogniser]) -> Proposal:
    """The most confident judgement, of equally confident ones the most sensitive; without any, :func:`unrecognised`."""
    judged = [
        (judgement.confidence, recogniser.descriptor.klass.rank, recogniser.descriptor.klass, judgement)
        for recogniser in recognisers
        if (judgement := recogniser.judge(column)) is not None and judgement.confidence >= LEAST_CONFIDENCE
    ]
    klass, judgement = max(judged, key=lambda each: each[:2])[2:] if judged else unrecognised(column)
    return Proposal(
        column=column.header,
        klass=klass,
        entity=judgement.entity,
        confidence=round(judgement.confidence, 4),
        why=judgement.why,
        sampled=column.sampled,
        non_null=column.non_null,
        miss_probability=miss_probability(column.non_null, column.sampled, RARE_SHARE),
        unseen_share=round(unseen_share(column.non_null, column.sampled), 6),
        presets=presets_of(judgement.entity, klass),
    )


def unrecognised(column: ColumnSample) -> tuple[SensitivityClass, Judgement]:
    """The class of a column that no recogniser knows: open only where its values are few, frequent and not money."""
    confidential = SensitivityClass.CONFIDENTIAL
    if column.sampled == 0:
        return confidential, Judgement("", 0.5, "there is no value to judge by")
    money = _MONEY.intersection(words(column.header))
    if money:
        return confidential, Judgement("", 0.8, f"the column's name speaks of money ({', '.join(sorted(money))})")
    if column.type.startswith(("binary", "large_binary", "fixed_size_binary")):
        return confidential, Judgement("", 0.5, "its values are bytes that no recogniser reads")
    if column.distinct <= FEW and column.sampled >= OFTEN * column.distinct:
        repeats = column.sampled // column.distinct
        why = (
            f"no recogniser knows it, and each of its {column.distinct} distinct values stands for {repeats} on average"
        )
        return SensitivityClass.OPEN, Judgement("", 0.6, why)
    why = f"no recogniser knows it, and {column.distinct} distinct values among {column.sampled} can single rows out"
    return confidential, Judgement("", 0.5, why)
