"""Statistics with noise, and the budgets that pay for them."""

from typing import Any

from fastapi import APIRouter, status
from pydantic import BaseModel, Field

from trustplane.api.access import PREFIX, PROBLEMS, Asked, listed, moment
from trustplane.data.catalog import dataset_target, find_dataset
from trustplane.data.private.budgets import BudgetSpec, budgets_of, set_budget, shown
from trustplane.data.private.questions import question_of
from trustplane.data.private.releases import release_statistic, releases_of
from trustplane.data.tables import PrivacyBudget, PrivacyRelease

router = APIRouter(prefix=PREFIX, tags=["private statistics"], responses=PROBLEMS)


class NewBudget(BaseModel):
    """How much epsilon may be spent for a purpose; ``unit`` is the column that names whom the noise hides."""

    model_config = {"json_schema_extra": {"examples": [{"purpose": "dpv:CustomerSolvencyMonitoring", "epsilon": 2}]}}
    purpose: str = Field(max_length=100)
    epsilon: float | str
    unit: str = Field(default="", max_length=500)
    rows: int = 1


class NewStatistic(BaseModel):
    """One statistic. Bounds, categories and edges are known without looking at the data."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"kind": "mean", "column": "AGE", "epsilon": 0.5, "lower": 18, "upper": 100}]
        }
    }
    kind: str = Field(max_length=40)
    epsilon: float | str
    column: str = Field(default="", max_length=500)
    lower: float | None = None
    upper: float | None = None
    quantile: float | None = None
    categories: list[str] = Field(default=[], max_length=1000)
    edges: list[float] = Field(default=[], max_length=1000)
    where: str = Field(default="", max_length=2000)
    purpose: str | None = Field(default=None, max_length=100)


@router.get("/projects/{project}/datasets/{dataset}/budgets")
def budgets(project: str, dataset: str, door: Asked) -> dict[str, Any]:
    """The privacy budgets of a dataset, each with what it was spent on."""
    with door.plane.database.read() as session:
        row = find_dataset(session, door.project(session, project).id, dataset)
        door.may("dataset.read", dataset_target(session, row))
        return listed({**_budget(b), "releases": list(map(_spent, releases_of(session, b.id)))} for b in budgets_of(session, row.id))  # fmt: skip


@router.put("/projects/{project}/datasets/{dataset}/budgets")
def put_budget(project: str, dataset: str, body: NewBudget, door: Asked) -> dict[str, Any]:
    """Give a dataset a privacy budget for a purpose, or another amount."""
    spec = BudgetSpec(body.purpose, str(body.epsilon), body.unit, body.rows)
    made = set_budget(door.plane, door.actor, project, dataset, spec)
    with door.plane.database.read() as session:
        return _budget(session.get_one(PrivacyBudget, made))


@router.post("/projects/{project}/views/{view}/statistics", status_code=status.HTTP_201_CREATED)
def post_statistic(project: str, view: str, body: NewStatistic, door: Asked) -> dict[str, Any]:
    """A statistic of the rows of a view, with noise, at the cost of the budget. The same request twice is paid for once."""
    asked = question_of(body.model_dump())
    made = door.once(
        body.model_dump(),
        lambda key: release_statistic(door.plane, door.actor, project, view, asked, body.purpose, key),
    )
    with door.plane.database.read() as session:
        row = session.get_one(PrivacyRelease, made)
        budget = session.get_one(PrivacyBudget, row.budget_id)
        return {**_spent(row), "answer": row.answer, "budget": _budget(budget)}


def _budget(row: PrivacyBudget) -> dict[str, Any]:
    return {
        "id": row.id,
        "purpose": row.purpose,
        "epsilon": shown(row.total),
        "spent": shown(row.spent),
        "left": shown(row.total - row.spent),
        "unit": row.unit or None,
        "rows": row.rows,
    }


def _spent(row: PrivacyRelease) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "column": row.column or None,
        "epsilon": shown(row.epsilon),
        "question": row.question,
        "at": moment(row.at),
    }
