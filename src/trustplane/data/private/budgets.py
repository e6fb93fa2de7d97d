"""Privacy budgets: how much epsilon may be spent on a dataset for a purpose, how much was, and on what."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from trustplane.data.catalog import dataset_target, find_dataset, find_version
from trustplane.data.private.mechanisms import Unit
from trustplane.data.private.questions import MICRO, epsilon_of
from trustplane.data.tables import Dataset, PrivacyBudget
from trustplane.data.terms import check_purpose
from trustplane.kernel.identity.scopes import find_project
from trustplane.values.errors import BadInput, Refused
from trustplane.values.ids import new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane

MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class BudgetSpec:
    """How much epsilon for what purpose, and whom the noise hides: a row, or at most ``rows`` rows of whoever ``unit`` names."""

    purpose: str
    epsilon: str
    unit: str = ""
    rows: int = 1


def set_budget(plane: "Plane", actor: "Actor", project: str, dataset: str, spec: BudgetSpec) -> str:
    """Give a dataset a budget for a purpose, or another amount; return its id. What was spent stays spent."""
    purpose, total = check_purpose(spec.purpose), int(epsilon_of(spec.epsilon) * MICRO)
    with plane.database.read() as session:
        found = find_dataset(session, find_project(session, project).id, dataset)
        _check_unit(spec, set(find_version(session, found).classes))
        target = dataset_target(session, found)
    if purpose not in found.purposes:
        raise BadInput("TP-DATA-115", "the dataset was not collected for this purpose", why="GDPR art. 5(1)(b)")
    with plane.operation(actor, "dataset.update", target) as op:
        # Whoever gives the first budget waits here for whoever does the same at this moment.
        op.session.get_one(Dataset, found.id, populate_existing=True, with_for_update=True)
        row = op.session.scalar(_budget(found.id, purpose).with_for_update())
        if row is None:
            row = PrivacyBudget(
                id=new_id(), dataset_id=found.id, purpose=purpose, total=total, spent=0, unit=spec.unit, rows=spec.rows
            )
            op.session.add(row)
        elif row.spent and (row.unit, row.rows) != (spec.unit, spec.rows):
            raise Refused("TP-DATA-113", "some of the budget is spent, and was spent for another unit")
        elif total < row.spent:
            raise Refused("TP-DATA-113", f"{shown(row.spent)} of the budget is spent already")
        elif (row.total, row.unit, row.rows) == (total, spec.unit, spec.rows):
            raise Refused("TP-DATA-113", "the budget is like this already")
        row.total, row.unit, row.rows = total, spec.unit, spec.rows
        op.session.flush()
        op.record(budget=row.id, purpose=purpose, epsilon=shown(total), spent=shown(row.spent), unit=spec.unit, rows=spec.rows)  # fmt: skip
        return row.id


def budget_of(session: Session, dataset: Dataset, purpose: str) -> PrivacyBudget:
    """The budget of a dataset for a purpose; raise :class:`Refused` (TP-DATA-111) where nobody gave it one."""
    row = session.scalar(_budget(dataset.id, purpose))
    if row is None:
        raise Refused("TP-DATA-111", f"the dataset {dataset.name!r} has no privacy budget for this purpose")
    return row


def budgets_of(session: Session, dataset_id: str) -> list[PrivacyBudget]:
    """The budgets of a dataset, by purpose."""
    query = select(PrivacyBudget).where(PrivacyBudget.dataset_id == dataset_id).order_by(PrivacyBudget.purpose)
    return list(session.scalars(query))


def require_left(row: PrivacyBudget, micro: int) -> None:
    """Raise :class:`Refused` (TP-DATA-112) unless a budget has that much left."""
    if row.spent + micro > row.total:
        left = shown(row.total - row.spent)
        raise Refused("TP-DATA-112", f"the privacy budget has {left} left, and this costs {shown(micro)}")


def spend(session: Session, budget_id: str, unit: Unit, micro: int) -> PrivacyBudget:
    """Take something of a budget within the caller's transaction, alone; raise :class:`Refused` (TP-DATA-112) if there is not enough."""
    row = session.get_one(PrivacyBudget, budget_id, populate_existing=True, with_for_update=True)
    if (row.unit, row.rows) != (unit.column, unit.rows):
        raise Refused("TP-DATA-113", "the unit of the budget was changed meanwhile")
    require_left(row, micro)
    row.spent += micro
    session.flush()
    return row


def unit_of(row: PrivacyBudget) -> Unit:
    """Whom the noise hides under a budget."""
    return Unit(row.unit, row.rows)


def _budget(dataset_id: str, purpose: str) -> Select[PrivacyBudget]:
    return select(PrivacyBudget).where(PrivacyBudget.dataset_id == dataset_id, PrivacyBudget.purpose == purpose)


def _check_unit(spec: BudgetSpec, columns: set[str]) -> None:
    if not 1 <= spec.rows <= MOST_ROWS:
        raise BadInput("TP-DATA-115", f"the rows of a unit are 1 to {MOST_ROWS:,}")
    if spec.unit and spec.unit not in columns:
        raise BadInput("TP-DATA-115", f"the dataset has no column {spec.unit[:80]!r}")
    if not spec.unit and spec.rows != 1:
        raise BadInput("TP-DATA-115", "without a column that names the unit, the unit is one row")


def shown(micro: int) -> str:
    """Millionths of epsilon as people write them."""
    return f"{(Decimal(micro) / MICRO).normalize():f}"
