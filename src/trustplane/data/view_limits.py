"""What a view withholds although it is open: masked values, single rows, most of the rows."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from sqlalchemy.orm import Session

from trustplane.data.tables import View, ViewLimits
from trustplane.data.transforms.coarse import Mask
from trustplane.kernel.policy.roles import check_role, effective_roles
from trustplane.values.errors import BadInput, Denied

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor

LEAST_GROUP = 5
MOST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """``masks`` are columns with how many of their last characters show; whoever has one of the roles ``unmasked`` sees them whole.

    With ``groups`` no row leaves, only aggregates over groups of at least so many. ``sample`` is the most rows, drawn by chance and for
    good: who opens the view again sees the same.
    """

    masks: Mapping[str, int] = field(default_factory=dict)
    unmasked: tuple[str, ...] = ("data-steward",)
    groups: int = 0
    sample: int | None = None

    @property
    def any(self) -> bool:
        """Whether anything is withheld."""
        return bool(self.masks or self.groups or self.sample)


def check_limits(limits: Limits, columns: tuple[str, ...], pseudonyms: tuple[str, ...]) -> None:
    """Raise :class:`BadInput` (TP-DATA-044) where limits make no sense for a view."""
    for column, shown in limits.masks.items():
        if column not in columns or column in pseudonyms:
            raise _bad(f"the column {column[:80]!r} is not shown as it is, so it cannot be masked")
        if not 0 <= shown <= MOST_SHOWN:
            raise _bad(f"a mask shows 0 to {MOST_SHOWN} characters")
    for role in limits.unmasked:
        check_role(role)
    if limits.groups and not LEAST_GROUP <= limits.groups <= 1_000_000:
        raise _bad(f"groups have at least {LEAST_GROUP} rows")
    if limits.sample is not None and limits.sample < 1:
        raise _bad("a sample has at least one row")


def keep_limits(session: Session, view: View, limits: Limits) -> None:
    """Keep the limits of a view that is being made."""
    if limits.any:
        session.add(
            ViewLimits(
                view_id=view.id,
                masks=dict(limits.masks),
                unmasked=list(limits.unmasked),
                groups=limits.groups,
                sample=limits.sample,
            )
        )


def limits_of(session: Session, view: View) -> Limits:
    """The limits of a view."""
    row = session.get(ViewLimits, view.id)
    return Limits() if row is None else Limits(row.masks, tuple(row.unmasked), row.groups, row.sample)


def masks_for(limits: Limits, actor: "Actor", project_id: str) -> Mapping[str, int]:
    """The columns that somebody sees masked."""
    roles = effective_roles(actor.bindings, project=project_id, environment=None)
    return {} if roles & set(limits.unmasked) else limits.masks


def require_rows(limits: Limits, view: View) -> None:
    """Raise :class:`Denied` (TP-DATA-043) where no row may leave."""
    if limits.groups:
        raise Denied(
            "TP-DATA-043", f"the view {view.name!r} gives aggregates of at least {limits.groups} rows, and no row"
        )


def masked(column: Any, shown: int) -> Any:
    """The column as text of which so many last characters show."""
    return Mask(last=shown).apply(column, {})


def sampled(batches: Iterator[Any], view_id: str, rows: int, most: int | None) -> Iterator[Any]:
    """The rows that were drawn for a view, always the same ones."""
    if most is None or most >= rows:
        yield from batches
        return
    dice = np.random.default_rng(int.from_bytes(hashlib.sha256(view_id.encode()).digest()[:8]))
    drawn, start = np.sort(dice.choice(rows, size=most, replace=False)), 0
    for batch in batches:
        here = drawn[np.searchsorted(drawn, start) : np.searchsorted(drawn, start + batch.num_rows)] - start
        start += batch.num_rows
        if len(here):
            yield batch.take(pa.array(here))


def _bad(why: str) -> BadInput:
    return BadInput("TP-DATA-044", "the view cannot have these limits", why=why)
