"""Statistics under a privacy budget: 8 clients at once, each answer paid for and recorded, beside OpenDP's own count without a budget kept."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import opendp.prelude as dp
from sqlalchemy import func, select

from measure import Figure, folder, options, report
from planes import PURPOSE, plane_with_steward
from trustplane.data.ingestion import DatasetSpec, ingest
from trustplane.data.private.budgets import BudgetSpec, set_budget
from trustplane.data.private.questions import Question, epsilon_of
from trustplane.data.private.releases import release_statistic
from trustplane.data.tables import PrivacyBudget, PrivacyRelease
from trustplane.data.views import ViewSpec, create_view
from trustplane.values.errors import Refused

ASKED = Question("count", epsilon_of("0.01"))


def bare(rows: int, seconds: float = 1.0) -> float:
    """Counts with discrete Laplace noise per second, of a number that is known."""
    dp.enable_features("contrib")
    made = dp.m.make_laplace(dp.atom_domain(T=dp.i64), dp.absolute_distance(T=dp.i64), scale=100.0)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        made(rows)
        count += 1
    return count / (time.perf_counter() - start)


def main() -> None:
    settings = options("Statistics under a privacy budget.")
    told = 40 if settings.quick else 200
    with folder(settings.folder) as name, plane_with_steward(Path(name)) as (plane, _, steward):
        text = "id,age\n" + "".join(f"C{n:06d},{18 + n % 70}\n" for n in range(10_000))
        spec = DatasetSpec("people", "csv", (PURPOSE,), "eu-gdpr:A6-1-b", 365, source="generated")
        ingest(plane, steward, "credit", spec, [text.encode()])
        create_view(plane, steward, "credit", ViewSpec("ages", "people", ("age",), PURPOSE, timedelta(hours=1)))
        budget = set_budget(plane, steward, "credit", "people", BudgetSpec(PURPOSE, str(told / 100)))

        def ask(_: int) -> bool:
            try:
                release_statistic(plane, steward, "credit", "ages", ASKED)
            except Refused:
                return False
            return True

        start = time.perf_counter()
        with ThreadPoolExecutor(8) as pool:
            answered = sum(pool.map(ask, range(told + 40)))
        spent = time.perf_counter() - start
        with plane.database.read() as session:
            paid = session.scalar(select(func.sum(PrivacyRelease.epsilon)).where(PrivacyRelease.budget_id == budget))
            row = session.get_one(PrivacyBudget, budget)
            exact = answered == told and row.spent == row.total == paid
    figures = [
        Figure(f"{told} answers to 8 clients that ask for {told + 40}: spent exactly", float(exact), "", 1),
        Figure("answers", told / spent, "per second", 20),
    ]
    report(figures, settings, **{"OpenDP alone, nothing kept": f"{bare(10_000):,.0f} per second"})


if __name__ == "__main__":
    main()
